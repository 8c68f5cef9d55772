"""How long strong shaking lasts: Afshari & Stewart (2016), https://doi.org/10.1193/063015EQS106M."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["afshari_stewart_2016"]

Floats = NDArray[np.float64]


def afshari_stewart_2016(
    magnitude: ArrayLike,
    rupture_distance_km: ArrayLike,
    vs30_mps: ArrayLike,
    *,
    mechanism: str = "unknown",
) -> tuple[Floats, Floats]:
    """Median significant duration D5-95 and its scatter.

    Parameters
    ----------
    magnitude : array_like
        Moment magnitude, 3 to 7.9.
    rupture_distance_km : array_like
        Shortest distance to the fault, to 200 km.
    vs30_mps : array_like
        200 to 1000 m/s.
    mechanism : str
        ``strike_slip``, ``normal``, ``reverse`` or ``unknown``.

    Returns
    -------
    tuple of numpy.ndarray
        Duration in s; standard deviation of its natural logarithm.
    """
    row: dict[str, Any] = load_table("duration")["d5_95"]
    if mechanism not in row["b0"]:
        known = ", ".join(row["b0"])
        raise ConfigError("mechanism", f"unknown: {mechanism!r}", hint=f"one of {known}")
    m, r, vs30 = np.broadcast_arrays(
        np.asarray(magnitude, dtype=np.float64),
        np.asarray(rupture_distance_km, dtype=np.float64),
        np.asarray(vs30_mps, dtype=np.float64),
    )
    stress = row["b1"][mechanism] + row["b2"] * (np.minimum(m, row["m2"]) - row["m_star"])
    stress = np.exp(stress + row["b3"] * np.maximum(m - row["m2"], 0.0))
    moment_dyn_cm = 10.0 ** (1.5 * m + 16.05)
    corner_hz = 4.9e6 * row["beta_kms"] * np.cbrt(stress / moment_dyn_cm)
    source_s = np.where(m <= row["m1"], row["b0"][mechanism], 1.0 / corner_hz)
    near, middle = np.minimum(r, row["r1_km"]), np.clip(r, row["r1_km"], row["r2_km"])
    path_s = (
        row["c1"] * near
        + row["c2"] * (middle - row["r1_km"])
        + row["c3"] * np.maximum(r - row["r2_km"], 0.0)
    )
    site = row["c4"] * np.log(np.minimum(vs30, row["v1_mps"]) / row["vref_mps"])
    duration: Floats = (source_s + path_s) * np.exp(site)
    tau = np.interp(m, (6.5, 7.0), row["tau"])
    phi = np.interp(m, (5.5, 5.75), row["phi"])
    sigma: Floats = np.hypot(tau, phi)
    return duration, sigma
