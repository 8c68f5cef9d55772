"""Size, path and shape in time of computed waves, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.errors import ConfigError
from simulator.attenuation import attenuation, region_names
from simulator.envelope import direct_power
from simulator.motion_kernels import power_in_time, scattered
from simulator.source import corner_frequency_hz, minimum_phase, moment_nm

CALIFORNIA = attenuation("california")


def test_moment_and_corner_frequency_of_a_magnitude_6() -> None:
    assert moment_nm(6.0) == pytest.approx(1.122e18, rel=1e-3)
    assert corner_frequency_hz(6.0, 100.0, 3.5) == pytest.approx(0.356, abs=5e-4)


@given(magnitude=st.floats(3.0, 7.0), stress_drop_bar=st.floats(10.0, 500.0))
def test_two_magnitudes_more_lower_the_corner_tenfold(
    magnitude: float, stress_drop_bar: float
) -> None:
    low = corner_frequency_hz(magnitude + 2.0, stress_drop_bar, 3.5)
    assert corner_frequency_hz(magnitude, stress_drop_bar, 3.5) == pytest.approx(10.0 * low)


def test_a_minimum_phase_has_the_amplitude_asked_for_and_no_past() -> None:
    n = 4096
    frequency_hz = np.arange(n // 2 + 1, dtype=np.float64) * (100.0 / n)
    log_amplitude = CALIFORNIA.loss_exponent(frequency_hz, 80.0, 3.5, 0.03)
    spectrum = minimum_phase(log_amplitude)
    np.testing.assert_allclose(np.abs(spectrum), np.exp(log_amplitude), rtol=1e-9)
    impulse = np.fft.irfft(spectrum, n)
    # half of the circle is the past, but the end of a long future reaches into it
    assert np.abs(impulse[-n // 8 :]).max() < 1e-6 * np.abs(impulse).max()


def test_spreading_has_no_step_where_its_power_changes() -> None:
    (_, near), (turn_km, _) = CALIFORNIA.s.spreading
    at = CALIFORNIA.s.geometrical_spreading(
        np.array([1.0, 10.0, turn_km - 1e-9, turn_km + 1e-9, 4.0 * turn_km])
    )
    assert at[0] == 1.0
    assert at[1] == pytest.approx(10.0**near)
    assert at[3] == pytest.approx(at[2])
    assert at[4] == pytest.approx(at[2] / 2.0)  # as a surface wave


def test_a_point_is_never_near_but_a_subfault_may_be() -> None:
    assert CALIFORNIA.effective_distance_km(0.0, 5.0) == pytest.approx(10.0**0.7)
    assert CALIFORNIA.effective_distance_km(100.0, 5.0) == pytest.approx(100.13, abs=0.01)
    assert CALIFORNIA.effective_distance_km(3.0, None) == 3.0


def test_the_path_goes_on_lengthening_beyond_its_table() -> None:
    duration_s = CALIFORNIA.path_duration(np.array([0.0, 7.0, 45.0, 400.0]))
    np.testing.assert_allclose(duration_s[:3], [0.0, 2.4, 8.4])
    assert duration_s[3] == pytest.approx(38.9 + 100.0 * (38.9 - 34.2) / 30.0)


def test_softer_ground_amplifies_by_the_linear_term_of_the_ground_motion_model() -> None:
    one_hz = np.array([1.0])
    assert CALIFORNIA.log_vs30(one_hz, 760.0)[0] == 0.0
    assert CALIFORNIA.log_vs30(one_hz, 380.0)[0] == pytest.approx(1.05 * np.log(2.0))


def test_a_direct_wave_has_unit_power_and_is_highest_at_two_fifths_of_its_length() -> None:
    lengths = np.linspace(-1.0, 6.0, 70_001)
    power = direct_power(lengths)
    assert np.trapezoid(power, lengths) == pytest.approx(1.0, rel=1e-4)
    assert not power[lengths <= 0.0].any()
    assert lengths[power.argmax()] == pytest.approx(0.4, abs=1e-3)


@settings(max_examples=25)
@given(length=st.floats(30.0, 4_000.0), arrival=st.floats(0.0, 900.0))
def test_power_is_kept_when_it_is_spread_over_time_and_scattered(
    length: float, arrival: float
) -> None:
    shape = direct_power(np.linspace(0.0, 3.2, 1025))
    power = np.zeros((2, 40_000))
    one = np.ones(1)
    power_in_time(arrival * one, length * one, 7.0 * one, np.ones(1, np.int64), shape, 3.2, power)
    assert power[1].sum() == pytest.approx(7.0, rel=0.02)
    assert not power[0].any()
    assert not power[1, : int(arrival)].any()
    coda = np.zeros_like(power)
    scattered(power, 1_500.0, coda)
    assert coda.sum() == pytest.approx(power.sum(), rel=1e-3)
    assert not coda[1, : int(arrival) + 1].any()


def test_every_region_has_a_table_that_fits() -> None:
    assert {"california", "kyushu", "sichuan_basin", "west_sichuan"} < set(region_names())
    for name in region_names():
        region = attenuation(name)
        assert region.beta_kms < region.alpha_kms
        assert region.p.spreading[0][0] == region.s.spreading[0][0] == 1.0


def test_an_unknown_region_is_named() -> None:
    with pytest.raises(ConfigError, match="no region 'atlantis'"):
        attenuation("atlantis")
