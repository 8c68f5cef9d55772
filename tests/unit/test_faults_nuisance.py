"""Signals that are no quake: their shape, size and timing in the samples."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.waveform import Recording, SensorKind
from eew.physics.geo import destination
from simulator.nuisance import (
    boxcar,
    calibration_sine,
    calibration_step,
    lightning,
    mass_motion,
    noisy_ground,
    recentering_pulse,
    spike,
    urban_burst,
)
from simulator.teleseism import WaveTrain, teleseism
from tests.unit.ingest_cases import START_NS, recording, segment, station, three_components

S = 1_000_000_000
RATE_HZ = 100.0
AT_NS = START_NS + 8 * S  # sample 800
SENSITIVITY = 213_979.5
FULL_SCALE = 2**23
CODES = ["XX.AAA", "XX.BBB", "XX.CCC"]


def silent(seconds: float = 30.0, kind: SensorKind = SensorKind.ACCELERATION) -> Recording:
    """Three stations 60 km apart on a line to the east, without any motion."""
    zeros = np.zeros(round(seconds * RATE_HZ), dtype=np.int32)
    stations = []
    for number, code in enumerate(CODES):
        lat, lon = destination(40.0, 30.0, 90.0, 60.0 * number)
        stations.append(
            station(
                three_components(code),
                kind=kind,
                sensitivity=SENSITIVITY if kind is SensorKind.ACCELERATION else 1e9,
                lat=float(lat),
                lon=float(lon),
            )
        )
    return recording(
        stations, [segment(s, zeros) for code in CODES for s in three_components(code)]
    )


def counts(case: Recording, code: str, component: str = "Z") -> NDArray[np.float64]:
    (found,) = [s for s in case.segments if str(s.stream_id) == f"{code}..HN{component}"]
    return found.samples.astype(np.float64)


def onset(trace: NDArray[np.float64], share: float = 0.02) -> int:
    """First sample beyond a share of the largest."""
    return int(np.argmax(np.abs(trace) > share * np.abs(trace).max()))


def test_a_boxcar_is_flat_between_edges_of_one_sample() -> None:
    case = boxcar(silent(), ["XX.AAA"], at_ns=AT_NS, lasts_s=3.0, share=0.01)
    expected = np.zeros(3000)
    expected[800:1100] = round(0.01 * FULL_SCALE)
    np.testing.assert_array_equal(counts(case, "XX.AAA"), expected)
    assert not counts(case, "XX.BBB").any()


def test_a_spike_is_one_sample() -> None:
    trace = counts(spike(silent(), ["XX.AAA"], at_ns=AT_NS, share=0.5), "XX.AAA")
    assert np.flatnonzero(trace).tolist() == [800]
    assert trace[800] == FULL_SCALE / 2


def test_a_recentring_pulse_stands_at_the_rail_and_swings_back_through_zero() -> None:
    trace = counts(recentering_pulse(silent(60.0), ["XX.AAA"], at_ns=AT_NS), "XX.AAA")
    assert not trace[:800].any()
    assert set(trace[800:1000]) == {FULL_SCALE}
    assert (np.diff(trace[1000:2000]) <= 0.0).all()
    assert trace[1000:].min() < -0.02 * FULL_SCALE
    assert abs(trace[-1]) < 0.02 * FULL_SCALE


def test_a_calibration_sine_has_one_frequency_and_whole_periods() -> None:
    case = calibration_sine(
        silent(), ["XX.AAA"], at_ns=AT_NS, lasts_s=10.1, frequency_hz=2.0, share=0.02
    )
    trace = counts(case, "XX.AAA")
    assert np.abs(trace).max() == pytest.approx(0.02 * FULL_SCALE, rel=0.01)
    inside = np.flatnonzero(trace)
    assert (inside[0], inside[-1]) == (801, 1799)  # 20 periods, not 20.2
    spectrum = np.abs(np.fft.rfft(trace[800:1800]))
    assert np.argmax(spectrum) == 20
    assert spectrum[20] ** 2 > 0.999 * np.sum(spectrum**2)


def test_a_calibration_step_rises_like_a_charging_coil_and_goes_back() -> None:
    case = calibration_step(silent(), ["XX.AAA"], at_ns=AT_NS, lasts_s=5.0, share=0.02)
    trace = counts(case, "XX.AAA")
    top = 0.02 * FULL_SCALE
    assert not trace[:801].any()
    assert trace[805] == pytest.approx(top * (1.0 - np.exp(-1.0)), rel=0.01)  # one time constant
    assert trace[1200] == pytest.approx(top, rel=0.01)
    assert abs(trace[1400]) < 0.01 * top


def test_lightning_is_there_in_the_same_instant_everywhere() -> None:
    case = lightning(silent(), at_ns=AT_NS, peak_mps2=0.5, seed=1)
    traces = [counts(case, code, c) for code in CODES for c in "ZNE"]
    assert {onset(trace) // 3 for trace in traces} == {800 // 3}
    assert all(np.abs(trace[900:]).max() < 0.05 * np.abs(trace).max() for trace in traces)
    assert not any(np.array_equal(traces[0], other) for other in traces[1:])


def test_lightning_has_the_peak_that_was_asked_for() -> None:
    peaks = []
    for seed in range(40):
        case = lightning(silent(12.0), at_ns=AT_NS, peak_mps2=0.5, seed=seed)
        peaks += [
            max(np.abs(counts(case, code, c)).max() for c in "ZNE") / SENSITIVITY for code in CODES
        ]
    assert np.median(peaks) == pytest.approx(0.4, abs=0.15)
    assert max(peaks) < 5.0


def test_mass_motion_shakes_all_stations_at_once_each_in_its_own_way() -> None:
    case = mass_motion(silent(), at_ns=AT_NS, lasts_s=4.0, peak_mps2=0.2, seed=1)
    traces = [counts(case, code) for code in CODES]
    for trace in traces:
        assert not trace[:800].any()
        assert not trace[1201:].any()
        assert np.abs(trace).max() / SENSITIVITY == pytest.approx(0.2, rel=0.01)
        assert onset(trace, 0.2) < 900
    assert abs(np.corrcoef(traces[0], traces[1])[0, 1]) < 0.3


def test_an_urban_burst_swells_and_goes_at_the_named_stations_only() -> None:
    case = urban_burst(silent(), ["XX.BBB"], at_ns=AT_NS, lasts_s=8.0, peak_mps2=0.05, seed=1)
    trace = counts(case, "XX.BBB")
    assert not counts(case, "XX.AAA").any()
    early, middle, late = (np.std(trace[a:b]) for a, b in ((800, 830), (880, 980), (1500, 1600)))
    assert early < middle
    assert late < 0.5 * middle
    spectrum = np.abs(np.fft.rfft(trace)) ** 2
    frequency_hz = np.fft.rfftfreq(len(trace), 1.0 / RATE_HZ)
    band = (frequency_hz > 2.0) & (frequency_hz < 16.0)
    assert spectrum[band].sum() > 0.98 * spectrum.sum()


def test_noisy_ground_is_steady_and_as_strong_as_asked_for() -> None:
    case = noisy_ground(silent(), ["XX.CCC"], rms_mps2=0.003, seed=1)
    trace = counts(case, "XX.CCC") / SENSITIVITY
    assert np.std(trace) == pytest.approx(0.003, rel=0.01)
    assert np.std(trace[:1500]) == pytest.approx(np.std(trace[1500:]), rel=0.3)
    assert not counts(case, "XX.AAA").any()


def test_a_burst_beyond_the_record_is_no_burst() -> None:
    case = silent(5.0)
    after = urban_burst(case, ["XX.AAA"], at_ns=case.end_ns + S, lasts_s=2.0, peak_mps2=1.0, seed=1)
    assert not counts(after, "XX.AAA").any()


def test_a_velocity_sensor_gives_the_integral_of_the_ground_acceleration() -> None:
    as_acceleration = counts(
        mass_motion(silent(), at_ns=AT_NS, lasts_s=4.0, peak_mps2=0.2, seed=1), "XX.AAA"
    )
    case = silent(kind=SensorKind.VELOCITY)
    as_velocity = counts(
        mass_motion(case, at_ns=AT_NS, lasts_s=4.0, peak_mps2=0.2, seed=1), "XX.AAA"
    )
    again = np.diff(as_velocity, prepend=0.0) * RATE_HZ / 1e9
    np.testing.assert_allclose(again, as_acceleration / SENSITIVITY, atol=2e-5)


def test_ground_motion_cannot_be_added_to_displacement() -> None:
    case = silent(kind=SensorKind.DISPLACEMENT)
    with pytest.raises(ConfigError, match=r"XX\.AAA\.\.HN.: cannot add ground motion"):
        lightning(case, at_ns=AT_NS, peak_mps2=0.5, seed=1)


# ---------------------------------------------------------------- far quakes
@pytest.mark.parametrize("velocity_kms", [8.5, 20.0])
def test_a_far_wave_train_crosses_the_network_at_its_apparent_velocity(
    velocity_kms: float,
) -> None:
    train = WaveTrain(
        apparent_velocity_kms=velocity_kms, backazimuth_deg=90.0, peak_displacement_m=0.01
    )
    case = teleseism(silent(90.0), train, at_ns=START_NS + 30 * S, seed=2)

    west, middle, east = (counts(case, code) for code in CODES)
    for first, second in ((east, middle), (middle, west)):  # it comes from the east
        lags = np.arange(-1500, 1501)
        match = [float(first[2000:6000] @ second[2000 + lag : 6000 + lag]) for lag in lags]
        lag_s = lags[int(np.argmax(match))] / RATE_HZ
        assert lag_s == pytest.approx(60.0 / velocity_kms, abs=0.15)
    assert onset(middle, 1e-3) == pytest.approx(3000, abs=300)
    assert not middle[:2900].any()


def test_a_far_wave_train_is_slow_long_and_steep() -> None:
    train = WaveTrain(apparent_velocity_kms=20.0, backazimuth_deg=90.0, peak_displacement_m=0.01)
    case = teleseism(silent(120.0), train, at_ns=START_NS + 10 * S, seed=2)

    vertical, east = counts(case, "XX.BBB"), counts(case, "XX.BBB", "E")
    assert np.std(east) < 0.3 * np.std(vertical)
    spectrum = np.abs(np.fft.rfft(vertical)) ** 2
    frequency_hz = np.fft.rfftfreq(len(vertical), 1.0 / RATE_HZ)
    assert spectrum[frequency_hz < 1.5].sum() > 0.98 * spectrum.sum()
    quarter = [np.std(part) for part in np.split(vertical, 4)]
    assert quarter[2] > 0.2 * quarter[0]  # still there a minute later
