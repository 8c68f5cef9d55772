"""Where the S wave comes first is told first."""

from __future__ import annotations

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.messages.cell_order import in_telling_order, nearest_km, s_arrival_s
from eew.messages.cells import cells_to_tell
from eew.physics.geo import epicentral_distance_km
from tests.integration.brokers import EPICENTRE, alert

NEAR = sorted(h3.grid_disk(h3.latlng_to_cell(*EPICENTRE, 4), 6))
PARENTS = {h3.cell_to_parent(cell, resolution) for cell in NEAR for resolution in (2, 3)}
MIXED = sorted({*NEAR[::3], *PARENTS})


@given(st.sets(st.sampled_from(MIXED)), st.sets(st.sampled_from(MIXED)))
@settings(max_examples=50)
def test_every_cell_once_the_affected_by_s_arrival_then_the_others_by_it(
    affected: set[str], told: set[str]
) -> None:
    message = alert()
    order = in_telling_order(message, affected | told, affected)
    assert sorted(order) == sorted(affected | told)
    n = len(affected)
    assert set(order[:n]) == affected
    for group in (order[:n], order[n:]):
        arrivals = s_arrival_s(message.origin, group)
        assert np.all(np.diff(arrivals) >= 0.0)
        for one, two, gap in zip(group, group[1:], np.diff(arrivals), strict=False):
            assert gap > 0.0 or one < two or nearest(one) < nearest(two)


def nearest(cell: str) -> float:
    return float(nearest_km(alert().origin, [cell])[0])


def test_the_order_does_not_depend_on_that_of_the_input() -> None:
    message = alert()
    assert in_telling_order(message, MIXED, NEAR) == in_telling_order(
        message, MIXED[::-1], frozenset(NEAR)
    )


def test_nothing_to_tell_is_no_order() -> None:
    assert in_telling_order(alert(), (), ()) == ()
    assert nearest_km(alert().origin, ()).shape == (0,)


@pytest.mark.parametrize("resolution", [2, 3, 4])
def test_the_nearest_point_is_no_farther_than_any_corner_nor_the_source_in_its_own_cell(
    resolution: int,
) -> None:
    origin = alert().origin
    own = h3.latlng_to_cell(*EPICENTRE, resolution)
    cells = sorted(h3.grid_disk(own, 4))
    distances_km = dict(zip(cells, nearest_km(origin, cells).tolist(), strict=True))
    assert distances_km[own] == 0.0
    slack_km = 0.2 * h3.average_hexagon_edge_length(resolution, unit="km")  # cells are not regular
    for cell in cells:
        corners = np.array(h3.cell_to_boundary(cell))
        away_km = epicentral_distance_km(origin.lat, origin.lon, corners[:, 0], corners[:, 1])
        assert 0.0 <= distances_km[cell] <= away_km.min() + slack_km


def test_the_cell_of_the_epicentre_leads_the_real_list() -> None:
    message = alert(radius_km=300.0, magnitude=7.5)
    cells = cells_to_tell(message)
    order = in_telling_order(message, cells, cells)
    assert nearest(order[0]) == 0.0
    assert nearest(order[-1]) > 50.0
