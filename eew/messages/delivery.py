"""How each kind of topic is delivered: by whom, with which QoS, kept by the broker or not."""

from __future__ import annotations

from dataclasses import dataclass

from eew.messages.topics import TopicKind

__all__ = ["DELIVERY", "Delivery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The rule of one kind of topic.

    Attributes
    ----------
    from_service : bool
        Published by the service and signed; otherwise by a device, which has no key.
    qos : int
        0 or 1.
    retained : bool
        The broker keeps the newest for those who come later.
    expires : bool
        It carries the time it has left, so that the broker forgets it.
    """

    from_service: bool = True
    qos: int = 1
    retained: bool = False
    expires: bool = False


DELIVERY: dict[TopicKind, Delivery] = {
    TopicKind.ALERT: Delivery(expires=True),
    TopicKind.AREA_ALERT: Delivery(expires=True),
    TopicKind.EVENT_CURRENT: Delivery(retained=True, expires=True),
    TopicKind.HELP_CELL: Delivery(retained=True),
    TopicKind.HELP_COUNTRY: Delivery(retained=True),
    TopicKind.KEYS: Delivery(retained=True),
    TopicKind.STATUS: Delivery(retained=True),
    TopicKind.HEARTBEAT: Delivery(qos=0),
    TopicKind.ACK: Delivery(from_service=False, qos=0),
}
