"""Which message goes to which topic: the same plan with a broker and without.

An alert goes to the national topic and to the ``area/.../alert`` of every cell told now or before.
Just before them its twin goes to the retained ``event/.../current``, for those who join late. The
order matters: a device that joins before the live copy leaves hears that one, and one that joins
later finds the twin, which is there already; nobody can fall between.

The last message of an event stays ``current`` until it expires: a phone that showed the alert
and was away when it was cancelled must find the cancel when it comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from eew.clock import NS_PER_S
from eew.messages.levels import Thresholds
from eew.messages.topics import (
    AreaBook,
    alert_topic,
    area_alert_topic,
    event_current_topic,
)
from eew.model.alert import AlertMessage

# a cell is told again and again, and checking its name costs 10 us
_area_alert = lru_cache(maxsize=65_536)(area_alert_topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One payload for one topic.

    Attributes
    ----------
    key : tuple of str
        A newer message with the same key replaces one that has not left yet.
    lifetime_s : float or None
        How long it is worth anything; None for ever.
    """

    topic: str
    payload: bytes
    key: tuple[str, str]
    schema: str = ""
    qos: int = 1
    retain: bool = False
    urgent: bool = False
    lifetime_s: float | None = None

    def emptied(self) -> Outgoing:
        """Return what removes this retained message from the broker."""
        return replace(self, payload=b"", schema="", qos=1, lifetime_s=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlan:
    """Everything that one alert message makes leave; ``outgoing`` in the order of sending."""

    event_id: str
    serial: int
    cells: tuple[str, ...]
    outgoing: tuple[Outgoing, ...]

    @property
    def live(self) -> tuple[Outgoing, ...]:
        """The copies that are listened to."""
        return tuple(out for out in self.outgoing if not out.retain)

    @property
    def current(self) -> tuple[Outgoing, ...]:
        """The retained copies."""
        return tuple(out for out in self.outgoing if out.retain)


class AlertPlanner:
    """Plans alerts; remembers the cells each event has been told to."""

    def __init__(self, *, thresholds: Thresholds | None = None) -> None:
        self._book = AreaBook()
        self._thresholds = thresholds

    def plan(self, message: AlertMessage, payload: bytes) -> AlertPlan:
        """Return what is to leave for ``message``, whose encoded form is ``payload``."""
        cells = self._book.cells_for(message, thresholds=self._thresholds)
        lifetime_s = (message.expires_ns - message.issued_ns) / NS_PER_S
        event_id = message.event_id

        def copy(topic: str, *, retain: bool) -> Outgoing:
            # no schema among the MQTT 5 properties: it stands in the payload, and reading it costs
            # a thousand phones of one process more than the alert itself
            return Outgoing(
                topic=topic,
                payload=payload,
                key=(topic, event_id),
                # lost with the connection only, and then said again on the next one
                qos=0 if retain else 1,
                retain=retain,
                urgent=True,
                lifetime_s=lifetime_s,
            )

        current = copy(event_current_topic(event_id, tree=message.status), retain=True)
        topics = [alert_topic(tree=message.status)]
        topics += [_area_alert(cell, tree=message.status) for cell in cells]
        return AlertPlan(
            event_id=event_id,
            serial=message.serial,
            cells=cells,
            outgoing=(current, *(copy(topic, retain=False) for topic in topics)),
        )
