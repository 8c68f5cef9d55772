"""From ground motion to counts: range, clipping, rounding, band, and nothing before the wave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import ConfigError
from eew.model.waveform import SensorKind
from simulator.antialias import low_pass_taps, minimum_phase_response
from simulator.instrument import Instrument, instrument, instrument_names
from simulator.synthesise import compose
from tests.unit.scenario_cases import small

RATE_HZ = 100.0
NAMES = instrument_names()
ACCELEROMETERS = [n for n in NAMES if instrument(n).sensor_kind is SensorKind.ACCELERATION]


def sine(
    amplitude: float, frequency_hz: float, seconds: float, rate_hz: float = RATE_HZ
) -> np.ndarray:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave: np.ndarray = amplitude * np.sin(2.0 * np.pi * frequency_hz * time_s)
    return wave


def counts_of(sensor: Instrument, trace: np.ndarray, rate_hz: float = RATE_HZ) -> np.ndarray:
    counts: np.ndarray = sensor.digitise(np.broadcast_to(trace, (3, len(trace))), rate_hz)[0]
    return counts


def test_the_classes_of_the_guidelines_are_kept() -> None:
    assert instrument("force_balance").dynamic_range_db >= 111.0  # A
    assert 87.0 <= instrument("mems").dynamic_range_db < 111.0  # B
    assert 60.0 <= instrument("intensity_meter").dynamic_range_db < 87.0  # C


@pytest.mark.parametrize("name", ACCELEROMETERS)
def test_a_sine_in_the_band_comes_back_within_a_percent(name: str) -> None:
    sensor = instrument(name)
    found = counts_of(sensor, sine(2.0, 2.0, 20.0))[500:] / sensor.sensitivity
    assert found.max() == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_whole_and_end_at_the_range(name: str) -> None:
    sensor = instrument(name)
    counts = counts_of(sensor, sine(500.0, 1.0, 5.0))
    assert counts.dtype == np.int32
    assert counts.max() == sensor.full_scale_counts - 1
    assert counts.min() == -sensor.full_scale_counts


def test_a_constant_stays_and_is_there_from_the_first_sample() -> None:
    sensor = instrument("mems")
    counts = counts_of(sensor, np.full(500, 0.25))
    assert (counts == round(0.25 * sensor.sensitivity)).all()


@given(st.sampled_from(ACCELEROMETERS), st.floats(-15.0, 15.0))
def test_rounding_is_off_by_half_a_count_at_most(name: str, level_mps2: float) -> None:
    sensor = instrument(name)
    counts = counts_of(sensor, np.full(80, level_mps2))
    assert np.abs(counts - level_mps2 * sensor.sensitivity).max() <= 0.5 + 1e-6


def test_the_rounding_noise_of_few_bits_is_a_twelfth_of_a_count_squared() -> None:
    sensor = instrument("intensity_meter")
    draw = np.random.default_rng(3)
    wave = sine(0.5, 1.3, 200.0) + 0.01 * draw.standard_normal(20_000)
    fine = Instrument(
        **{
            **{field: getattr(sensor, field) for field in sensor.__struct_fields__},
            "full_scale_counts": 2**30,
        }
    )
    error = counts_of(sensor, wave) - counts_of(fine, wave) / 2**15
    assert error.std() == pytest.approx(1.0 / np.sqrt(12.0), rel=0.03)


def test_a_broadband_sensor_gives_velocity_and_clips_at_13_mm_per_s() -> None:
    sensor = instrument("broadband")
    assert sensor.sensor_kind is SensorKind.VELOCITY
    assert sensor.instrument_code == "H"
    for frequency_hz in (0.1, 1.0, 10.0, 30.0):
        wave = sine(1e-3 * 2.0 * np.pi * frequency_hz, frequency_hz, 400.0)
        half = counts_of(sensor, wave)[20_000:] / sensor.sensitivity
        assert half.std() * np.sqrt(2.0) == pytest.approx(1e-3, rel=0.03), frequency_hz
    strong = counts_of(sensor, sine(0.5, 1.0, 20.0)) / sensor.sensitivity  # 80 mm/s
    assert np.abs(strong).max() == pytest.approx(0.013, rel=1e-6)


def test_a_broadband_sensor_forgets_a_permanent_velocity() -> None:
    kick = np.zeros(60_000)
    kick[100:200] = 0.005  # 5 mm/s and no way back: no ground does it, a pendulum returns
    counts = counts_of(instrument("broadband"), kick) / instrument("broadband").sensitivity
    assert counts[200:300].max() == pytest.approx(0.005, rel=0.1)
    assert np.abs(counts[-10_000:]).max() < 5e-5


@pytest.mark.parametrize(("name", "rate_hz"), [("mems", 100.0), ("openeew", 31.25)])
def test_the_low_pass_is_3_db_down_at_its_corner(name: str, rate_hz: float) -> None:
    sensor = instrument(name)
    corner_hz = sensor.band_share * rate_hz / 2.0
    found = counts_of(sensor, sine(1.0, corner_hz, 60.0, rate_hz), rate_hz)[200:]
    ratio_db = 20.0 * np.log10(found.std() * np.sqrt(2.0) / sensor.sensitivity)
    assert ratio_db == pytest.approx(-3.0, abs=0.2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate_hz", [31.25, 100.0, 200.0])
def test_nothing_moves_before_the_wave(name: str, rate_hz: float) -> None:
    onset = 300
    trace = np.zeros(1_000)
    trace[onset:] = 0.01 * np.random.default_rng(1).standard_normal(1_000 - onset)
    counts = counts_of(instrument(name), trace, rate_hz)
    assert not counts[:onset].any()
    assert counts[onset : onset + 4].any()


def test_the_low_pass_is_late_by_less_than_half_a_sample() -> None:
    taps = np.array(low_pass_taps(0.8, 24.0))
    assert 0.0 < (taps * np.arange(len(taps))).sum() < 0.5
    assert np.abs(taps[-8:]).max() < 1e-4


def test_minimum_phase_keeps_the_gain() -> None:
    gain = 1.0 / (1.0 + np.linspace(0.0, 3.0, 257) ** 2)
    response = minimum_phase_response(gain)
    np.testing.assert_allclose(np.abs(np.fft.rfft(response)), gain, rtol=1e-9)
    energy = np.cumsum(response**2) / np.sum(response**2)
    assert energy[4] > 0.95  # all at the beginning


def test_an_unknown_sensor_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no sensor 'geophone'.*") as caught:
        instrument("geophone")
    assert "force_balance" in str(caught.value)


@pytest.mark.parametrize(("sensor", "rate_hz"), [("openeew", 31.25), ("broadband", 100.0)])
def test_a_computed_record_does_not_know_of_the_quake_before_its_p_wave(
    sensor: str, rate_hz: float
) -> None:
    scenario = small(
        ('sensor = "force_balance"', f'sensor = "{sensor}"'),
        ("sampling_rate_hz = 100.0", f"sampling_rate_hz = {rate_hz}"),
        ("level = 0.5\nspread = 0.2", "level = 0.0\nspread = 0.0"),
    )
    quiet = compose(scenario, (), 3).recording
    shaken = compose(scenario, scenario.sources(3), 3).recording
    origin_ns = scenario.event.origin_time_ns
    for before, after in zip(quiet.segments, shaken.segments, strict=True):
        motion = np.abs(after.samples - before.samples)
        since_s = (after.start_ns - origin_ns) / 1e9 + np.arange(len(motion)) / rate_hz
        early = since_s < 1.2  # P takes 1.3 s from a depth of 8 km to the station above it
        assert motion[early].max() <= 1 + 1e-4 * motion.max()  # a count may tip over
        assert motion.max() > 100
