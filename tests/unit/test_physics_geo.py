"""Geometry on the ellipsoid against ObsPy's geodesics."""

from __future__ import annotations

import numpy as np
import pytest
from obspy.geodetics import gps2dist_azimuth

from eew.physics.geo import (
    azimuth_deg,
    azimuthal_gap_deg,
    destination,
    epicentral_distance_km,
    hypocentral_distance_km,
)
from eew.physics.kernels import distance_km_scalar


def _pairs(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20240101)
    lat = rng.uniform(-90.0, 90.0, (2, n))
    lon = rng.uniform(-180.0, 180.0, (2, n))
    return lat[0], lon[0], lat[1], lon[1]


def test_distances_anywhere_are_within_a_hundredth_of_a_percent_of_the_geodesic() -> None:
    lat1, lon1, lat2, lon2 = _pairs(400)
    ours = epicentral_distance_km(lat1, lon1, lat2, lon2)
    for k, found in enumerate(ours):
        exact_km = gps2dist_azimuth(lat1[k], lon1[k], lat2[k], lon2[k])[0] / 1000.0
        if exact_km < 19_500.0:
            assert found == pytest.approx(exact_km, rel=1e-4)


def test_regional_distances_are_within_five_millionths() -> None:
    lat1, lon1, _, _ = _pairs(200)
    rng = np.random.default_rng(7)
    lat2, lon2 = destination(lat1, lon1, rng.uniform(0, 360, 200), rng.uniform(0.1, 1000, 200))
    ours = epicentral_distance_km(lat1, lon1, lat2, lon2)
    exact = [
        gps2dist_azimuth(*four)[0] / 1000.0 for four in zip(lat1, lon1, lat2, lon2, strict=True)
    ]
    np.testing.assert_allclose(ours, exact, rtol=5e-6)


def test_azimuths_are_within_a_fifth_of_a_degree_up_to_10000_km() -> None:
    lat1, lon1, lat2, lon2 = _pairs(300)
    ours = azimuth_deg(lat1, lon1, lat2, lon2)
    for k, found in enumerate(ours):
        metres, exact_deg, _ = gps2dist_azimuth(lat1[k], lon1[k], lat2[k], lon2[k])
        if metres < 10_000_000:
            assert abs((found - exact_deg + 180.0) % 360.0 - 180.0) < 0.2


@pytest.mark.parametrize(
    ("lat2", "lon2", "expected_deg"), [(1, 0, 0.0), (0, 1, 90.0), (-1, 0, 180.0), (0, -1, 270.0)]
)
def test_azimuths_of_the_four_quarters(lat2: float, lon2: float, expected_deg: float) -> None:
    assert azimuth_deg(0.0, 0.0, lat2, lon2) == pytest.approx(expected_deg)


def test_the_date_line_is_no_barrier() -> None:
    assert epicentral_distance_km(10.0, 179.9, 10.0, -179.9) == pytest.approx(21.93, abs=0.01)
    assert epicentral_distance_km(10.0, 179.9, 10.0, 180.1) == pytest.approx(21.93, abs=0.01)
    lat, lon = destination(0.0, 179.9, 90.0, 50.0)
    assert lat == pytest.approx(0.0, abs=1e-9)
    assert lon == pytest.approx(-179.6508, abs=1e-3)


def test_the_poles_are_ordinary_places() -> None:
    # A quarter of the meridian is 10,001.966 km on WGS84.
    assert epicentral_distance_km(90.0, 0.0, 0.0, 123.0) == pytest.approx(10_001.966, rel=1e-5)
    assert epicentral_distance_km(90.0, 10.0, 90.0, 200.0) == pytest.approx(0.0, abs=1e-6)
    assert epicentral_distance_km(89.0, 0.0, 89.0, 180.0) == pytest.approx(223.388, rel=1e-4)
    lat, _ = destination(89.9, 0.0, 0.0, 50.0)
    assert 89.4 < lat < 89.7  # over the pole and down the other side


def test_points_that_are_the_same_or_opposite_give_no_nan() -> None:
    assert epicentral_distance_km(12.3, 45.6, 12.3, 45.6) == 0.0
    assert azimuth_deg(12.3, 45.6, 12.3, 45.6) == 0.0
    assert epicentral_distance_km(0.0, 0.0, 0.0, 180.0) == pytest.approx(20_004, rel=2e-3)


def test_nan_stays_nan_and_touches_nothing_else() -> None:
    found = epicentral_distance_km([0.0, np.nan], 0.0, 1.0, 0.0)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_the_compiled_twin_agrees() -> None:
    lat1, lon1, lat2, lon2 = _pairs(300)
    ours = epicentral_distance_km(lat1, lon1, lat2, lon2)
    compiled = [distance_km_scalar(*four) for four in zip(lat1, lon1, lat2, lon2, strict=True)]
    np.testing.assert_allclose(compiled, ours, rtol=1e-12)
    assert distance_km_scalar(5.0, 5.0, 5.0, 5.0) == 0.0


def test_hypocentral_distance_is_the_hypotenuse() -> None:
    np.testing.assert_allclose(hypocentral_distance_km([3.0, 0.0], 4.0), [5.0, 4.0])


@pytest.mark.parametrize(
    ("azimuths", "gap"),
    [
        ([], 360.0),
        ([77.0], 360.0),
        ([0.0, 90.0, 180.0, 270.0], 90.0),
        ([350.0, 10.0, 30.0], 320.0),
        ([-10.0, 370.0, 30.0], 320.0),
        ([45.0, 45.0], 360.0),
    ],
)
def test_azimuthal_gap(azimuths: list[float], gap: float) -> None:
    assert azimuthal_gap_deg(azimuths) == pytest.approx(gap)
