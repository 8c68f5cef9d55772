"""Areas: every place has one, and none has fewer than k people."""

from __future__ import annotations

from collections import Counter

import h3.api.basic_int as h3_int
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.messages.areas import area_of_cell, areas_of_cells, finest_resolution, is_area
from eew.tables import load_table
from simulator.build_areas import merged, people_by_cell

K = int(load_table("topics")["cells"]["k"])


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_the_area_of_a_place_holds_the_place(lat: float, lon: float) -> None:
    cell = h3_int.latlng_to_cell(lat, lon, finest_resolution())
    area = area_of_cell(cell)

    assert is_area(area)
    assert h3_int.cell_to_parent(cell, h3_int.get_resolution(area)) == area


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=50))
def test_the_areas_of_many_cells_are_those_of_each(places: list[tuple[float, float]]) -> None:
    cells = [h3_int.latlng_to_cell(*place, finest_resolution()) for place in places]

    assert areas_of_cells(cells) == {area_of_cell(cell) for cell in cells}


def test_what_is_no_area_is_none() -> None:
    tokyo = h3_int.latlng_to_cell(35.68, 139.76, finest_resolution())

    assert area_of_cell(tokyo) == tokyo
    assert not is_area(h3_int.cell_to_center_child(tokyo, 5))
    assert not is_area(12345)


@pytest.mark.slow
def test_the_stored_areas_are_those_of_the_places_and_none_has_fewer_than_k_people() -> None:
    people = people_by_cell(finest_resolution())
    counted: Counter[int] = Counter()
    for cell, n in people.items():
        counted[area_of_cell(cell)] += n
    few = {area: n for area, n in counted.items() if n < K}

    assert sum(counted.values()) == sum(people.values())
    # two of the coarsest resolution, islands in the ocean, have nobody to merge with
    assert {h3_int.get_resolution(area) for area in few} == {0}
    assert sum(few.values()) == 239
    of_finest = sum(n for area, n in counted.items() if area in people)
    assert of_finest / sum(people.values()) == pytest.approx(0.936, abs=0.001)
    built = merged(people, finest_resolution(), K)
    assert {area: n for level in built.values() for area, n in level.items()} == counted


def test_merging_takes_the_smallest_neighbour_and_leaves_the_others(
    rng: np.random.Generator,
) -> None:
    parent = h3_int.latlng_to_cell(35.0, 135.0, 1)
    cells = sorted(h3_int.cell_to_children(parent, 2))
    people = dict(zip(cells, [900, 5000, 2000, 30, 0, 7000, 1500], strict=True))
    areas = merged(people, 2, 1000)

    assert areas[2] == {cells[1]: 5000, cells[2]: 2000, cells[5]: 7000}
    # nothing is known of what lies beside the parent, so it shares in turn
    assert areas[1] == {}
    assert areas[0] == {h3_int.cell_to_parent(parent, 0): 900 + 30 + 1500}


def test_a_cell_of_which_nothing_is_known_shares_with_its_neighbour() -> None:
    parent = h3_int.latlng_to_cell(35.0, 135.0, 1)
    cells = sorted(h3_int.cell_to_children(parent, 2))
    areas = merged({cells[0]: 4000, cells[1]: 3000}, 2, 1000)

    assert areas == {2: {cells[0]: 4000}, 1: {}, 0: {h3_int.cell_to_parent(parent, 0): 3000}}
