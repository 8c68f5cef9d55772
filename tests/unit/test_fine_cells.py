"""The cells round places: none is missed, whatever was asked before."""

from __future__ import annotations

import math

import h3.api.basic_int as h3_int
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eew.messages.fine_cells import Circle, fine_cell_of, fine_cells_round, fine_cells_within
from eew.physics.geo import epicentral_distance_km
from eew.tables import load_table

SIZES = load_table("topics")["cells"]
PLACES = st.builds(Circle, st.floats(-89.9, 89.9), st.floats(-180.0, 180.0), st.floats(0.0, 400.0))


def by_definition(circle: Circle) -> list[int]:
    """Look at each cell of a disk that is certainly wide enough."""
    reach_km = circle.radius_km + SIZES["circumradius_km"]
    rings = math.ceil(reach_km / SIZES["ring_km"]) + 6
    cells = h3_int.grid_disk(fine_cell_of(circle.lat, circle.lon), rings)
    centres = np.array([h3_int.cell_to_latlng(cell) for cell in cells])
    away_km = epicentral_distance_km(circle.lat, circle.lon, centres[:, 0], centres[:, 1])
    return sorted(cell for cell, km in zip(cells, away_km.tolist(), strict=True) if km <= reach_km)


@given(circle=PLACES)
@example(circle=Circle(64.7, 10.5, 300.0))  # a pentagon
@example(circle=Circle(89.5, 0.0, 250.0))
@example(circle=Circle(0.0, 179.99, 200.0))
def test_they_are_those_whose_centre_is_near_enough(circle: Circle) -> None:
    assert fine_cells_within(*circle) == by_definition(circle)


@given(st.lists(PLACES, max_size=4))
def test_those_of_several_circles_are_those_of_each(circles: list[Circle]) -> None:
    each = {cell for circle in circles for cell in fine_cells_within(*circle)}

    assert fine_cells_round(circles) == sorted(each)


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lat nan"):
        fine_cells_within(math.nan, 0.0, 10.0)
