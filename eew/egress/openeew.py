"""Publishes trace packets in time: what a crowd of OpenEEW devices would send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eew.clock import NS_PER_S, Clock
from eew.mqtt_link import MqttLink

__all__ = ["Published", "TimedPayload", "publish_traces"]

_QOS = 1
_TIMEOUT_S = 5.0
_MOST_AT_ONCE = 64  # unacknowledged at a time; the broker's own limit counts where it is lower


@dataclass(frozen=True, slots=True)
class TimedPayload:
    """A payload with its topic and the data time, UTC ns, at which it has to go."""

    due_ns: int
    topic: str
    payload: bytes


@dataclass(slots=True)
class Published:
    """What has gone so far.

    Attributes
    ----------
    n_packets, n_bytes : int
        Taken by the broker.
    latest_s : float
        The furthest behind its time that a packet was handed to the broker, s of wall time.
    data_s : float
        Data time since the first packet, s.
    """

    n_packets: int = 0
    n_bytes: int = 0
    latest_s: float = 0.0
    data_s: float = 0.0


async def publish_traces(
    link: MqttLink,
    packets: Iterable[TimedPayload],
    *,
    clock: Clock,
    start_ns: int,
    speed: float,
    published: Published,
    progress: Callable[[Published], None] = lambda _: None,
) -> None:
    """Publish packets in the order given, each when it is due; QoS 1.

    Parameters
    ----------
    start_ns : int
        The data time that is now.
    speed : float
        Data seconds per second; 0 does not wait at all.
    published : Published
        Kept up to date, so that whoever stops this knows how far it came.

    Raises
    ------
    PublishError
        If the broker is gone, or does not take a packet within 5 s.
    """
    began_ns = clock.utc_ns()
    at_once = min(_MOST_AT_ONCE, link.address.receive_maximum)
    waiting: list[TimedPayload] = []
    for packet in packets:
        due_ns = began_ns
        if speed > 0.0:
            due_ns += round((packet.due_ns - start_ns) / speed)
        if waiting and (due_ns > clock.utc_ns() or len(waiting) >= at_once):
            await _send(link, waiting, published)
            waiting = []
            progress(published)
        if due_ns > clock.utc_ns():
            await clock.sleep_until(due_ns)
        if speed > 0.0:
            published.latest_s = max(published.latest_s, (clock.utc_ns() - due_ns) / NS_PER_S)
        published.data_s = (packet.due_ns - start_ns) / NS_PER_S
        waiting.append(packet)
    await _send(link, waiting, published)
    progress(published)


async def _send(link: MqttLink, packets: list[TimedPayload], published: Published) -> None:
    """Publish several packets; they leave in their order and are acknowledged side by side."""
    done = await asyncio.gather(
        *(link.publish(one.topic, one.payload, qos=_QOS, timeout_s=_TIMEOUT_S) for one in packets),
        return_exceptions=True,  # all have ended before the first failure is told
    )
    for failure in done:
        if isinstance(failure, BaseException):
            raise failure
    published.n_packets += len(packets)
    published.n_bytes += sum(len(one.payload) for one in packets)
