"""The MQTT shell of one device: connects, subscribes, listens, answers, comes back.

All judgement is the device's (``clients.phone``, ``clients.tv``), which does no I/O; all waiting
is here. A device reads the retained ``current`` topics once on joining and then only live
messages, so that each message reaches it once. When the connection is lost it tries again with
growing, jittered waits for as long as it lives.

Two clocks, never mixed: the device is told *data* time (UTC of the service, virtual in a fast
replay); what is measured is *monotonic* time of this process. Where publisher and device are in
different processes, latency can only be had from ``sent_ns`` in the payload, by UTC clocks that
agree.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from clients.events import DeviceEvent, ack_for
from eew.clock import Clock
from eew.errors import ConnectError, PublishError, TransportError
from eew.messages.control_wire import Ack, encode_control
from eew.messages.topics import ack_topic, heartbeat_topic
from eew.mqtt_link import Backoff, BrokerAddress, MqttLink, open_link

__all__ = ["Device", "Receipt", "hand_over", "is_for_joining", "run_device"]

_JOINING = "/current"  # topics with this ending are read once, on joining


class Device(Protocol):
    """What a phone or a TV has that a shell needs."""

    @property
    def id(self) -> str:
        """Identity within the fleet."""
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
    acks = [ack for event in events if (ack := ack_for(device.id, event)) is not None]
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
    address: BrokerAddress,
    *,
    clock: Clock,
    rng: np.random.Generator,
    now_ns: Callable[[], int] | None = None,
    heartbeats: bool = True,
    acks: bool = True,
    gate: asyncio.Semaphore | None = None,
    on_receipt: Callable[[Receipt], None] | None = None,
    on_link: Callable[[TransportError | None], None] | None = None,
) -> None:
    """Be ``device`` on the network until cancelled.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the jitter of the waits between attempts to connect.
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
    """
    backoff = Backoff(rng)
    data_now_ns = now_ns or clock.utc_ns
    while True:
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with gate or contextlib.nullcontext():
                    link = await stack.enter_async_context(open_link(address))
                    await _join(link, device.subscriptions(), heartbeats=heartbeats)
                backoff.reset()
                if on_link is not None:
                    on_link(None)
                async for topic, payload in link.messages():
                    if not payload:
                        continue  # a retained message was taken back: nothing to be told
                    receipt = hand_over(device, topic, payload, clock=clock, now_ns=data_now_ns)
                    if on_receipt is not None:
                        on_receipt(receipt)
                    if acks:
                        await _answer(link, receipt.acks)
        except (ConnectError, PublishError) as error:
            if on_link is not None:
                on_link(error)
        await asyncio.sleep(backoff.next_s())


async def _join(link: MqttLink, filters: Sequence[str], *, heartbeats: bool) -> None:
    """Subscribe to all filters, and stop listening to those that are read once.

    The brokers we start send the retained messages before they acknowledge the end of the
    subscription. Of another broker we do not know that: there the device goes on listening, and
    rightly takes each second copy for a duplicate.
    """
    beat = heartbeat_topic()
    wanted = {name: 0 if name == beat else 1 for name in filters if heartbeats or name != beat}
    await link.subscribe(wanted)
    if link.address.kind != "remote":
        await link.unsubscribe([name for name in wanted if is_for_joining(name)])


async def _answer(link: MqttLink, acks: Sequence[Ack]) -> None:
    for ack in acks:
        await link.publish(ack_topic(ack.id), encode_control(ack), qos=0)
