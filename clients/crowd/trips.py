"""Phones on the road: each goes from its home to that of another device and back, without end.

Which way each goes is drawn before the start; where it is then follows from the time alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clients.crowd.places import CrowdPlaces
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km

__all__ = ["FASTEST_KMH", "Trips", "draw_trips"]

FASTEST_KMH = 1000.0  # an airliner
_SHORTEST_KM = 0.001  # two of the same house

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trips:
    """Who travels, and which way; columns of one entry per traveller.

    Attributes
    ----------
    device : ndarray of int64
        Numbers of the travellers, ascending.
    lat, lon : ndarray of float64
        Home, degrees.
    azimuth_deg, distance_km : ndarray of float64
        The way to where it turns round.
    speed_kmh : float
    """

    device: NDArray[np.int64]
    lat: Floats
    lon: Floats
    azimuth_deg: Floats
    distance_km: Floats
    speed_kmh: float

    def __len__(self) -> int:
        return len(self.device)

    def at(self, travellers: slice, after_s: float) -> tuple[Floats, Floats]:
        """Return where some are, degrees, so long after the start."""
        there_km = self.distance_km[travellers]
        gone_km = np.mod(after_s / 3600.0 * self.speed_kmh, 2.0 * there_km)
        away_km = np.minimum(gone_km, 2.0 * there_km - gone_km)
        return destination(
            self.lat[travellers], self.lon[travellers], self.azimuth_deg[travellers], away_km
        )

    def some(self, part: int, parts: int) -> Self:
        """Return the trips of every ``parts``-th device from ``part`` on, numbered anew."""
        mine = self.device % parts == part
        columns = ("lat", "lon", "azimuth_deg", "distance_km")
        chosen = {name: getattr(self, name)[mine] for name in columns}
        return replace(self, device=self.device[mine] // parts, **chosen)


def draw_trips(
    crowd: CrowdPlaces, share: float, speed_kmh: float, draws: np.random.Generator
) -> Trips:
    """Choose a share of the phones of a crowd, and where each of them goes."""
    phones = np.flatnonzero([crowd.kind[device] == "phone" for device in range(len(crowd))])
    chosen = np.sort(draws.permutation(phones)[: round(share * len(phones))])
    goal = draws.integers(0, len(crowd), len(chosen))
    lat, lon = crowd.lat[chosen], crowd.lon[chosen]
    goal_lat, goal_lon = crowd.lat[goal], crowd.lon[goal]
    way_km = epicentral_distance_km(lat, lon, goal_lat, goal_lon)
    return Trips(
        device=chosen.astype(np.int64),
        lat=lat,
        lon=lon,
        azimuth_deg=azimuth_deg(lat, lon, goal_lat, goal_lon),
        distance_km=np.maximum(way_km, _SHORTEST_KM),
        speed_kmh=speed_kmh,
    )
