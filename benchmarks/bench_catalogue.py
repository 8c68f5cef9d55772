"""How early and how right the detector is on quakes of the catalogue, computed under a network.

Quakes of M4 to 8 in the crust, each under an evenly drawn network of 20 km and of 15 km spacing (so
that all are in network, whatever stands there in truth), through the chain without a broker with
packets of 0.5 s and links of 0.3 s. Reference: the arrival of P at the fourth station, which no
rule that asks for four picks can beat.

    python -m benchmarks.bench_catalogue --quakes 40 --jobs 2 --json
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.common import parser, quantiles, result, show
from eew.app.parallel import map_in_order
from eew.app.trial import Trial, run_trial
from eew.model.waveform import Recording
from simulator.catalogue import CatalogueQuake, catalogue
from simulator.catalogue_scenario import scenario_table
from simulator.scenario import Scenario, scenario_from_table
from simulator.seeds import rng
from simulator.synthesise import compute
from simulator.truth import nth_p_floor_s

SPACINGS_KM = (20.0, 15.0)
FIRST_ALERT_S = {20.0: 5.0, 15.0: 4.2}  # targets, medians
MAGNITUDE_WITHIN, MAGNITUDE_SHARE = 0.4, 0.9
DEEPEST_KM = 30.0


def chosen(count: int, seed: int) -> list[CatalogueQuake]:
    """Draw quakes evenly over magnitude: by the seed, so that nobody picks them."""
    fit = [q for q in catalogue() if 4.0 <= q.magnitude <= 8.0 and q.depth_km <= DEEPEST_KM]
    fit = [q for q in fit if q.setting == "crust"]
    order = rng(seed, "bench", "catalogue").permutation(len(fit))
    by_class: dict[int, list[CatalogueQuake]] = {}
    for index in order:
        by_class.setdefault(round(2 * fit[index].magnitude), []).append(fit[index])
    found: list[CatalogueQuake] = []
    while len(found) < min(count, len(fit)):
        for key in sorted(by_class):
            if by_class[key] and len(found) < count:
                found.append(by_class[key].pop())
    return found


def under_network(quake: CatalogueQuake, spacing_km: float) -> Scenario:
    """Put a quake in the middle of an even network, on land everywhere."""
    table = scenario_table(quake, network="regional")
    table["network"] = {
        "spacing_km": spacing_km,
        "outer_spacing_km": spacing_km,
        "dense_radius_km": 0.0,
        "radius_km": min(60.0 + 25.0 * max(0.0, quake.magnitude - 4.0), 160.0),
        "sampling_rate_hz": 100.0,
        "sensor": "force_balance",
        "on_land": False,
    }
    table["site"] = []
    table["record"]["after_s"] = min(table["record"]["after_s"], 150.0)
    return scenario_from_table(table, name=quake.name)


def one(task: tuple[CatalogueQuake, float], *, seed: int) -> dict[str, Any]:
    quake, spacing_km = task
    recording: Recording = compute(under_network(quake, spacing_km), seed)
    trial: Trial = run_trial(recording, (), seed=seed)
    floor = nth_p_floor_s(recording)
    return {
        "quake": quake.name,
        "spacing_km": spacing_km,
        "stations": trial.stations,
        "magnitude": quake.magnitude,
        "events": trial.events,
        "detected": trial.detected,
        "first_alert_s": trial.first_alert_s,
        "fourth_p_s": floor[3] if len(floor) > 3 else None,
        "epicentre_error_km": trial.epicentre_error_km,
        "final_magnitude": trial.final_magnitude,
    }


def summary(rows: list[dict[str, Any]], spacing_km: float) -> dict[str, Any]:
    mine = [row for row in rows if row["spacing_km"] == spacing_km]
    first = [row["first_alert_s"] for row in mine if row["first_alert_s"] is not None]
    fourth = [row["fourth_p_s"] for row in mine if row["fourth_p_s"] is not None]
    errors = np.array(
        [row["final_magnitude"] - row["magnitude"] for row in mine if row["detected"]]
    )
    within = float(np.mean(np.abs(errors) <= MAGNITUDE_WITHIN)) if len(errors) else None
    return {
        "n": len(mine),
        "detected": sum(row["detected"] for row in mine),
        "one_event": sum(row["events"] == 1 for row in mine),
        "first_alert_s": {**quantiles(first, digits=2), "target_p50": FIRST_ALERT_S[spacing_km]},
        "reference_fourth_p_s": quantiles(fourth, digits=2),
        "magnitude": {
            "bias": round(float(errors.mean()), 2),
            "sigma": round(float(errors.std()), 2),
            "share_within_0.4": None if within is None else round(within, 3),
            "target_share": MAGNITUDE_SHARE,
        },
    }


def main() -> None:
    """Run the tasks and print."""
    options = parser(__doc__ or "")
    options.add_argument("--quakes", type=int, default=40)
    options.add_argument("--jobs", type=int, default=2)
    asked = options.parse_args()
    tasks = [(q, s) for q in chosen(asked.quakes, asked.seed) for s in SPACINGS_KM]
    rows = map_in_order(
        partial(one, seed=asked.seed), tasks, jobs=asked.jobs, cost=lambda task: task[0].magnitude
    )
    outcome = result(
        "catalogue",
        question="how early and how right is the detector on computed quakes in network",
        unit="s; magnitude units",
        n=len(rows),
        seed=asked.seed,
        **{f"spacing_{s:g}_km": summary(rows, s) for s in SPACINGS_KM},
    )
    if asked.json:
        outcome["rows"] = rows
    show(outcome, as_json=asked.json)


if __name__ == "__main__":
    main()
