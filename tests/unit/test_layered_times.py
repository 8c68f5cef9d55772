"""Rays through layers: closed forms, iasp91 by another program, and the regional tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eew.physics.traveltime import TravelTimes
from eew.tables import load_table
from eew.tables.build_traveltimes import profile, regional_times_s
from eew.tables.layered_times import Layered
from eew.tables.traveltime_axes import MODEL_RADIUS_KM, distance_axis_km

MODELS = load_table("velocity")["model"]
DISTANCES_KM = distance_axis_km()


def test_straight_up_is_depth_over_velocity() -> None:
    layers = Layered([0.0, 10.0, 10.0, 1000.0], [5.0, 5.0, 8.0, 8.0])

    assert layers.first_arrivals_s(10.0, np.array([0.0]))[0] == pytest.approx(2.0, abs=1e-4)
    assert layers.first_arrivals_s(50.0, np.array([0.0]))[0] == pytest.approx(7.0, abs=1e-4)


def test_a_head_wave_is_the_first_beyond_the_crossover() -> None:
    # one layer over a half space, 30 km thick; flat Earth, so near distances only
    slow, fast, thick = 6.0, 8.0, 30.0
    layers = Layered([0.0, thick, thick, 1000.0], [slow, slow, fast, fast])
    distance_km = np.array([50.0, 100.0, 150.0, 200.0])
    delay_s = 2.0 * thick * math.sqrt(1.0 / slow**2 - 1.0 / fast**2)
    expected = np.minimum(distance_km / slow, distance_km / fast + delay_s)

    # the Earth's curvature at this distance and thickness is worth a hundredth of a second each
    np.testing.assert_allclose(layers.first_arrivals_s(0.0, distance_km), expected, atol=0.15)


def test_in_a_uniform_sphere_the_ray_is_the_chord() -> None:
    uniform = Layered([0.0, 1000.0], [6.0, 6.0])
    distance_km = np.array([100.0, 400.0, 1000.0])
    chord_km = 2.0 * MODEL_RADIUS_KM * np.sin(distance_km / (2.0 * MODEL_RADIUS_KM))

    np.testing.assert_allclose(
        uniform.first_arrivals_s(0.0, distance_km), chord_km / 6.0, rtol=2e-5
    )


@pytest.mark.parametrize("depth_km", [0.0, 10.0, 35.0, 100.0])
def test_iasp91_comes_out_as_taup_has_it(depth_km: float) -> None:
    depths, p, s = profile([], 0.0)
    table = TravelTimes.load("iasp91")
    for velocity, expected in ((p, table.p_s), (s, table.s_s)):
        found = Layered(depths, velocity).first_arrivals_s(depth_km, DISTANCES_KM)

        np.testing.assert_allclose(found, expected(DISTANCES_KM, depth_km), atol=0.01)


def test_a_depth_between_two_layers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no layer begins at 10\.1 km"):
        Layered([0.0, 1000.0], [6.0, 6.0]).first_arrivals_s(10.1, DISTANCES_KM)


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row["name"])
def test_the_stored_table_of_a_region_is_that_of_its_layers(row: dict[str, object]) -> None:
    table = TravelTimes.load(str(row["name"]))
    depths_km = np.array([0.0, 7.5, 20.0, 60.0, 160.0])
    p_s, s_s = regional_times_s(row, DISTANCES_KM, depths_km)
    for k, depth_km in enumerate(depths_km):
        np.testing.assert_allclose(table.p_s(DISTANCES_KM, depth_km), p_s[k], atol=1e-4)
        np.testing.assert_allclose(table.s_s(DISTANCES_KM, depth_km), s_s[k], atol=1e-4)


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row["name"])
def test_every_region_has_a_source_and_velocities_that_rise(row: dict[str, object]) -> None:
    layers = np.array(row["layers"])

    assert row["source"]
    assert str(row["doi"]).startswith("10.")
    assert layers[0, 0] == 0.0
    assert (np.diff(layers, axis=0) > 0.0).all()
    assert ((layers[:, 1] / layers[:, 2] > 1.6) & (layers[:, 1] / layers[:, 2] < 2.2)).all()
