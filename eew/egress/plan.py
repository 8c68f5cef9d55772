"""Which message goes to which topic, in which order: the same plan with a broker and without.

An alert goes to the national topic and to the ``area/.../alert`` of every cell told now or before,
those the S wave reaches first leading. Just before them its twin goes to the retained
``event/.../current``, for those who join late. The order matters: a device that joins before the
live copy leaves hears that one, and one that joins later finds the twin, which is there already;
nobody can fall between.

The last message of an event stays ``current`` until it expires: a phone that showed the alert
and was away when it was cancelled must find the cancel when it comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from eew.clock import NS_PER_S
from eew.messages.cell_order import in_telling_order
from eew.messages.levels import Thresholds
from eew.messages.topics import alert_topic, area_alert_topic, cells_to_tell, event_current_topic
from eew.model.alert import AlertMessage
from eew.mqtt_packets import Properties

__all__ = ["AlertPlanner", "Outgoing"]

_BARE = Properties()
# a cell is told again and again, and checking its name costs 10 us
_area_alert = lru_cache(maxsize=65_536)(area_alert_topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One payload for one topic or many, QoS 1.

    Attributes
    ----------
    key : str
        A newer one with the same key takes the place of what has not left yet.
    topics : tuple of str
        In the order of sending.
    n_retained : int
        The broker keeps the copies on so many topics, counted from the first.
    properties : Properties
        What MQTT 5 sends beside the payload; without the expiry, which counts from the sending.
    lifetime_s : float or None
        How long it is worth anything; None for ever.
    """

    key: str
    topics: tuple[str, ...]
    payload: bytes
    n_retained: int = 0
    properties: Properties = _BARE
    urgent: bool = False
    lifetime_s: float | None = None

    @property
    def current(self) -> tuple[str, ...]:
        """The topics whose copies the broker keeps."""
        return self.topics[: self.n_retained]

    @property
    def live(self) -> tuple[str, ...]:
        """The topics that are listened to."""
        return self.topics[self.n_retained :]

    def emptied(self) -> Outgoing:
        """Return what removes the retained copies from the broker."""
        return replace(self, topics=self.current, payload=b"", properties=_BARE, lifetime_s=None)


class AlertPlanner:
    """Plans alerts; remembers the cells each event has been told to.

    Parameters
    ----------
    thresholds : Thresholds, optional
        From which intensity a cell is told; those of the message's scale by default.
    """

    def __init__(self, *, thresholds: Thresholds | None = None) -> None:
        self._told: dict[str, frozenset[str]] = {}
        self._thresholds = thresholds

    def affected(self, message: AlertMessage) -> tuple[str, ...]:
        """Return the cells in which some place may be shaken."""
        return cells_to_tell(message, thresholds=self._thresholds)

    def plan(
        self, message: AlertMessage, payload: bytes, properties: Properties | None = None
    ) -> Outgoing:
        """Return what is to leave for ``message``, whose encoded form is ``payload``.

        Who saw the first alert must also see that it became weaker or was withdrawn: a cell told
        once is told to the end. A cancel concerns exactly the cells told before.
        """
        event_id, tree = message.event_id, message.status
        affected = () if message.cancel_reason else self.affected(message)
        told = self._told.get(event_id, frozenset()).union(affected)
        if message.is_final:
            self._told.pop(event_id, None)
        else:
            self._told[event_id] = told
        cells = in_telling_order(message, told, affected)
        return Outgoing(
            key=event_id,
            topics=(
                event_current_topic(event_id, tree=tree),
                alert_topic(tree=tree),
                *(_area_alert(cell, tree=tree) for cell in cells),
            ),
            payload=payload,
            n_retained=1,
            properties=properties or _BARE,
            urgent=True,
            lifetime_s=(message.expires_ns - message.issued_ns) / NS_PER_S,
        )
