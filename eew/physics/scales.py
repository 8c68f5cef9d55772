"""The three intensity scales behind one interface: predict, observe, and the scatter of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics import intensity as convert
from eew.physics.motion import GroundMotion
from eew.tables import load_table

__all__ = ["IntensityScale", "intensity_scale"]

Floats = NDArray[np.float64]
_OfMotion = Callable[[ArrayLike, ArrayLike], Floats]

_STEP_LN = 0.05  # for the slope of intensity on ln Y; every scale is piecewise linear in it


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityScale:
    """One scale.

    Attributes
    ----------
    name : str
        ``mmi``, ``csi`` or ``jma``.
    lowest, highest : float
        Range of the scale; values are held inside.
    from_motion : callable
        Intensity of predicted medians of PGA (m/s**2) and PGV (m/s); continuous and rising.
    observed : callable
        Intensity of measured peaks, by the letter of the scale.
    conversion_sigma : float
        Scatter of the scale's own regression on motion; 0 where the scale is defined by motion.
    """

    name: str
    lowest: float
    highest: float
    from_motion: _OfMotion
    observed: _OfMotion
    conversion_sigma: float

    def motion_sigma(self, motion: GroundMotion) -> Floats:
        """Return the standard deviation of intensity that the scatter of the motion causes.

        PGA and PGV of one record are taken to be off together (full correlation): the larger
        of the two possible answers, and near the 0.7 to 0.8 that is measured.
        """
        here = self.from_motion(motion.pga_mps2, motion.pgv_mps)
        up = np.exp(_STEP_LN)
        by_pga = self.from_motion(motion.pga_mps2 * up, motion.pgv_mps) - here
        by_pgv = self.from_motion(motion.pga_mps2, motion.pgv_mps * up) - here
        sigma: Floats = (by_pga * motion.sigma_ln_pga + by_pgv * motion.sigma_ln_pgv) / _STEP_LN
        return sigma


def _jma(pga_mps2: ArrayLike, pgv_mps: ArrayLike) -> Floats:
    """JMA intensity of peak motion goes by velocity alone; PGA is taken for the shape only."""
    return np.broadcast_arrays(convert.jma_from_pgv(pgv_mps), np.asarray(pga_mps2))[0].copy()


@cache
def intensity_scale(name: str) -> IntensityScale:
    """Look up a scale by name; ConfigError for an unknown one."""
    table = load_table("intensity")
    makers: dict[str, tuple[_OfMotion, _OfMotion]] = {
        "mmi": (convert.mmi_from_motion, convert.mmi_from_motion),
        "csi": (convert.csi_from_motion, convert.csi_gbt17742),
        "jma": (_jma, _jma),
    }
    if name not in makers:
        raise ConfigError("scale", f"unknown: {name!r}", hint=f"one of {', '.join(makers)}")
    from_motion, observed = makers[name]
    row: dict[str, Any] = table[name]
    sigma = row["sigma"] if "sigma" in row else max(row["pga"]["sigma"], row["pgv"]["sigma"])
    return IntensityScale(
        name=name,
        lowest=row["range"][0],
        highest=row["range"][1],
        from_motion=from_motion,
        observed=observed,
        conversion_sigma=sigma,
    )
