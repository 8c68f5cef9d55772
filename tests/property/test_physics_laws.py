"""What must hold for any input: symmetry, monotony, round trips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eew.physics.geo import (
    azimuth_deg,
    azimuthal_gap_deg,
    destination,
    epicentral_distance_km,
)
from eew.physics.intensity import (
    csi_from_motion,
    mmi_from_motion,
    mmi_worden2012_pga,
    mmi_worden2012_pgv,
    pga_for_mmi,
    pgv_for_mmi,
)
from eew.physics.magnitude import pd_magnitude, pgd_magnitude
from eew.physics.shaking import ShakingModel, shaking_model, shaking_model_names
from eew.physics.traveltime import TravelTimes

lats = st.floats(-90.0, 90.0)
lons = st.floats(-180.0, 180.0)
magnitudes = st.floats(3.0, 8.5)
depths_km = st.floats(0.0, 300.0)
distances_km = st.floats(0.0, 900.0)
models = st.sampled_from(shaking_model_names()).map(shaking_model)
log_motion = st.floats(-5.0, 1.5)

ROUNDING = 1e-9


@given(lats, lons, lats, lons)
def test_distance_is_the_same_both_ways(lat1: float, lon1: float, lat2: float, lon2: float) -> None:
    there = epicentral_distance_km(lat1, lon1, lat2, lon2)
    back = epicentral_distance_km(lat2, lon2, lat1, lon1)
    assert there == pytest.approx(back, rel=1e-9, abs=1e-6)
    assert 0.0 <= there < 20_040.0


@given(lats, lons, lats, lons, lats, lons)
def test_no_detour_is_shorter(
    lat1: float, lon1: float, lat2: float, lon2: float, lat3: float, lon3: float
) -> None:
    direct = epicentral_distance_km(lat1, lon1, lat3, lon3)
    detour = epicentral_distance_km(lat1, lon1, lat2, lon2)
    detour = detour + epicentral_distance_km(lat2, lon2, lat3, lon3)
    assume(detour < 12_000.0)  # nearer the antipode the formula's own error is larger
    assert direct <= detour * (1.0 + 1e-5) + 1e-6


@given(st.floats(-85.0, 85.0), lons, st.floats(0.0, 360.0), st.floats(0.5, 2000.0))
def test_a_destination_is_as_far_and_in_the_direction_asked(
    lat: float, lon: float, azimuth: float, distance_km: float
) -> None:
    lat2, lon2 = destination(lat, lon, azimuth, distance_km)
    assert -180.0 <= lon2 <= 180.0
    assert epicentral_distance_km(lat, lon, lat2, lon2) == pytest.approx(distance_km, rel=1e-5)
    found = azimuth_deg(lat, lon, lat2, lon2)
    assert abs((found - azimuth + 180.0) % 360.0 - 180.0) < 0.2


@given(st.lists(st.floats(-720.0, 720.0), max_size=12), st.floats(0.0, 360.0))
def test_the_gap_does_not_change_when_the_compass_is_turned(
    azimuths: list[float], turn: float
) -> None:
    gap = azimuthal_gap_deg(azimuths)
    assert azimuthal_gap_deg([a + turn for a in azimuths]) == pytest.approx(gap, abs=1e-6)
    assert 360.0 / max(len(azimuths), 1) - 1e-6 <= gap <= 360.0


@given(st.floats(0.0, 1500.0), st.floats(0.0, 100.0), depths_km)
def test_waves_arrive_later_farther_away_and_s_after_p(
    distance_km: float, more_km: float, depth_km: float
) -> None:
    table = TravelTimes.load()
    for times in (table.p_s, table.s_s):
        assert times(distance_km + more_km, depth_km) >= times(distance_km, depth_km) - 1e-3
    p, s = table.p_s(distance_km, depth_km), table.s_s(distance_km, depth_km)
    assert 1.65 * p <= s <= 1.95 * p


@given(st.floats(1e-7, 1.0), st.floats(0.0, 3.0), st.floats(0.0, 250.0))
def test_more_displacement_or_more_distance_is_more_magnitude(
    pd_m: float, factor: float, distance_km: float
) -> None:
    for relation in ("kuyuk_allen_2013", "wu_zhao_2006", "lancieri_zollo_2008_p4"):
        here = pd_magnitude(pd_m, distance_km, 10.0, relation)
        assert pd_magnitude(pd_m * (1.0 + factor), distance_km, 10.0, relation) >= here - ROUNDING
        assert pd_magnitude(pd_m, distance_km * (1.0 + factor), 10.0, relation) >= here - ROUNDING


@given(st.floats(7.0, 8.5), st.floats(30.0, 200.0))
def test_pgd_relations_of_large_quakes_agree_within_half_a_magnitude(
    magnitude: float, distance_km: float
) -> None:
    pgd_m = 10.0 ** (-5.919 + 1.009 * magnitude - 0.145 * magnitude * np.log10(distance_km))
    assert pgd_magnitude(pgd_m, distance_km, "ruhl_2019") == pytest.approx(magnitude)
    assert pgd_magnitude(pgd_m, distance_km) == pytest.approx(magnitude, abs=0.5)


@given(st.floats(1.0, 10.0))
def test_motion_for_an_intensity_gives_that_intensity(mmi: float) -> None:
    assert mmi_worden2012_pga(pga_for_mmi(mmi)) == pytest.approx(mmi, abs=1e-9)
    assert mmi_worden2012_pgv(pgv_for_mmi(mmi)) == pytest.approx(mmi, abs=1e-9)
    both = mmi_from_motion(pga_for_mmi(mmi), pgv_for_mmi(mmi))
    assert both == pytest.approx(mmi, abs=1e-9)


@given(log_motion, log_motion, st.floats(0.0, 0.5))
def test_intensity_never_falls_when_a_motion_grows(
    log_pga: float, log_pgv: float, more: float
) -> None:
    for scale in (mmi_from_motion, csi_from_motion):
        here = scale(10.0**log_pga, 10.0**log_pgv)
        assert scale(10.0 ** (log_pga + more), 10.0**log_pgv) >= here - ROUNDING
        assert scale(10.0**log_pga, 10.0 ** (log_pgv + more)) >= here - ROUNDING


@given(models, magnitudes, depths_km, distances_km, st.floats(0.0, 1.0))
def test_a_larger_quake_never_shakes_less(
    model: ShakingModel, magnitude: float, depth_km: float, distance_km: float, more: float
) -> None:
    assume(magnitude + more <= 8.5)
    here, there = model.predict([magnitude, magnitude + more], depth_km, distance_km).intensity
    assert there >= here - ROUNDING


@given(models, magnitudes, depths_km, distances_km, st.floats(0.0, 100.0))
def test_a_farther_place_never_shakes_more(
    model: ShakingModel, magnitude: float, depth_km: float, distance_km: float, more_km: float
) -> None:
    here, there = model.predict(magnitude, depth_km, [distance_km, distance_km + more_km]).intensity
    assert there <= here + ROUNDING


@given(models, magnitudes, depths_km, distances_km)
def test_a_hair_more_magnitude_distance_or_depth_is_a_hair_of_intensity(
    model: ShakingModel, magnitude: float, depth_km: float, distance_km: float
) -> None:
    hair = 1e-6
    found = model.predict(
        magnitude + np.array([0, hair, 0, 0]),
        depth_km + np.array([0, 0, hair, 0]),
        distance_km + np.array([0, 0, 0, hair]),
    )
    np.testing.assert_allclose(found.intensity, found.intensity[0], atol=1e-4)
    np.testing.assert_allclose(found.sigma, found.sigma[0], atol=1e-4)


@given(models, st.floats(4.0, 8.5), depths_km, st.floats(2.0, 9.0))
def test_the_radius_is_where_the_intensity_ends(
    model: ShakingModel, magnitude: float, depth_km: float, intensity: float
) -> None:
    radius = model.radius_km(intensity, magnitude, depth_km)
    if radius > 0.0:
        assert model.predict(magnitude, depth_km, radius * 0.999).intensity >= intensity - 1e-6
    if radius < model.search_limit_km:
        assert model.predict(magnitude, depth_km, radius + 0.01).intensity < intensity
