"""Computed scenarios: how near to real amplitudes, and how long they take.

``simulator/calibration.py`` says what is measured. Without ``--json`` a minute on a quiet core.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import parser, result, show
from simulator.calibration import REFERENCES, calibrate
from simulator.scenario import builtin_names, load_scenario
from simulator.synthesise import compute

Floats = NDArray[np.float64]

N_ROUNDS = 3


def calibration(region: str, seed: int, repeats: int) -> dict[str, Any]:
    outcome = calibrate(region, seed=seed, repeats=repeats)
    figures = {
        "magnitude_error": outcome.magnitude_error,
        "log10_pga_ratio": outcome.log10_pga_ratio,
        "log10_pgv_ratio": outcome.log10_pgv_ratio,
    }
    return {
        name: {
            "all": {
                "mean": round(float(values.mean()), 3),
                "median": round(float(np.median(values)), 3),
                "sigma": round(float(values.std()), 3),
                "n": len(values),
            },
            "median_by_magnitude": medians(outcome.magnitude, values),
            "median_by_km": medians(outcome.epicentral_distance_km, values),
        }
        for name, values in figures.items()
    }


def medians(keys: Floats, values: Floats) -> dict[str, float]:
    return {f"{key:g}": round(float(np.median(values[keys == key])), 2) for key in np.unique(keys)}


def seconds(name: str, seed: int) -> dict[str, float]:
    scenario = load_scenario(name)
    stations = len(compute(scenario, seed).stations)  # warm-up
    times_s = []
    for _ in range(N_ROUNDS):
        start = time.perf_counter()
        compute(scenario, seed)
        times_s.append(time.perf_counter() - start)
    return {
        "stations": stations,
        "p50": round(statistics.median(times_s), 2),
        "min": round(min(times_s), 2),
        "max": round(max(times_s), 2),
    }


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--repeats", type=int, default=9, help="records per magnitude, distance")
    given = options.parse_args()
    show(
        result(
            "scenarios",
            question="are computed records as strong as real ones, and how long do they take?",
            unit="magnitude, log10 ratio; s",
            n=N_ROUNDS,
            seed=given.seed,
            calibration={name: calibration(name, given.seed, given.repeats) for name in REFERENCES},
            compute_s={name: seconds(name, given.seed) for name in builtin_names()},
        ),
        as_json=given.json,
    )


if __name__ == "__main__":
    main()
