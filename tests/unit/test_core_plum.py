"""Shaking seen is passed on, but never on the word of one sensor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eew.core.network import Network
from eew.core.plum import Plum
from eew.physics.forecast import from_nearby
from eew.physics.geo import destination
from tests.unit.core_cases import Floats, config, make_station

CONFIG = config().plum
# A, B 20 km apart, C 25 km from B; D stands in A's cellar; E is 100 km away
AT_KM = {"A": 0.0, "B": 20.0, "C": 45.0, "D": 0.2, "E": 145.0}


def network() -> Network:
    stations = []
    for name, away_km in AT_KM.items():
        lat, lon = destination(30.0, 102.0, 90.0, away_km)
        stations.append(make_station(f"XX.{name}", lat=float(lat), lon=float(lon)))
    return Network(stations)


def plum() -> Plum:
    return Plum(network(), CONFIG)


def seen(**intensities: float) -> Floats:
    return np.array([intensities.get(name, 1.0) for name in AT_KM])


def test_a_single_sensor_counts_for_one_class_more_than_its_neighbour() -> None:
    held = plum().confirmed(seen(A=9.0, B=2.0))

    assert held[0] == 2.0 + CONFIG.guard_drop
    assert held[1] == 2.0


def test_two_sensors_of_one_building_are_one_witness() -> None:
    held = plum().confirmed(seen(A=9.0, D=9.0, B=2.0))

    assert held[0] == held[3] == 2.0 + CONFIG.guard_drop


def test_a_station_without_neighbours_says_nothing() -> None:
    assert plum().confirmed(seen(E=9.0))[4] == -np.inf


def test_what_the_source_lets_expect_is_not_said_again() -> None:
    held = plum().confirmed(seen(A=6.0, B=6.0, C=6.0))

    said, forecast = plum().choose(held, np.full(5, 6.0 - CONFIG.min_gain / 2.0))

    assert said == ()
    assert (forecast == 6.0 - CONFIG.min_gain / 2.0).all()


def test_one_observation_that_covers_all_is_enough() -> None:
    """B reaches A, C and D; nobody reaches E."""
    held = plum().confirmed(seen(A=6.0, B=6.0, C=6.0, D=6.0))

    said, forecast = plum().choose(held, np.full(5, 3.0))

    assert [one.intensity for one in said] == [6.0]
    assert forecast.tolist() == [6.0, 6.0, 6.0, 6.0, 3.0]


def test_no_more_is_said_than_fits_a_message() -> None:
    one = Plum(network(), replace(CONFIG, max_observed=1))
    held = one.confirmed(seen(A=7.0, B=6.5, C=6.0))

    said, _ = one.choose(held, np.full(5, 2.0))

    assert len(said) == 1


@given(
    st.lists(st.floats(0.0, 10.0), min_size=5, max_size=5),
    st.lists(st.floats(0.0, 10.0), min_size=5, max_size=5),
)
def test_the_forecast_is_never_lowered_and_is_what_a_device_works_out(
    intensities: list[float], expected: list[float]
) -> None:
    chooser, where = plum(), network()
    source = np.array(expected)

    said, forecast = chooser.choose(chooser.confirmed(np.array(intensities)), source)

    assert (forecast >= source).all()
    there = np.maximum(source, from_nearby(said, where.lat, where.lon))
    # positions are sent to 0.01 degrees: only a station at the rim may differ
    assert np.allclose(there, forecast)
