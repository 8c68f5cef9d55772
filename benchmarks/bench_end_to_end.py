"""From the last sample to the screen, hop by hop, while 1,000 stations feed the live service.

Three quakes are computed on a network of 1,000 stations with three channels; their packets come in
real time, each when its last sample plus its link delay says (open loop: nobody waits for the
service). The service is the one of ``eew serve``: reader, detector in its thread, publisher,
mosquitto. The screens are phones (``--phones``) 60 km from the first epicentre, in another
process, each on a connection of its own; both processes read the same monotonic clock. Hops that
are measured are kept apart from those that are modelled (packets and links).

=================== ==================================================================
hop                 from … to
=================== ==================================================================
packet_to_step      the packet is handed in … the detector's step with it begins
packet_to_pick      the packet is handed in … the detector has said its pick
packet_to_decided   the newest packet used is handed in … the message is decided
decided_to_submit   … the publisher is given the message
decided_to_taken    … the broker has acknowledged the last cell (the hand-over)
decided_to_received … the phone has received it
received_to_shown   … it is on the phone's screen
decided_to_shown    the message is decided … it is on the phone's screen
packet_to_shown     the newest packet used is handed in … it is on the phone's screen
=================== ==================================================================

``mqtt`` is the hop from the decision to the phones, with the CPU of broker and phones. The
reference, in the same run while the same stations feed: each payload is written once more, a
quarter of a second later, by a bare process to as many plain connections; from that ``write`` to
its receipt.

    python -m benchmarks.bench_end_to_end --json
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import delivery, parser, quantiles, result, show
from benchmarks.crowd_bench import broker_pid, cpu_s
from benchmarks.far_phones import Floor, Heard, alert_topic_at, floor, phones
from eew.app.crowd import open_crowd
from eew.app.devices import Crowd
from eew.app.live_chain import ready_pipeline
from eew.app.live_player import LivePlayer
from eew.app.options import RunOptions
from eew.app.run import run_places
from eew.app.serve_view import ServiceView
from eew.clock import NS_PER_S, SystemClock
from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.egress.receipt import PublishReceipt
from eew.ingest.live import Health, LiveNetwork
from eew.model.alert import AlertMessage
from eew.model.event import Pick
from eew.model.waveform import Packet, Recording
from eew.physics.geo import destination
from eew.service.state import ServiceInfo, ServiceState
from simulator.network import build_network
from simulator.ruptures import Quake
from simulator.scenario import parse_scenario
from simulator.schedule import Schedule
from simulator.synthesise import compose

LAT, LON = 38.8, 28.2
MAGNITUDE = 6.0
QUAKES = 3
APART_S, APART_KM = 9.0, 90.0
BEFORE_S = 8.0
TARGET_MS = 20.0
_LEAD_S = 2.0
_AFTER_S = 0.25  # the reference writes a message when the service has long done with it

_SCENARIO = f"""
title = "A dense network with quakes one after another"
region = "california"
country = "TR"
languages = ["tr"]

[event]
id = "end-to-end"
origin_time = 2024-01-02T03:04:05Z
lat = {LAT}
lon = {LON}
depth_km = 10.0
magnitude = {MAGNITUDE}
magnitude_type = "Mw"

[network]
spacing_km = 9.0
outer_spacing_km = 9.0
dense_radius_km = 0.0
radius_km = 175.0
sampling_rate_hz = 100.0
sensor = "force_balance"
seed = 5

[noise]
level = 0.5
spread = 0.2

