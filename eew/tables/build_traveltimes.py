"""Build a travel-time table from ObsPy's TauP: ``python -m eew.tables.build_traveltimes``.

The table is package data; this script is needed only to add a velocity model or change the
grid. TauP corrects its model once per depth here and then evaluates the branches one by one,
which is about eight times faster than one ``get_travel_times`` per point.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eew.tables.traveltime_axes import MODEL_RADIUS_KM, depth_axis_km, distance_axis_km

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
    """Compute the whole grid and write it as one compressed npz."""
    distances_km, depths_km = distance_axis_km(), depth_axis_km()
    p_rows, s_rows = [], []
    with ProcessPoolExecutor(workers) as pool:
        job = partial(first_arrivals_s, model=model, distances_km=distances_km)
        for depth_km, (p, s) in zip(depths_km, pool.map(job, depths_km.tolist()), strict=True):
            p_rows.append(p)
            s_rows.append(s)
            sys.stderr.write(f"{model}: depth {depth_km:5.1f} of {depths_km[-1]:.0f} km\n")
    p_s, s_s = np.stack(p_rows), np.stack(s_rows)
    missing = int(np.count_nonzero(~np.isfinite(p_s) | ~np.isfinite(s_s)))
    if missing:
        raise SystemExit(f"{model}: no arrival at {missing} of {p_s.size} points")
    np.savez_compressed(
        path,
        p_s=p_s.astype(np.float32),
        s_s=s_s.astype(np.float32),
        distance_km=distances_km,
        depth_km=depths_km,
    )
    sys.stderr.write(f"wrote {path} ({path.stat().st_size / 1000:.0f} kB)\n")


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="iasp91", help="TauP model name or .npz file")
    parser.add_argument("--output", type=Path, help="default: next to this script")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    name = Path(arguments.model).stem
    output = arguments.output or Path(__file__).parent / "traveltimes" / f"{name}.npz"
    build(arguments.model, output, arguments.workers)


if __name__ == "__main__":
    main()
