"""Peak motion from what early warning knows: magnitude, epicentre and depth, no rupture.

Each function closes the gap between that and the distance its model was made for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.physics.bssa14 import bssa14_ln_medians, bssa14_scatter, bssa14_site
from eew.physics.gb18306 import gb18306
from eew.physics.geo import hypocentral_distance_km
from eew.physics.motion import GroundMotion
from eew.physics.rupture import beyond_reference_depth_km, rjb_by_strike_km
from eew.physics.si_midorikawa import jma_fault_distance_km, pgv_site_factor, si_midorikawa
from eew.tables import load_table

__all__ = ["Motion", "motion_model", "motion_of_kind", "on_ground", "on_japanese_ground"]

Floats = NDArray[np.float64]

Motion = Callable[[Floats, Floats, Floats, Floats], GroundMotion]
"""Magnitude, depth (km, >= 0), epicentral distance (km), Vs30 (m/s) -> motion; same shapes."""


def motion_model(kind: str, row: dict[str, Any]) -> Motion:
    """Build the function for one row of ``shaking.toml``."""
    return motion_of_kind(kind, row, bssa14=_bssa14, gb18306=_gb18306, si_midorikawa=_si_midorikawa)


def motion_of_kind(
    kind: str,
    row: dict[str, Any],
    *,
    bssa14: Callable[[str], Motion],
    gb18306: Callable[[str], Motion],
    si_midorikawa: Callable[[str], Motion],
) -> Motion:
    """Build the function for one row of ``shaking.toml`` with the maker of its kind."""
    if kind == "bssa14":
        return bssa14(row["attenuation"])
    if kind == "gb18306":
        return gb18306(row["zone"])
    if kind == "si_midorikawa":
        return si_midorikawa(row["source"])
    raise ConfigError("shaking.motion", f"unknown: {kind!r}")


def on_ground(rock: GroundMotion, vs30: Floats, reference_vs30_mps: float) -> GroundMotion:
    """Take motion from the ground its model knows to another, by the site factor of BSSA14."""
    on_pga, on_pgv = bssa14_site(vs30, reference_vs30_mps, rock.pga_mps2)
    return replace(rock, pga_mps2=rock.pga_mps2 * on_pga, pgv_mps=rock.pgv_mps * on_pgv)


def on_japanese_ground(firm: GroundMotion, vs30: Floats, reference_vs30_mps: float) -> GroundMotion:
    """As :func:`on_ground`, but PGV by the factor of Fujimoto & Midorikawa (2006)."""
    on_pga, _ = bssa14_site(vs30, reference_vs30_mps, firm.pga_mps2)
    return replace(
        firm, pga_mps2=firm.pga_mps2 * on_pga, pgv_mps=firm.pgv_mps * pgv_site_factor(vs30)
    )


def _bssa14(attenuation: str) -> Motion:
    """Average ln Y over the unknown strike; its spread over strikes joins the scatter."""

    def motion(
        magnitude: Floats, depth_km: Floats, distance_km: Floats, vs30: Floats
    ) -> GroundMotion:
        rjb = np.hypot(
            rjb_by_strike_km(distance_km, magnitude), beyond_reference_depth_km(depth_km)[..., None]
        )
        ln_pga, ln_pgv = bssa14_ln_medians(
            magnitude[..., None], rjb, vs30[..., None], attenuation=attenuation
        )
        scatter = bssa14_scatter(magnitude, rjb.mean(axis=-1), vs30)
        return GroundMotion(
            pga_mps2=np.exp(ln_pga.mean(axis=-1)),
            pgv_mps=np.exp(ln_pgv.mean(axis=-1)),
            sigma_ln_pga=np.hypot(np.hypot(*scatter["pga"]), ln_pga.std(axis=-1)),
            sigma_ln_pgv=np.hypot(np.hypot(*scatter["pgv"]), ln_pgv.std(axis=-1)),
        )

    return motion


def _gb18306(zone: str) -> Motion:
    """Mean of the two axes (unknown strike) on rock, then the site factor of BSSA14.

    GB 18306 has no term for the ground; BSSA14's is continuous in Vs30 and known worldwide.
    """
    reference_vs30 = _groundmotion()["gb18306"]["reference_vs30_mps"]

    def motion(
        magnitude: Floats, depth_km: Floats, distance_km: Floats, vs30: Floats
    ) -> GroundMotion:
        distance = np.hypot(distance_km, beyond_reference_depth_km(depth_km))
        rock = gb18306(magnitude, distance, zone=zone, joined=True)
        return on_ground(rock, vs30, reference_vs30)

    return motion


def _si_midorikawa(source: str) -> Motion:
    """As the Japanese warning system: distance to the hypocentre less half a fault length.

    PGV is amplified by Fujimoto & Midorikawa (2006), PGA by the factor of BSSA14.
    """
    reference_vs30 = _groundmotion()["si_midorikawa_1999"]["reference_vs30_mps"]

    def motion(
        magnitude: Floats, depth_km: Floats, distance_km: Floats, vs30: Floats
    ) -> GroundMotion:
        hypocentral = hypocentral_distance_km(distance_km, depth_km)
        fault = jma_fault_distance_km(magnitude, hypocentral)
        firm = si_midorikawa(magnitude, fault, depth_km, source=source)
        return on_japanese_ground(firm, vs30, reference_vs30)

    return motion


@cache
def _groundmotion() -> dict[str, Any]:
    return load_table("groundmotion")
