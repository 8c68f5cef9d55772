"""The live player on the wall clock: a quake just been, a broker that stops, a dying source."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from eew.app.crowd import open_crowd
from eew.app.devices import Crowd
from eew.app.live_player import LivePlayer
from eew.app.live_turn import MOST_S
from eew.app.options import RunOptions
from eew.app.run import run_places
from eew.app.serve_view import ServiceView
from eew.clock import NS_PER_S, SystemClock
from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.egress.receipt import PublishReceipt
from eew.errors import TransportError
from eew.ingest.live import Health, LiveNetwork
from eew.interrupt import StopRequest
from eew.model.alert import AlertMessage
from eew.model.waveform import Packet
from eew.report.result import Told
from eew.service.state import ServiceInfo, ServiceState
from simulator.packets import cut_station
from tests.integration.brokers import children_of
from tests.unit.run_example import ORIGIN_NS, recording

CLOCK = SystemClock()
QUAKE = recording(9)
BEFORE_S, AFTER_S = 11.0, 7.0  # of the origin; data older than 20 s would not be used


class JustNow:
    """A source: the recording as if its origin were 7 s ago, at once and then in real time."""

    def __init__(self, *, fails: bool = False) -> None:
        self.name = "just now"
        self.health = Health(self.name)
        self._fails = fails

    async def open(self) -> LiveNetwork:
        self.health.expect(QUAKE.stations)
        return LiveNetwork(stations=QUAKE.stations)

    async def packets(self) -> AsyncGenerator[tuple[Packet, int], None]:
        shift_ns = CLOCK.utc_ns() - ORIGIN_NS - round(AFTER_S * NS_PER_S)
        self.health.connected("made up")
        for packet in packets_from(ORIGIN_NS - round(BEFORE_S * NS_PER_S)):
            moved = replace(packet, start_ns=packet.start_ns + shift_ns)
            await CLOCK.sleep_until(moved.end_ns)
            arrival_ns = CLOCK.utc_ns()
            self.health.received(moved, arrival_ns)
            yield moved, arrival_ns
            if self._fails and packet.start_ns > ORIGIN_NS:
                raise TransportError(self.name, "has given up")

    async def close(self) -> None:
        self.health.lost("closed")


def packets_from(start_ns: int) -> list[Packet]:
    packets = []
    for station in QUAKE.stations:
        mine = [s for s in QUAKE.segments if s.stream_id.station_code == station.code]
        for group in cut_station(mine, anchor_ns=QUAKE.start_ns, packet_ns=NS_PER_S // 2):
            packets += [packet for packet in group.packets if packet.start_ns >= start_ns]
    return sorted(packets, key=lambda packet: (packet.end_ns, packet.stream_id))


@dataclass
class Slow:
    """Devices that answer only when they are let."""

    crowd: Crowd
    let: asyncio.Event
    delivered: list[AlertMessage]
    receipts: list[PublishReceipt]

    def advance(self, now_ns: int) -> None:
        self.crowd.advance(now_ns)

    def submit(self, message: AlertMessage) -> PublishReceipt:
        self.delivered.append(message)
        self.receipts.append(self.crowd.submit(message))
        return self.receipts[-1]

    async def answers(
        self, message: AlertMessage, receipt: PublishReceipt, stop: StopRequest
    ) -> list[Told]:
        await self.let.wait()
        return await self.crowd.answers(message, receipt, stop)


@dataclass
class Live:
    player: LivePlayer
    state: ServiceState
    slow: Slow


@asynccontextmanager
async def live(source: JustNow, *, let: bool = True, broker: str = "none") -> AsyncIterator[Live]:
    info = ServiceInfo(service_id="x", version="0", source="x", speed=1.0, status="exercise")
    state = ServiceState(info, CLOCK)
    options = RunOptions(broker=broker, phones=2, tvs=1)
    network = await source.open()
    places = run_places(replace(QUAKE, truth=None), options, (), ())
    view = ServiceView(state, places.targets, CLOCK)
    pipeline = Pipeline(network.stations, DetectorConfig.load())
    async with open_crowd(places, options, run_id="x", clock=CLOCK) as crowd:
        view.opened(crowd, 3)
        slow = Slow(crowd, asyncio.Event(), [], [])
        if let:
            slow.let.set()
        player = LivePlayer(
            source,
            network,
            pipeline,
            devices=cast(Crowd, slow),
            view=view,
            state=state,
            clock=CLOCK,
            say=lambda words: None,
        )
        yield Live(player, state, slow)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.02)


def serials(messages: Sequence[AlertMessage]) -> list[int]:
    return [message.serial for message in messages]


async def test_what_has_come_is_detected_told_and_shown_in_the_state() -> None:
    source = JustNow()
    async with live(source) as it:
        running = asyncio.create_task(it.player.run())
        await until(lambda: it.state.told["phone"] > 0)
        await until(lambda: it.state.counts["messages"] >= 2)
        await until(lambda: len(it.slow.delivered) >= 2)
        running.cancel()
        await asyncio.wait({running})
    assert running.cancelled()
    (event,) = it.state.events.values()
    assert serials(event.messages) == list(range(1, len(event.messages) + 1))
    assert serials(it.slow.delivered)[:2] == [1, 2]
    assert it.state.data_offset_s == 0.0
    assert it.state.feed is not None
    assert 0 < it.state.feed.n_packets <= source.health.n_packets
    assert 0 < it.state.counts["packets"] <= source.health.n_packets
    assert {one.state for one in it.state.feed.stations} == {"live"}
    assert it.state.source_state == "running"
    assert it.state.parts["source"].reason == "live (made up)"
    assert {one.state for one in it.state.station_states.values()} <= {"live", "late"}


async def test_answers_that_do_not_come_stop_neither_detection_nor_the_next_message() -> None:
    async with live(JustNow(), let=False) as it:
        running = asyncio.create_task(it.player.run())
        await until(lambda: it.state.counts["messages"] >= 4)
        packets = it.state.counts["packets"]
        await until(lambda: it.state.counts["packets"] > packets)
        assert serials(it.slow.delivered)[:4] == [1, 2, 3, 4]
        assert it.state.told["phone"] == 0
        it.slow.let.set()
        await until(lambda: it.state.told["phone"] > 0)
        running.cancel()
        await asyncio.wait({running})


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_broker_that_stops_costs_the_detector_nothing_and_gets_the_newest_word() -> None:
    before = children_of(os.getpid())
    async with live(JustNow(), broker="mosquitto") as it:
        (broker,) = [pid for pid in children_of(os.getpid()) if pid not in before and named(pid)]
        os.kill(broker, signal.SIGSTOP)
        try:
            running = asyncio.create_task(it.player.run())
            await until(lambda: it.state.counts["messages"] >= 5)
            packets = it.state.counts["packets"]
            await until(lambda: it.state.counts["packets"] > packets)
            assert it.state.told["phone"] == 0
            said = it.slow.delivered[-1].serial
        finally:
            os.kill(broker, signal.SIGCONT)
        await until(lambda: it.state.told["phone"] > 0)
        await until(lambda: it.state.counts["messages_overtaken"] >= said - 3)
        running.cancel()
        await asyncio.wait({running})
    # the first was in the socket already; of those that waited only the newest left
    assert {one.serial for one in it.slow.crowd.told} & {1, said, said + 1, said + 2}


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_no_step_begins_while_a_hand_over_has_its_turn() -> None:
    async with live(JustNow(), broker="mosquitto") as it:
        began_ns: list[int] = []
        detector = it.player._pipeline
        receive, advance = detector.receive, detector.advance

        def stepped(packets: Sequence[Packet], now_ns: int) -> list[CoreEvent]:
            began_ns.append(CLOCK.monotonic_ns())
            return receive(packets, now_ns)

        def passed(now_ns: int) -> list[CoreEvent]:
            began_ns.append(CLOCK.monotonic_ns())
            return advance(now_ns)

        detector.receive, detector.advance = stepped, passed  # type: ignore[method-assign]
        running = asyncio.create_task(it.player.run())
        await until(lambda: len(it.slow.receipts) >= 3)
        await until(lambda: began_ns[-1] > it.slow.receipts[2].sent_ns)
        running.cancel()
        await asyncio.wait({running})
    first = it.slow.receipts[0]
    next_ns = min(ns for ns in began_ns if ns > first.sent_ns)
    assert first.taken_ns is not None
    assert next_ns >= min(first.taken_ns, first.sent_ns + round(MOST_S * NS_PER_S))


def named(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto"


async def test_a_source_that_gives_up_ends_the_player_with_its_own_error() -> None:
    async with live(JustNow(fails=True)) as it:
        with pytest.raises(TransportError, match="just now: has given up"):
            await asyncio.wait_for(it.player.run(), 20.0)
