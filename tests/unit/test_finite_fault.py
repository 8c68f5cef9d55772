"""A plane divided into subfaults: what must come out whatever is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.physics.geo import epicentral_distance_km
from simulator.attenuation import attenuation, region_names
from simulator.finite_fault import finite_source
from simulator.mechanism import draw_fault
from simulator.ruptures import Fault, Quake, Rupture, line_rupture
from simulator.seeds import rng
from simulator.slip import slip_field
from simulator.source import moment_nm
from tests.unit.motion_cases import LAT, LON, motion_of, source_of

UPRIGHT = Fault(
    strike_deg=0.0,
    dip_deg=90.0,
    rake_deg=0.0,
    length_km=60.0,
    width_km=15.0,
    along_share=0.1,
    down_share=0.5,
)


@settings(max_examples=20, deadline=None)
@given(magnitude=st.floats(5.6, 9.2), seed=st.integers(0, 10_000))
def test_the_moments_of_the_subfaults_sum_to_that_of_the_quake(magnitude: float, seed: int) -> None:
    source = source_of(magnitude, depth_km=20.0, seed=seed)
    assert source.moments_nm.sum() == pytest.approx(moment_nm(magnitude))
    assert (source.moments_nm > 0.0).all()
    assert 4 <= len(source.moments_nm) <= 300


@settings(max_examples=20, deadline=None)
@given(magnitude=st.floats(5.6, 9.2), seed=st.integers(0, 10_000))
def test_the_spectrum_of_all_subfaults_is_that_of_the_whole(magnitude: float, seed: int) -> None:
    source = source_of(magnitude, seed=seed)
    frequency_hz = np.logspace(-2, 1.5, 40)
    share = source.energies / source.energies.sum()
    corner_hz = source.corners_hz[source.classes]
    # high frequency level fc**2 for each, by its share of the energy; low one by its own corner
    each = share[:, None] * (
        (source.corner_hz * frequency_hz) ** 2
        / (corner_hz[:, None] ** 2 + frequency_hz**2)
    ) ** 2  # fmt: skip
    summed = np.sqrt(each.sum(axis=0)) * np.exp(source.log_conservation(frequency_hz))
    brune = (source.corner_hz * frequency_hz) ** 2 / (source.corner_hz**2 + frequency_hz**2)
    np.testing.assert_allclose(summed, brune, rtol=1e-9)
    assert (np.diff(source.corners_hz[source.classes]) <= 1e-12).all()  # falls as the front grows


def test_the_rupture_runs_from_the_hypocentre_at_its_share_of_the_velocity_of_s() -> None:
    source = source_of(7.0, depth_km=10.0, fault=UPRIGHT)
    away_km = np.hypot(
        epicentral_distance_km(LAT, LON, source.lats, source.lons), source.depths_km - 10.0
    )
    assert (source.lats[0], source.lons[0], source.depths_km[0]) == pytest.approx((LAT, LON, 10.0))
    assert source.starts_s[0] == 0.0
    far = away_km > 10.0
    velocity_kms = away_km[far] / (source.starts_s[far] + 0.5 * source.rise_s)
    region = attenuation("california")
    slowest, fastest = (share * region.beta_kms for share in region.finite.velocity_share)
    assert 0.9 * slowest <= velocity_kms.min()
    assert velocity_kms.max() <= 1.12 * fastest < region.alpha_kms
    assert 0.9 * 54.0 / fastest < source.starts_s.max() < 1.12 * 54.0 / slowest


def test_a_plane_lies_where_its_angles_say() -> None:
    source = source_of(7.0, depth_km=10.0, fault=UPRIGHT)
    assert np.abs(source.lons - LON).max() < 1e-9  # north and south of the hypocentre only
    north_km = np.sign(source.lats - LAT) * epicentral_distance_km(LAT, LON, source.lats, LON)
    assert north_km.min() == pytest.approx(-6.0 + 0.5 * source.length_km, abs=0.5)
    assert north_km.max() == pytest.approx(54.0 - 0.5 * source.length_km, abs=0.5)
    dipping = Fault(strike_deg=0.0, dip_deg=45.0, rake_deg=90.0, length_km=40.0, width_km=20.0)
    thrust = source_of(7.0, depth_km=10.0, fault=dipping)
    deep = thrust.depths_km > 10.5
    assert (thrust.lons[deep] > LON).all()  # dips to the right of its strike
    assert (thrust.lons[thrust.depths_km < 9.5] < LON).all()


@settings(max_examples=60, deadline=None)
@given(
    magnitude=st.floats(5.6, 9.2),
    depth_km=st.floats(2.0, 200.0),
    region=st.sampled_from(region_names()),
    seed=st.integers(0, 10_000),
)
def test_nothing_breaks_above_the_ground(
    magnitude: float, depth_km: float, region: str, seed: int
) -> None:
    source = source_of(magnitude, depth_km=depth_km, region=region, seed=seed)
    assert source.depths_km.min() > 0.0
    assert np.isfinite(source.lats).all()


def test_a_mechanism_is_drawn_by_the_habit_of_the_region_and_the_number_of_the_quake() -> None:
    quake = Quake(lat=-31.6, lon=-71.7, depth_km=25.0, magnitude=8.0)
    region = attenuation("chile_interface")
    faults = [draw_fault(quake, region, rng(seed, "mechanism", 0)) for seed in range(40)]
    assert all(10.0 <= fault.dip_deg <= 25.0 for fault in faults)
    towards = [(fault.strike_deg + 180.0) % 360.0 - 180.0 for fault in faults]
    assert abs(np.mean(towards)) < 20.0  # along the trench, plate going down to the east
    assert np.mean([fault.rake_deg for fault in faults]) == pytest.approx(90.0, abs=8.0)
    one, again = (source_of(6.5, seed=3, number=2) for _ in range(2))
    assert one.starts_s.tobytes() == again.starts_s.tobytes()
    assert one.strikes_deg[0] != source_of(6.5, seed=3, number=1).strikes_deg[0]


def test_slip_is_uneven_and_smoother_than_chance() -> None:
    rules = attenuation("california").finite
    fields = [slip_field(8, 24, 2.0, 2.0, rules, np.random.default_rng(k)) for k in range(20)]
    assert all(field.sum() == pytest.approx(1.0) for field in fields)
    spread = np.mean([field.std() / field.mean() for field in fields])
    assert 0.4 < spread < 0.9
    beside = np.mean([np.corrcoef(f[:, 1:].ravel(), f[:, :-1].ravel())[0, 1] for f in fields])
    assert beside > 0.5


def test_a_small_quake_is_a_point() -> None:
    source = source_of(5.5)
    assert source.is_point
    assert source.corners_hz[0] == source.corner_hz
    assert source.rise_s == pytest.approx(1.0 / source.corner_hz)
    np.testing.assert_allclose(source.log_conservation(np.array([0.1, 1.0, 10.0])), 0.0, atol=1e-12)


def test_the_parts_of_a_rupture_are_its_subfaults() -> None:
    rupture = line_rupture(
        lat=LAT,
        lon=LON,
        depth_km=12.0,
        magnitude=7.8,
        strike_deg=90.0,
        length_km=120.0,
        velocity_kms=2.8,
        weights=[1.0, 2.0, 3.0, 2.0, 1.0],
        begins_at=0.5,
        after_s=4.0,
    )
    source = finite_source(rupture, attenuation("california"), 1, 0)
    assert source.magnitude == pytest.approx(7.8)
    assert source.after_s == 4.0
    np.testing.assert_allclose(source.starts_s, [0.0, *[30.0 / 2.8] * 2, *[60.0 / 2.8] * 2])
    assert source.moments_nm[0] == pytest.approx(moment_nm(7.8) / 3.0)
    assert source.strikes_deg[0] % 180.0 == pytest.approx(90.0, abs=1.0)
    assert len(Rupture(parts=rupture.parts).parts) == len(source.lats)


def test_shaking_is_stronger_where_the_rupture_goes() -> None:
    source = source_of(7.0, depth_km=8.0, fault=UPRIGHT)  # breaks to the north

    def pgv(azimuth_deg: float) -> float:
        peaks = []
        for k in range(4):
            seen = motion_of(source, 90.0, azimuth_deg, seed=k)
            velocity = np.cumsum(seen.mps2[1:], axis=1) / seen.axis.sampling_rate_hz
            peaks.append(np.sqrt(np.abs(velocity).max(axis=1).prod()))
        return float(np.median(peaks))

    # 36 km from its northern end against 84 km from its southern: more than distance does
    assert pgv(20.0) > 2.0 * pgv(200.0)
