"""Source, path and envelope of computed records, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.errors import ConfigError
from simulator.attenuation import attenuation, region_names
from simulator.envelope import coda_window, direct_window
from simulator.source import (
    Ray,
    acceleration_spectrum,
    corner_frequency_hz,
    direct_length_s,
    moment_nm,
)

CALIFORNIA = attenuation("california")
N, RATE_HZ = 2**14, 100.0
FREQUENCY_HZ = np.arange(N // 2 + 1, dtype=np.float64) * (RATE_HZ / N)


def s_ray(distance_km: float = 20.0, corner_hz: float = 0.356) -> Ray:
    return Ray(
        phase=CALIFORNIA.s,
        velocity_kms=CALIFORNIA.beta_kms,
        distance_km=distance_km,
        corner_hz=corner_hz,
    )


def test_moment_and_corner_frequency_of_a_magnitude_6() -> None:
    assert moment_nm(6.0) == pytest.approx(1.122e18, rel=1e-3)
    assert corner_frequency_hz(6.0, 100.0, 3.5) == pytest.approx(0.356, abs=5e-4)


@given(magnitude=st.floats(3.0, 7.0), stress_drop_bar=st.floats(10.0, 500.0))
def test_two_magnitudes_more_lower_the_corner_tenfold(
    magnitude: float, stress_drop_bar: float
) -> None:
    low = corner_frequency_hz(magnitude + 2.0, stress_drop_bar, 3.5)
    assert corner_frequency_hz(magnitude, stress_drop_bar, 3.5) == pytest.approx(10.0 * low)


def test_long_period_displacement_is_that_of_the_moment() -> None:
    spectrum = acceleration_spectrum(FREQUENCY_HZ, CALIFORNIA, s_ray(), 6.0)
    displacement = np.abs(spectrum[1:4]) / (2.0 * np.pi * FREQUENCY_HZ[1:4]) ** 2
    # 0.55 * 2 * M0 / (4 pi rho beta**3 R), Boore's constant without the partition to components.
    plateau = 0.55 * 2.0 * 1.122e18 / (4.0 * np.pi * 2720.0 * 3500.0**3 * 20e3)
    np.testing.assert_allclose(displacement, plateau, rtol=0.03)


def test_the_spectrum_falls_by_path_kappa_and_corner_as_its_formula_says() -> None:
    spectrum = np.abs(acceleration_spectrum(FREQUENCY_HZ, CALIFORNIA, s_ray(60.0), 6.0))
    f = FREQUENCY_HZ
    q = np.maximum(60.0, 180.0 * np.maximum(f, 1e-3) ** 0.45)
    expected = (
        0.55 * 2.0 * 1.122018e18 / (4.0 * np.pi * 2720.0 * 3500.0**3)
        * (2.0 * np.pi * f) ** 2 / (1.0 + (f / 0.356) ** 2)
        * np.exp(-np.pi * f * (60.0 / (q * 3.5) + 0.035))
        / 40e3 * np.sqrt(40.0 / 60.0)
    )  # fmt: skip
    band = (f > 0.02) & (f < 45.0)
    amplification = spectrum[band] / expected[band]
    np.testing.assert_allclose(amplification[0], 1.01, atol=0.02)
    at_4_hz = np.argmin(np.abs(f[band] - 4.0))
    assert amplification[at_4_hz] == pytest.approx(2.18, rel=1e-3)


@pytest.mark.parametrize("magnitude", [4.0, 6.0, 7.5])
def test_nothing_moves_before_the_onset(magnitude: float) -> None:
    corner_hz = corner_frequency_hz(magnitude, 100.0, 3.5)
    spectrum = acceleration_spectrum(FREQUENCY_HZ, CALIFORNIA, s_ray(80.0, corner_hz), magnitude)
    impulse = np.fft.irfft(spectrum, N)
    velocity = np.fft.irfft(spectrum / (2j * np.pi * np.maximum(FREQUENCY_HZ, 1e-9)), N)
    for trace in (impulse, velocity):
        before = np.abs(trace[N // 2 : -2]).max()  # negative times stand in the second half
        assert before < 2e-3 * np.abs(trace[: N // 2]).max()


def test_spreading_has_no_step_where_its_power_changes() -> None:
    just_below = CALIFORNIA.s.geometrical_spreading(40.0 - 1e-9)
    assert CALIFORNIA.s.geometrical_spreading(40.0 + 1e-9) == pytest.approx(just_below)
    assert CALIFORNIA.s.geometrical_spreading(1.0) == 1.0
    assert CALIFORNIA.s.geometrical_spreading(10.0) == pytest.approx(0.1)
    assert CALIFORNIA.s.geometrical_spreading(160.0) == pytest.approx(0.025 / 2.0)


def test_a_large_fault_is_never_near_as_a_whole() -> None:
    assert CALIFORNIA.effective_distance_km(0.0, 7.0) == pytest.approx(10.0)
    assert CALIFORNIA.effective_distance_km(100.0, 7.0) == pytest.approx(100.5, abs=0.01)


def test_the_path_goes_on_lengthening_beyond_its_table() -> None:
    assert CALIFORNIA.path_duration(50.0) == pytest.approx(2.5)
    assert CALIFORNIA.path_duration(300.0) == pytest.approx(15.0)


def test_a_wave_lasts_as_long_as_its_source_and_longer_far_away() -> None:
    near, far = direct_length_s(CALIFORNIA, s_ray(1.0)), direct_length_s(CALIFORNIA, s_ray(200.0))
    assert near == pytest.approx(1.0 / 0.356 + 0.05)
    assert far - near == pytest.approx(199.0 * 0.05)


@settings(max_examples=25)
@given(length_s=st.floats(0.3, 40.0))
def test_windows_have_unit_energy_and_are_zero_before_the_onset(length_s: float) -> None:
    since_s = np.arange(-500, 60_000) / RATE_HZ
    for window in (
        direct_window(since_s, length_s, RATE_HZ),
        coda_window(since_s, length_s, 15.0, RATE_HZ),
    ):
        assert np.dot(window, window) == pytest.approx(1.0, rel=0.02)
        assert not window[:500].any()


def test_the_direct_wave_is_highest_at_two_fifths_of_its_length() -> None:
    since_s = np.arange(0, 6_000) / RATE_HZ
    assert since_s[direct_window(since_s, 10.0, RATE_HZ).argmax()] == pytest.approx(4.0, abs=0.02)


def test_every_region_has_a_table_that_fits() -> None:
    assert region_names() == ("california", "kyushu", "sichuan_basin", "west_sichuan")
    for name in region_names():
        region = attenuation(name)
        assert region.beta_kms < region.alpha_kms
        assert region.p.spreading[0][0] == region.s.spreading[0][0] == 1.0


def test_an_unknown_region_is_named() -> None:
    with pytest.raises(ConfigError, match="no region 'atlantis'"):
        attenuation("atlantis")
