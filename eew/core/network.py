"""The stations as arrays, and what is known of each right now: alive, quiet, late."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eew.model.waveform import Component, Station
from eew.physics.geo import epicentral_distance_km
from eew.physics.kernels import distance_km_scalar

COLOCATED_KM = 1.0
NEVER = np.iinfo(np.int64).min


class Network:
    """Positions and liveness of all stations.

    Attributes
    ----------
    lat, lon : numpy.ndarray, shape (S,)
        Degrees.
    quiet_until_ns : numpy.ndarray of int64, shape (S,)
        Data time up to which the vertical has been watched without a break since the station's
        warm-up ended; ``NEVER`` while it has not been.
    watched_since_ns : numpy.ndarray of int64, shape (S,)
        Data time at which that warm-up ended: of what came before the station knows nothing.
    place : numpy.ndarray of int, shape (S,)
        Number of the place a station stands at; stations within 1 km share one, because two
        sensors of one building are not two witnesses.
    dead, held : numpy.ndarray of bool, shape (S,)
        The vertical stands still; the station is in quarantine. Neither is a witness of anything.
    last_pick_ns : numpy.ndarray of int64, shape (S,)
        Onset of the newest accepted pick.
    unexplained : numpy.ndarray of int64, shape (S,)
        Picks so far that no event explained.
    watched_s : numpy.ndarray, shape (S,)
        Seconds of data so far in which they could have come.
    shear_ns : numpy.ndarray of int64, shape (S,)
        Newest onset that is stronger on the horizontals than P would be: perhaps S.
    """

    def __init__(self, stations: Sequence[Station]) -> None:
        self.stations = tuple(stations)
        self.row_of = {s.code: i for i, s in enumerate(self.stations)}
        self.lat = np.array([s.lat for s in self.stations])
        self.lon = np.array([s.lon for s in self.stations])
        n = len(self.stations)
        self.place = _places(self.lat, self.lon)
        self.picks_p = np.array(
            [any(c.component is Component.VERTICAL for c in s.channels) for s in self.stations],
            dtype=bool,
        )
        self.quiet_until_ns: NDArray[np.int64] = np.full(n, NEVER, dtype=np.int64)
        self.watched_since_ns: NDArray[np.int64] = np.full(n, NEVER, dtype=np.int64)
        self.last_pick_ns: NDArray[np.int64] = np.full(n, NEVER, dtype=np.int64)
        self.shear_ns: NDArray[np.int64] = np.full(n, NEVER, dtype=np.int64)
        self.dead = np.zeros(n, dtype=bool)
        self.unexplained: NDArray[np.int64] = np.zeros(n, dtype=np.int64)
        self.watched_s: NDArray[np.float64] = np.zeros(n)
        self.held = np.zeros(n, dtype=bool)

    def pair_km(self, a: int, b: int) -> float:
        """Distance between two stations by their rows, km."""
        return float(distance_km_scalar(self.lat[a], self.lon[a], self.lat[b], self.lon[b]))

    def distance_km(self, lat: float, lon: float) -> NDArray[np.float64]:
        """Epicentral distance of every station from a point, km."""
        return np.asarray(epicentral_distance_km(lat, lon, self.lat, self.lon), dtype=np.float64)

    def live(self, now_ns: int, max_age_s: float) -> NDArray[np.bool_]:
        """Stations that are believed, their vertical watched, with data within ``max_age_s``."""
        fresh = self.quiet_until_ns > now_ns - round(max_age_s * 1e9)
        result: NDArray[np.bool_] = fresh & ~self.dead & ~self.held & self.picks_p
        return result


def _places(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give each place a number: every station joins the first earlier one within COLOCATED_KM."""
    places = np.arange(lat.size)
    order = np.argsort(lat, kind="stable")
    reach_deg = COLOCATED_KM / 110.0
    for at, i in enumerate(order):
        for j in order[at + 1 :]:
            if lat[j] - lat[i] > reach_deg:
                break
            if distance_km_scalar(lat[i], lon[i], lat[j], lon[j]) < COLOCATED_KM:
                places[places == places[max(i, j)]] = places[min(i, j)]
    return places
