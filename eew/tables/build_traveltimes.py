"""Build a travel-time table: ``python -m eew.tables.build_traveltimes``.

The tables are package data; this script is needed only to add a velocity model or change the
grid. iasp91 comes from ObsPy's TauP, which corrects its model once per depth here and then
evaluates the branches one by one, about eight times faster than one ``get_travel_times`` per
point. The models of ``velocity.toml`` come from :mod:`eew.tables.layered_times`.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.tables import load_table
from eew.tables.layered_times import Layered
from eew.tables.traveltime_axes import MODEL_RADIUS_KM, depth_axis_km, distance_axis_km

Floats = NDArray[np.float64]

# P and S hold every diving branch, p and s the up-going one, Pn and Sn the head wave.
P_BRANCHES = ("p", "P", "Pn")
S_BRANCHES = ("s", "S", "Sn")


def first_arrivals_s(
    depth_km: float, model: str, distances_km: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time of the first P-type and S-type arrival at each distance, s, for one depth."""
    from obspy.taup import TauPyModel
    from obspy.taup.seismic_phase import SeismicPhase

    corrected = TauPyModel(model).model.depth_correct(depth_km)
    found = []
    for names in (P_BRANCHES, S_BRANCHES):
        branches = [SeismicPhase(name, corrected, receiver_depth=0.0) for name in names]
        times = np.full(distances_km.shape, math.inf)
        for k, distance_km in enumerate(distances_km):
            degrees = math.degrees(distance_km / MODEL_RADIUS_KM)
            for branch in branches:
                for arrival in branch.calc_time(degrees):
                    times[k] = min(times[k], float(arrival.time))
        found.append(times)
    return found[0], found[1]


def build(model: str, path: Path, workers: int) -> None:
    """Compute the whole grid with TauP and write it as one compressed npz."""
    distances_km, depths_km = distance_axis_km(), depth_axis_km()
    p_rows, s_rows = [], []
    with ProcessPoolExecutor(workers) as pool:
        job = partial(first_arrivals_s, model=model, distances_km=distances_km)
        for depth_km, (p, s) in zip(depths_km, pool.map(job, depths_km.tolist()), strict=True):
            p_rows.append(p)
            s_rows.append(s)
            sys.stderr.write(f"{model}: depth {depth_km:5.1f} of {depths_km[-1]:.0f} km\n")
    _write(model, path, np.stack(p_rows), np.stack(s_rows))


def build_regional(row: Mapping[str, Any], path: Path) -> None:
    """Compute the whole grid of a model of ``velocity.toml`` and write it; takes seconds."""
    _write(row["name"], path, *regional_times_s(row, distance_axis_km(), depth_axis_km()))


def regional_times_s(
    row: Mapping[str, Any], distances_km: Floats, depths_km: Floats
) -> tuple[Floats, Floats]:
    """First P and S arrivals of a model of ``velocity.toml``, s; rows are depths."""
    corner_km, *velocities = profile(row["layers"], float(row["mantle_km"]))
    p_s, s_s = (
        np.stack([phase.first_arrivals_s(depth_km, distances_km) for depth_km in depths_km])
        for phase in (Layered(corner_km, velocity) for velocity in velocities)
    )
    return p_s, s_s


def profile(layers: Sequence[Sequence[float]], mantle_km: float) -> tuple[Floats, Floats, Floats]:
    """Corners of a layered crust on the mantle of iasp91: depth km, P and S km/s."""
    from obspy.taup import TauPyModel

    tops = [float(top) for top, _, _ in layers] + [mantle_km]
    corners = [
        (depth_km, float(p), float(s))
        for (_, p, s), (top, bottom) in zip(layers, pairwise(tops), strict=True)
        for depth_km in (top, bottom)
    ]
    for one in TauPyModel("iasp91").model.s_mod.v_mod.layers:
        top, bottom = float(one["top_depth"]), float(one["bot_depth"])
        if bottom <= mantle_km or top > 1000.0:
            continue
        share = max(mantle_km - top, 0.0) / (bottom - top)
        p, s = (
            float(one[f"top_{v}"] + share * (one[f"bot_{v}"] - one[f"top_{v}"]))
            for v in ("p_velocity", "s_velocity")
        )
        corners.append((max(top, mantle_km), p, s))
        corners.append((bottom, float(one["bot_p_velocity"]), float(one["bot_s_velocity"])))
    depth, p_velocity, s_velocity = np.array(corners).T
    return depth, p_velocity, s_velocity


def _write(model: str, path: Path, p_s: Floats, s_s: Floats) -> None:
    missing = int(np.count_nonzero(~np.isfinite(p_s) | ~np.isfinite(s_s)))
    if missing:
        raise SystemExit(f"{model}: no arrival at {missing} of {p_s.size} points")
    np.savez_compressed(
        path,
        p_s=p_s.astype(np.float32),
        s_s=s_s.astype(np.float32),
        distance_km=distance_axis_km(),
        depth_km=depth_axis_km(),
    )
    sys.stderr.write(f"wrote {path} ({path.stat().st_size / 1000:.0f} kB)\n")


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", default="iasp91", help="name in velocity.toml, else TauP model name or .npz file"
    )
    parser.add_argument("--output", type=Path, help="default: next to this script")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    name = Path(arguments.model).stem
    output = arguments.output or Path(__file__).parent / "traveltimes" / f"{name}.npz"
    rows = [row for row in load_table("velocity")["model"] if row["name"] == arguments.model]
    if rows:
        build_regional(rows[0], output)
    else:
        build(arguments.model, output, arguments.workers)


if __name__ == "__main__":
    main()