[record]
before_s = {BEFORE_S}
after_s = 45.0
"""


def recording(stations: int, seed: int) -> Recording:
    """Compute the quakes on the stations nearest to the middle."""
    scenario = parse_scenario(_SCENARIO.encode(), name="end-to-end", where="bench_end_to_end.py")
    quakes = []
    for number in range(QUAKES):
        lat, lon = destination(LAT, LON, 120.0 * number, APART_KM / np.sqrt(3.0))
        quakes.append(
            Quake(
                lat=float(lat),
                lon=float(lon),
                depth_km=10.0,
                magnitude=MAGNITUDE,
                after_s=APART_S * number,
            )
        )
    nearest = sorted(
        build_network(scenario, seed, 760.0),
        key=lambda s: (s.lat - LAT) ** 2 + ((s.lon - LON) * np.cos(np.radians(LAT))) ** 2,
    )
    if len(nearest) < stations:
        raise SystemExit(f"the network has {len(nearest)} stations, {stations} were asked for")
    return compose(scenario, quakes, seed, network=nearest[:stations]).recording


# ---------------------------------------------------------------- the source


class Feed:
    """The recording as if it were now: each packet when it is due, whatever the service does."""

    def __init__(self, data: Recording, seed: int) -> None:
        self.name = "feed"
        self.health = Health(self.name)
        self._data = data
        steps = Schedule(data, 0.5, seed=seed)
        self._due = [(step.now_ns, packet) for step in steps for packet in step.packets]
        self.handed_ns: dict[int, int] = {}  # by id() of a packet: monotonic ns
        self.late_ms: list[float] = []

    async def open(self) -> LiveNetwork:
        """Say which stations there are."""
        self.health.expect(self._data.stations)
        return LiveNetwork(stations=self._data.stations)

    async def packets(self) -> AsyncGenerator[tuple[Packet, int], None]:
        """Give out each packet when it is due."""
        clock = SystemClock()
        self.health.connected("computed")
        shift_ns = clock.utc_ns() + round(_LEAD_S * NS_PER_S) - self._data.start_ns
        for due_ns, packet in self._due:
            at_ns = due_ns + shift_ns
            if at_ns > clock.utc_ns():
                await clock.sleep_until(at_ns)
            moved = replace(packet, start_ns=packet.start_ns + shift_ns)
            arrival_ns = clock.utc_ns()
            self.late_ms.append((arrival_ns - at_ns) / 1e6)
            self.health.received(moved, arrival_ns)
            self.handed_ns[id(moved)] = clock.monotonic_ns()
            yield moved, arrival_ns
            if len(self.late_ms) % 32 == 0:
                await asyncio.sleep(0)  # as a socket would: others get their turn

    async def close(self) -> None:
        """Nothing is open."""


# ---------------------------------------------------------------- what is noted on the way


@dataclass(slots=True)
class Way:
    """When one message passed where, monotonic ns."""

    message: AlertMessage
    packet_ns: int
    decided_ns: int
    submitted_ns: int = 0
    receipt: PublishReceipt | None = None
    received_ns: int = 0
    shown_ns: int = 0


class Watched:
    """The detector, with an eye on when it is given what and when it says what."""

    def __init__(self, pipeline: Pipeline, feed: Feed) -> None:
        self._pipeline, self._feed = pipeline, feed
        self._newest_ns = 0
        self.ways: dict[tuple[str, int], Way] = {}
        self.queued_ms: list[float] = []
        self.step_ms: list[float] = []
        self.pick_ms: list[float] = []

    def receive(self, packets: Sequence[Packet], now_ns: int) -> list[CoreEvent]:
        """Step with packets."""
        began_ns = time.monotonic_ns()
        handed = [self._feed.handed_ns.pop(id(packet)) for packet in packets]
        self._newest_ns = max(handed)
        self.queued_ms += [(began_ns - one) / 1e6 for one in handed]
        events = list(self._pipeline.receive(packets, now_ns))
        self.step_ms.append((self._note(events) - began_ns) / 1e6)
        return events

    def advance(self, now_ns: int) -> list[CoreEvent]:
        """Step with time alone."""
        events = list(self._pipeline.advance(now_ns))
        self._note(events)
        return events

    def _note(self, events: Sequence[CoreEvent]) -> int:
        said_ns = time.monotonic_ns()
        for event in events:
            if isinstance(event, AlertMessage):
                way = Way(event, self._newest_ns, said_ns)
                self.ways[event.event_id, event.serial] = way
            elif isinstance(event, Pick):
                self.pick_ms.append((said_ns - self._newest_ns) / 1e6)
        return said_ns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)


class WatchedCrowd:
    """The devices of the service, with an eye on when a message is handed over."""

    def __init__(self, crowd: Crowd, ways: dict[tuple[str, int], Way], bare: Floor) -> None:
        self._crowd, self._ways, self._bare = crowd, ways, bare

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over."""
        submitted_ns = time.monotonic_ns()
        receipt = self._crowd.submit(message)
        way = self._ways.get((message.event_id, message.serial))
        if way is not None:  # else one of the last words, when the data are over
            way.submitted_ns, way.receipt = submitted_ns, receipt
            later = asyncio.get_running_loop().call_later
            later(_AFTER_S, self._bare.post, receipt.payload)
        return receipt

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crowd, name)


