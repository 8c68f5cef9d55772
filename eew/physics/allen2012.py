"""Allen, Wald & Worden (2012): Modified Mercalli intensity straight from magnitude and distance."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.physics.motion import floats
from eew.tables import load_table

__all__ = ["allen2012"]


def allen2012(
    magnitude: ArrayLike, hypocentral_distance_km: ArrayLike, *, site_term: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Intensity (MMI) for M5 to M7.9 within 300 km; scatter about 0.75.

    ``site_term`` is added as it is (0 for average ground, about 1 for soft soil).
    https://doi.org/10.1007/s10950-012-9278-7
    """
    k = _table()
    m, r = floats(magnitude), floats(hypocentral_distance_km)
    near_km = k["m1"] + k["m2"] * np.exp(m - 5.0)
    far = k["c4"] * np.log(np.maximum(r, k["far_km"]) / k["far_km"])
    mmi: NDArray[np.float64] = (
        k["c0"] + k["c1"] * m + k["c2"] * np.log(np.hypot(r, near_km)) + floats(site_term) + far
    )
    return mmi


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_table("groundmotion")["allen_2012"]
    return table
