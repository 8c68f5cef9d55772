"""Peak motion beside a rupture whose line is known, by the distance to that line.

The counterpart of :mod:`eew.physics.point_source`: nothing has to be averaged over the strike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.physics.bssa14 import bssa14
from eew.physics.gb18306 import gb18306
from eew.physics.motion import GroundMotion
from eew.physics.point_source import Motion, motion_of_kind, on_ground, on_japanese_ground
from eew.physics.rupture import beyond_reference_depth_km, rupture_top_km
from eew.physics.si_midorikawa import si_midorikawa
from eew.tables import load_table

__all__ = ["line_motion_model"]

Floats = NDArray[np.float64]


def line_motion_model(kind: str, row: dict[str, Any]) -> Motion:
    """Build the function for one row of ``shaking.toml``; its distance is that to the line."""
    return motion_of_kind(kind, row, bssa14=_bssa14, gb18306=_gb18306, si_midorikawa=_si_midorikawa)


def _bssa14(attenuation: str) -> Motion:
    """Made for the distance to the rupture's surface projection: the line stands for it."""

    def motion(
        magnitude: Floats, depth_km: Floats, distance_km: Floats, vs30: Floats
    ) -> GroundMotion:
        rjb = np.hypot(distance_km, beyond_reference_depth_km(depth_km))
        return bssa14(magnitude, rjb, vs30, attenuation=attenuation)

    return motion


def _gb18306(zone: str) -> Motion:
    """Take the short axis: across the strike the epicentral distance is that to the fault."""
    reference_vs30 = load_table("groundmotion")["gb18306"]["reference_vs30_mps"]

    def motion(
        magnitude: Floats, depth_km: Floats, distance_km: Floats, vs30: Floats
    ) -> GroundMotion:
        distance = np.hypot(distance_km, beyond_reference_depth_km(depth_km))
        rock = gb18306(magnitude, distance, zone=zone, axis="short", joined=True)
        return on_ground(rock, vs30, reference_vs30)

    return motion


def _si_midorikawa(source: str) -> Motion:
    """Take the distance to the upper edge of a rupture as wide as its magnitude lets expect."""
    table = load_table("groundmotion")
    reference_vs30 = table["si_midorikawa_1999"]["reference_vs30_mps"]
    least_km = table["jma_eew"]["min_distance_km"]

    def motion(
        magnitude: Floats, depth_km: Floats, distance_km: Floats, vs30: Floats
    ) -> GroundMotion:
        top_km = rupture_top_km(depth_km, magnitude)
        fault = np.maximum(np.hypot(distance_km, top_km), least_km)
        firm = si_midorikawa(magnitude, fault, depth_km, source=source)
        return on_japanese_ground(firm, vs30, reference_vs30)

    return motion
