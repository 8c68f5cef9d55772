"""Travel times of the first P and S arrivals from a table, in numpy; no search, no TauP.

What is interpolated is not the time but the time divided by the straight distance to the
hypocentre: that ratio is nearly constant near the source, where the time itself has the shape
of a cone that a grid follows badly. The compiled twin is
:func:`eew.physics.kernels.travel_time`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics.regions import polygon_contains
from eew.tables import load_table, open_table_file
from eew.tables import traveltime_axes as axes

__all__ = ["RegionalTravelTimes", "TravelTimes", "TravelTimesAt", "travel_times"]

REGIONAL = "regional"  # in place of a model: the one of each place

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TravelTimes:
    """First-arrival tables of one velocity model.

    Attributes
    ----------
    model : str
        Name of the velocity model, e.g. ``iasp91``.
    p_table, s_table : numpy.ndarray, shape ``traveltime_axes.TABLE_SHAPE``
        Travel time over straight hypocentral distance in s/km, C-contiguous float64,
        read-only; rows are depths, columns distances. Hand these to
        :func:`eew.physics.kernels.travel_time`.
    """

    model: str
    p_table: Floats
    s_table: Floats

    def at(self, lat: float, lon: float) -> TravelTimes:
        """Return itself: one model for every place."""
        return self

    @staticmethod
    def load(model: str = "iasp91") -> TravelTimes:
        """Read the tables of a model; cached, so every caller shares one copy.

        Raises
        ------
        ConfigError
            If there is no table for the model, or its grid is not the one of this version.
        """
        return _load(model)

    def p_s(self, distance_km: ArrayLike, depth_km: ArrayLike) -> Floats:
        """Travel time of the first P-type arrival (Pg, Pn or P) in s.

        Parameters
        ----------
        distance_km : array_like
            Epicentral distance in km, >= 0. Beyond 1,200 km the last slope is continued.
        depth_km : array_like
            Depth of the source below the surface in km; taken as 0 above and 700 below that.

        Returns
        -------
        numpy.ndarray
            Seconds, with the broadcast shape. NaN in, NaN out.
        """
        return _look_up(self.p_table, distance_km, depth_km)

    def s_s(self, distance_km: ArrayLike, depth_km: ArrayLike) -> Floats:
        """Travel time of the first S-type arrival in s; as :meth:`p_s`."""
        return _look_up(self.s_table, distance_km, depth_km)


class TravelTimesAt(Protocol):
    """Where travel times of a place come from."""

    def at(self, lat: float, lon: float) -> TravelTimes:
        """Return the tables for a source or a first station at a place in degrees."""


class RegionalTravelTimes:
    """The velocity model of each region of ``eew/tables/velocity.toml``; iasp91 elsewhere."""

    def at(self, lat: float, lon: float) -> TravelTimes:
        """Return the tables of the first region that holds the place, in degrees."""
        lon = (lon + 180.0) % 360.0 - 180.0
        for model, polygon in _regional_models():
            if polygon_contains(polygon, lat, lon):
                return TravelTimes.load(model)
        return TravelTimes.load()


def travel_times(model: str) -> TravelTimesAt:
    """Return the tables of one model for every place, or with ``regional`` those of each place.

    Raises
    ------
    ConfigError
        As :meth:`TravelTimes.load`.
    """
    return RegionalTravelTimes() if model == REGIONAL else TravelTimes.load(model)


@cache
def _regional_models() -> tuple[tuple[str, tuple[tuple[float, float], ...]], ...]:
    return tuple(
        (row["name"], tuple((float(lat), float(lon)) for lat, lon in row["polygon"]))
        for row in load_table("velocity")["model"]
    )


@cache
def _load(model: str) -> TravelTimes:
    name = f"traveltimes/{model}.npz"
    with open_table_file(name) as file, np.load(file, allow_pickle=False) as data:
        times = {phase: np.asarray(data[f"{phase}_s"], dtype=np.float64) for phase in ("p", "s")}
        distance_km, depth_km = data["distance_km"], data["depth_km"]
    same_grid = np.array_equal(distance_km, axes.distance_axis_km()) and np.array_equal(
        depth_km, axes.depth_axis_km()
    )
    if not same_grid:
        raise ConfigError(
            f"eew/tables/{name}",
            f"its grid of {len(distance_km)} distances and {len(depth_km)} depths is another one",
            hint="build it anew with python -m eew.tables.build_traveltimes",
        )
    return TravelTimes(model, _per_km(times["p"]), _per_km(times["s"]))


def _per_km(times_s: Floats) -> Floats:
    """Turn times into times over straight distance (s/km), finite at the source itself."""
    distance_km, depth_km = axes.distance_axis_km(), axes.depth_axis_km()
    straight_km = np.hypot(distance_km[None, :], depth_km[:, None])
    straight_km[0, 0] = np.inf  # the only zero
    table = np.ascontiguousarray(times_s / straight_km)
    table[0, 0] = table[0, 1]  # along the surface the ratio starts as 1/v
    table.flags.writeable = False
    return table


def _look_up(table: Floats, distance_km: ArrayLike, depth_km: ArrayLike) -> Floats:
    distance = np.maximum(np.asarray(distance_km, dtype=np.float64), 0.0)
    depth = np.clip(np.asarray(depth_km, dtype=np.float64), 0.0, axes.DEPTH_MAX_KM)
    inside = np.minimum(distance, axes.DISTANCE_MAX_KM)
    time = _inside(table, inside, depth)
    if np.any(distance > axes.DISTANCE_MAX_KM):
        step_back = np.full_like(distance, axes.DISTANCE_MAX_KM - axes.DISTANCE_FAR_STEP_KM)
        slope = (time - _inside(table, step_back, depth)) / axes.DISTANCE_FAR_STEP_KM
        beyond = distance - axes.DISTANCE_MAX_KM
        time = np.where(beyond > 0.0, time + slope * beyond, time)
    return time


def _inside(table: Floats, distance_km: Floats, depth_km: Floats) -> Floats:
    """Bilinear interpolation of s/km times the straight distance, for points of the grid."""
    column = np.where(
        distance_km < axes.DISTANCE_KNEE_KM,
        distance_km / axes.DISTANCE_STEP_KM,
        axes.DISTANCE_KNEE_CELL + (distance_km - axes.DISTANCE_KNEE_KM) / axes.DISTANCE_FAR_STEP_KM,
    )
    row = np.where(
        depth_km < axes.DEPTH_KNEE_KM,
        depth_km / axes.DEPTH_STEP_KM,
        np.where(
            depth_km < axes.DEPTH_SECOND_KNEE_KM,
            axes.DEPTH_KNEE_CELL + (depth_km - axes.DEPTH_KNEE_KM) / axes.DEPTH_MID_STEP_KM,
            axes.DEPTH_SECOND_KNEE_CELL
            + (depth_km - axes.DEPTH_SECOND_KNEE_KM) / axes.DEPTH_FAR_STEP_KM,
        ),
    )
    # NaN stays in the weights; the index it would make is replaced by a harmless one.
    j = np.clip(np.nan_to_num(column), 0, axes.DISTANCE_CELLS - 1).astype(np.intp)
    i = np.clip(np.nan_to_num(row), 0, axes.DEPTH_CELLS - 1).astype(np.intp)
    wj, wi = column - j, row - i
    upper = table[i, j] * (1.0 - wj) + table[i, j + 1] * wj
    lower = table[i + 1, j] * (1.0 - wj) + table[i + 1, j + 1] * wj
    per_km = upper * (1.0 - wi) + lower * wi
    time: Floats = per_km * np.hypot(distance_km, depth_km)
    return time
