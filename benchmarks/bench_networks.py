"""Networks, land and people: how long until they stand, and how many there are.

Compiled code is warmed up first. Ten seconds or so on a quiet core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import parser, result, show
from simulator.geography import country_at
from simulator.named_networks import stations_near, whole_network
from simulator.network_table import named_network
from simulator.population import draw_devices, places

WHOLE = ("china-national", "icl", "kik-net", "mems-mexico", "shakealert")
PARTS = (
    ("china-national", 31.0, 103.3, 200.0),
    ("icl", 29.6, 102.1, 200.0),
    ("kik-net", 38.3, 142.4, 350.0),
    ("regional", 37.3, 37.0, 200.0),
)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    done = work()
    return round(time.perf_counter() - start, 2), done


def main() -> None:
    given = parser(__doc__ or "").parse_args()
    seed = given.seed
    stations_near("regional", seed, 0.0, 10.0, 50.0)  # compiles
    parts = {}
    for name, lat, lon, radius_km in PARTS:
        # another seed than below: nothing is placed yet
        seconds, found = timed(partial(stations_near, name, seed + 1, lat, lon, radius_km))
        parts[name] = {"s": seconds, "radius_km": radius_km, "stations": len(found)}
    whole = {}
    for name in WHOLE:
        seconds, found = timed(partial(whole_network, name, seed))
        published = named_network(name).stations or None
        whole[name] = {"s": seconds, "stations": len(found), "published": published}
    draw = np.random.default_rng(seed)
    lats, lons = draw.uniform(-60.0, 75.0, 1_000_000), draw.uniform(-180.0, 180.0, 1_000_000)
    land_s, _ = timed(lambda: country_at(lats, lons))
    places_s, everywhere = timed(places)
    china = everywhere.in_country("CN")
    devices_s, _ = timed(lambda: draw_devices(china, 1_000_000, seed, "phone"))
    show(
        result(
            "networks",
            question="how long until a network stands, whole or round one quake?",
            unit="s",
            n=1,
            seed=seed,
            whole=whole,
            part=parts,
            million_points_to_countries_s=land_s,
            places={"s": places_s, "n": len(everywhere), "people": everywhere.people},
            million_devices_s=devices_s,
        ),
        as_json=given.json,
    )


if __name__ == "__main__":
    main()
