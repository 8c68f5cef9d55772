"""A station's own record: motion in physical units, what it is good for, when it was felt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from eew.model.waveform import Segment, SensorKind, Station
from eew.physics.shaking import shaking_model
from simulator.record import RecordState, StationMotion, running_intensity, state_of
from simulator.score_rules import ScoreRules
from tests.unit.run_example import ORIGIN_NS, RATE_HZ, S
from tests.unit.run_example import station as example_station

STATION = example_station("CI.AAA", 35.8, -117.5)
COUNTS = 4.0e5  # per m/s**2
START_S, P_S, END_S = -20.0, 5.0, 60.0
TIME_S = np.arange(START_S, END_S, 1.0 / RATE_HZ)
MODEL = shaking_model("bssa14")


def sine(
    peak_mps2: float, *, from_s: float = P_S, until_s: float = 30.0, hz: float = 2.0
) -> NDArray[np.float64]:
    inside = (from_s <= TIME_S) & (until_s > TIME_S)
    return peak_mps2 * np.sin(2.0 * np.pi * hz * (TIME_S - from_s)) * inside


def noise(rms_mps2: float, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0.0, rms_mps2, TIME_S.size)


def segments(
    make: Callable[[int], NDArray[np.float64]],
    *,
    rows: tuple[int, ...] = (0, 1, 2),
    offset_counts: float = 5000.0,
    keep: slice = slice(None),
) -> list[Segment]:
    found = []
    for row in rows:
        counts = np.rint(make(row) * COUNTS + offset_counts)[keep]
        begin = range(TIME_S.size)[keep].start
        found.append(
            Segment(
                stream_id=STATION.channels[row].stream_id,
                start_ns=ORIGIN_NS + round((START_S + begin / RATE_HZ) * S),
                sampling_rate_hz=RATE_HZ,
                samples=counts.astype(np.int32),
            )
        )
    return found


def motion(found: list[Segment], station: Station = STATION) -> StationMotion:
    made = StationMotion.of(station, found, quiet_until_ns=ORIGIN_NS + 4 * S)
    assert made is not None
    return made


def state(found: list[Segment], station: Station = STATION) -> RecordState:
    return state_of(
        StationMotion.of(station, found, quiet_until_ns=ORIGIN_NS + 4 * S),
        p_ns=ORIGIN_NS + round(P_S * S),
        until_ns=ORIGIN_NS + 15 * S,
        rules=ScoreRules.load(),
    )


def strong(row: int) -> NDArray[np.float64]:
    return sine((0.2, 1.0, 0.5)[row]) + noise(1e-3, row)


# ------------------------------------------------------------------ motion


def test_a_sine_has_its_peak_acceleration_and_velocity_and_no_offset() -> None:
    made = motion(segments(strong))

    assert np.abs(made.acceleration_mps2[1]).max() == pytest.approx(1.0, rel=0.05)
    # v = a / (2 pi f); the high-pass lets the first half wave overshoot to twice that
    late = made.index(ORIGIN_NS + 20 * S)
    assert np.abs(made.velocity_mps[1, late : late + 200]).max() == pytest.approx(
        1.0 / (4.0 * math.pi), rel=0.1
    )
    before = made.index(ORIGIN_NS + 4 * S)
    assert np.abs(made.acceleration_mps2[:, :before]).max() < 0.01


def test_a_velocity_sensor_gives_the_same_motion_as_an_accelerometer() -> None:
    channels = tuple(replace(c, kind=SensorKind.VELOCITY) for c in STATION.channels)
    hz, peak = 2.0, 1.0
    ramp = np.minimum(np.maximum(TIME_S - P_S, 0.0), 1.0)  # no step in velocity

    def velocity(_row: int) -> NDArray[np.float64]:
        return peak / (2.0 * np.pi * hz) * ramp * np.sin(2.0 * np.pi * hz * TIME_S)

    made = motion(segments(velocity), replace(STATION, channels=channels))

    late = made.index(ORIGIN_NS + 20 * S)
    assert np.abs(made.acceleration_mps2[1, late : late + 200]).max() == pytest.approx(
        peak, rel=0.05
    )
    assert np.abs(made.velocity_mps[1, late : late + 200]).max() == pytest.approx(
        peak / (2.0 * np.pi * hz), rel=0.05
    )


def test_where_nothing_was_recorded_there_is_nothing() -> None:
    gap = segments(strong, keep=slice(0, 1000)) + segments(strong, keep=slice(1500, 4000))
    made = motion(gap)

    assert np.isnan(made.acceleration_mps2[:, 1000:1500]).all()
    assert np.isfinite(made.acceleration_mps2[:, :1000]).all()
    assert made.has_sample_at(ORIGIN_NS - 19 * S)
    assert not made.has_sample_at(made.start_ns + round(1200 / RATE_HZ * S))
    assert not made.has_sample_at(made.start_ns - S)
    assert not made.has_sample_at(made.end_ns)


def test_a_station_without_segments_has_no_motion() -> None:
    other = example_station("CI.BBB", 35.0, -117.0)

    assert StationMotion.of(other, segments(strong), quiet_until_ns=ORIGIN_NS) is None


# ------------------------------------------------------------------ intensity in time


def test_an_intensity_is_reached_when_the_motion_reaches_it() -> None:
    weak_then_strong = segments(lambda row: sine(0.03, until_s=12.0) + sine(1.5, from_s=12.0))
    came = running_intensity(motion(weak_then_strong), MODEL, from_ns=ORIGIN_NS)

    weak = came.reached_ns(2.0)
    felt = came.reached_ns(5.0)
    assert weak is not None
    assert felt is not None
    assert 5.0 <= (weak - ORIGIN_NS) / S < 6.0
    assert 12.0 <= (felt - ORIGIN_NS) / S < 13.0
    assert came.reached_ns(came.largest + 0.01) is None
    assert came.pga_mps2 == pytest.approx(1.5, rel=0.1)


def test_the_intensity_of_the_whole_record_is_that_of_its_peaks() -> None:
    made = motion(segments(strong))
    came = running_intensity(made, MODEL, from_ns=ORIGIN_NS)

    pga = np.abs(made.acceleration_mps2[1:]).max()
    pgv = np.abs(made.velocity_mps[1:]).max()
    assert came.largest == pytest.approx(float(MODEL.observed_intensity(pga, pgv)))
    assert (np.diff(came.intensity) >= 0.0).all()
    assert (np.diff(came.times_ns) > 0).all()


def test_motion_before_the_wanted_moment_does_not_count() -> None:
    foreshock = segments(lambda row: sine(2.0, from_s=-15.0, until_s=-10.0) + sine(0.05))
    came = running_intensity(motion(foreshock), MODEL, from_ns=ORIGIN_NS)

    assert came.pga_mps2 < 0.2


def test_the_china_scale_takes_the_vector_of_three_components() -> None:
    csi = shaking_model("gb18306_central_moderate")
    made = motion(segments(lambda row: sine(1.0)))

    came = running_intensity(made, csi, from_ns=ORIGIN_NS)

    vector = np.sqrt((made.acceleration_mps2**2).sum(axis=0)).max()
    pgv = np.sqrt((made.velocity_mps**2).sum(axis=0)).max()
    assert came.largest == pytest.approx(float(csi.observed_intensity(vector, pgv)))
    assert came.pga_mps2 == pytest.approx(vector / math.sqrt(3.0), rel=1e-6)


def test_a_record_without_motion_never_reaches_anything() -> None:
    came = running_intensity(
        motion(segments(lambda row: np.zeros(TIME_S.size))), MODEL, from_ns=ORIGIN_NS
    )

    assert came.reached_ns(1.0) is None
    assert came.largest == -np.inf


# ------------------------------------------------------------------ what it is good for


def test_a_whole_record_that_stands_out_of_its_noise_is_good() -> None:
    assert state(segments(strong)) is RecordState.GOOD


def test_a_record_that_begins_after_p_is_late() -> None:
    assert state(segments(strong, keep=slice(1500, None))) is RecordState.LATE
    assert state([]) is RecordState.LATE


def test_a_record_that_ends_before_the_strongest_motion_is_short() -> None:
    assert state(segments(strong, keep=slice(0, 1500))) is RecordState.SHORT


def test_a_record_without_a_horizontal_is_incomplete() -> None:
    assert state(segments(strong, rows=(0, 1))) is RecordState.INCOMPLETE
    assert state(segments(strong, rows=(1, 2))) is RecordState.GOOD


def test_a_record_at_the_end_of_its_number_range_is_clipped() -> None:
    limited = replace(
        STATION, channels=tuple(replace(c, clip_counts=2e5) for c in STATION.channels)
    )

    assert state(segments(strong), limited) is RecordState.CLIPPED


def test_a_flat_top_is_clipped_without_any_known_limit() -> None:
    flattened = segments(lambda row: np.clip(strong(row), -0.3, 0.3), offset_counts=0.0)

    assert state(flattened) is RecordState.CLIPPED


def test_a_horizontal_that_stands_still_is_dead() -> None:
    half = segments(lambda row: strong(row) if row < 2 else np.zeros(TIME_S.size))

    assert state(half) is RecordState.DEAD


def test_a_record_of_noise_alone_is_deaf() -> None:
    assert state(segments(lambda row: noise(0.01, row))) is RecordState.DEAF


def test_motion_of_three_times_the_noise_is_not_deaf() -> None:
    def seen(row: int) -> NDArray[np.float64]:
        return noise(0.01, row) + sine(0.2)

    assert state(segments(seen)) is RecordState.GOOD


def test_without_noise_before_p_a_record_counts_as_good() -> None:
    assert state(segments(strong, keep=slice(1200, None))) is RecordState.GOOD
