"""Computed records have the amplitudes of real ones: a small calibration with its bounds.

All magnitudes and distances, one quake of each magnitude; the whole report (``eew simulate
--calibration``) has nine.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from eew.errors import ConfigError
from eew.model.calibration import Check, RegionCalibration
from eew.tables import load_table
from simulator.calibration.checks import checks_of_region
from simulator.calibration.grid import quake_rows, region_names, residuals_of
from simulator.calibration.spectra import compare_spectra

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

GRID = load_table("calibration")["grid"]


@functools.cache
def rows(region: str) -> np.ndarray:
    return np.concatenate(
        [
            quake_rows(region, magnitude, number, 2, GRID["distances_km"])
            for number, magnitude in enumerate(GRID["magnitudes"])
        ]
    )


@functools.cache
def checks(region: str) -> tuple[Check, ...]:
    found = RegionCalibration(
        region=region, residuals=residuals_of(region, rows(region)), spectra=()
    )
    return tuple(checks_of_region(found))


def check(region: str, measure: str, statistic: str) -> Check:
    (found,) = [
        one
        for one in checks(region)
        if (one.measure, one.statistic, one.where) == (measure, statistic, "")
    ]
    return found


REGIONS = ["california", "west_sichuan"]


@pytest.mark.parametrize("region", REGIONS)
def test_magnitudes_from_pd_have_no_bias_and_the_scatter_of_real_ones(region: str) -> None:
    assert check(region, "magnitude from Pd", "bias").passed
    assert 0.25 <= check(region, "magnitude from Pd", "sigma").value <= 0.55


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("measure", ["PGA", "PGV"])
def test_peak_motion_is_that_of_the_ground_motion_model(region: str, measure: str) -> None:
    assert check(region, measure, "median").passed
    assert 0.15 <= check(region, measure, "sigma").value <= 0.35


@pytest.mark.parametrize("region", REGIONS)
def test_shaking_lasts_as_long_as_the_model_says(region: str) -> None:
    assert abs(check(region, "D5-95", "median").value) <= 0.2


def test_displacement_of_large_quakes_gives_their_magnitude() -> None:
    assert check("california", "magnitude from PGD", "bias").passed


def test_envelopes_of_p_and_s_are_those_of_southern_california() -> None:
    found = [one for one in checks("california") if one.against == "Cua 2005"]
    assert len(found) == 12
    assert max(abs(one.value) for one in found) <= 0.3


@pytest.mark.parametrize("region", REGIONS)
def test_magnitudes_from_pd_rise_with_the_magnitude(region: str) -> None:
    found = residuals_of(region, rows(region))[0]
    estimated = found.magnitude + found.value
    means = [estimated[found.magnitude == m].mean() for m in np.unique(found.magnitude)]
    assert np.polyfit(np.unique(found.magnitude), means, 1)[0] > 0.7


def test_point_sources_have_the_spectrum_that_was_asked_for() -> None:
    for one in compare_spectra("california", 3, 8):
        off = np.log10(one.computed / one.target)
        assert abs(off.mean()) <= 0.05
        assert np.abs(off).max() <= 0.25  # the mean of eight records


def test_a_quake_is_the_same_whatever_else_is_computed() -> None:
    one = quake_rows("kyushu", 6.0, 1, 7, [15.0, 70.0])
    np.testing.assert_array_equal(one, quake_rows("kyushu", 6.0, 1, 7, [15.0, 70.0]))
    assert (one != quake_rows("kyushu", 6.0, 1, 8, [15.0, 70.0]))[:, 2].all()


def test_an_unknown_region_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no region 'atlantis'") as caught:
        quake_rows("atlantis", 5.0, 0, 1, [10.0])
    assert all(name in str(caught.value) for name in region_names())
