"""What breaks: a plane, or a line of point sources."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.fields import Azimuth, Positive, Share, Table

__all__ = [
    "FaultSpec",
    "LineSpec",
]


class FaultSpec(Table, frozen=True, kw_only=True):
    """The plane that breaks, and where on it the rupture begins.

    Attributes
    ----------
    strike_deg, dip_deg, rake_deg : float
        As of Aki & Richards: the plane dips to the right of its strike.
    length_km, width_km : float
        Along strike and down dip.
    along_share : float
        Where the rupture begins along the strike: 0 at its beginning, 1 at its end.
    down_share : float
        Where it begins down dip: 0 at the upper edge, 1 at the lower.
    """

    strike_deg: Azimuth
    dip_deg: Annotated[float, Meta(gt=0.0, le=90.0)]
    rake_deg: Annotated[float, Meta(ge=-180.0, le=180.0)]
    length_km: Annotated[float, Meta(gt=0.0, le=2000.0)]
    width_km: Annotated[float, Meta(gt=0.0, le=300.0)]
    along_share: Share = 0.5
    down_share: Share = 0.5


class LineSpec(Table, frozen=True, kw_only=True):
    """A straight line of point sources that go off one after the other, instead of a plane.

    Attributes
    ----------
    strike_deg : float
        Direction of the line.
    length_km : float
        From the first to the last part.
    velocity_kms : float
        Speed of the rupture front.
    weights : tuple of float
        Share of the moment of each part, in any unit, in order along the strike.
    begins_share : float
        Where along the line the hypocentre is: 0 at its beginning, 1 at its end.
    """

    strike_deg: Azimuth
    length_km: Annotated[float, Meta(gt=0.0, le=2000.0)]
    velocity_kms: Annotated[float, Meta(ge=0.5, le=6.0)] = 2.5
    weights: Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=200)] = (1.0,) * 8
    begins_share: Share = 0.0
