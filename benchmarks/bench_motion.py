"""Computed ground motion: how long a network takes, by the size of the quake.

100 stations, 180 s, three components at 100 Hz, with noise and instrument, on one core.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import parser, quantiles, result, show
from simulator.ruptures import Quake
from simulator.scenario import Scenario, parse_scenario
from simulator.synthesise import prepare

N_STATIONS = 100
N_ROUNDS = 3
MAGNITUDES = (5.0, 7.8, 9.0)

SCENARIO = """
title = "A network to time"
region = "california"
country = "US"
languages = ["en"]

[event]
id = "bench-motion"
origin_time = 2024-01-02T03:04:05Z
lat = 36.0
lon = -118.0
depth_km = 15.0
magnitude = 7.8
magnitude_type = "Mw"

[network]
spacing_km = 25.0
outer_spacing_km = 25.0
dense_radius_km = 0.0
radius_km = 160.0
sampling_rate_hz = 100.0
sensor = "force_balance"
gnss_spacing_km = 60.0
seed = 3

[noise]
level = 0.5
spread = 0.2

[record]
before_s = 30.0
after_s = 150.0
"""


def measure(scenario: Scenario, magnitude: float, seed: int) -> dict[str, Any]:
    quake = Quake(lat=36.0, lon=-118.0, depth_km=15.0, magnitude=magnitude)
    start = time.perf_counter()
    plan = prepare(scenario, [quake], seed)
    prepare_s = time.perf_counter() - start
    next(plan.segments())  # compiled, tables read
    times_s, each_s = [], []
    for _ in range(N_ROUNDS):
        start, stations = time.perf_counter(), 0
        before = start
        for number, _segment in enumerate(plan.segments()):
            if number % 3 == 2:
                now = time.perf_counter()
                each_s.append(now - before)
                before, stations = now, stations + 1
            if stations == N_STATIONS:
                break
        times_s.append(time.perf_counter() - start)
    start = time.perf_counter()
    receivers = sum(1 for _ in plan.gnss_segments()) // 3
    return {
        "subfaults": len(plan.task.sources[0].lats),
        "stations": stations,
        "prepare_s": round(prepare_s, 3),
        "network_s": quantiles(times_s, digits=2),
        "station_s": quantiles(each_s, digits=4),
        "receivers": receivers,
        "receivers_s": round(time.perf_counter() - start, 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0),
    }


def main() -> None:
    given = parser(__doc__ or "").parse_args()
    scenario = parse_scenario(SCENARIO.encode(), name="bench-motion", where="bench_motion.py")
    show(
        result(
            "motion",
            question="how long do 100 stations x 180 s x 3 components take on one core?",
            unit="s",
            n=N_ROUNDS,
            seed=given.seed,
            **{f"M{m:g}": measure(scenario, m, given.seed) for m in MAGNITUDES},
        ),
        as_json=given.json,
    )


if __name__ == "__main__":
    main()
