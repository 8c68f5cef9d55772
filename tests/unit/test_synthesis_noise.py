"""Computed background noise against the models it is made from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from simulator.accelerometer import accelerometer
from simulator.noise import noise_amplitude, noise_psd_db, noise_spectrum

N, RATE_HZ = 2**16, 100.0
FREQUENCY_HZ = np.arange(N // 2 + 1, dtype=np.float64) * (RATE_HZ / N)


def trace(level: float, self_noise_psd: float) -> np.ndarray:
    floor = noise_amplitude(FREQUENCY_HZ, level, self_noise_psd)
    rng = np.random.default_rng(4)
    return np.fft.irfft(noise_spectrum(floor, N, RATE_HZ, rng), N)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_noise_has_the_density_of_its_model(level: float) -> None:
    frequency_hz, density = welch(trace(level, 0.0), RATE_HZ, nperseg=4096)
    band = (frequency_hz > 0.5) & (frequency_hz < 40.0)
    found_db = 10.0 * np.log10(density[band])
    expected_db = noise_psd_db(frequency_hz[band], level)
    assert np.mean(found_db - expected_db) == pytest.approx(0.0, abs=0.3)
    assert np.abs(found_db - expected_db).max() < 5.0  # 31 averages scatter by 0.8 dB


@pytest.mark.parametrize(("level", "name"), [(0.0, "get_nlnm"), (1.0, "get_nhnm")])
def test_the_models_are_those_of_peterson(level: float, name: str) -> None:
    import obspy.signal.spectral_estimation as peterson

    period_s, db = getattr(peterson, name)()
    used = period_s <= 300.0
    ours_db = noise_psd_db(1.0 / period_s[used], level)
    assert np.abs(ours_db - db[used]).max() < 0.5


def test_self_noise_gives_the_dynamic_range_of_the_sensor() -> None:
    sensor = accelerometer("mems")
    rms = trace(0.0, sensor.self_noise_psd).std()
    range_db = 20.0 * np.log10(sensor.full_scale_mps2 / np.sqrt(2.0) / rms)
    assert range_db == pytest.approx(sensor.dynamic_range_db, abs=0.2)


def test_noise_has_no_constant() -> None:
    assert abs(trace(0.7, 1e-10).mean()) < 1e-15
