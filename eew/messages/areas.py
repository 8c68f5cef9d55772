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

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache

import h3.api.basic_int as h3_int
import numpy as np
from numpy.typing import NDArray

from eew.tables import load_table, open_table_file

__all__ = ["area_of_cell", "areas_of_cells", "finest_resolution", "is_area"]

Cells = NDArray[np.int64]

# An H3 index holds its resolution in four bits, and below them 15 digits of three bits, the
# coarsest first; those finer than its resolution are 7 (https://h3geo.org/docs/core-library/h3Indexing).
_RESOLUTION_BIT = 52
_N_DIGITS, _DIGIT_BITS, _UNUSED = 15, 3, 7


@cache
def finest_resolution() -> int:
    """Return the H3 resolution of the smallest areas."""
    return int(load_table("topics")["cells"]["resolution"])


@cache
def _shared() -> tuple[Cells, ...]:
    """Return the cells that are areas, by resolution, sorted; those of the coarsest all are."""
    with open_table_file("areas/areas.npz") as file, np.load(file) as stored:
        return tuple(
            np.sort(np.cumsum(stored[f"steps_{resolution}"], dtype=np.int64))
            for resolution in range(finest_resolution() + 1)
        )


def area_of_cell(cell: int) -> int:
    """Return the area to which an H3 cell of the finest resolution belongs."""
    for resolution in range(finest_resolution(), 0, -1):
        if _is_among(cell, _shared()[resolution]):
            return cell
        cell = h3_int.cell_to_parent(cell, resolution - 1)
    return cell


def areas_of_cells(cells: Sequence[int] | Cells) -> set[int]:
    """Return the areas to which cells of the finest resolution belong."""
    left = np.asarray(cells, dtype=np.int64)
    areas: set[int] = set()
    for resolution in range(finest_resolution(), 0, -1):
        known = _shared()[resolution]
        found = known.take(known.searchsorted(left), mode="clip") == left
        areas.update(left[found].tolist())
        left = _parents(left[~found], resolution - 1)
    areas.update(left.tolist())
    return areas


def _parents(cells: Cells, resolution: int) -> Cells:
    """Return the cells of a resolution to which cells of the one below it belong."""
    digit = _UNUSED << _DIGIT_BITS * (_N_DIGITS - resolution - 1)
    parents: Cells = (cells - (1 << _RESOLUTION_BIT)) | digit
    return parents


def _is_among(cell: int, known: Cells) -> bool:
    place = bisect_left(known, cell)
    return place < len(known) and int(known[place]) == cell


def is_area(cell: int) -> bool:
    """Tell whether a number is an H3 cell that is the area of some place."""
    if not h3_int.is_valid_cell(cell):
        return False
    resolution = h3_int.get_resolution(cell)
    if resolution > finest_resolution():
        return False
    return resolution == 0 or _is_among(cell, _shared()[resolution])
