"""What one kind of observation says about the magnitude: a log-likelihood on one common axis.

Every estimator (P displacement, shaking, GNSS, a line source) hands over the same thing, so the
fusion need not know what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAGNITUDES", "Evidence"]

FloatArray = NDArray[np.float64]

#: Magnitudes at which every likelihood is given, shape (151,): 2.0 to 9.5 in steps of 0.05.
MAGNITUDES: FloatArray = np.round(np.arange(151) * 0.05 + 2.0, 2)
MAGNITUDES.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """One observation's word on the magnitude.

    Attributes
    ----------
    name : str
        Short, stable: ``pd``, ``shaking``, ``pgd``, ``line``.
    log_likelihood : numpy.ndarray, shape (len(MAGNITUDES),)
        Natural logarithm, any constant; finite. Errors that the stations of this evidence share
        are already in it (it must not sharpen without end as stations are added).
    n_stations : int
        Stations behind it.
    is_lower_bound : bool
        True while larger magnitudes cannot be told from the best one yet.
    """

    name: str
    log_likelihood: FloatArray
    n_stations: int
    is_lower_bound: bool

    def __post_init__(self) -> None:
        if self.log_likelihood.shape != MAGNITUDES.shape:
            raise ValueError(
                f"{self.name}: log_likelihood must have shape {MAGNITUDES.shape}, "
                f"was {self.log_likelihood.shape}"
            )
