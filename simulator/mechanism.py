"""How a quake breaks of which only place and size are known: style, angles, size of the plane.

Drawn from the seed by the habit of the region (``eew/tables/attenuation.toml``), rather than left
at an average over all mechanisms: a real quake has one, and shakes one side more than another.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from eew.tables import load_table
from simulator.attenuation import Attenuation
from simulator.attenuation_regions import plate_below
from simulator.ruptures import Fault, Quake

__all__ = ["draw_fault", "fitted"]

_HYPOCENTRE_SHARE = (0.15, 0.85)  # not at the very edge of what breaks


class Style(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A habit of breaking; lengths and widths by ``log10 = a + b M`` in km."""

    dip_deg: tuple[float, float]
    rake_deg: tuple[float, ...]
    rake_sigma_deg: Annotated[float, Meta(ge=0.0)]
    along_plate_deg: float | None = None  # scatter of the strike about that of the plate's edge
    log10_length: tuple[float, float]
    log10_width: tuple[float, float]


def draw_fault(quake: Quake, region: Attenuation, draw: np.random.Generator) -> Fault:
    """Draw the plane of a quake; the hypocentre keeps its place and nothing is above the ground."""
    name = _style_name(region, float(draw.uniform()))
    style = msgspec.convert(load_table("attenuation")["style"][name], Style)
    strike_deg = float(draw.uniform(0.0, 360.0))
    if style.along_plate_deg is not None:
        plate, aside = plate_below(quake.lat, quake.lon), float(draw.standard_normal())
        if plate is not None:
            strike_deg = (plate.strike_deg + style.along_plate_deg * aside) % 360.0
    rake_deg = float(draw.choice(style.rake_deg))
    rake_deg += style.rake_sigma_deg * float(draw.standard_normal())
    length_km, width_km = (
        10.0 ** (a + b * quake.magnitude) for a, b in (style.log10_length, style.log10_width)
    )
    fault = Fault(
        strike_deg=strike_deg,
        dip_deg=float(draw.uniform(*style.dip_deg)),
        rake_deg=(rake_deg + 180.0) % 360.0 - 180.0,
        length_km=length_km,
        width_km=min(width_km, length_km),
        along_share=float(draw.uniform(*_HYPOCENTRE_SHARE)),
        down_share=float(draw.uniform(*_HYPOCENTRE_SHARE)),
    )
    return fitted(fault, quake.depth_km)


def fitted(fault: Fault, depth_km: float) -> Fault:
    """Move a plane down its dip until its upper edge is not above the ground."""
    room = depth_km / math.sin(math.radians(fault.dip_deg)) / fault.width_km
    if fault.down_share <= room:
        return fault
    return replace(fault, down_share=room)


def _style_name(region: Attenuation, chance: float) -> str:
    """Choose by the shares of the region, which need not sum to one."""
    shares = region.mechanisms
    at = chance * sum(shares.values())
    for name, share in shares.items():
        at -= share
        if at < 0.0:
            return name
    return next(reversed(shares))
