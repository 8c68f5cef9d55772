"""Intensity from peak motion: Modified Mercalli, Chinese (CSI) and Japanese (JMA) scales.

Every function takes SI units. No motion at all gives the lowest value of the scale. Coefficients
in ``intensity.toml``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.physics.motion import CM, floats
from eew.tables import load_table

__all__ = [
    "blend",
    "csi_acceleration",
    "csi_from_motion",
    "csi_gbt17742",
    "csi_velocity",
    "jma_class",
    "jma_from_pgv",
    "mmi_from_motion",
    "mmi_worden2012_pga",
    "mmi_worden2012_pgv",
    "pga_for_mmi",
    "pgv_for_jma",
    "pgv_for_mmi",
    "velocity_share",
]

Floats = NDArray[np.float64]


def mmi_worden2012_pga(pga_mps2: ArrayLike) -> Floats:
    """Return Modified Mercalli intensity from PGA in m/s**2; scatter 0.66.

    Worden et al. (2012), https://doi.org/10.1785/0120110156; largest horizontal component.
    """
    return _mmi("pga", floats(pga_mps2) / CM)


def mmi_worden2012_pgv(pgv_mps: ArrayLike) -> Floats:
    """Return Modified Mercalli intensity from PGV in m/s; scatter 0.63."""
    return _mmi("pgv", floats(pgv_mps) / CM)


def pga_for_mmi(mmi: ArrayLike) -> Floats:
    """PGA in m/s**2 at which :func:`mmi_worden2012_pga` gives ``mmi``."""
    return _motion_for_mmi("pga", mmi)


def pgv_for_mmi(mmi: ArrayLike) -> Floats:
    """PGV in m/s at which :func:`mmi_worden2012_pgv` gives ``mmi``."""
    return _motion_for_mmi("pgv", mmi)


def mmi_from_motion(pga_mps2: ArrayLike, pgv_mps: ArrayLike) -> Floats:
    """Return Modified Mercalli intensity: acceleration for weak motion, velocity for strong.

    Below IV the acceleration's value is taken and above VI the velocity's, with a smooth change
    between. Weak shaking is felt as acceleration while damage goes with velocity, and USGS's
    comparison of 2024 found each to be the better predictor on its side; a plain mean of the
    two, the alternative, would let the high accelerations of small near quakes look like
    damage. See :func:`blend` for why the result never falls when either motion grows.
    """
    row = _table("mmi")["blend"]
    return _clamp("mmi", blend(mmi_worden2012_pga(pga_mps2), mmi_worden2012_pgv(pgv_mps), row))


def csi_acceleration(pga_mps2: ArrayLike) -> Floats:
    """Chinese intensity by acceleration alone (I_A of GB/T 17742-2020)."""
    row = _table("csi")["pga"]
    value: Floats = row["a"] + row["b"] * _log10(floats(pga_mps2))
    return _clamp("csi", value)


def csi_velocity(pgv_mps: ArrayLike) -> Floats:
    """Chinese intensity by velocity alone (I_V of GB/T 17742-2020)."""
    row = _table("csi")["pgv"]
    value: Floats = row["a"] + row["b"] * _log10(floats(pgv_mps))
    return _clamp("csi", value)


def csi_gbt17742(pga_mps2: ArrayLike, pgv_mps: ArrayLike) -> Floats:
    """Instrumental intensity by the Chinese standard: I_V where both reach 6, else the mean.

    Parameters
    ----------
    pga_mps2, pgv_mps : array_like
        Peaks of the vector sum of three components after a 0.1 to 10 Hz band-pass.

    Notes
    -----
    The standard jumps where both pass 6. Publish with one decimal.
    """
    by_pga, by_pgv = csi_acceleration(pga_mps2), csi_velocity(pgv_mps)
    threshold = _table("csi")["threshold"]
    strong = (by_pga >= threshold) & (by_pgv >= threshold)
    return np.where(strong, by_pgv, (by_pga + by_pgv) / 2.0)


def csi_from_motion(pga_mps2: ArrayLike, pgv_mps: ArrayLike) -> Floats:
    """As :func:`csi_gbt17742` with the jump at 6 spread out, for predicted medians."""
    row = _table("csi")["blend"]
    return _clamp("csi", blend(csi_acceleration(pga_mps2), csi_velocity(pgv_mps), row))


def jma_from_pgv(pgv_mps: ArrayLike) -> Floats:
    """JMA instrumental intensity from PGV on the ground in m/s; scatter 0.2.

    Made for intensity 4 and more, used below as well.
    """
    row = _table("jma")["pgv"]
    value: Floats = row["a"] + row["b"] * _log10(floats(pgv_mps) / CM)
    return _clamp("jma", value)


def pgv_for_jma(intensity: ArrayLike) -> Floats:
    """PGV in m/s at which :func:`jma_from_pgv` gives ``intensity``."""
    row = _table("jma")["pgv"]
    pgv: Floats = 10.0 ** ((floats(intensity) - row["a"]) / row["b"]) * CM
    return pgv


def jma_class(intensity: float) -> str:
    """Name of the JMA class: ``0`` to ``4``, ``5-``, ``5+``, ``6-``, ``6+``, ``7``."""
    name = ""
    for lower, label in _table("jma")["classes"]:
        if intensity >= lower:
            name = str(label)
    return name


def blend(by_acceleration: Floats, by_velocity: Floats, row: dict[str, float]) -> Floats:
    """Join two estimates of one intensity by shares that change with the intensity itself.

    The share of velocity w rises from ``velocity_share_below`` at ``start`` to
    ``velocity_share_above`` at ``end``. With H its integral the result is
    ``I_A - H(I_A) + H(I_V)``: equal to I where both are I, and never falling in either, because
    the slopes are ``1 - w(I_A)`` and ``w(I_V)``. Weighting the two values by w at their mean
    would not have that property.
    """
    result: Floats = by_acceleration - _integral(by_acceleration, row) + _integral(by_velocity, row)
    return result


def velocity_share(intensity: Floats, row: dict[str, float]) -> Floats:
    """Share w of the velocity at an intensity, see :func:`blend`."""
    t = np.clip((intensity - row["start"]) / (row["end"] - row["start"]), 0.0, 1.0)
    rise = row["velocity_share_above"] - row["velocity_share_below"]
    share: Floats = row["velocity_share_below"] + rise * t * t * (3.0 - 2.0 * t)
    return share


def _integral(intensity: Floats, row: dict[str, float]) -> Floats:
    """Integral of :func:`velocity_share` over the intensity, 0 at ``start``."""
    width = row["end"] - row["start"]
    u = (intensity - row["start"]) / width
    t = np.clip(u, 0.0, 1.0)
    rise = row["velocity_share_above"] - row["velocity_share_below"]
    smooth = t**3 - t**4 / 2.0 + np.maximum(u - 1.0, 0.0)
    integral: Floats = width * (row["velocity_share_below"] * u + rise * smooth)
    return integral


def _mmi(measure: str, cgs: Floats) -> Floats:
    weak, middle, strong = _table("mmi")[measure]["lines"]
    log_y = _log10(cgs)
    bent = np.minimum(weak[0] + weak[1] * log_y, middle[0] + middle[1] * log_y)
    value: Floats = np.maximum(bent, strong[0] + strong[1] * log_y)
    return _clamp("mmi", value)


def _motion_for_mmi(measure: str, mmi: ArrayLike) -> Floats:
    weak, middle, strong = _table("mmi")[measure]["lines"]
    value = floats(mmi)
    bent = np.maximum((value - weak[0]) / weak[1], (value - middle[0]) / middle[1])
    log_y = np.minimum(bent, (value - strong[0]) / strong[1])
    motion: Floats = 10.0**log_y * CM
    return motion


def _clamp(scale: str, value: Floats) -> Floats:
    low, high = _table(scale)["range"]
    clamped: Floats = np.clip(value, low, high)
    return clamped


def _log10(values: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Floats = np.log10(values)
    return logarithm


@cache
def _table(scale: str) -> dict[str, Any]:
    table: dict[str, Any] = load_table("intensity")[scale]
    return table
