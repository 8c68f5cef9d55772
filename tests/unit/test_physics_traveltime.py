"""Travel times against TauP itself, which the table was made from."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from obspy.taup import TauPyModel

import eew.physics.traveltime as traveltime
from eew.errors import ConfigError
from eew.physics.kernels import travel_time
from eew.physics.traveltime import RegionalTravelTimes, TravelTimes, travel_times
from eew.tables.build_traveltimes import first_arrivals_s
from eew.tables.traveltime_axes import depth_axis_km, distance_axis_km

Floats = NDArray[np.float64]


def _taup_s(phases: list[str], distance_km: float, depth_km: float, model: TauPyModel) -> float:
    arrivals = model.get_travel_times(depth_km, np.degrees(distance_km / 6371.0), phases)
    return min(float(arrival.time) for arrival in arrivals)


def _errors_s(n: int, max_distance_km: float, max_depth_km: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    model, table = TauPyModel("iasp91"), TravelTimes.load()
    errors = []
    # five distances for each depth: TauP keeps the model that it has split there
    depths = np.repeat(rng.uniform(0.0, max_depth_km, n // 5), 5)
    for distance, depth in zip(rng.uniform(0.0, max_distance_km, n), depths, strict=True):
        errors.append(table.p_s(distance, depth) - _taup_s(["ttp"], distance, depth, model))
        errors.append(
            table.s_s(distance, depth) - _taup_s(["s", "S", "Sn", "Sg"], distance, depth, model)
        )
    return np.abs(errors)


def test_times_off_the_grid_agree_with_taup_within_10_ms() -> None:
    errors = _errors_s(25, 300.0, 100.0, seed=11)
    assert np.quantile(errors, 0.95) <= 0.010
    assert errors.max() <= 0.120  # next to a crossover of branches


@pytest.mark.slow
def test_times_off_the_grid_agree_with_taup_everywhere() -> None:
    near = _errors_s(250, 300.0, 100.0, seed=12)
    far = _errors_s(250, 1200.0, 700.0, seed=13)
    assert np.quantile(near, 0.95) <= 0.010
    assert np.quantile(far, 0.95) <= 0.020
    assert near.max() <= 0.150
    assert far.max() <= 0.500


def test_the_shipped_table_is_what_the_build_script_computes() -> None:
    distances = distance_axis_km()[[0, 1, 37, 199, 400, 480, 560]]
    p, s = first_arrivals_s(10.0, "iasp91", distances)
    table = TravelTimes.load()
    np.testing.assert_allclose(table.p_s(distances, 10.0), p, atol=5e-5)
    np.testing.assert_allclose(table.s_s(distances, 10.0), s, atol=5e-5)


def test_near_the_source_times_are_distance_over_velocity() -> None:
    # iasp91 is uniform down to 20 km: 5.80 and 3.36 km/s.
    table = TravelTimes.load()
    distance, depth = np.meshgrid([0.0, 0.3, 1.7, 6.2], [0.0, 0.4, 3.1, 11.9])
    straight = np.hypot(distance, depth)
    np.testing.assert_allclose(table.p_s(distance, depth), straight / 5.80, atol=2e-3)
    np.testing.assert_allclose(table.s_s(distance, depth), straight / 3.36, atol=3e-3)
    assert table.p_s(0.0, 0.0) == 0.0


def test_beyond_the_table_the_last_slope_goes_on() -> None:
    table = TravelTimes.load()
    slope = (table.p_s(1200.0, 15.0) - table.p_s(1195.0, 15.0)) / 5.0
    assert table.p_s(1300.0, 15.0) == pytest.approx(table.p_s(1200.0, 15.0) + 100.0 * slope)
    assert 0.09 < slope < 0.13  # s/km, upper mantle


def test_depths_outside_are_held_at_the_ends() -> None:
    table = TravelTimes.load()
    assert table.p_s(50.0, -2.0) == table.p_s(50.0, 0.0)
    assert table.s_s(50.0, 900.0) == table.s_s(50.0, 700.0)


def test_nan_gives_nan_and_touches_nothing_else() -> None:
    times = TravelTimes.load().p_s([10.0, np.nan, 10.0], [5.0, 5.0, np.nan])
    assert np.isfinite(times).tolist() == [True, False, False]


def test_the_compiled_look_up_agrees_everywhere() -> None:
    rng = np.random.default_rng(3)
    table = TravelTimes.load()
    distances = np.concatenate([rng.uniform(0, 1600, 500), [0.0, 400.0, 1200.0, 1195.0]])
    depths = np.concatenate([rng.uniform(-5, 800, 500), [0.0, 40.0, 100.0, 700.0]])
    compiled = [
        [travel_time(each, r, z) for r, z in zip(distances, depths, strict=True)]
        for each in (table.p_table, table.s_table)
    ]
    np.testing.assert_allclose(compiled[0], table.p_s(distances, depths), atol=1e-9)
    np.testing.assert_allclose(compiled[1], table.s_s(distances, depths), atol=1e-9)


def test_a_model_is_loaded_once_and_cannot_be_written_to() -> None:
    table = TravelTimes.load("iasp91")
    assert TravelTimes.load("iasp91") is table
    assert TravelTimes.load() is table
    with pytest.raises(ValueError, match="read-only"):
        table.p_table[0, 0] = 1.0


def test_an_unknown_model_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no file 'traveltimes/moon.npz'.*iasp91"):
        TravelTimes.load("moon")


def test_a_table_on_another_grid_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    np.savez(
        file, p_s=np.ones((2, 2)), s_s=np.ones((2, 2)), distance_km=[0, 1], depth_km=depth_axis_km()
    )
    file.seek(0)
    monkeypatch.setattr(traveltime, "open_table_file", lambda _: file)
    with pytest.raises(ConfigError, match="its grid of 2 distances"):
        TravelTimes.load("of_another_version")


@pytest.mark.parametrize(
    ("lat", "lon", "model"),
    [
        (35.77, -117.6, "western_us"),
        (35.77, 242.4, "western_us"),  # the same place
        (38.2, -117.9, "western_us"),
        (38.2, -104.0, "iasp91"),
        (23.9, 121.5, "iasp91"),
        (-20.0, -69.0, "iasp91"),
    ],
)
def test_a_place_has_the_model_of_its_region(lat: float, lon: float, model: str) -> None:
    assert RegionalTravelTimes().at(lat, lon) is TravelTimes.load(model)
    assert travel_times("regional").at(lat, lon) is TravelTimes.load(model)
    assert travel_times("iasp91").at(lat, lon) is TravelTimes.load("iasp91")
