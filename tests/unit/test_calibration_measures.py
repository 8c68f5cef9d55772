"""What the calibration measures, on motion whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.physics.duration import afshari_stewart_2016
from eew.physics.geo import destination
from simulator.calibration.measure import (
    ENVELOPES,
    Motion,
    envelopes,
    fourier_amplitude,
    geometric_peak,
    integrated,
    peak_displacement_m,
    peak_p_displacement_m,
    significant_duration_s,
)
from simulator.calibration.plane import plane_distances_km
from simulator.ruptures import Fault

RATE_HZ = 100.0


def motion(trace: np.ndarray, p_s: float = 10.0, s_s: float = 20.0) -> Motion:
    return Motion(
        acceleration_mps2=np.broadcast_to(trace, (3, len(trace))).copy(),
        sampling_rate_hz=RATE_HZ,
        p_s=p_s,
        s_s=s_s,
    )


def sine(amplitude: float, frequency_hz: float, start_s: float, end_s: float) -> np.ndarray:
    time_s = np.arange(round(60.0 * RATE_HZ)) / RATE_HZ
    inside = (time_s >= start_s) & (time_s < end_s)
    wave: np.ndarray = np.where(
        inside, amplitude * np.sin(2.0 * np.pi * frequency_hz * (time_s - start_s)), 0.0
    )
    return wave


def test_pd_is_the_displacement_of_p_and_ends_with_s() -> None:
    frequency_hz, displacement_m = 2.0, 1e-3
    p = sine(displacement_m * (2.0 * np.pi * frequency_hz) ** 2, frequency_hz, 10.0, 60.0)
    s = 50.0 * sine(displacement_m * (2.0 * np.pi * frequency_hz) ** 2, frequency_hz, 12.0, 60.0)
    # a sine that begins at once also drifts off; the high-pass leaves up to twice its amplitude
    alone = peak_p_displacement_m(motion(p))
    assert displacement_m <= alone <= 3.0 * displacement_m * math.pi
    assert peak_p_displacement_m(motion(p + s, s_s=12.0)) <= alone


def test_peaks_are_the_geometric_mean_of_two_horizontals() -> None:
    assert geometric_peak(np.array([[1.0, -4.0, 2.0], [9.0, 0.0, 1.0]])) == pytest.approx(6.0)


def test_even_shaking_lasts_nine_tenths_of_its_length() -> None:
    assert significant_duration_s(motion(sine(1.0, 5.0, 10.0, 50.0))) == pytest.approx(
        36.0, abs=0.1
    )


def test_a_step_of_the_ground_is_the_peak_displacement() -> None:
    # a second of acceleration and one of braking move the ground by a metre
    trace = np.zeros(6000)
    trace[1000:1100], trace[1100:1200] = 1.0, -1.0
    assert peak_displacement_m(motion(trace)) == pytest.approx(math.sqrt(3.0), rel=0.01)


def test_integration_of_a_cosine_is_a_sine() -> None:
    time_s = np.arange(1000) / RATE_HZ
    found = integrated(np.cos(2.0 * np.pi * time_s)[None], RATE_HZ)[0]
    np.testing.assert_allclose(found, np.sin(2.0 * np.pi * time_s) / (2.0 * np.pi), atol=1e-4)


def test_envelopes_tell_p_from_s() -> None:
    p, s = sine(1.0, 5.0, 10.0, 60.0), sine(9.0, 5.0, 20.0, 60.0)
    found = dict(zip(ENVELOPES, envelopes(motion(p + s)), strict=True))
    assert found[("P", "vertical", "acceleration")] == pytest.approx(1.0, rel=0.1)
    assert found[("S", "horizontal", "acceleration")] == pytest.approx(10.0, rel=0.1)
    ratio = found[("P", "horizontal", "acceleration")] / found[("P", "horizontal", "velocity")]
    assert ratio == pytest.approx(2.0 * np.pi * 5.0, rel=0.5)
    short = envelopes(motion(p, 10.0, 10.5))
    assert np.isnan(short[:6]).all()
    assert np.isfinite(short[6:]).all()


def test_the_spectrum_of_an_impulse_is_flat() -> None:
    trace = np.zeros(4096)
    trace[700] = 3.0
    found = fourier_amplitude(motion(trace), np.array([0.5, 2.0, 20.0]))
    np.testing.assert_allclose(found, math.sqrt(3.0) * 3.0 / RATE_HZ, rtol=1e-9)


def test_durations_of_afshari_and_stewart() -> None:
    # openquake.hazardlib, AfshariStewart2016, strike slip, 760 m/s, expected basin
    found, sigma = afshari_stewart_2016(
        [4.0, 6.0, 7.0, 7.9], [10.0, 50.0, 50.0, 100.0], 760.0, mechanism="strike_slip"
    )
    np.testing.assert_allclose(found, [4.687, 15.274, 20.316, 57.838], rtol=1e-3)
    np.testing.assert_allclose(sigma, np.hypot([0.25, 0.25, 0.19, 0.19], [0.43, 0.35, 0.35, 0.35]))


UPRIGHT = Fault(
    strike_deg=0.0, dip_deg=90.0, rake_deg=0.0, length_km=40.0, width_km=10.0, down_share=0.5
)


@pytest.mark.parametrize(
    ("azimuth_deg", "away_km", "joyner_boore_km", "rupture_km"),
    [
        (90.0, 10.0, 10.0, math.hypot(10.0, 3.0)),  # across: the upper edge is 3 km deep
        (0.0, 10.0, 0.0, 3.0),  # above it
        (0.0, 35.0, 15.0, math.hypot(15.0, 3.0)),  # beyond its end
    ],
)
def test_distances_to_an_upright_plane(
    azimuth_deg: float, away_km: float, joyner_boore_km: float, rupture_km: float
) -> None:
    lat, lon = (float(x) for x in destination(36.0, -118.0, azimuth_deg, away_km))
    found = plane_distances_km(UPRIGHT, (36.0, -118.0, 8.0), lat, lon)
    assert found == pytest.approx((joyner_boore_km, rupture_km), abs=0.05)


def test_a_dipping_plane_is_near_on_the_side_that_it_dips_to() -> None:
    dipping = Fault(
        strike_deg=0.0, dip_deg=30.0, rake_deg=90.0, length_km=40.0, width_km=20.0, down_share=0.5
    )
    hypocentre = (36.0, -118.0, 8.0)
    places = [destination(36.0, -118.0, azimuth_deg, 6.0) for azimuth_deg in (90.0, 270.0)]
    east, west = (
        plane_distances_km(dipping, hypocentre, float(lat), float(lon)) for lat, lon in places
    )
    assert east[0] == west[0] == 0.0  # both above it: it reaches 8.7 km to each side
    slope = math.radians(30.0)
    assert east[1] == pytest.approx(8.0 * math.cos(slope) + 6.0 * math.sin(slope), abs=0.05)
    assert west[1] == pytest.approx(8.0 * math.cos(slope) - 6.0 * math.sin(slope), abs=0.05)


@given(
    st.floats(0.0, 360.0), st.floats(10.0, 90.0), st.floats(0.0, 360.0), st.floats(0.0, 150.0),
    st.floats(0.0, 1.0), st.floats(0.0, 1.0),
)  # fmt: skip
def test_the_fault_is_no_nearer_than_its_projection_and_no_farther_than_the_hypocentre(
    strike_deg: float, dip_deg: float, azimuth_deg: float, away_km: float, along: float, down: float
) -> None:
    fault = Fault(
        strike_deg=strike_deg, dip_deg=dip_deg, rake_deg=0.0, length_km=50.0, width_km=15.0,
        along_share=along, down_share=down,
    )  # fmt: skip
    lat, lon = (float(x) for x in destination(36.0, -118.0, azimuth_deg, away_km))
    joyner_boore_km, rupture_km = plane_distances_km(fault, (36.0, -118.0, 15.0), lat, lon)
    assert 0.0 <= joyner_boore_km <= rupture_km + 1e-9
    assert rupture_km <= math.hypot(away_km, 15.0) + 0.1
