"""Build the areas of the alert topics: ``python -m simulator.build_areas``.

Counts the people of GeoNames' places (those of ``simulator.population``, down to villages of 500)
in H3 cells and merges what has fewer than k, as ``eew.messages.areas`` says. The result is package
data; this script is needed only to take newer places or another k.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import h3.api.basic_int as h3_int
import numpy as np

from eew.tables import load_table
from simulator.population import places

__all__ = ["build", "merged", "people_by_cell"]

_SMALLEST_PLACE = 500  # the smallest that GeoNames' extract has; the default of devices is 5,000


def people_by_cell(resolution: int) -> Counter[int]:
    """Return how many people of the places live in each H3 cell."""
    found = places(_SMALLEST_PLACE)
    people: Counter[int] = Counter()
    columns = found.lat.tolist(), found.lon.tolist(), found.population.tolist()
    for lat, lon, n in zip(*columns, strict=True):
        people[h3_int.latlng_to_cell(lat, lon, resolution)] += n
    return people


def merged(people: Mapping[int, int], resolution: int, k: int) -> dict[int, dict[int, int]]:
    """Return the areas by resolution, each with its people; all of resolution 0 that have any.

    What is left of a cell, fewer than k or nobody known, takes the smallest area inside that cell
    to itself, and only where there is none goes on to the cell above.

    Parameters
    ----------
    people : mapping
        From cells of ``resolution`` to people.
    k : int
        Fewest people of an area.
    """
    areas: dict[int, dict[int, int]] = {}
    left = dict(people)
    for level in range(resolution, 0, -1):
        areas[level] = {cell: n for cell, n in left.items() if n >= k}
        children: dict[int, list[int]] = {}
        for cell in sorted(areas[level]):
            children.setdefault(h3_int.cell_to_parent(cell, level - 1), []).append(cell)
        above: Counter[int] = Counter()
        for cell, n in left.items():
            if n < k:
                above[h3_int.cell_to_parent(cell, level - 1)] += n
        for parent, cells in children.items():
            # someone may live in a cell of which nothing is known
            if above[parent] < k and len(cells) < h3_int.cell_to_children_size(parent, level):
                above[parent] += areas[level].pop(min(cells, key=areas[level].__getitem__))
        left = dict(above)
    areas[0] = left
    return areas


def build(output: Path) -> dict[int, dict[int, int]]:
    """Write the areas, sorted and as differences, which compress well."""
    table = load_table("topics")["cells"]
    resolution, k = int(table["resolution"]), int(table["k"])
    areas = merged(people_by_cell(resolution), resolution, k)
    arrays = {
        f"steps_{level}": np.diff(np.array(sorted(cells), dtype=np.int64), prepend=np.int64(0))
        for level, cells in areas.items()
    }
    np.savez_compressed(output, allow_pickle=False, **arrays)
    return areas


def main() -> None:
    """Write the package data and say what came out."""
    folder = Path(__file__).resolve().parent.parent / "eew" / "tables" / "areas"
    areas = build(folder / "areas.npz")
    for level in sorted(areas, reverse=True):
        people = sorted(areas[level].values())
        least = people[0] if people else 0
        middle = people[len(people) // 2] if people else 0
        sys.stdout.write(
            f"resolution {level}: {len(people)} areas, {sum(people)} people, "
            f"fewest {least}, median {middle}\n"
        )


if __name__ == "__main__":
    main()
