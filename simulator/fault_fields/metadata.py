"""What the metadata say wrongly: gain, polarity, coordinates."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.fault_fields.base import FaultKind
from simulator.fields import Azimuth

__all__ = [
    "ExchangedCoordinates",
    "GainError",
    "MovedCoordinates",
    "Polarity",
    "SwappedCoordinates",
]


class GainError(FaultKind, frozen=True, kw_only=True, tag="gain_error"):
    """The sensitivity in the metadata is wrong.

    Attributes
    ----------
    factor : float
        The motion seems so many times larger than it is.
    """

    factor: Annotated[float, Meta(gt=0.0, le=1e6)]


class Polarity(FaultKind, frozen=True, kw_only=True, tag="polarity"):
    """All components are upside down."""


class MovedCoordinates(FaultKind, frozen=True, kw_only=True, tag="moved_coordinates"):
    """The metadata have a station where it is not.

    Attributes
    ----------
    distance_km : float
        So far from its true place.
    azimuth_deg : float
        In this direction, from north over east.
    """

    distance_km: Annotated[float, Meta(gt=0.0, le=20_000.0)]
    azimuth_deg: Azimuth = 0.0


class SwappedCoordinates(FaultKind, frozen=True, kw_only=True, tag="swapped_coordinates"):
    """The metadata have latitude for longitude (only where the longitude can pass for one)."""


class ExchangedCoordinates(FaultKind, frozen=True, kw_only=True, tag="exchanged_coordinates"):
    """The metadata have each of two stations at the place of the other, pair by pair in order."""
