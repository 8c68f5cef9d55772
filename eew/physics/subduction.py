"""Where quakes are more likely than elsewhere: on the landward side of a trench.

A network on the coast sees a quake under the sea from one side only. Times alone often leave two
places, one on each side of the line of stations; that most large quakes break the plate boundary
is then worth knowing. Trenches and the width of the band stand in ``tables/subduction.toml``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.tables import load_table

__all__ = ["Trench", "trench_near"]

Floats = NDArray[np.float64]


class Trench:
    """A trench in a local plane (x east, y north, km), land to its left.

    Parameters
    ----------
    line : numpy.ndarray, shape (n, 2)
        Its corners, at least two.
    """

    def __init__(self, line: Floats) -> None:
        self._from = line[:-1]
        along = np.diff(line, axis=0)
        self._length = np.hypot(along[:, 0], along[:, 1])
        self._along = along / self._length[:, None]

    def landward_km(self, x_km: ArrayLike, y_km: ArrayLike) -> Floats:
        """Distance from the trench, positive on the side of the land; NaN beyond its ends."""
        x, y = np.atleast_1d(np.asarray(x_km, dtype=float), np.asarray(y_km, dtype=float))
        dx, dy = x[:, None] - self._from[:, 0], y[:, None] - self._from[:, 1]
        at = dx * self._along[:, 0] + dy * self._along[:, 1]
        left = self._along[:, 0] * dy - self._along[:, 1] * dx
        off = at - np.clip(at, 0.0, self._length)
        away = np.hypot(left, off)
        nearest = np.argmin(away, axis=1)
        rows = np.arange(x.size)
        side = np.copysign(away[rows, nearest], left[rows, nearest])
        last = self._length.size - 1
        beyond = ((nearest == 0) & (at[rows, 0] < 0.0)) | (
            (nearest == last) & (at[rows, last] > self._length[last])
        )
        return np.where(beyond, np.nan, side)

    def log_density(self, x_km: ArrayLike, y_km: ArrayLike) -> Floats:
        """Log of the density of quakes over that far from any trench; 0 at least."""
        band = load_table("subduction")["band"]
        away = np.nan_to_num(self.landward_km(x_km, y_km), nan=-np.inf)
        soft = band["softness_km"]
        inside = _step((away + band["seaward_km"]) / soft) * _step(
            (band["landward_km"] - away) / soft
        )
        density: Floats = np.log1p((band["density"] - 1.0) * inside)
        return density


@cache
def trench_near(lat0: float, lon0: float) -> Trench | None:
    """Return the nearest trench in the plane round a point; None where none is within reach."""
    table = load_table("subduction")
    best: tuple[float, Trench] | None = None
    for corners in table["trenches"].values():
        lat, lon = np.array(corners, dtype=float).T
        away_km = np.asarray(epicentral_distance_km(lat0, lon0, lat, lon), dtype=float)
        if away_km.min() > 2.0 * table["band"]["reach_km"]:
            continue
        azimuth = np.radians(np.asarray(azimuth_deg(lat0, lon0, lat, lon), dtype=float))
        trench = Trench(np.column_stack([away_km * np.sin(azimuth), away_km * np.cos(azimuth)]))
        here_km = abs(float(np.nan_to_num(trench.landward_km(0.0, 0.0), nan=np.inf)[0]))
        if here_km <= table["band"]["reach_km"] and (best is None or here_km < best[0]):
            best = (here_km, trench)
    return None if best is None else best[1]


def _step(x: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -50.0, 50.0) * 4.0))
    return result
