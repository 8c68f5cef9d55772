from __future__ import annotations

import math

import pytest

from eew.ingest.clipping import clip_counts
from eew.model.waveform import SensorKind

A, V = SensorKind.ACCELERATION, SensorKind.VELOCITY
LIMIT_24 = 0.9 * 2**23


@pytest.mark.parametrize(
    ("kind", "sensitivity", "counts_per_v"),
    [
        (A, 213_979.0, 419_430.0),  # EpiSensor 4 g on a Q330
        (A, 153_511.0, 1_258_290.0),  # a range that is no customary one, but a digitiser stage
        (V, 755_585_000.0, 629_130.0),  # Trillium 120 on an RT130: ends at +-2**23
        (V, 784_314_000.0, 392_157.0),  # CMG-3ESP on a DM24
        (A, -213_979.0, -419_430.0),  # reversed polarity
    ],
)
def test_a_24_bit_digitiser_clips_near_its_full_scale(
    kind: SensorKind, sensitivity: float, counts_per_v: float
) -> None:
    limit = clip_counts(kind, sensitivity=sensitivity, digitiser_counts_per_v=counts_per_v)
    assert limit == pytest.approx(LIMIT_24)


def test_a_26_bit_digitiser_on_a_broadband_sensor_has_four_times_the_range() -> None:
    limit = clip_counts(V, sensitivity=2.51658e9, digitiser_counts_per_v=1_677_720.0)
    assert limit == pytest.approx(0.9 * 2**25)


@pytest.mark.parametrize("sensitivity", [427_893.6, 427_990.9, 213_979.0, -855_000.0])
def test_an_accelerometer_of_customary_range_is_known_by_its_sensitivity(
    sensitivity: float,
) -> None:
    limit = clip_counts(A, sensitivity=sensitivity, digitiser_counts_per_v=None)
    assert limit == pytest.approx(LIMIT_24)


@pytest.mark.parametrize("sensitivity", [1e4, 1e5, 1e6, 1e7, 1e8, 1e6 / 9.80665])
def test_records_converted_from_text_have_no_known_limit(sensitivity: float) -> None:
    assert clip_counts(A, sensitivity=sensitivity, digitiser_counts_per_v=None) == math.inf


def test_velocity_without_a_digitiser_stage_has_no_known_limit() -> None:
    assert clip_counts(V, sensitivity=4.2e5, digitiser_counts_per_v=None) == math.inf