# ---------------------------------------------------------------- measuring


def phone_places(n: int) -> list[tuple[float, float]]:
    """Return places 60 km from the first epicentre, the first of them to the south."""
    found = [destination(LAT, LON, 180.0 + 360.0 * k / n, 60.0) for k in range(n)]
    return [(float(lat), float(lon)) for lat, lon in found]


async def play(data: Recording, n_phones: int, seed: int) -> dict[str, Any]:
    """Run the service over the recording; return all hops."""
    clock = SystemClock()
    feed = Feed(data, seed)
    network = await feed.open()
    info = ServiceInfo(service_id="bench", version="", source="", speed=1.0, status="exercise")
    state = ServiceState(info, clock)
    # no devices on the service's own loop: the phones are elsewhere, as in the world
    options = RunOptions(broker="mosquitto", phones=0, tvs=0, seed=seed)
    places = run_places(replace(data, truth=None), options, (), ())
    config = DetectorConfig.load().with_status(options.status)
    watched = Watched(await asyncio.to_thread(ready_pipeline, network, config), feed)
    where = phone_places(n_phones)
    async with open_crowd(places, options, run_id="bench", clock=clock) as crowd:
        address = crowd.address
        assert address is not None
        with phones(address, where, seed) as far, floor(n_phones) as bare:
            player = LivePlayer(
                feed,
                network,
                cast(Pipeline, watched),
                devices=cast(Crowd, WatchedCrowd(crowd, watched.ways, bare)),
                view=ServiceView(state, places.targets, clock),
                state=state,
                clock=clock,
                say=lambda words: None,
            )
            pids = (broker_pid(address.port), far.pid), (bare.server.pid, bare.pid)
            before = [sum(map(cpu_s, both)) for both in pids]
            own_s, wall_s = time.process_time(), time.perf_counter()
            await player.run()
            own_s, wall_s = time.process_time() - own_s, time.perf_counter() - wall_s
            await asyncio.sleep(_AFTER_S + 0.5)
            spent = [sum(map(cpu_s, both)) - was for both, was in zip(pids, before, strict=True)]
            heard = far.heard()
            bare.collect()
    for one in heard:
        way = watched.ways.get((one.event_id, one.serial))
        if way is not None and one.phone == 0 and not way.received_ns:
            way.received_ns, way.shown_ns = one.received_ns, one.shown_ns
    return {
        "mqtt": delivered_to(where, list(watched.ways.values()), heard, spent_s=spent[0]),
        "reference": delivery(
            quantiles(bare.delays_ms),
            delivered=len(bare.delays_ms),
            lost=bare.lost,
            duplicates=0,
            cpu_s=spent[1],
        ),
        **_hops(watched, feed),
        "packets": len(feed.late_ms),
        "cores_used": round(own_s / wall_s, 2),
    }


