"""What goes to the broker over whatever connection stands, and what is said again on the next.

A broker without persistence has forgotten everything when it comes back; so the newest message of
each event and all that is retained for ever are kept here, and leave again after a reconnect.
"""

from __future__ import annotations

import logging
import math

from eew.clock import NS_PER_S, Clock
from eew.egress.link import PublisherLink
from eew.egress.outbox import Outbox, Parcel, Ticket
from eew.egress.plan import Outgoing
from eew.mqtt_link import MQTT_5, BrokerAddress

__all__ = ["Dispatch"]

_log = logging.getLogger(__name__)


class Dispatch:
    """Sends what it is given as far as the broker lets it; the rest when there is room.

    Parameters
    ----------
    clock : Clock
        Monotonic time, for the expiry.
    capacity : int
        Most copies waiting for the broker.
    """

    def __init__(self, address: BrokerAddress, clock: Clock, capacity: int) -> None:
        self._address = address
        self._clock = clock
        self._outbox = Outbox(capacity)
        self._live: dict[str, Parcel] = {}  # event id -> its newest message
        self._standing: dict[str, Parcel] = {}  # topic -> what is retained for ever
        self._link: PublisherLink | None = None

    @property
    def is_connected(self) -> bool:
        """True while a connection to the broker stands."""
        return self._link is not None

    @property
    def n_waiting(self) -> int:
        """Copies that the broker has not acknowledged yet."""
        return len(self._outbox)

    @property
    def n_dropped(self) -> int:
        """Copies that never left: expired while waiting, or too many."""
        return self._outbox.n_dropped

    @property
    def n_refused(self) -> int:
        """Copies that the broker did not want: it allows this user less than it must."""
        return self._outbox.n_refused

    # ------------------------------------------------------------------ what is to leave

    def put(self, out: Outgoing) -> Ticket:
        """Send something once."""
        return self._put(out)[1]

    def put_live(self, out: Outgoing) -> Ticket:
        """Send the newest message of an event; it is said again until it expires."""
        self._live.pop(out.key, None)  # the newest stand last
        self._live[out.key], ticket = self._put(out)
        return ticket

    def put_standing(self, out: Outgoing) -> Ticket:
        """Send what is retained for ever, in the place of an older one of its topic."""
        self._standing[out.key], ticket = self._put(out)
        return ticket

    def prepare_standing(self, out: Outgoing) -> None:
        """Note what is retained for ever before there is a connection."""
        self._standing[out.key] = Parcel(out)

    def retained(self) -> list[Outgoing]:
        """Return all that the broker may hold of this service."""
        return [parcel.outgoing for parcel in (*self._live.values(), *self._standing.values())]

    def forget_expired(self) -> None:
        """Drop events whose last message has expired; MQTT 3.1.1 needs telling to do the same."""
        now_ns = self._clock.monotonic_ns()
        over = [parcel for parcel in self._live.values() if (parcel.expires_ns or 0) <= now_ns]
        for parcel in over:
            del self._live[parcel.outgoing.key]
            if self._address.protocol != MQTT_5:
                self._put(parcel.outgoing.emptied())

    def _put(self, out: Outgoing) -> tuple[Parcel, Ticket]:
        ticket = Ticket(len(out.topics))
        expires_ns = None
        if out.lifetime_s is not None:
            expires_ns = self._clock.monotonic_ns() + round(out.lifetime_s * NS_PER_S)
        parcel = Parcel(out, ticket, expires_ns)
        self._outbox.put(parcel)
        self.pump()
        return parcel, ticket

    # ------------------------------------------------------------------ the connection

    def connected(self, link: PublisherLink, first: Outgoing) -> None:
        """Take a connection; say keys, ``first``, then what is still true, newest alerts first."""
        self._link = link
        self.forget_expired()
        # who still trusts the key before would refuse all that is signed by this one
        keys = [parcel for parcel in self._standing.values() if parcel.outgoing.urgent]
        rest = [parcel for parcel in self._standing.values() if not parcel.outgoing.urgent]
        for parcel in keys:
            self._outbox.put_again(parcel)
        self._outbox.put(Parcel(first))
        # the live copies too: a device that was back before us found no current one
        for parcel in (*reversed(self._live.values()), *rest):
            self._outbox.put_again(parcel)
        self.pump()

    def lost(self) -> None:
        """Take that the connection is gone."""
        self._link = None
        self._outbox.lost()

    def pump(self) -> None:
        """Send what may leave now."""
        while (link := self._link) is not None and (room := link.room) > 0:
            pieces = self._outbox.take(room, self._clock.monotonic_ns())
            if not pieces:
                return
            link.send(pieces, self._expiry_s)

    def answered(self, parcel: Parcel, index: int, refused: bool, at_ns: int) -> None:
        """Take what the broker says of one copy, heard at monotonic ns."""
        if refused:
            _log.error("%s refused %s", self._address, parcel.outgoing.topics[index])
        self._outbox.answered(parcel, index, refused=refused, at_ns=at_ns)

    def _expiry_s(self, parcel: Parcel) -> int | None:
        """Return how many seconds the broker may keep a message."""
        if parcel.expires_ns is None:
            return None
        return max(1, math.ceil((parcel.expires_ns - self._clock.monotonic_ns()) / NS_PER_S))
