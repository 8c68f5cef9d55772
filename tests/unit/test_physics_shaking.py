"""The estimator that detector, devices and score share."""

from __future__ import annotations

import subprocess
import sys
from types import FrameType

import numpy as np
import pytest

from eew.errors import ConfigError
from eew.physics.bssa14 import bssa14
from eew.physics.point_source import motion_model
from eew.physics.regions import region_of
from eew.physics.rupture import distance_to_line_km, rupture_top_km
from eew.physics.shaking import (
    ShakingModel,
    shaking_model,
    shaking_model_at,
    shaking_model_names,
)

MODELS = shaking_model_names()


def test_models_are_found_by_name_region_and_place_and_are_one_object() -> None:
    by_name = shaking_model("gb18306_qinghai_tibet")
    assert shaking_model_at(31.0, 103.4) is by_name
    assert shaking_model(region_of(31.0, 103.4)) is by_name
    assert shaking_model_at(37.29, 37.04).name == "bssa14_china_turkey"
    assert shaking_model_at(34.0, -118.0).relation == "BSSA14 + WGRW12"


@pytest.mark.parametrize("name", MODELS)
def test_beside_a_line_shaking_falls_with_distance_and_grows_with_magnitude(name: str) -> None:
    model = shaking_model(name)
    distance_km = np.array([0.0, 5.0, 20.0, 80.0, 300.0])
    at_7, at_8 = (model.predict_beside_line(m, 12.0, distance_km) for m in (7.0, 8.0))

    assert (np.diff(at_7.pgv_mps) < 0.0).all() or name == "si_midorikawa"
    assert (np.diff(at_7.intensity) <= 0.0).all()
    assert (at_8.pgv_mps > at_7.pgv_mps).all()


def test_beside_a_line_the_model_is_the_published_one() -> None:
    """Rjb is the distance to the line; the field notes' value: M7, Rjb 50, 760 m/s, 0.0630 g."""
    beside = shaking_model("bssa14").predict_beside_line(7.0, 10.0, 50.0, 760.0)

    assert float(beside.pga_mps2) == pytest.approx(0.0630 * 9.80665, rel=2e-3)
    assert float(beside.pga_mps2) == float(bssa14(7.0, 50.0, 760.0).pga_mps2)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("from_line", [False, True])
def test_a_radius_with_a_correction_is_where_the_corrected_median_is(
    name: str, from_line: bool
) -> None:
    model = shaking_model(name)
    radius_km = model.radius_km(5.0, 7.2, 12.0, correction=0.4, from_line=from_line)
    ask = model.predict_beside_line if from_line else model.predict

    assert 0.0 < radius_km < model.search_limit_km
    assert float(ask(7.2, 12.0, radius_km).intensity) + 0.4 == pytest.approx(5.0, abs=1e-3)


@pytest.mark.parametrize(
    ("lat", "lon", "expected_km"),
    [
        (0.0, 0.5, 0.0),  # on it
        (0.1, 0.5, 11.06),  # beside it: a tenth of a degree of latitude at the equator
        (0.0, 1.1, 11.13),  # beyond one end: of longitude
        (0.0, -0.1, 11.13),  # beyond the other
    ],
)
def test_the_distance_to_a_line_is_that_to_its_nearest_point(
    lat: float, lon: float, expected_km: float
) -> None:
    line = (0.0, 0.0, 0.0, 1.0)
    assert float(distance_to_line_km(line, lat, lon)) == pytest.approx(
        expected_km, rel=0.01, abs=0.01
    )
    there_and_back = (0.0, 1.0, 0.0, 0.0)
    assert float(distance_to_line_km(there_and_back, lat, lon)) == pytest.approx(
        expected_km, rel=0.01, abs=0.01
    )


def test_the_upper_edge_of_a_rupture() -> None:
    """Wells & Coppersmith (1994): W = 10**(-1.01 + 0.32 M), 17.0 km at M7."""
    assert float(rupture_top_km(10.0, 7.0)) == pytest.approx(10.0 - 16.98 / 2.0, abs=0.01)
    assert float(rupture_top_km(10.0, 8.0)) == 0.0


