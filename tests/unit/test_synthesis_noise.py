"""Computed background noise against the models it is made from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from eew.errors import ConfigError
from simulator.background import background, noise_level
from simulator.bursts import burst_rate_per_s, urban_bursts
from simulator.instrument import instrument
from simulator.noise import noise_amplitude, noise_psd_db, noise_spectrum
from simulator.site_class import burst_shape, site_class, site_class_names

N, RATE_HZ = 2**16, 100.0
FREQUENCY_HZ = np.arange(N // 2 + 1, dtype=np.float64) * (RATE_HZ / N)
MIDNIGHT_NS = 1_709_164_800 * 1_000_000_000  # 2024-02-29
HOUR_NS = 3_600 * 1_000_000_000


def trace(level: float, self_noise_psd: float | np.ndarray) -> np.ndarray:
    floor = noise_amplitude(FREQUENCY_HZ, level, self_noise_psd)
    rng = np.random.default_rng(4)
    return np.fft.irfft(noise_spectrum(floor, N, RATE_HZ, rng), N)


def station(
    name: str = "force_balance",
    *,
    site: str = "",
    level: float = 0.5,
    code: str = "SY.S0001",
    samples: int = N,
    rate_hz: float = RATE_HZ,
    seed: int = 1,
) -> np.ndarray:
    return background(
        instrument(name),
        seed=seed,
        code=code,
        level=level,
        class_name=site,
        samples=samples,
        sampling_rate_hz=rate_hz,
        start_ns=MIDNIGHT_NS,
        lon=0.0,
    )


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
    sensor = instrument("mems")
    rms = trace(0.0, sensor.self_noise_psd(FREQUENCY_HZ)).std()
    range_db = 20.0 * np.log10(sensor.full_scale / np.sqrt(2.0) / rms)
    assert range_db == pytest.approx(sensor.dynamic_range_db, abs=0.2)


def test_self_noise_grows_as_one_over_f_below_its_corner() -> None:
    sensor = instrument("mems")
    corner = sensor.self_noise_psd(np.array([sensor.flicker_hz]))[0]
    assert corner == pytest.approx(2.0 * 10.0 ** (sensor.self_noise_db / 10.0))
    low, lower = sensor.self_noise_psd(np.array([0.04, 0.02]) * sensor.flicker_hz)
    assert lower / low == pytest.approx(2.0, rel=0.05)


def test_counts_of_an_openeew_sensor_have_the_density_that_was_recorded() -> None:
    # medians of 16 stations in Mexico, 2018-02-16: dB at Hz
    recorded = {0.5: -77.0, 1.0: -77.0, 2.0: -77.5, 5.0: -79.0, 10.0: -80.5, 15.0: -84.0}
    sensor, rate_hz = instrument("openeew"), 31.25
    made = station("openeew", site="city", rate_hz=rate_hz, samples=2**15)
    motion = sensor.digitise(made, rate_hz)[0] / sensor.sensitivity
    frequency_hz, density = welch(motion, rate_hz, nperseg=512)
    for at_hz, recorded_db in recorded.items():
        near = np.abs(frequency_hz - at_hz) <= 0.1 * at_hz
        found_db = 10.0 * np.log10(density[near].mean())
        assert found_db == pytest.approx(recorded_db, abs=1.5), at_hz


def test_noise_has_no_constant() -> None:
    assert abs(trace(0.7, 1e-10).mean()) < 1e-15


def test_classes_grow_louder_in_their_order_and_stay_between_the_models() -> None:
    rms = []
    for name in site_class_names():
        levels = [noise_level(name, 1, f"SY.S{k:04d}") for k in range(200)]
        chosen = site_class(name)
        assert min(levels) >= max(0.0, chosen.level - chosen.spread)
        assert max(levels) <= min(1.0, chosen.level + chosen.spread)
        rms.append(
            np.median([station(site=name, code=f"C{k}", samples=8192).std() for k in range(9)])
        )
    assert (np.diff(rms) > 0.0).all()


def test_a_class_goes_before_the_level_of_the_scenario() -> None:
    loud, quiet = (station(site="quiet_rock", level=level) for level in (1.0, 0.0))
    np.testing.assert_array_equal(loud, quiet)
    assert (station(level=1.0).std(axis=1) > 10.0 * station(level=0.3).std(axis=1)).all()


def test_the_same_seed_gives_the_same_noise_and_another_station_other_noise() -> None:
    np.testing.assert_array_equal(station(site="city"), station(site="city"))
    one, other = station(site="city"), station(site="city", code="SY.S0002")
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 0.1


def test_as_many_bursts_are_heard_as_the_rate_says() -> None:
    site, shape, seconds = site_class("town"), burst_shape(), 600.0
    rate_per_s = 1.0 / 30.0
    heard = 0
    for number in range(40):
        wave = urban_bursts(
            site,
            shape,
            rate_per_s=rate_per_s,
            samples=round(seconds * 50.0),
            sampling_rate_hz=50.0,
            rng=np.random.default_rng(number),
        )
        # a burst shows as a run of seconds that are not still; two may touch
        moving = np.abs(wave[0]).reshape(-1, 50).max(axis=1) > 0.0
        heard += int(np.count_nonzero(np.diff(moving.astype(int)) == 1)) + int(moving[0])
    # clumped counting: runs of overlapping bursts of mean length d at rate r come at r exp(-r d)
    length_s = shape.duration_s * 10.0 ** (0.5 * np.log(10.0) * shape.duration_sigma_log10**2)
    expected = 40 * seconds * rate_per_s * np.exp(-rate_per_s * length_s)
    assert heard == pytest.approx(expected, rel=0.12)


def test_bursts_have_the_peaks_of_their_class() -> None:
    site, shape = site_class("city"), burst_shape()
    peaks = []
    for number in range(300):
        wave = urban_bursts(
            site,
            shape,
            rate_per_s=1.0 / 400.0,
            samples=20_000,
            sampling_rate_hz=100.0,
            rng=np.random.default_rng(number),
        )
        if wave.any():
            peaks.append(np.abs(wave).max())
    assert np.median(peaks) == pytest.approx(site.burst_peak_mps2, rel=0.5)
    assert max(peaks) < 30.0 * site.burst_peak_mps2


def test_streets_are_busier_by_day_than_by_night() -> None:
    site, shape = site_class("city"), burst_shape()
    by_hour = [
        burst_rate_per_s(site, shape, MIDNIGHT_NS + hour * HOUR_NS, 0.0) for hour in range(24)
    ]
    assert 3_600.0 * np.mean(by_hour) == pytest.approx(site.bursts_per_hour, rel=1e-6)
    assert by_hour[8] > 5.0 * by_hour[3]
    # 104 degrees east: sun time is 6.9 h ahead
    assert burst_rate_per_s(site, shape, MIDNIGHT_NS, 104.0) == by_hour[6]


def test_an_unknown_class_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no site class 'swamp'") as caught:
        site_class("swamp")
    assert "quiet_rock" in str(caught.value)
