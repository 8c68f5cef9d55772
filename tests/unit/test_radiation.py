"""Radiation of a double couple, the free surface, and Okada's dislocation: published values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.okada import surface_displacement_m
from simulator.radiation import radiation_pattern, surface_response


@settings(max_examples=10)
@given(strike=st.floats(0.0, 360.0), dip=st.floats(5.0, 90.0), rake=st.floats(-180.0, 180.0))
def test_over_the_sphere_p_is_0_52_and_s_0_63(strike: float, dip: float, rake: float) -> None:
    up = np.linspace(-1.0, 1.0, 401)
    azimuth, cosine = np.meshgrid(np.arange(0.0, 360.0, 3.0), 0.5 * (up[1:] + up[:-1]))
    takeoff = np.degrees(np.arccos(cosine))
    strikes, dips, rakes = (np.full_like(azimuth, angle) for angle in (strike, dip, rake))
    p, sv, sh = radiation_pattern(strikes, dips, rakes, azimuth, takeoff)
    assert np.sqrt(np.mean(p**2)) == pytest.approx(np.sqrt(4.0 / 15.0), rel=1e-3)
    assert np.sqrt(np.mean(sv**2 + sh**2)) == pytest.approx(np.sqrt(2.0 / 5.0), rel=1e-3)


def test_a_strike_slip_fault_pushes_two_quadrants_and_is_quiet_along_itself() -> None:
    azimuth = np.array([45.0, 135.0, 0.0, 90.0])
    level = np.full(4, 90.0)
    p, sv, sh = radiation_pattern(np.zeros(4), np.full(4, 90.0), np.zeros(4), azimuth, level)
    np.testing.assert_allclose(p, [1.0, -1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(np.abs(sh), [0.0, 0.0, 1.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(sv, 0.0, atol=1e-12)


def test_the_surface_doubles_a_wave_from_below() -> None:
    (p_up, p_out), (sv_up, sv_out) = surface_response(np.array([0.0, 0.1]), 3.5, 1.7)
    assert (p_up[0], p_out[0], sv_up[0], sv_out[0]) == pytest.approx((2.0, 0.0, 0.0, 2.0))
    assert p_up[1] < 2.0 < np.hypot(p_up[1], p_out[1]) + 0.1
    assert sv_up[1] > 0.0


# Okada (1985), table 2, cases 2 and 3: strike slip and dip slip of 1 m; x, y, z
OKADA = [
    ((2.0, 3.0, 4.0, 70.0, 0.0), (-8.689e-3, -4.298e-3, -2.747e-3)),
    ((2.0, 3.0, 4.0, 70.0, 90.0), (-4.682e-3, -3.527e-2, -3.564e-2)),
    ((0.0, 0.0, 4.0, 90.0, 0.0), (0.0, 5.253e-3, 0.0)),
    ((0.0, 0.0, 4.0, 90.0, 90.0), (0.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("case", "expected"), OKADA)
def test_a_dislocation_moves_the_surface_as_okada_says(
    case: tuple[float, float, float, float, float], expected: tuple[float, float, float]
) -> None:
    x, y, depth, dip, rake = case
    length, width = 3.0, 2.0
    sine, cosine = np.sin(np.radians(dip)), np.cos(np.radians(dip))
    up, north, east = surface_displacement_m(
        np.array([x - length / 2.0]),  # strike to the east: x is east, y north
        np.array([y - width / 2.0 * cosine]),
        np.array([depth - width / 2.0 * sine]),
        strike_deg=np.array([90.0]),
        dip_deg=np.array([dip]),
        rake_deg=np.array([rake]),
        length_km=length,
        width_km=width,
        slip_m=np.ones(1),
    )
    np.testing.assert_allclose([east[0], north[0], up[0]], expected, rtol=2e-4, atol=1e-9)