def test_an_unknown_model_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown: 'crystal_ball'.*bssa14"):
        shaking_model("crystal_ball")
    with pytest.raises(ConfigError, match=r"shaking\.motion: unknown: 'crystal_ball'"):
        motion_model("crystal_ball", {})


@pytest.mark.parametrize("name", MODELS)
def test_the_answer_has_the_shape_of_the_question(name: str) -> None:
    model = shaking_model(name)
    one, many = model.predict(6.0, 10.0, 20.0), model.predict(6.0, 10.0, np.full((4, 5), 20.0))
    assert one.intensity.shape == ()
    for each in ("intensity", "sigma", "pga_mps2", "pgv_mps", "sigma_ln_pga", "valid"):
        assert getattr(many, each).shape == (4, 5)
        np.testing.assert_allclose(getattr(many, each), getattr(one, each))


@pytest.mark.parametrize("name", MODELS)
def test_a_moderate_quake_shakes_as_the_literature_says(name: str) -> None:
    # M6 at 20 km is strong to very strong (MMI and CSI VI, JMA 4 to 5), hardly felt at 300 km.
    model = shaking_model(name)
    near, far = model.predict(6.0, 10.0, [20.0, 300.0]).intensity
    low, high = (4.0, 5.0) if model.scale == "jma" else (5.5, 7.0)
    assert low < near < high
    assert far < low - 2.0


def test_a_small_source_is_plain_bssa14() -> None:
    found = shaking_model("bssa14").predict(3.5, 10.0, 40.0)
    plain = bssa14(3.5, 40.0, 400.0)
    assert found.pga_mps2 == pytest.approx(plain.pga_mps2, rel=1e-2)
    assert found.sigma_ln_pgv == pytest.approx(plain.sigma_ln_pgv, rel=1e-2)


def test_a_large_source_shakes_more_than_a_point_and_less_than_its_own_trace() -> None:
    found = shaking_model("bssa14").predict(7.8, 10.0, 60.0)
    assert bssa14(7.8, 60.0, 400.0).pgv_mps < found.pgv_mps < bssa14(7.8, 0.0, 400.0).pgv_mps
    # not knowing the strike adds scatter
    assert found.sigma_ln_pgv > bssa14(7.8, 60.0, 400.0).sigma_ln_pgv + 0.02


@pytest.mark.parametrize("name", MODELS)
def test_a_deep_source_does_not_shake_its_epicentre_like_a_shallow_one(name: str) -> None:
    shallow, deep = shaking_model(name).predict(6.0, [10.0, 120.0], 5.0).intensity
    assert deep < shallow - 1.0


@pytest.mark.parametrize("name", MODELS)
def test_unknown_ground_is_the_default_and_soft_ground_shakes_more(name: str) -> None:
    model = shaking_model(name)
    unknown = model.predict(5.0, 10.0, 40.0).intensity
    np.testing.assert_array_equal(
        model.predict(5.0, 10.0, 40.0, [np.nan, model.default_vs30_mps]).intensity, unknown
    )
    soft, rock = model.predict(5.0, 10.0, 40.0, [250.0, 900.0]).intensity
    assert rock < unknown < soft


def test_nan_gives_nan_and_touches_nothing_else() -> None:
    found = shaking_model("bssa14").predict(6.0, 10.0, [20.0, np.nan]).intensity
    assert np.isfinite(found).tolist() == [True, False]


def test_validity_is_that_of_the_data_behind_the_model() -> None:
    model = shaking_model("gb18306_xinjiang")
    assert model.predict(6.0, 10.0, [150.0, 250.0]).valid.tolist() == [True, False]
    assert model.predict([3.0, 9.0], 10.0, 50.0).valid.tolist() == [False, False]


@pytest.mark.parametrize("name", MODELS)
def test_the_parts_of_sigma_add_up(name: str) -> None:
    found = shaking_model(name).predict(6.0, 10.0, [5.0, 50.0, 200.0])
    np.testing.assert_allclose(found.sigma, np.hypot(found.motion_sigma, found.conversion_sigma))
    assert ((found.sigma > 0.3) & (found.sigma < 1.4)).all()


