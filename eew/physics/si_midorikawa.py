"""Si & Midorikawa (1999) as the Japanese warning system uses it, with its site amplification."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics.motion import CM, LN10, GroundMotion, floats
from eew.tables import load_table

__all__ = ["jma_fault_distance_km", "mw_from_mj", "pgv_site_factor", "si_midorikawa"]

Floats = NDArray[np.float64]


def si_midorikawa(
    magnitude: ArrayLike,
    fault_distance_km: ArrayLike,
    depth_km: ArrayLike,
    *,
    source: str = "crustal",
) -> GroundMotion:
    """Median PGA and PGV on firm ground (S velocity 600 m/s) with their scatter.

    Parameters
    ----------
    magnitude : array_like
        Moment magnitude.
    fault_distance_km : array_like
        Shortest distance to the fault in km, see :func:`jma_fault_distance_km`.
    depth_km : array_like
        Depth in km; held at 120.
    source : str
        ``crustal`` (what the warning system uses for all), ``interplate`` or ``intraslab``.
    """
    table = _table("si_midorikawa_1999")
    m, x, depth = np.broadcast_arrays(
        floats(magnitude), floats(fault_distance_km), floats(depth_km)
    )
    depth = np.minimum(depth, table["max_depth_km"])
    logs = {}
    for measure in ("pga", "pgv"):
        row = table[measure]
        if source not in row["source_term"]:
            known = ", ".join(row["source_term"])
            raise ConfigError("source", f"unknown: {source!r}", hint=f"one of {known}")
        logs[measure] = (
            row["a"] * m
            + row["h"] * depth
            + row["source_term"][source]
            + row["e"]
            - np.log10(x + row["c"] * 10.0 ** (0.5 * m))
            - row["k"] * x
        )
    return GroundMotion(
        pga_mps2=10.0 ** logs["pga"] * CM,
        pgv_mps=10.0 ** logs["pgv"] * CM,
        sigma_ln_pga=np.full(m.shape, table["pga"]["sigma_log10"] * LN10),
        sigma_ln_pgv=np.full(m.shape, table["pgv"]["sigma_log10"] * LN10),
    )


def mw_from_mj(magnitude_mj: ArrayLike) -> Floats:
    """Moment magnitude as the warning system takes it from the JMA magnitude."""
    mw: Floats = floats(magnitude_mj) - _table("jma_eew")["mj_minus_mw"]
    return mw


def jma_fault_distance_km(magnitude: ArrayLike, hypocentral_distance_km: ArrayLike) -> Floats:
    """Hypocentral distance less half the fault's length, not below 3 km."""
    row = _table("jma_eew")
    a, b = row["log10_length"]
    half_length = 10.0 ** (a + b * floats(magnitude)) / 2.0
    x: Floats = np.maximum(floats(hypocentral_distance_km) - half_length, row["min_distance_km"])
    return x


def pgv_site_factor(vs30_mps: ArrayLike) -> Floats:
    """PGV amplification from ground with 600 m/s to ground with ``vs30_mps``.

    Fujimoto & Midorikawa (2006), held within 100 to 1500 m/s.
    """
    row = _table("fujimoto_midorikawa_2006")
    reference = _table("si_midorikawa_1999")["reference_vs30_mps"]
    factor: Floats = (reference / np.clip(floats(vs30_mps), *row["vs30_range_mps"])) ** row[
        "exponent"
    ]
    return factor


@cache
def _table(section: str) -> dict[str, Any]:
    table: dict[str, Any] = load_table("groundmotion")[section]
    return table
