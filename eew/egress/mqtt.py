"""The publisher: alerts, help packs, keys, status and heartbeat onto one MQTT broker.

The caller hands a message over and goes on. :meth:`AlertPublisher.submit` writes it to the socket
before it returns, as far as the broker lets it; the rest waits in an outbox that holds the newest
state per event, and leaves from the event loop. One task keeps the connection, and after each
reconnect says again what is still true (a broker without persistence has forgotten it). A slow or
dead broker costs the caller nothing with :meth:`AlertPublisher.submit`, and at most
``hand_over_s`` with :meth:`AlertPublisher.publish_alert`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

from eew.backoff import Backoff
from eew.clock import NS_PER_S, Clock
from eew.egress import standing
from eew.egress.link import PublisherLink, Will, open_publisher_link
from eew.egress.outbox import Outbox, Parcel, Ticket
from eew.egress.plan import AlertPlanner, Outgoing
from eew.errors import ConnectError, PublishError, TransportError
from eew.messages import wire
from eew.messages.control_wire import Heartbeat, encode_control
from eew.messages.properties import properties_of, traceparent
from eew.messages.seal import Signer
from eew.messages.topics import heartbeat_topic
from eew.model.alert import AlertMessage
from eew.model.place import HelpPack
from eew.mqtt_link import MQTT_5, BrokerAddress

__all__ = ["AlertPublisher", "PublishReceipt"]

_HOUSEKEEPING_S = 1.0
_HELP_HAND_OVER_S = 10.0
_FAREWELL_S = 2.0
_MOST_WAIT_S = 1.0  # between attempts to connect: one client is no herd, and all wait for it
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReceipt:
    """What becomes of one alert message.

    Attributes
    ----------
    topics : tuple of str
        Where the live copies go, in order.
    payload : bytes
        Encoded once for all topics.
    sent_ns : int
        Monotonic ns at the hand-over.
    """

    event_id: str
    serial: int
    topics: tuple[str, ...]
    payload: bytes
    sent_ns: int
    ticket: Ticket = field(repr=False)

    @property
    def taken_ns(self) -> int | None:
        """Monotonic ns at which the broker had acknowledged the last copy; None until then."""
        return None if self.ticket.n_waiting else self.ticket.taken_ns

    @property
    def overtaken(self) -> Sequence[str]:
        """Topics where a newer message took the place of this one before it had left."""
        return self.ticket.superseded_topics

    @property
    def is_overtaken(self) -> bool:
        """Whether no copy ever left, because a newer message came first."""
        return bool(self.overtaken) and not self.ticket.n_waiting and not self.ticket.n_taken

    @property
    def n_bytes(self) -> int:
        """Size of the payload."""
        return len(self.payload)


class AlertPublisher:
    """Publishes for one service; use it as an async context manager.

    Entering connects, or raises; leaving says ``offline`` and ends the connection. A service
    that dies without leaving is called offline by the broker (last will).

    Parameters
    ----------
    address : BrokerAddress
        From :func:`eew.egress.broker.open_broker`.
    service_id : str
        One level of the status topic.
    signer : Signer
        Signs everything; its tree is the one published to.
    run_id, seed : str, int
        Travel in each message; ``seed`` also draws the jitter of the reconnects.
    clock : Clock
        Monotonic time for receipts and expiry.
    now_ns : callable, optional
        Data time for ``sent_ns`` and the heartbeat; UTC of ``clock`` by default, virtual time in
        a replay.
    planner : AlertPlanner, optional
        Says which cells are told.
    heartbeat_s : float or None
        Time between heartbeats; None for no heartbeat (a replay faster than real time).
    hand_over_s : float
        Longest wait in :meth:`publish_alert`.
    capacity : int
        Most copies waiting for the broker.
    key_statements : sequence of bytes
        Signed statements by which a key names the next, oldest first: retained for the devices.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        service_id: str,
        run_id: str,
        seed: int,
        signer: Signer,
        clock: Clock,
        now_ns: Callable[[], int] | None = None,
        planner: AlertPlanner | None = None,
        heartbeat_s: float | None = 1.0,
        hand_over_s: float = 5.0,
        capacity: int = 20_000,
        key_statements: Sequence[bytes] = (),
    ) -> None:
        self._address = address
        self._service_id = service_id
        self._run_id = run_id
        self._seed = seed
        self._signer = signer
        self._tree = signer.tree
        self._clock = clock
        self._now_ns = now_ns or clock.utc_ns
        self._heartbeat_s = heartbeat_s
        self._hand_over_s = hand_over_s
        self._planner = planner or AlertPlanner()
        self._outbox = Outbox(capacity)
        self._live: dict[str, Parcel] = {}  # event id -> its newest message
        self._standing: dict[str, Parcel] = {}  # topic -> what is retained for ever
        if key_statements:
            keys = standing.key_statements(key_statements, signer)
            self._standing[keys.key] = Parcel(keys)
        self._began_ns = 0  # data time of the connection
        self._beats = 0
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._link: PublisherLink | None = None
        self.n_reconnects = 0

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

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        self._opened = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name="publisher")
        try:
            await asyncio.wait((self._opened, self._task), return_when=asyncio.FIRST_COMPLETED)
            if self._opened.done():
                self._opened.result()
            else:
                await self._task  # ended without a word: a bug, which comes out here
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            if self.is_connected:
                await self._farewell()
        finally:
            await self._end()

    async def _end(self) -> None:
        """Cancel the task and wait for it; a bug that ended it earlier comes out here."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    raise

    async def _farewell(self) -> None:
        """Say offline, and take back from a shared broker what only this run put there."""
        last = [self._status(online=False, at_ns=self._now_ns())]
        if self._address.kind == "remote":
            retained = [*self._live.values(), *self._standing.values()]
            last += [parcel.outgoing.emptied() for parcel in retained]
        try:
            async with asyncio.timeout(_FAREWELL_S):
                for ticket in [self._put(out)[1] for out in last]:
                    await ticket.over()
        except TimeoutError:
            _log.warning("%s did not take the farewell", self._address)

    # ------------------------------------------------------------------ hand-over

    async def publish_help(self, pack: HelpPack) -> None:
        """Publish a help pack, retained; a newer one for the same area replaces it.

        Raises
        ------
        PublishError
            If the broker has not taken it within 10 s; it keeps being offered.
        """
        await self.publish_help_packs([pack])

    async def publish_help_packs(self, packs: list[HelpPack]) -> None:
        """Publish several help packs at once; see :meth:`publish_help`."""
        tickets = []
        for pack in packs:
            out = standing.help_pack(pack, self._signer)
            self._standing[out.key], ticket = self._put(out)
            tickets.append(ticket)
        await self._over(tickets, _HELP_HAND_OVER_S, f"{len(packs)} help packs")

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over without waiting for the broker at all.

        Raises
        ------
        WireError
            If the message may not be encoded.
        """
        sent_ns = self._clock.monotonic_ns()
        payload = wire.encode(
            message,
            run_id=self._run_id,
            seed=self._seed,
            sent_ns=self._now_ns(),
            signer=self._signer,
        )
        trace = traceparent(self._run_id, message.event_id, message.serial)
        properties = properties_of(wire.SCHEMA, trace=trace)
        out = self._planner.plan(message, payload, properties)
        self._live.pop(message.event_id, None)  # the newest stand last
        self._live[message.event_id], ticket = self._put(out)
        return PublishReceipt(
            event_id=message.event_id,
            serial=message.serial,
            topics=out.live,
            payload=payload,
            sent_ns=sent_ns,
            ticket=ticket,
        )

    async def until_taken(self, receipt: PublishReceipt) -> None:
        """Wait until nothing of a message waits for the broker any more.

        Raises
        ------
        PublishError
            If something does after ``hand_over_s``. The message keeps being offered until it
            expires or a newer one of its event takes its place.
        """
        what = f"{receipt.event_id} serial {receipt.serial}"
        await self._over([receipt.ticket], self._hand_over_s, what)

    async def publish_alert(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over and wait until the broker has taken every copy.

        Raises
        ------
        PublishError, WireError
            As :meth:`until_taken` and :meth:`submit`.
        """
        receipt = self.submit(message)
        await self.until_taken(receipt)
        return receipt

    def _put(self, out: Outgoing) -> tuple[Parcel, Ticket]:
        ticket = Ticket(len(out.topics))
        expires_ns = None
        if out.lifetime_s is not None:
            expires_ns = self._clock.monotonic_ns() + round(out.lifetime_s * NS_PER_S)
        parcel = Parcel(out, ticket, expires_ns)
        self._outbox.put(parcel)
        self._pump()
        return parcel, ticket

    async def _over(self, tickets: Sequence[Ticket], timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                for ticket in tickets:
                    await ticket.over()
        except TimeoutError:
            waiting = sum(ticket.n_waiting for ticket in tickets)
            state = "the connection stands" if self.is_connected else "no connection"
            raise PublishError(
                str(self._address),
                f"{what} not taken within {timeout_s:g} s: {waiting} copies wait, {state}",
            ) from None
        dropped = sum(ticket.n_dropped for ticket in tickets)
        refused = sum(ticket.n_refused for ticket in tickets)
        if dropped or refused:
            raise PublishError(
                str(self._address), f"{what}: {dropped} copies dropped, {refused} refused"
            )

    # ------------------------------------------------------------------ the connection

    async def _run(self) -> None:
        """Keep a connection for ever; only the first failure reaches the caller."""
        backoff = Backoff(np.random.default_rng(self._seed), most_s=_MOST_WAIT_S)
        while True:
            failure: TransportError | None = None
            was_connected = False
            self._began_ns = self._now_ns()
            will = self._status(online=False, at_ns=self._began_ns)
            try:
                async with open_publisher_link(
                    self._address,
                    self._clock,
                    on_answered=self._answered,
                    on_room=self._pump,
                    will=Will(will.topics[0], will.payload),
                ) as link:
                    backoff.reset()
                    was_connected = True
                    self._link = link
                    self._say_again()
                    if self._opened is not None and not self._opened.done():
                        self._opened.set_result(None)
                    else:
                        self.n_reconnects += 1
                        _log.warning("the broker at %s is back", self._address)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(link.until_lost(), name="publisher.watch")
                        tasks.create_task(self._housekeeping(link), name="publisher.heartbeat")
            except* (ConnectError, PublishError) as group:
                failure = _first(group)
            finally:
                self._link = None
                self._outbox.lost()
            if self._opened is not None and not self._opened.done():
                self._opened.set_exception(failure or RuntimeError("ended without a reason"))
                return
            if was_connected:
                _log.warning("lost the broker, trying again: %s", failure)
            await asyncio.sleep(backoff.next_s())

    def _say_again(self) -> None:
        """Put everything that is still true into the outbox, the newest alerts first."""
        self._forget_expired()
        self._outbox.put(Parcel(self._status(online=True, at_ns=self._began_ns)))
        # the live copies too: a device that was back before us found no current one
        for parcel in (*reversed(self._live.values()), *self._standing.values()):
            self._outbox.put_again(parcel)
        self._pump()

    def _pump(self) -> None:
        """Send what may leave now."""
        while (link := self._link) is not None and (room := link.room) > 0:
            pieces = self._outbox.take(room, self._clock.monotonic_ns())
            if not pieces:
                return
            link.send(pieces, self._expiry_s)

    def _expiry_s(self, parcel: Parcel) -> int | None:
        """Return how many seconds the broker may keep a message."""
        if parcel.expires_ns is None:
            return None
        return max(1, math.ceil((parcel.expires_ns - self._clock.monotonic_ns()) / NS_PER_S))

    def _answered(self, parcel: Parcel, index: int, refused: bool, at_ns: int) -> None:
        if refused:
            _log.error("%s refused %s", self._address, parcel.outgoing.topics[index])
        self._outbox.answered(parcel, index, refused=refused, at_ns=at_ns)

    async def _housekeeping(self, link: PublisherLink) -> None:
        while True:
            if self._heartbeat_s is not None:
                self._beats += 1
                beat = Heartbeat(sequence=self._beats, sent_ns=self._now_ns())
                link.send_passing(
                    heartbeat_topic(tree=self._tree),
                    encode_control(beat, signer=self._signer),
                    standing.HEARTBEAT_PROPERTIES,
                )
            link.watch()
            self._forget_expired()
            await asyncio.sleep(self._heartbeat_s or _HOUSEKEEPING_S)

    def _forget_expired(self) -> None:
        """Drop events whose last message has expired; MQTT 3.1.1 needs telling to do the same."""
        now_ns = self._clock.monotonic_ns()
        over = [parcel for parcel in self._live.values() if (parcel.expires_ns or 0) <= now_ns]
        for parcel in over:
            del self._live[parcel.outgoing.key]
            if self._address.protocol != MQTT_5:
                self._put(parcel.outgoing.emptied())

    def _status(self, *, online: bool, at_ns: int) -> Outgoing:
        return standing.service_status(self._service_id, self._signer, online=online, at_ns=at_ns)


def _first(group: BaseExceptionGroup[TransportError]) -> TransportError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, TransportError)
    return found