def test_motion_sigma_is_the_spread_of_intensities_of_scattered_motion() -> None:
    model = shaking_model("bssa14")
    found = model.predict(5.0, 10.0, 150.0)  # weak, where one line of the scale holds
    z = np.random.default_rng(1).standard_normal(20_000)
    drawn = model.observed_intensity(
        found.pga_mps2 * np.exp(0.2 * found.sigma_ln_pga * z),
        found.pgv_mps * np.exp(0.2 * found.sigma_ln_pgv * z),
    )
    assert drawn.std() / 0.2 == pytest.approx(found.motion_sigma, rel=0.03)


@pytest.mark.parametrize("name", MODELS)
def test_an_uncertain_source_widens_the_uncertainty(name: str) -> None:
    model, where = shaking_model(name), (6.0, 10.0, np.array([0.0, 20.0, 80.0]))
    known = model.intensity_sigma_total(*where, magnitude_sigma=0.0, distance_sigma_km=0.0)
    np.testing.assert_allclose(known, model.predict(*where).sigma)
    by_magnitude = model.intensity_sigma_total(*where, magnitude_sigma=0.5, distance_sigma_km=0.0)
    slope = (
        model.predict(6.05, *where[1:]).intensity - model.predict(5.95, *where[1:]).intensity
    ) / 0.1
    np.testing.assert_allclose(by_magnitude, np.hypot(known, 0.5 * slope))
    by_both = model.intensity_sigma_total(*where, magnitude_sigma=0.5, distance_sigma_km=8.0)
    assert (by_both >= by_magnitude).all()
    assert by_both[1] > by_magnitude[1]


@pytest.mark.parametrize("name", MODELS)
def test_the_median_at_the_radius_is_the_intensity_asked_for(name: str) -> None:
    model = shaking_model(name)
    for intensity in (3.0, 4.5):
        radius = model.radius_km(intensity, 6.5, 10.0)
        assert radius > 1.0
        assert model.predict(6.5, 10.0, radius).intensity == pytest.approx(intensity, abs=2e-3)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_reached_has_no_radius(name: str) -> None:
    model = shaking_model(name)
    assert model.radius_km(9.9, 4.0, 10.0) == 0.0
    radii = model.radii_km(range(3, 10), 5.5, 10.0)
    assert 9 not in radii
    assert sorted(radii.values(), reverse=True) == list(radii.values())
    for intensity, radius in radii.items():
        assert radius == pytest.approx(model.radius_km(intensity, 5.5, 10.0), abs=1e-9)


def test_radii_end_at_the_search_limit() -> None:
    model = shaking_model("bssa14")
    assert model.radius_km(1.0, 9.0, 10.0) == model.search_limit_km


def test_observed_intensity_follows_the_scale() -> None:
    assert shaking_model("gb18306_xinjiang").observed_intensity(1.0, 0.1) == pytest.approx(6.77)
    assert shaking_model("bssa14").observed_intensity(0.1, 0.003) == pytest.approx(3.33)
    jma = shaking_model("si_midorikawa").observed_intensity([1.0, 2.0], 0.1)
    np.testing.assert_allclose(jma, [4.4, 4.4])


@pytest.mark.parametrize("name", MODELS)
def test_a_thousand_sites_are_computed_in_as_many_steps_as_two(name: str) -> None:
    model = shaking_model(name)

    def steps(n_sites: int) -> int:
        """Return how many functions are called: what makes the work of all sites at once cheap."""
        called = 0

        def count(frame: FrameType, event: str, arg: object) -> None:
            nonlocal called
            called += event in ("call", "c_call")

        distances = np.linspace(0.0, 400.0, n_sites)
        sys.setprofile(count)
        try:
            model.predict(6.5, 10.0, distances)
        finally:
            sys.setprofile(None)
        return called

    assert 0 < steps(1000) <= steps(2) + 10


def test_a_device_can_import_it_without_the_heavy_libraries() -> None:
    code = (
        "import sys, eew.physics.shaking as s, eew.physics.traveltime as t, eew.physics.geo\n"
        "s.shaking_model_at(31.0, 103.4).predict(6.0, 10.0, 20.0); t.TravelTimes.load().p_s(9, 9)\n"
        "print(*[m for m in ('numba', 'obspy', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_model_is_a_value_nobody_can_change() -> None:
    model: ShakingModel = shaking_model("bssa14")
    with pytest.raises(AttributeError):
        model.default_vs30_mps = 760.0  # type: ignore[misc]  # that is the point
