"""The areas that have a topic of their own: none of them has fewer than k people, as far as known.

Where people live close enough, an area is one H3 cell of the finest resolution. The thinly settled
cells of the cell above share that cell's topic; where those together are too few, the least
populous of its cells joins them; and where there is none, they go to the cell above that, up to the
coarsest resolution (sea, desert, ice). So each place belongs to one area, a subscription tells of
nobody more than that he is one of k, and where people are few an alert costs nothing: a device
decides by its own place whatever the size of its area.

The people are those of ``eew/tables/areas`` (source there); k stands in ``topics.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import h3.api.basic_int as h3_int
import numpy as np

from eew.tables import load_table, open_table_file

__all__ = ["area_of_cell", "areas_of_cells", "finest_resolution", "is_area"]


@cache
def finest_resolution() -> int:
    """Return the H3 resolution of the smallest areas."""
    return int(load_table("topics")["cells"]["resolution"])


@cache
def _shared() -> tuple[frozenset[int], ...]:
    """Return the cells that are areas, by resolution; those of the coarsest all are."""
    with open_table_file("areas/areas.npz") as file, np.load(file) as stored:
        return tuple(
            frozenset(np.cumsum(stored[f"steps_{resolution}"]).tolist())
            for resolution in range(finest_resolution() + 1)
        )


def area_of_cell(cell: int) -> int:
    """Return the area to which an H3 cell of the finest resolution belongs."""
    by_resolution = _shared()
    for resolution in range(finest_resolution(), 0, -1):
        if cell in by_resolution[resolution]:
            return cell
        cell = h3_int.cell_to_parent(cell, resolution - 1)
    return cell


def areas_of_cells(cells: Iterable[int]) -> set[int]:
    """Return the areas to which cells of the finest resolution belong."""
    return {area_of_cell(cell) for cell in cells}


def is_area(cell: int) -> bool:
    """Tell whether a number is an H3 cell that is the area of some place."""
    if not h3_int.is_valid_cell(cell):
        return False
    resolution = h3_int.get_resolution(cell)
    return resolution == 0 or (resolution <= finest_resolution() and cell in _shared()[resolution])
