"""OpenEEW's trace packets from an MQTT broker, as a live source.

MQTT keeps nothing for a receiver without a session, and a device sends each packet once: what
comes while there is no connection is lost, as it is to any other subscriber. The detector sees a
gap.

Old packets may be sent again (``eew openeew publish --as-recorded`` sends the bytes of 2018 and
2020). They keep their times; only the clocks of the devices are then measured against the server
of that day: see :class:`ReplayShift`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack

import numpy as np

from eew.backoff import Backoff
from eew.clock import NS_PER_S, Clock
from eew.errors import ConnectError, DataError, WireError
from eew.ingest.live import Health, LiveNetwork
from eew.ingest.openeew import TraceReader
from eew.messages.openeew import TracePacket, decode_trace
from eew.model.waveform import Packet
from eew.mqtt_link import BrokerAddress, MqttLink, open_link

__all__ = ["MqttTraceSource", "ReplayShift"]

# An acknowledgement of each packet would halve the rate (bench_openeew) and save none: without a
# session nothing is sent again after a lost connection.
_QOS = 0
_NS_PER_DAY = 86_400 * NS_PER_S


class ReplayShift:
    """How far the server's time in the packets is from ours, where they are of another day.

    Attributes
    ----------
    shift_ns : int
        Our clock minus the server's time in the packets; 0 for data of now.
    """

    _REPLAY_NS = 3600 * NS_PER_S  # no link and no server is that far off

    def __init__(self) -> None:
        self.shift_ns = 0

    def look(self, trace: TracePacket, arrival_ns: int) -> bool:
        """Look at a packet that arrived at ``arrival_ns``; return whether the shift has changed.

        A packet that no server has dated says nothing about it.
        """
        if trace.cloud_ns is None:
            return False
        off_ns = arrival_ns - trace.cloud_ns - self.shift_ns
        if abs(off_ns) <= self._REPLAY_NS:
            return False
        self.shift_ns += off_ns
        if abs(self.shift_ns) <= self._REPLAY_NS:
            self.shift_ns = 0  # a replay is over, and these are data of now
        return True


class MqttTraceSource:
    """A :class:`~eew.ingest.live.LiveSource` of OpenEEW packets.

    Parameters
    ----------
    address : BrokerAddress
        The broker, not yet probed.
    topics : iterable of str
        Topic filters.
    network : callable
        Gives the stations: where the devices stand. Called once, in a thread, since reading an
        inventory takes seconds.
    probe : callable
        Finds out what the broker speaks (:func:`eew.egress.probe.probe`).
    rng : numpy.random.Generator
        For the waits between attempts to connect.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topics: Iterable[str],
        network: Callable[[], LiveNetwork],
        *,
        probe: Callable[[BrokerAddress], Awaitable[BrokerAddress]],
        clock: Clock,
        rng: np.random.Generator,
        silent_after_s: float = 30.0,
    ) -> None:
        self._address = address
        self._topics = dict.fromkeys(topics, _QOS)
        self._network = network
        self._probe = probe
        self._clock = clock
        self._backoff = Backoff(rng)
        self._shift = ReplayShift()
        self._exits = AsyncExitStack()
        self._first: MqttLink | None = None
        self.name = f"{address}{next(iter(self._topics), '')}"
        self.health = Health(self.name, silent_after_s=silent_after_s)
        self._reader = TraceReader((), self.health.set_aside)

    async def open(self) -> LiveNetwork:
        """Connect and subscribe, so that nothing is missed from here on.

        Raises
        ------
        DataError
            If no station of the inventory can be an OpenEEW device.
        ConnectError
            If the broker is not there, or refuses.
        """
        network = await asyncio.to_thread(self._network)
        self._reader = TraceReader(network.stations, self.health.set_aside)
        stations = self._reader.stations
        if not stations:
            raise DataError(
                self.name,
                f"none of {len(network.stations)} stations in the inventory has three channels "
                "of acceleration, as an OpenEEW device has",
            )
        self.health.expect(stations)
        self._address = await self._probe(self._address)
        try:
            self._first = await self._subscribed()
        except ConnectError:
            await self._exits.aclose()
            raise
        return LiveNetwork(stations=stations, problems=network.problems)

    async def packets(self) -> AsyncGenerator[tuple[Packet, int], None]:
        """Give out packets as they come; connects anew for ever, waiting longer each time."""
        while True:
            try:
                link = self._first
                self._first = None
                if link is None:
                    link = await self._subscribed()
                    self.health.reconnects += 1
                self._backoff.reset()
                async for _, payload in link.messages():
                    arrival_ns = self._clock.utc_ns()
                    for packet in self._read(payload, arrival_ns):
                        self.health.received(packet, arrival_ns)
                        yield packet, arrival_ns
            except ConnectError as error:
                self.health.lost(error.problem)
                await self._exits.aclose()
                await asyncio.sleep(self._backoff.next_s())

    async def close(self) -> None:
        """Disconnect."""
        self.health.lost("closed")
        await self._exits.aclose()

    async def _subscribed(self) -> MqttLink:
        link = await self._exits.enter_async_context(open_link(self._address))
        await link.subscribe(self._topics)
        self.health.connected(f"subscribed to {', '.join(self._topics)}")
        return link

    def _read(self, payload: bytes, arrival_ns: int) -> tuple[Packet, ...]:
        try:
            trace = decode_trace(payload)
        except WireError as error:
            self.health.set_aside("unreadable", self.name, str(error))
            return ()
        if self._shift.look(trace, arrival_ns):
            days = self._shift.shift_ns / _NS_PER_DAY
            self.health.connected(f"data of {days:.1f} days ago" if days else "data of now")
        return self._reader.take(trace, arrival_ns - self._shift.shift_ns)
