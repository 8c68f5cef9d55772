"""What published models expect at a place beside a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.physics.bssa14 import bssa14, bssa14_site
from eew.physics.gb18306 import gb18306
from eew.physics.motion import GroundMotion
from eew.physics.si_midorikawa import pgv_site_factor, si_midorikawa
from eew.tables import load_table

__all__ = ["Place", "expected_peaks", "peaks_model"]

Floats = NDArray[np.float64]

_NAMES = {"bssa14": "BSSA14", "gb18306": "GB 18306-2015", "si_midorikawa": "Si & Midorikawa 1999"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a station stands to a fault, and on what.

    Attributes
    ----------
    epicentral_km, joyner_boore_km, rupture_km : float
        To the epicentre, to the fault's projection on the surface, to the fault.
    """

    epicentral_km: float
    joyner_boore_km: float
    rupture_km: float
    vs30_mps: float


def peaks_model(region: Mapping[str, Any]) -> str:
    """Name of the ground-motion model of a region of ``calibration.toml``, for people."""
    name = _NAMES[region["peaks"]]
    return f"{name} {region['zone'].replace('_', '-').title()}" if "zone" in region else name


def expected_peaks(
    region: Mapping[str, Any], magnitude: float, depth_km: float, place: Place
) -> tuple[float, float]:
    """Median PGA in m/s**2 and PGV in m/s.

    Raises
    ------
    ConfigError
        If the region names no model there is.
    """
    model = region["peaks"]
    if model == "bssa14":
        return _pair(bssa14(magnitude, place.joyner_boore_km, place.vs30_mps))
    if model == "gb18306":
        # its distance is the epicentral one; the mean of the axes stands for any azimuth
        rock = gb18306(magnitude, place.epicentral_km, zone=region["zone"], joined=True)
        reference = load_table("groundmotion")["gb18306"]["reference_vs30_mps"]
        on_pga, on_pgv = bssa14_site(place.vs30_mps, reference, rock.pga_mps2)
        pga, pgv = _pair(rock)
        return pga * float(on_pga), pgv * float(on_pgv)
    if model == "si_midorikawa":
        firm = si_midorikawa(magnitude, place.rupture_km, depth_km)
        reference = load_table("groundmotion")["si_midorikawa_1999"]["reference_vs30_mps"]
        on_pga, _ = bssa14_site(place.vs30_mps, reference, firm.pga_mps2)
        pga, pgv = _pair(firm)
        return pga * float(on_pga), pgv * float(pgv_site_factor(place.vs30_mps))
    raise ConfigError("calibration.region.peaks", f"unknown: {model!r}")


def _pair(motion: GroundMotion) -> tuple[float, float]:
    return float(motion.pga_mps2), float(motion.pgv_mps)
