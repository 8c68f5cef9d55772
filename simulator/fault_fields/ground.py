"""What comes through the ground and is no quake of the region."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.fault_fields.base import FaultAt, FaultKind, Lasting, Peak
from simulator.fields import AfterZero, Azimuth, Table

__all__ = [
    "Lightning",
    "MassMotion",
    "NoisyGround",
    "Teleseism",
    "UrbanBurst",
]


class Lightning(FaultAt, frozen=True, kw_only=True, tag="lightning"):
    """All stations chosen are jolted in the same instant.

    Attributes
    ----------
    peak_mps2 : float
        Median over stations of the peak.
    lasts_s : float
        Time in which a jolt falls to 1/20.
    """

    peak_mps2: Peak
    lasts_s: Lasting = 0.4


class _Shaking(FaultAt, frozen=True, kw_only=True, tag_field="kind"):
    """Something shakes the ground for a while.

    Attributes
    ----------
    lasts_s : float
        How long.
    peak_mps2 : float
        Largest acceleration.
    """

    lasts_s: Lasting
    peak_mps2: Peak


class UrbanBurst(_Shaking, frozen=True, kw_only=True, tag="urban_burst"):
    """A lorry or a pile driver passes: 3 to 15 Hz that swells and goes."""


class MassMotion(_Shaking, frozen=True, kw_only=True, tag="mass_motion"):
    """All stations chosen shake at the same time, each its own way: people who jump at a goal."""


class NoisyGround(FaultKind, frozen=True, kw_only=True, tag="noisy_ground"):
    """Steady noise from 0.1 to 10 Hz is in all of the record: the sea floor in a storm.

    Attributes
    ----------
    rms_mps2 : float
        Root mean square.
    """

    rms_mps2: Peak


class Teleseism(Table, frozen=True, kw_only=True, tag_field="kind", tag="teleseism"):
    """The waves of a far, large quake cross the whole network.

    Attributes
    ----------
    at_s : float
        When they reach its middle, s after the origin time.
    peak_displacement_m : float
        Largest vertical displacement; 0.0001 to 0.001 for an M8.
    backazimuth_deg : float
        Where they come from.
    apparent_velocity_kms : float
        Along the surface: 8 km/s from 1,500 km away, 24 km/s from 10,000 km.
    corner_hz : float
        Of the source: 0.05 is an M7.5, 0.02 an M8.3.
    """

    at_s: AfterZero
    peak_displacement_m: Annotated[float, Meta(gt=0.0, le=0.1)]
    backazimuth_deg: Azimuth = 0.0
    apparent_velocity_kms: Annotated[float, Meta(ge=4.0, le=100.0)] = 12.0
    corner_hz: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.04
