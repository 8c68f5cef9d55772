"""Trenches: which side is land, how far away, and what that says of quakes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.physics.subduction import Trench, trench_near
from eew.tables import load_table

SOUTHWARD = Trench(np.array([[0.0, 100.0], [0.0, 0.0], [0.0, -100.0]]))  # land to the east
BAND = load_table("subduction")["band"]


@given(x=st.floats(-300.0, 300.0), y=st.floats(-99.0, 99.0))
def test_the_distance_is_signed_towards_the_land(x: float, y: float) -> None:
    assert SOUTHWARD.landward_km(x, y)[0] == pytest.approx(x, abs=1e-9)


def test_beyond_its_ends_a_trench_says_nothing() -> None:
    assert np.isnan(SOUTHWARD.landward_km([50.0, 50.0], [150.0, -150.0])).all()
    assert SOUTHWARD.log_density(50.0, 150.0)[0] == pytest.approx(0.0)


def test_the_density_is_that_of_the_band_inside_and_one_far_off() -> None:
    inside = (BAND["landward_km"] - BAND["seaward_km"]) / 2.0
    density = SOUTHWARD.log_density([inside, 400.0, -200.0], [0.0, 0.0, 0.0])
    assert density == pytest.approx([math.log(BAND["density"]), 0.0, 0.0], abs=0.01)


@pytest.mark.parametrize(
    ("place", "landward"),
    [
        ((-31.57, -71.67), True),  # Illapel 2015
        ((38.10, 142.86), True),  # Tohoku 2011
        ((16.70, -99.50), True),  # under the coast of Guerrero
        ((-42.0, -73.9), True),  # Chiloe
        ((-31.6, -75.0), False),  # in the Pacific
    ],
)
def test_well_known_places_lie_on_their_side(place: tuple[float, float], landward: bool) -> None:
    trench = trench_near(*place)
    assert trench is not None
    away_km = float(trench.landward_km(0.0, 0.0)[0])
    assert (0.0 < away_km < BAND["landward_km"]) is landward


@pytest.mark.parametrize("place", [(30.0, 102.0), (37.2, 37.0), (39.0, -117.0), (51.0, 10.0)])
def test_inland_no_trench_is_near(place: tuple[float, float]) -> None:
    assert trench_near(*place) is None
