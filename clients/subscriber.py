"""The MQTT shell of one device: connects, subscribes, listens, answers, comes back.

All judgement is the device's (``clients.phone``, ``clients.tv``), which does no I/O; all waiting
is here. A device reads the retained ``current`` topics once on joining and then only live
messages, so that each message reaches it once. When the connection is lost it tries again with
growing, jittered waits for as long as it lives. A device that moves joins the topics of its new
cell before it leaves those of the old one, on the same connection. Where areas have accounts of
their own at the broker, it connects anew with that of the new area, under another name, and finds
what was said meanwhile as current state.

What leaves a device is: CONNECT without an identifier (the broker makes one up), or, if it sends
receipts, with the name it sends them by, drawn anew at each start and for each account; the topics
of its cell; receipts. Nothing of it survives a restart.

Two clocks, never mixed: the device is told *data* time (UTC of the service, virtual in a fast
replay); what is measured is *monotonic* time of this process. Where publisher and device are in
different processes, latency can only be had from ``sent_ns`` in the payload, by UTC clocks that
agree.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec
import numpy as np

from clients.backoff import CAP_S, FIRST_S
from clients.events import DeviceEvent, Moved, ack_for
from clients.leaves import LeavesOf, leaf_order, next_leaf
from eew.backoff import Backoff
from eew.clock import Clock
from eew.errors import ConnectError, PublishError, TransportError
from eew.messages.control_wire import Ack, encode_ack
from eew.messages.topics import ack_topic
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress, MqttLink, open_link

__all__ = ["Device", "Receipt", "hand_over", "is_for_joining", "run_device"]

_JOINED_S = 5.0  # by then any broker has sent what it retains
_JOINING = "/current"  # topics with this ending are read once, on joining
_BEAT = "/heartbeat"
_NAME_BYTES = 8

Place = tuple[float, float]  # latitude and longitude in degrees, known to the device alone


class Device(Protocol):
    """What a phone or a TV has that a shell needs."""

    @property
    def id(self) -> str:
        """Identity within the fleet; it never leaves this process."""
        ...

    @property
    def tree(self) -> Status:
        """Tree of topics it lives by."""
        ...

    @property
    def cell(self) -> str:
        """The area it is in."""
        ...

    def move(self, lat: float, lon: float, now_ns: int) -> Moved:
        """Be somewhere else; say which topics to join and to leave."""
        ...

    def subscriptions(self) -> list[str]:
        """Topic filters it wants to hear."""
        ...

    def receive(self, topic: str, payload: bytes, now_ns: int) -> list[DeviceEvent]:
        """Take one message at a data time; say what came of it."""
        ...

    def advance(self, now_ns: int) -> list[DeviceEvent]:
        """Let data time pass; say what came of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One message at one device.

    Attributes
    ----------
    received_ns, done_ns : int
        Monotonic ns before and after the device dealt with it.
    data_ns : int
        The device's data time at the receipt.
    """

    device: Device
    topic: str
    events: Sequence[DeviceEvent]
    acks: Sequence[Ack]
    received_ns: int
    done_ns: int
    data_ns: int


def is_for_joining(topic_filter: str) -> bool:
    """Tell whether a filter is read once on joining, and not listened to afterwards."""
    return topic_filter.endswith(_JOINING)


def hand_over(
    device: Device, topic: str, payload: bytes, *, clock: Clock, now_ns: Callable[[], int]
) -> Receipt:
    """Give one message to a device and note when and what it answered."""
    received_ns = clock.monotonic_ns()
    data_ns = now_ns()
    events = device.receive(topic, payload, data_ns)
    done_ns = clock.monotonic_ns()
    return _receipt(device, topic, events, (received_ns, done_ns), data_ns)


def _receipt(
    device: Device,
    topic: str,
    events: Sequence[DeviceEvent],
    times_ns: tuple[int, int],
    data_ns: int,
) -> Receipt:
    acks = [ack for event in events if (ack := ack_for(device.id, event)) is not None]
    received_ns, done_ns = times_ns
    return Receipt(
        device=device,
        topic=topic,
        events=events,
        acks=acks,
        received_ns=received_ns,
        done_ns=done_ns,
        data_ns=data_ns,
    )


async def run_device(
    device: Device,
    address: BrokerAddress | Sequence[BrokerAddress] | LeavesOf,
    *,
    clock: Clock,
    rng: np.random.Generator,
    now_ns: Callable[[], int] | None = None,
    heartbeats: bool = True,
    acks: bool = True,
    gate: asyncio.Semaphore | None = None,
    on_receipt: Callable[[Receipt], None] | None = None,
    on_link: Callable[[TransportError | None], None] | None = None,
    moves: asyncio.Queue[Place] | None = None,
) -> None:
    """Be ``device`` on the network until cancelled.

    Parameters
    ----------
    address : BrokerAddress or sequence of BrokerAddress or callable
        One broker, or leaves that hold the same: it stays with one until that is lost. A callable
        gives the leaves for the cell the device is in, with the account of that area; it may raise
        ``ConfigError`` for an area that has none, which ends the device.
    rng : numpy.random.Generator
        Draws the name under which receipts are sent, then the order of the leaves and the jitter
        of the waits between attempts to connect. A person's own device takes a seed of
        ``eew.entropy``.
    now_ns : callable, optional
        Data time; UTC of ``clock`` by default.
    heartbeats : bool
        False where the device does not follow them (a replay faster than real time): they are
        then not subscribed to, which spares a crowd much traffic.
    acks : bool
        Publish what the device did with each message (QoS 0).
    gate : asyncio.Semaphore, optional
        Held from CONNECT to SUBACK: keeps a crowd under the broker's listen backlog.
    on_receipt : callable, optional
        Told of each message after the device has dealt with it.
    on_link : callable, optional
        Called with None when the device is connected and subscribed, with the reason when it
        is not any more, or could not be.
    moves : asyncio.Queue, optional
        Places the device is carried to, in order; it follows them on the connection it has, or
        on a new one where the area has another account.
    """
    leaves_in = _leaves_of(address)
    shell = _Shell(
        device=device,
        clock=clock,
        now_ns=now_ns or clock.utc_ns,
        name=rng.bytes(_NAME_BYTES).hex(),
        leaves_in=leaves_in,
        heartbeats=heartbeats,
        acks=acks,
        on_receipt=on_receipt,
        moves=moves,
    )
    leaves = leaves_in(device.cell)
    order = leaf_order(len(leaves), rng)
    at = order[0]
    backoff = Backoff(rng, first_s=FIRST_S, most_s=CAP_S, least_share=0.0)
    while True:
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with gate or contextlib.nullcontext():
                    shell.catch_up()
                    before, leaves = leaves, leaves_in(device.cell)
                    if leaves != before:  # nobody is to see that both accounts were one device's
                        shell = replace(shell, name=rng.bytes(_NAME_BYTES).hex())
                    # receipts are taken only from the client they are named after
                    name = shell.name if acks else ""
                    link = await stack.enter_async_context(open_link(leaves[at], client_id=name))
                    await shell.join(link)
                backoff.reset()
                if on_link is not None:
                    on_link(None)
                await shell.listen(link, leaves)
                continue  # it has come into an area with another account
        except (ConnectError, PublishError) as error:
            if on_link is not None:
                on_link(error)
            at = next_leaf(order, at)
        await asyncio.sleep(backoff.next_s())


def _leaves_of(address: BrokerAddress | Sequence[BrokerAddress] | LeavesOf) -> LeavesOf:
    if callable(address):
        return address
    leaves = (address,) if isinstance(address, BrokerAddress) else tuple(address)
    return lambda cell: leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shell:
    """One device and what it needs on a connection."""

    device: Device
    clock: Clock
    now_ns: Callable[[], int]
    name: str
    leaves_in: LeavesOf
    heartbeats: bool
    acks: bool
    on_receipt: Callable[[Receipt], None] | None
    moves: asyncio.Queue[Place] | None
    unsent: list[Ack] = field(default_factory=list)  # until there is a connection

    def catch_up(self) -> None:
        """Be where the device was carried to while it had no connection."""
        while self.moves is not None and not self.moves.empty():
            self._tell(self._move(self.moves.get_nowait())[1])

    async def join(self, link: MqttLink) -> None:
        """Subscribe to everything the device needs where it is."""
        await self._subscribe(link, self.device.subscriptions())
        await self._answer(link)

    async def listen(self, link: MqttLink, leaves: Sequence[BrokerAddress]) -> None:
        """Hand over what comes, and follow the device where it goes, until the link is lost.

        Returns where the device is in an area with other ``leaves`` than those it is connected to.
        """
        ends_it = [asyncio.create_task(self._read(link))]
        if self.moves is not None:
            ends_it.append(asyncio.create_task(self._walk(link, leaves, self.moves)))
        leaving = asyncio.create_task(self._leave_joining(link))
        try:
            await asyncio.wait(ends_it, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*ends_it, leaving):
                task.cancel()
            ends = await asyncio.gather(*ends_it, leaving, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _leave_joining(self, link: MqttLink) -> None:
        """Stop listening to what is read once, where that was too early on joining."""
        if link.address.kind == "remote":
            await asyncio.sleep(_JOINED_S)
            await link.unsubscribe([n for n in self.device.subscriptions() if is_for_joining(n)])

    async def _read(self, link: MqttLink) -> None:
        async for topic, payload in link.messages():
            if not payload:
                continue  # a retained message was taken back: nothing to be told
            receipt = hand_over(self.device, topic, payload, clock=self.clock, now_ns=self.now_ns)
            await self._settle(link, receipt)

    async def _walk(
        self, link: MqttLink, leaves: Sequence[BrokerAddress], moves: asyncio.Queue[Place]
    ) -> None:
        while True:
            moved, receipt = self._move(await moves.get())
            self._tell(receipt)
            if moved.join and self.leaves_in(self.device.cell) != leaves:
                return
            await self._subscribe(link, moved.join)  # first: nothing falls between two cells
            await link.unsubscribe(moved.leave)
            await self._answer(link)

    def _move(self, place: Place) -> tuple[Moved, Receipt]:
        started_ns = self.clock.monotonic_ns()
        data_ns = self.now_ns()
        moved = self.device.move(*place, data_ns)
        times_ns = (started_ns, self.clock.monotonic_ns())
        return moved, _receipt(self.device, "", moved.events, times_ns, data_ns)

    async def _subscribe(self, link: MqttLink, filters: Sequence[str]) -> None:
        """Subscribe to filters, and stop listening to those that are read once.

        The brokers we start send the retained messages before they acknowledge the end of the
        subscription. Of another broker we do not know that: there the device listens for a while
        longer, and rightly takes each second copy for a duplicate.
        """
        wanted = {
            name: 0 if name.endswith(_BEAT) else 1
            for name in filters
            if self.heartbeats or not name.endswith(_BEAT)
        }
        await link.subscribe(wanted)
        if link.address.kind != "remote":
            await link.unsubscribe([name for name in wanted if is_for_joining(name)])

    async def _settle(self, link: MqttLink, receipt: Receipt) -> None:
        """Report what the device did, to this process and, if it is to, to the service."""
        self._tell(receipt)
        await self._answer(link)

    def _tell(self, receipt: Receipt) -> None:
        if self.on_receipt is not None:
            self.on_receipt(receipt)
        if self.acks:
            self.unsent.extend(receipt.acks)

    async def _answer(self, link: MqttLink) -> None:
        topic = ack_topic(self.name, tree=self.device.tree)
        while self.unsent:
            named = msgspec.structs.replace(self.unsent.pop(0), id=self.name)
            await link.publish(topic, encode_ack(named), qos=0)
