"""Intensity scales against golden values and the letter of the standards."""

from __future__ import annotations

import numpy as np
import pytest

from eew.errors import ConfigError, DataError
from eew.physics.intensity import (
    csi_acceleration,
    csi_from_motion,
    csi_gbt17742,
    csi_velocity,
    jma_class,
    jma_from_pgv,
    mmi_from_motion,
    mmi_worden2012_pga,
    mmi_worden2012_pgv,
    pga_for_mmi,
    pgv_for_jma,
    pgv_for_mmi,
)
from eew.physics.jma_instrumental import jma_filter, jma_instrumental, jma_reported
from eew.physics.scales import intensity_scale

GAL = 0.01
CM_S = 0.01


@pytest.mark.parametrize(("pga_gal", "mmi"), [(100.0, 5.80), (10.0, 3.33)])
def test_mmi_of_acceleration(pga_gal: float, mmi: float) -> None:
    assert mmi_worden2012_pga(pga_gal * GAL) == pytest.approx(mmi, abs=5e-3)


@pytest.mark.parametrize(("pgv_cm_s", "mmi"), [(10.0, 6.05), (1.0, 3.78)])
def test_mmi_of_velocity(pgv_cm_s: float, mmi: float) -> None:
    assert mmi_worden2012_pgv(pgv_cm_s * CM_S) == pytest.approx(mmi, abs=5e-3)


def test_mmi_goes_by_acceleration_when_weak_and_by_velocity_when_strong() -> None:
    weak = mmi_from_motion([pga_for_mmi(3.0)] * 2, [pgv_for_mmi(2.0), pgv_for_mmi(3.9)])
    np.testing.assert_allclose(weak, 3.0)
    strong = mmi_from_motion([pga_for_mmi(6.2), pga_for_mmi(8.0)], [pgv_for_mmi(7.0)] * 2)
    np.testing.assert_allclose(strong, 7.0)


def test_mmi_is_held_within_i_and_x() -> None:
    np.testing.assert_allclose(mmi_from_motion([0.0, 1e3], [0.0, 1e3]), [1.0, 10.0])


@pytest.mark.parametrize(
    ("pga_mps2", "pgv_mps", "by_pga", "by_pgv", "csi"),
    [(1.0, 0.1, 6.59, 6.77, 6.77), (0.1, 0.01, 3.42, 3.77, 3.595)],
)
def test_csi(pga_mps2: float, pgv_mps: float, by_pga: float, by_pgv: float, csi: float) -> None:
    assert csi_acceleration(pga_mps2) == pytest.approx(by_pga)
    assert csi_velocity(pgv_mps) == pytest.approx(by_pgv)
    assert csi_gbt17742(pga_mps2, pgv_mps) == pytest.approx(csi)


def test_csi_of_strong_acceleration_alone_is_still_a_mean() -> None:
    assert csi_gbt17742(2.0, 0.01) == pytest.approx((3.17 * np.log10(2.0) + 6.59 + 3.77) / 2.0)


def test_csi_is_held_within_1_and_12() -> None:
    np.testing.assert_allclose(csi_gbt17742([0.0, 1e3], [0.0, 1e3]), [1.0, 12.0])


def test_smooth_csi_is_the_standard_away_from_the_jump() -> None:
    rng = np.random.default_rng(5)
    pga, pgv = 10.0 ** rng.uniform(-2, 1, 500), 10.0 ** rng.uniform(-3, 0, 500)
    by_pga, by_pgv = csi_acceleration(pga), csi_velocity(pgv)
    far = (np.maximum(by_pga, by_pgv) < 5.5) | (np.minimum(by_pga, by_pgv) > 6.5)
    assert far.sum() > 100
    np.testing.assert_allclose(csi_from_motion(pga, pgv)[far], csi_gbt17742(pga, pgv)[far])


def test_jma_of_the_chain_of_mj_6_5() -> None:
    assert jma_from_pgv(6.774 * 1.4 * CM_S) == pytest.approx(4.360, abs=1e-3)
    assert pgv_for_jma(4.360) / CM_S == pytest.approx(6.774 * 1.4, rel=1e-3)


@pytest.mark.parametrize(
    ("intensity", "name"),
    [
        (-0.4, "0"),
        (0.49, "0"),
        (0.5, "1"),
        (3.4999, "3"),
        (4.5, "5-"),
        (4.99, "5-"),
        (5.0, "5+"),
        (5.5, "6-"),
        (6.0, "6+"),
        (6.5, "7"),
        (9.0, "7"),
    ],
)
def test_jma_classes(intensity: float, name: str) -> None:
    assert jma_class(intensity) == name


def test_the_jma_filter() -> None:
    np.testing.assert_allclose(
        jma_filter([0.5, 1.0, 2.0, 5.0, 10.0]),
        [1.12341, 0.99637, 0.69736, 0.41005, 0.22350],
        atol=5e-6,
    )
    assert jma_filter(0.0) == 0.0


def _turning(gal: float, seconds: float, rate_hz: float = 100.0) -> np.ndarray:
    """Motion of constant size that turns once a second in the horizontal plane."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    angle = 2.0 * np.pi * t
    return gal * GAL * np.stack([np.cos(angle), np.sin(angle), 0.0 * t])


def test_jma_of_a_record_with_a_known_filtered_size() -> None:
    record = _turning(127.85 / 0.99637, 60.0)
    found = jma_instrumental(record, 100.0)
    assert found == pytest.approx(5.153, abs=2e-3)
    assert jma_reported(found) == 5.1


def test_jma_counts_what_is_held_for_three_tenths_of_a_second() -> None:
    rng = np.random.default_rng(8)
    record = rng.normal(0.0, 0.02, (3, 6000))
    at_100_hz = jma_instrumental(record, 100.0)
    spectrum = np.fft.rfft(record / GAL, axis=1) * jma_filter(np.fft.rfftfreq(6000, 0.01))
    vector = np.sqrt((np.fft.irfft(spectrum, 6000, axis=1) ** 2).sum(axis=0))
    held = np.sort(vector)[::-1][29]  # 30 samples of 0.01 s are as large
    assert at_100_hz == pytest.approx(2.0 * np.log10(held) + 0.94)


def test_jma_of_silence_and_of_bad_records() -> None:
    assert jma_instrumental(np.zeros((3, 500)), 100.0) == -np.inf
    with pytest.raises(DataError, match=r"must have shape \(3, n\), has \(2, 500\)"):
        jma_instrumental(np.zeros((2, 500)), 100.0)
    with pytest.raises(DataError, match=r"20 samples at 100\.0 Hz do not hold 0\.3 s"):
        jma_instrumental(np.zeros((3, 20)), 100.0)
    with pytest.raises(DataError, match="not finite"):
        jma_instrumental(np.full((3, 500), np.nan), 100.0)


@pytest.mark.parametrize(
    ("exact", "reported"), [(5.153, 5.1), (4.995, 5.0), (4.994, 4.9), (0.5, 0.5), (-0.23, -0.3)]
)
def test_jma_prints_one_decimal_after_rounding_the_third(exact: float, reported: float) -> None:
    assert jma_reported(exact) == pytest.approx(reported)


def test_an_unknown_scale_is_an_error() -> None:
    with pytest.raises(ConfigError, match="scale: unknown: 'richter'"):
        intensity_scale("richter")
