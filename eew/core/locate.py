"""Where and when: grid search over position and depth, refined around the best node."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.core.config import LocationConfig
from eew.core.location_kernels import log_likelihood
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from eew.physics.traveltime import TravelTimes

FloatArray = NDArray[np.float64]
_FINE = 11  # nodes a side of a refined grid
_LEVELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A pick as the locator sees it; time in s after the caller's reference."""

    lat: float
    lon: float
    time_s: float
    sigma_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A live station without a pick, and the data time up to which it was quiet."""

    lat: float
    lon: float
    until_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Hypocentre with its uncertainty; times in s after the caller's reference."""

    lat: float
    lon: float
    depth_km: float
    origin_time_s: float
    origin_time_sigma_s: float
    ellipse_major_km: float
    ellipse_minor_km: float
    ellipse_azimuth_deg: float
    z_sigma_km: float
    on_edge: bool

    @property
    def h_sigma_km(self) -> float:
        """One number for the epicentre's uncertainty: radius of the circle of equal area."""
        return math.sqrt(self.ellipse_major_km * self.ellipse_minor_km)


class Locator:
    """Searches hypocentres; holds the grid and the travel-time table, no state of events.

    Parameters
    ----------
    config : LocationConfig
        Grid and errors.
    travel_times : TravelTimes
        P table of the velocity model.
    """

    def __init__(self, config: LocationConfig, travel_times: TravelTimes) -> None:
        self._config = config
        self._p_table = travel_times.p_table
        outer = _plane(config.half_width_km, config.spacing_km)
        inner = _plane(config.inner_half_width_km, config.inner_spacing_km)
        outside = np.abs(outer[:, :2]).max(axis=1) > config.inner_half_width_km
        plane = np.vstack([inner, outer[outside]])
        depths = np.asarray(config.depths_km)
        self._coarse = np.column_stack(
            [
                np.repeat(plane[:, 0], depths.size),
                np.repeat(plane[:, 1], depths.size),
                np.tile(depths, plane.shape[0]),
                np.repeat(_cell_s(plane[:, 2]), depths.size),
            ]
        )
        self._bottom_km = float(depths.max())
        self._edge_km = float(np.abs(outer[:, 0]).max())

    def locate(
        self,
        picks: Sequence[Observed],
        silent: Sequence[Silent],
        near: tuple[float, float, float, float] | None = None,
    ) -> Located:
        """Locate an event from at least one pick.

        Parameters
        ----------
        picks : sequence of Observed
            Earliest first; the first one is the centre of the search.
        silent : sequence of Silent
            Live stations that have not triggered.
        near : (lat, lon, depth_km, h_sigma_km), optional
            A solution to start from. The whole grid is searched again where the answer lies at
            the rim of its surroundings.
        """
        config = self._config
        picks = list(picks)[: config.max_picks]
        lat0, lon0 = picks[0].lat, picks[0].lon
        pick_array = np.empty((len(picks), 4))
        pick_array[:, 0], pick_array[:, 1] = _project(
            lat0, lon0, [p.lat for p in picks], [p.lon for p in picks]
        )
        pick_array[:, 2] = [p.time_s for p in picks]
        pick_array[:, 3] = [p.sigma_s for p in picks]
        silent_array = self._nearest_silent(lat0, lon0, silent)

        if near is not None:
            x, y = _project(lat0, lon0, [near[0]], [near[1]])
            start = np.array([x[0], y[0], near[2]])
            found = self._refine(start, max(12.0, 3.0 * near[3]), 0.0, pick_array, silent_array)
            if found is not None:
                return self._summarise(lat0, lon0, *found, pick_array, on_edge=False)
        nodes = self._coarse
        scores = self._score(
            nodes, pick_array[: config.coarse_picks], silent_array[: config.coarse_silent]
        )
        best = int(np.argmax(scores[:, 0]))
        on_edge = bool(np.abs(nodes[best, :2]).max() >= self._edge_km)
        weights = _weights(scores[:, 0])
        spacing_km = (
            config.inner_spacing_km
            if np.abs(nodes[best, :2]).max() < config.inner_half_width_km
            else config.spacing_km
        )
        width_km = max(
            1.5 * spacing_km, min(3.0 * _spread_km(nodes, weights), 5.0 * config.spacing_km)
        )
        z = nodes[:, 2] - _mean(weights, nodes[:, 2])
        z_sigma_km = math.sqrt(_mean(weights, z * z))
        found = self._refine(
            nodes[best], width_km, 2.0 * z_sigma_km, pick_array, silent_array, may_fail=False
        )
        assert found is not None
        return self._summarise(lat0, lon0, *found, pick_array, on_edge=on_edge)

    # ------------------------------------------------------------------ parts

    def _refine(
        self,
        centre: FloatArray,
        width_km: float,
        half_z_km: float,
        picks: FloatArray,
        silent: FloatArray,
        *,
        may_fail: bool = True,
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Shrink a grid round the best node; return its nodes, weights and origin times.

        None where the best node of the first grid lies on its rim (and ``may_fail``).
        """
        half_z_km = max(half_z_km, 4.0, 0.6 * float(centre[2]))
        nodes = weights = times = np.empty(0)
        for level in range(_LEVELS):
            nodes = _box(centre, width_km, half_z_km, self._bottom_km)
            scores = self._score(nodes, picks, silent)
            best = nodes[int(np.argmax(scores[:, 0]))]
            at_rim = bool(np.abs(best[:2] - centre[:2]).max() >= 0.99 * width_km)
            if level == 0 and may_fail and at_rim:
                return None
            weights, times = _weights(scores[:, 0]), scores[:, 1]
            centre = best
            step_km = 2.0 * width_km / (_FINE - 1)
            z = nodes[:, 2] - _mean(weights, nodes[:, 2])
            # the next grid covers what is likely, or twice the last step
            width_km = min(width_km, max(2.0 * step_km, 3.0 * _spread_km(nodes, weights)))
            half_z_km = max(2.0, 2.5 * math.sqrt(_mean(weights, z * z)))
        return nodes, weights, times

    def _score(self, nodes: FloatArray, picks: FloatArray, silent: FloatArray) -> FloatArray:
        config = self._config
        out = np.empty((nodes.shape[0], 2))
        log_likelihood(
            nodes,
            self._p_table,
            picks,
            silent,
            config.sigma_s,
            config.sigma_per_s,
            config.silent_sigma_s,
            config.silent_cap,
            config.near_km,
            out,
        )
        depth = np.maximum(nodes[:, 2], 0.5)
        z = np.log(depth / config.depth_prior_km) / config.depth_prior_sigma
        out[:, 0] += np.maximum(-0.5 * z * z, config.depth_prior_floor)
        return out

    def _nearest_silent(self, lat0: float, lon0: float, silent: Sequence[Silent]) -> FloatArray:
        if not silent:
            return np.empty((0, 3))
        x, y = _project(lat0, lon0, [s.lat for s in silent], [s.lon for s in silent])
        until = np.array([s.until_s - self._config.silent_margin_s for s in silent])
        order = np.argsort(np.hypot(x, y), kind="stable")[: self._config.max_silent]
        return np.column_stack([x[order], y[order], until[order]])

    def _summarise(
        self,
        lat0: float,
        lon0: float,
        samples: FloatArray,
        weights: FloatArray,
        times: FloatArray,
        picks: FloatArray,
        *,
        on_edge: bool,
    ) -> Located:
        mean = np.array([_mean(weights, samples[:, k]) for k in range(3)])
        centred = samples[:, :3] - mean
        dx, dy = centred[:, 0], centred[:, 1]
        cross = _mean(weights, dx * dy)
        covariance = np.array([[_mean(weights, dx * dx), cross], [cross, _mean(weights, dy * dy)]])
        values, vectors = np.linalg.eigh(covariance + 0.04 * np.eye(2))
        major = vectors[:, 1]
        lat, lon = _unproject(lat0, lon0, float(mean[0]), float(mean[1]))
        spread = times - _mean(weights, times)
        origin_sigma = math.sqrt(_mean(weights, spread * spread))
        # the time that belongs to this place: a mean of times belongs to none
        here = np.array([[mean[0], mean[1], mean[2], 0.0]])
        origin = float(self._score(here, picks, np.empty((0, 3)))[0, 1])
        return Located(
            lat=lat,
            lon=lon,
            depth_km=float(mean[2]),
            origin_time_s=origin,
            origin_time_sigma_s=max(origin_sigma, 0.05),
            ellipse_major_km=math.sqrt(float(values[1])),
            ellipse_minor_km=math.sqrt(float(values[0])),
            ellipse_azimuth_deg=math.degrees(math.atan2(major[0], major[1])) % 180.0,
            z_sigma_km=math.sqrt(max(_mean(weights, centred[:, 2] ** 2), 0.25)),
            on_edge=on_edge or float(mean[2]) >= 0.97 * self._bottom_km,
        )


def _box(centre: FloatArray, width_km: float, half_z_km: float, bottom_km: float) -> FloatArray:
    """Nodes of a box round ``centre``; depths are cut at the surface and the bottom."""
    axis = np.linspace(-width_km, width_km, _FINE)
    depths = np.unique(np.clip(centre[2] + np.linspace(-half_z_km, half_z_km, 7), 0.5, bottom_km))
    x, y, z = np.meshgrid(centre[0] + axis, centre[1] + axis, depths, indexing="ij")
    cell = np.full(x.size, _cell_s(2.0 * width_km / (_FINE - 1)))
    return np.column_stack([x.ravel(), y.ravel(), z.ravel(), cell])


def _plane(half_width_km: float, spacing_km: float) -> FloatArray:
    """Columns x, y, spacing of a square grid round the origin."""
    n = round(half_width_km / spacing_km)
    axis = np.arange(-n, n + 1) * spacing_km
    x, y = np.meshgrid(axis, axis, indexing="ij")
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, spacing_km)])


def _cell_s(spacing_km: Any) -> Any:
    """Return the standard deviation of P time in a cell: uniform spread, at 6 km/s."""
    return spacing_km / math.sqrt(12.0) / 6.0


def _weights(log_scores: FloatArray) -> FloatArray:
    w = np.exp(log_scores - log_scores.max())
    result: FloatArray = w / w.sum()
    return result


def _mean(weights: FloatArray, values: FloatArray) -> float:
    """Weighted mean without BLAS: its threads cost more than they give, and its bytes vary."""
    return float((weights * values).sum())


def _spread_km(samples: FloatArray, weights: FloatArray) -> float:
    """Larger of the standard deviations east and north, km."""
    variances = []
    for k in range(2):
        away = samples[:, k] - _mean(weights, samples[:, k])
        variances.append(_mean(weights, away * away))
    return math.sqrt(max(variances))


def _project(
    lat0: float, lon0: float, lats: Sequence[float], lons: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Azimuthal equidistant coordinates round a centre: x east, y north, km."""
    lat, lon = np.asarray(lats, dtype=float), np.asarray(lons, dtype=float)
    distance = np.asarray(epicentral_distance_km(lat0, lon0, lat, lon), dtype=float)
    azimuth = np.radians(np.asarray(azimuth_deg(lat0, lon0, lat, lon), dtype=float))
    return distance * np.sin(azimuth), distance * np.cos(azimuth)


def _unproject(lat0: float, lon0: float, x_km: float, y_km: float) -> tuple[float, float]:
    lat, lon = destination(
        lat0, lon0, math.degrees(math.atan2(x_km, y_km)) % 360.0, math.hypot(x_km, y_km)
    )
    return float(lat), float(lon)
