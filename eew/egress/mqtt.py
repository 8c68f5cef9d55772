"""The publisher: alerts, help packs, status and heartbeat onto one MQTT broker.

The caller hands a message over and goes on. An outbox holds the newest state per topic and
event; one task of the publisher keeps the connection, and after each reconnect says again what
is still true (a broker without persistence has forgotten it). A slow or dead broker therefore
costs the caller at most ``hand_over_s`` per message with :meth:`AlertPublisher.publish_alert`,
and nothing with :meth:`AlertPublisher.submit`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import numpy as np

from eew import __version__
from eew.clock import NS_PER_S, Clock
from eew.egress.outbox import Entry, Outbox, Ticket
from eew.egress.plan import AlertPlan, AlertPlanner, Outgoing
from eew.errors import ConnectError, PublishError, TransportError
from eew.messages import help_wire, wire
from eew.messages.control_wire import Heartbeat, ServiceStatus, encode_control
from eew.messages.levels import Thresholds
from eew.messages.topics import heartbeat_topic, help_area_topic, status_topic
from eew.model.alert import AlertMessage
from eew.model.place import HelpPack
from eew.mqtt_link import MQTT_5, Backoff, BrokerAddress, MqttLink, Will, open_link

__all__ = ["AlertPublisher", "PublishReceipt"]

_HOUSEKEEPING_S = 1.0
_HELP_HAND_OVER_S = 10.0
_FAREWELL_S = 2.0
_TAKEN_TIMEOUT_S = 5.0  # no PUBACK for this long: the connection counts as lost
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReceipt:
    """What became of one alert message.

    Attributes
    ----------
    topics : tuple of str
        Where the live copies went, in order.
    payload : bytes
        Encoded once for all topics.
    sent_ns, taken_ns : int
        Monotonic ns at the hand-over, and when the broker had acknowledged the last live copy;
        ``taken_ns`` is None where nobody waited for it.
    overtaken : list of str
        Topics where a newer message took the place of this one before the broker had it; grows
        while the message waits.
    """

    event_id: str
    serial: int
    topics: tuple[str, ...]
    payload: bytes
    sent_ns: int
    taken_ns: int | None = None
    overtaken: list[str] = field(default_factory=list)

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
    run_id, seed : str, int
        Travel in each message; ``seed`` also draws the jitter of the reconnects.
    clock : Clock
        Monotonic time for receipts and expiry.
    now_ns : callable, optional
        Data time for ``sent_ns`` and the heartbeat; UTC of ``clock`` by default, virtual time in
        a replay.
    thresholds : Thresholds, optional
        From which intensity a cell is told; those of the message's scale by default.
    heartbeat_s : float or None
        Time between heartbeats; None for no heartbeat (a replay faster than real time).
    hand_over_s : float
        Longest wait in :meth:`publish_alert`.
    capacity : int
        Most messages waiting for the broker.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        service_id: str,
        run_id: str,
        seed: int,
        clock: Clock,
        now_ns: Callable[[], int] | None = None,
        thresholds: Thresholds | None = None,
        heartbeat_s: float | None = 1.0,
        hand_over_s: float = 5.0,
        capacity: int = 20_000,
    ) -> None:
        self._address = address
        self._service_id = service_id
        self._run_id = run_id
        self._seed = seed
        self._clock = clock
        self._now_ns = now_ns or clock.utc_ns
        self._heartbeat_s = heartbeat_s
        self._hand_over_s = hand_over_s
        self._planner = AlertPlanner(thresholds=thresholds)
        self._outbox = Outbox(capacity)
        self._wake = asyncio.Event()
        self._live: dict[str, tuple[AlertPlan, int]] = {}  # event id -> plan, expiry (monotonic)
        self._help: dict[str, Outgoing] = {}  # topic -> newest pack
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._connected = False
        self.n_reconnects = 0

    @property
    def is_connected(self) -> bool:
        """True while a connection to the broker stands."""
        return self._connected

    @property
    def n_waiting(self) -> int:
        """Messages that the broker has not acknowledged yet."""
        return len(self._outbox)

    @property
    def n_dropped(self) -> int:
        """Messages that never left: expired while waiting, or too many."""
        return self._outbox.n_dropped

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
            if self._connected:
                await self._farewell()
        finally:
            await self._end()

    async def _end(self) -> None:
        """Cancel the task and wait for it; a bug that ended it earlier comes out here."""
        task, self._task = self._task, None
        self._connected = False
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
            last += [out.emptied() for plan, _ in self._live.values() for out in plan.current]
            last += [pack.emptied() for pack in self._help.values()]
        ticket = self._put(last)
        try:
            async with asyncio.timeout(_FAREWELL_S):
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
        outgoing = []
        for pack in packs:
            topic = help_area_topic(pack.area)
            out = Outgoing(
                topic=topic,
                payload=help_wire.encode(pack),
                key=(topic, ""),
                schema=help_wire.SCHEMA,
                retain=True,
            )
            self._help[topic] = out
            outgoing.append(out)
        ticket = self._put(outgoing)
        await self._over(ticket, _HELP_HAND_OVER_S, f"{len(packs)} help packs")

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over without waiting for the broker at all.

        Raises
        ------
        WireError
            If the message may not be encoded.
        """
        return self._submit(message)[0]

    async def publish_alert(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over and wait until the broker has taken every live copy.

        Raises
        ------
        PublishError
            If it has not within ``hand_over_s``. The message keeps being offered until it
            expires or a newer one of its event takes its place.
        WireError
            If the message may not be encoded.
        """
        receipt, ticket = self._submit(message)
        await self._over(ticket, self._hand_over_s, f"{message.event_id} serial {message.serial}")
        return replace(receipt, taken_ns=self._clock.monotonic_ns())

    def _submit(self, message: AlertMessage) -> tuple[PublishReceipt, Ticket]:
        sent_ns = self._clock.monotonic_ns()
        payload = wire.encode(message, run_id=self._run_id, seed=self._seed, sent_ns=self._now_ns())
        plan = self._planner.plan(message, payload)
        lifetime_ns = message.expires_ns - message.issued_ns
        self._live.pop(message.event_id, None)  # the newest stand last
        self._live[message.event_id] = (plan, sent_ns + lifetime_ns)
        ticket = self._put(plan.outgoing)
        receipt = PublishReceipt(
            event_id=message.event_id,
            serial=message.serial,
            topics=tuple(out.topic for out in plan.live),
            payload=payload,
            sent_ns=sent_ns,
            overtaken=ticket.superseded_topics,
        )
        return receipt, ticket

    def _put(self, outgoing: list[Outgoing] | tuple[Outgoing, ...]) -> Ticket:
        ticket = Ticket(len(outgoing))
        now_ns = self._clock.monotonic_ns()
        for out in outgoing:
            expires_ns = None
            if out.lifetime_s is not None:
                expires_ns = now_ns + round(out.lifetime_s * NS_PER_S)
            self._outbox.put(Entry(out, ticket, expires_ns))
        self._wake.set()
        return ticket

    async def _over(self, ticket: Ticket, timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await ticket.over()
        except TimeoutError:
            state = "the connection stands" if self._connected else "no connection"
            raise PublishError(
                str(self._address),
                f"{what} not taken within {timeout_s:g} s: {ticket.n_waiting} copies wait, {state}",
            ) from None
        if ticket.n_dropped:
            raise PublishError(str(self._address), f"{what}: {ticket.n_dropped} copies dropped")

    # ------------------------------------------------------------------ the connection

    async def _run(self) -> None:
        """Keep a connection for ever; only the first failure reaches the caller."""
        backoff = Backoff(np.random.default_rng(self._seed))
        will = Will(status_topic(self._service_id), self._status(online=False).payload)
        while True:
            failure: TransportError | None = None
            try:
                async with open_link(self._address, will=will) as link:
                    backoff.reset()
                    self._say_again()
                    self._connected = True
                    if self._opened is not None and not self._opened.done():
                        self._opened.set_result(None)
                    else:
                        self.n_reconnects += 1
                        _log.warning("the broker at %s is back", self._address)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(link.until_lost(), name="publisher.watch")
                        tasks.create_task(self._send(link), name="publisher.send")
                        tasks.create_task(self._heartbeat(link), name="publisher.heartbeat")
            except* (ConnectError, PublishError) as group:
                failure = _first(group)
            was_connected, self._connected = self._connected, False
            if self._opened is not None and not self._opened.done():
                self._opened.set_exception(failure or RuntimeError("ended without a reason"))
                return
            if was_connected:
                _log.warning("lost the broker, trying again: %s", failure)
            await asyncio.sleep(backoff.next_s())

    def _say_again(self) -> None:
        """Put everything that is still true into the outbox, live alerts first."""
        self._forget_expired()
        now_ns = self._clock.monotonic_ns()
        entries = [Entry(self._status(online=True, at_ns=self._now_ns()))]
        for plan, expires_ns in reversed(self._live.values()):
            if expires_ns > now_ns:
                # the live copies too: a device that was back before us found no current one
                entries += [Entry(out, expires_ns=expires_ns) for out in plan.outgoing]
        entries += [Entry(pack) for pack in self._help.values()]
        self._outbox.put_missing(entries)
        self._wake.set()

    async def _send(self, link: MqttLink) -> None:
        window = self._address.receive_maximum
        while True:
            batch = self._outbox.take(window, self._clock.monotonic_ns())
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            async with asyncio.TaskGroup() as tasks:
                for entry in batch:
                    tasks.create_task(self._send_one(link, entry))

    async def _send_one(self, link: MqttLink, entry: Entry) -> None:
        out = entry.outgoing
        expiry_s = None
        if entry.expires_ns is not None:
            left_ns = entry.expires_ns - self._clock.monotonic_ns()
            expiry_s = max(1, math.ceil(left_ns / NS_PER_S))
        await link.publish(
            out.topic,
            out.payload,
            qos=out.qos,
            retain=out.retain,
            expiry_s=expiry_s,
            schema=out.schema,
            timeout_s=_TAKEN_TIMEOUT_S,
        )
        self._outbox.done(entry)

    async def _heartbeat(self, link: MqttLink) -> None:
        sequence = 0
        while True:
            if self._heartbeat_s is not None:
                sequence += 1
                beat = Heartbeat(sequence=sequence, sent_ns=self._now_ns())
                await link.publish(heartbeat_topic(), encode_control(beat), qos=0)
            self._forget_expired()
            await asyncio.sleep(self._heartbeat_s or _HOUSEKEEPING_S)

    def _forget_expired(self) -> None:
        """Drop events whose last message has expired; MQTT 3.1.1 needs telling to do the same."""
        now_ns = self._clock.monotonic_ns()
        over = [event_id for event_id, (_, end_ns) in self._live.items() if end_ns <= now_ns]
        for event_id in over:
            plan, _ = self._live.pop(event_id)
            if self._address.protocol != MQTT_5:
                # a cell's topic may have become that of an event which still lives
                kept = {out.topic for other, _ in self._live.values() for out in other.current}
                self._put([out.emptied() for out in plan.current if out.topic not in kept])

    def _status(self, *, online: bool, at_ns: int | None = None) -> Outgoing:
        topic = status_topic(self._service_id)
        status = ServiceStatus(
            service_id=self._service_id, online=online, version=__version__, at_ns=at_ns
        )
        return Outgoing(topic=topic, payload=encode_control(status), key=(topic, ""), retain=True)


def _first(group: BaseExceptionGroup[TransportError]) -> TransportError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, TransportError)
    return found
