"""The ground-motion models in one place; each lives in a module of its own."""

from __future__ import annotations

from eew.physics.allen2012 import allen2012
from eew.physics.bssa14 import bssa14, bssa14_scatter, bssa14_site
from eew.physics.gb18306 import gb18306, gb18306_at_azimuth, gb18306_intensity
from eew.physics.motion import GroundMotion
from eew.physics.si_midorikawa import (
    jma_fault_distance_km,
    mw_from_mj,
    pgv_site_factor,
    si_midorikawa,
)

__all__ = [
    "GroundMotion",
    "allen2012",
    "bssa14",
    "bssa14_scatter",
    "bssa14_site",
    "gb18306",
    "gb18306_at_azimuth",
    "gb18306_intensity",
    "jma_fault_distance_km",
    "mw_from_mj",
    "pgv_site_factor",
    "si_midorikawa",
]