def delivered_to(
    where: Sequence[tuple[float, float]],
    ways: Sequence[Way],
    heard: Sequence[Heard],
    *,
    spent_s: float,
) -> dict[str, Any]:
    """Return what became of each message at each phone whose area it was sent to."""
    taken = Counter((one.phone, one.event_id, one.serial) for one in heard if one.accepted)
    first: dict[tuple[int, str, int], int] = {}
    for one in heard:
        first.setdefault((one.phone, one.event_id, one.serial), one.received_ns)
    topics = [alert_topic_at(place) for place in where]
    delays_ms, lost = [], 0
    for way in ways:
        if way.receipt is None:
            continue
        told = set(way.receipt.topics) - set(way.receipt.overtaken)
        for number in (n for n, topic in enumerate(topics) if topic in told):
            key = (number, way.message.event_id, way.message.serial)
            if taken[key]:
                delays_ms.append((first[key] - way.decided_ns) / 1e6)
            else:
                lost += 1
    return delivery(
        quantiles(delays_ms),
        delivered=len(delays_ms),
        lost=lost,
        duplicates=sum(n - 1 for n in taken.values()),
        cpu_s=spent_s,
    )


def _hops(watched: Watched, feed: Feed) -> dict[str, Any]:
    ways = list(watched.ways.values())
    taken = [
        (way, way.receipt.taken_ns)
        for way in ways
        if way.receipt is not None and way.receipt.taken_ns is not None
    ]
    heard = [way for way in ways if way.received_ns]
    seen = [way for way in heard if way.shown_ns]
    cells = [len(way.receipt.topics) - 1 for way in ways if way.receipt is not None]

    def ms(pairs: Sequence[tuple[int, int]]) -> dict[str, float]:
        return quantiles([(end_ns - start_ns) / 1e6 for start_ns, end_ns in pairs]) | {
            "n": len(pairs)
        }

    return {
        "messages": len(ways),
        "events": len({way.message.event_id for way in ways}),
        "cells": quantiles([float(n) for n in cells], digits=0),
        "overtaken": sum(bool(way.receipt and way.receipt.overtaken) for way in ways),
        "measured_ms": {
            "packet_to_step": quantiles(watched.queued_ms),
            "step": quantiles(watched.step_ms),
            "packet_to_pick": quantiles(watched.pick_ms),
            "packet_to_decided": ms([(way.packet_ns, way.decided_ns) for way in ways]),
            "decided_to_submit": ms([(way.decided_ns, way.submitted_ns) for way in ways]),
            "decided_to_taken": ms([(way.decided_ns, taken_ns) for way, taken_ns in taken]),
            "decided_to_received": ms([(way.decided_ns, way.received_ns) for way in heard]),
            "received_to_shown": ms([(way.received_ns, way.shown_ns) for way in seen]),
            "decided_to_shown": ms([(way.decided_ns, way.shown_ns) for way in seen]),
            "packet_to_shown": ms([(way.packet_ns, way.shown_ns) for way in seen]),
        },
        "modelled_ms": {
            "last_sample_to_packet": ms(
                [(w.message.trace.last_sample_ns, w.message.trace.received_ns) for w in ways]
            ),
        },
        "fed_late_ms": quantiles(feed.late_ms),
    }


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--stations", type=int, default=1000)
    options.add_argument("--phones", type=int, default=1)
    args = options.parse_args()
    data = recording(args.stations, args.seed)
    figures = asyncio.run(play(data, args.phones, args.seed))
    hand_over = figures["measured_ms"]["decided_to_taken"]
    show(
        result(
            "end to end",
            question=f"from the last sample to the screen, {args.stations} stations feeding",
            unit="ms",
            n=figures["messages"],
            seed=args.seed,
            phones=args.phones,
            loop="open: packets come when they are due",
            **figures,
            target={"decided_to_taken_p99_ms": TARGET_MS, "met": hand_over["p99"] <= TARGET_MS},
        ),
        as_json=args.json,
    )


if __name__ == "__main__":
    main()
