"""The result type that all ground-motion models share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CM", "GRAVITY_MPS2", "LN10", "GroundMotion", "floats"]

Floats = NDArray[np.float64]

GRAVITY_MPS2: Final = 9.80665  # standard gravity, exact by definition
CM: Final = 0.01  # m; also gal in m/s**2
LN10: Final = 2.302585092994046


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundMotion:
    """Median peak motion and its scatter.

    Attributes
    ----------
    pga_mps2, pgv_mps : numpy.ndarray
        Medians in m/s**2 and m/s.
    sigma_ln_pga, sigma_ln_pgv : numpy.ndarray
        Standard deviations of the natural logarithms.
    """

    pga_mps2: Floats
    pgv_mps: Floats
    sigma_ln_pga: Floats
    sigma_ln_pgv: Floats


def floats(values: ArrayLike) -> Floats:
    """Return the values as float64."""
    return np.asarray(values, dtype=np.float64)
