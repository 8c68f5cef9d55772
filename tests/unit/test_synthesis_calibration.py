"""Computed records have the amplitudes of real ones: magnitudes from Pd, PGA, PGV.

A smaller version of ``benchmarks/calibrate_scenarios.py``: all magnitudes and distances, two
records each. Bounds: bias of the magnitude 0.2, its scatter 0.45, PGA and PGV 0.15 in log10.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator.calibration import Calibration, calibrate


@pytest.fixture(scope="module", params=["california", "west_sichuan"])
def calibration(request: pytest.FixtureRequest) -> Calibration:
    return calibrate(str(request.param), seed=2, repeats=2)


def test_magnitudes_from_pd_have_no_bias_and_the_scatter_of_real_ones(
    calibration: Calibration,
) -> None:
    assert len(calibration.magnitude_error) == 8 * 8 * 2
    assert abs(calibration.magnitude_error.mean()) <= 0.2
    assert 0.2 <= calibration.magnitude_error.std() <= 0.45


def test_magnitudes_from_pd_rise_with_the_magnitude(calibration: Calibration) -> None:
    estimated = calibration.magnitude + calibration.magnitude_error
    medians = [
        np.median(estimated[calibration.magnitude == m]) for m in np.unique(calibration.magnitude)
    ]
    assert (np.diff(medians) > 0.0).all()


def test_peak_motion_is_that_of_the_ground_motion_model(calibration: Calibration) -> None:
    for ratio in (calibration.log10_pga_ratio, calibration.log10_pgv_ratio):
        assert abs(np.median(ratio)) <= 0.15
        assert 0.1 <= ratio.std() <= 0.3  # BSSA14: 0.26 to 0.28 with the event term


def test_peak_motion_follows_distance_and_magnitude(calibration: Calibration) -> None:
    for ratio in (calibration.log10_pga_ratio, calibration.log10_pgv_ratio):
        for key in (calibration.magnitude, calibration.epicentral_distance_km):
            for value in np.unique(key):
                assert abs(np.median(ratio[key == value])) <= 0.4
