"""What one step of the whole detector costs: 112 stations, three live events, 0.5 s of data.

Three quakes of M5.5, 90 km and 3 s apart, are computed on a network of about 112 stations; packets
are cut and delivered as in a replay. A step is all that half a second brings: the packets that
arrive, and the passing of time. Counted are the steps in which three announced events live. The
reference is the same network's steps of the same run before the first quake: noise only.
"""

from __future__ import annotations

import gc
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import parser, quantiles, result, show
from eew.core.pipeline import Pipeline
from eew.model.alert import AlertMessage
from eew.model.event import EventClosed
from eew.model.waveform import Recording
from eew.physics.geo import destination
from simulator.network import build_network
from simulator.ruptures import Quake
from simulator.scenario import parse_scenario
from simulator.schedule import Schedule
from simulator.synthesise import compose

STEP_S = 0.5
STATIONS = 112
EVENTS = 3
TARGET_MS = 20.0
BEFORE_S = 15.0
WARM_UP_S = 8.0  # from the start of the records on, these are not counted
LAT, LON = 38.8, 28.2  # land that belongs to no special region of the shaking models

_SCENARIO = f"""
title = "A network with three quakes at once"
region = "california"
country = "TR"
languages = ["tr"]

[event]
id = "step"
origin_time = 2024-01-02T03:04:05Z
lat = {LAT}
lon = {LON}
depth_km = 10.0
magnitude = 5.5
magnitude_type = "Mw"

[network]
spacing_km = 20.0
outer_spacing_km = 20.0
dense_radius_km = 0.0
radius_km = 125.0
sampling_rate_hz = 100.0
sensor = "force_balance"
seed = 5

[noise]
level = 0.5
spread = 0.2

[record]
before_s = {BEFORE_S}
after_s = 60.0
"""


def recording(seed: int) -> Recording:
    """Compute three quakes on the ``STATIONS`` stations nearest to the middle."""
    scenario = parse_scenario(_SCENARIO.encode(), name="step", where="bench_step.py")
    quakes = []
    for number in range(EVENTS):
        lat, lon = destination(LAT, LON, 120.0 * number, 52.0)  # 90 km from each other
        quakes.append(
            Quake(
                lat=float(lat), lon=float(lon), depth_km=10.0, magnitude=5.5, after_s=3.0 * number
            )
        )
    stations = sorted(
        build_network(scenario, seed, 760.0),
        key=lambda s: (s.lat - LAT) ** 2 + ((s.lon - LON) * np.cos(np.radians(LAT))) ** 2,
    )
    return compose(scenario, quakes, seed, network=stations[:STATIONS]).recording


def steps(data: Recording, seed: int) -> list[tuple[float, float, int]]:
    """Replay once; return (s after the start, s of the processor, live announced events)."""
    pipeline = Pipeline(data.stations)
    start_ns = data.start_ns
    live: set[str] = set()
    spent = []
    # grouped before the clock starts: reading it costs as much as a station's packet
    moments = groupby(
        Schedule(data, STEP_S, seed=seed),
        key=lambda step: int((step.now_ns - start_ns) / 1e9 / STEP_S),
    )
    for number, group in moments:
        arrived = list(group)
        start = time.process_time()
        said = [
            one
            for step in arrived
            for one in (
                pipeline.receive(step.packets, step.now_ns)
                if step.packets
                else pipeline.advance(step.now_ns)
            )
        ]
        seconds = time.process_time() - start
        before = len(live)
        live |= {one.event_id for one in said if isinstance(one, AlertMessage)}
        live -= {one.event_id for one in said if isinstance(one, EventClosed)}
        spent.append((number * STEP_S, seconds, min(before, len(live))))
    return spent


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    data = recording(options.seed)
    steps(data, options.seed)  # compiled kernels, warm caches
    gc.collect()
    busy: list[float] = []
    quiet: list[float] = []
    for _ in range(options.rounds):
        for after_s, seconds, events in steps(data, options.seed):
            if events >= EVENTS:
                busy.append(1e3 * seconds)
            elif WARM_UP_S <= after_s < BEFORE_S:
                quiet.append(1e3 * seconds)
    if not busy:
        raise SystemExit(f"there was no step with {EVENTS} announced events: nothing measured")
    spread: dict[str, Any] = quantiles(busy)
    outcome = result(
        "step",
        question=f"one {STEP_S}-s step, {len(data.stations)} stations, {EVENTS} live events",
        unit="ms of one core",
        n=len(busy),
        seed=options.seed,
        **spread,
        target_ms=TARGET_MS,
        share_within_target=round(float(np.mean(np.asarray(busy) <= TARGET_MS)), 3),
        reference={"what": "same stations, noise only", "n": len(quiet), **quantiles(quiet)},
    )
    show(outcome, as_json=options.json)


if __name__ == "__main__":
    main()
