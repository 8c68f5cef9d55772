"""Where and when: grid search over position and depth, refined around what is likely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eew.core.config import LocationConfig
from eew.core.location_grid import (
    Box,
    cell_s,
    mean,
    moments,
    probabilities,
    project,
    rings,
    unproject,
)
from eew.core.location_kernels import log_likelihood
from eew.physics.subduction import Trench, trench_near
from eew.physics.traveltime import TravelTimes, TravelTimesAt

FloatArray = NDArray[np.float64]
_LEVELS = 3
_NEIGHBOURS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A pick as the locator sees it; time in s after the caller's reference."""

    lat: float
    lon: float
    time_s: float
    sigma_s: float
    snr: float = 20.0
    second_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A live station without a pick, and the data times from and up to which it was quiet."""

    lat: float
    lon: float
    until_s: float
    since_s: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Hypocentre with its uncertainty; times in s after the caller's reference.

    The place is the mean of what is likely: nearest to the truth on average, though where much is
    open it need not fit the picks itself. ``best`` does: the single most likely (lat, lon, depth
    km, origin time s), with ``misfit_s``, its mean absolute residual. Whether picks belong
    together is asked there.
    """

    lat: float
    lon: float
    depth_km: float
    origin_time_s: float
    origin_time_sigma_s: float
    ellipse_major_km: float
    ellipse_minor_km: float
    ellipse_azimuth_deg: float
    z_sigma_km: float
    best: tuple[float, float, float, float]
    misfit_s: float
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
    travel_times : TravelTimesAt
        P and S tables; those of the place of the first pick are used.
    """

    def __init__(self, config: LocationConfig, travel_times: TravelTimesAt) -> None:
        self._config = config
        self._times = travel_times
        plane = rings(config.reach_km, config.ring_km, config.ring_growth)
        depths = np.asarray(config.depths_km)
        self._coarse = np.column_stack(
            [
                np.repeat(plane[:, 0], depths.size),
                np.repeat(plane[:, 1], depths.size),
                np.tile(depths, plane.shape[0]),
                np.repeat(cell_s(plane[:, 2]), depths.size),
            ]
        )
        # a density: cells weigh by their size
        thick = np.gradient(depths)
        self._ln_volume = np.repeat(2.0 * np.log(plane[:, 2]), depths.size) + np.tile(
            np.log(thick), plane.shape[0]
        )
        self._bottom_km = float(depths.max())
        self._edge_km = config.edge_km

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
        pick_array = np.empty((len(picks), 5))
        pick_array[:, 0], pick_array[:, 1] = project(
            lat0, lon0, [p.lat for p in picks], [p.lon for p in picks]
        )
        pick_array[:, 2] = [p.time_s for p in picks]
        pick_array[:, 3] = [p.sigma_s + config.weak_s / p.snr for p in picks]
        pick_array[:, 4] = [p.second_s for p in picks]
        silent_array = self._nearest_silent(lat0, lon0, silent)
        near_km = self._near_km(pick_array, silent_array)

        arrivals = _Arrivals(
            pick_array,
            silent_array,
            near_km,
            self._times.at(lat0, lon0),
            trench_near(lat0, lon0),
        )

        if near is not None:
            x, y = project(lat0, lon0, [near[0]], [near[1]])
            width_km = max(12.0, 3.0 * near[3])
            box = Box(float(x[0]), float(y[0]), near[2], 0.0, width_km, width_km, 0.0)
            found = self._refine(box, arrivals)
            if found is not None:
                return self._summarise(lat0, lon0, *found, arrivals)
        found = self._refine(self._search(arrivals), arrivals, may_fail=False)
        assert found is not None
        return self._summarise(lat0, lon0, *found, arrivals)

    # ------------------------------------------------------------------ parts

    def _search(self, arrivals: _Arrivals) -> Box:
        """Score the coarse grid; return the box that holds what is likely."""
        config = self._config
        few = _Arrivals(
            arrivals.picks[: config.coarse_picks],
            arrivals.silent[: config.coarse_silent],
            arrivals.near_km,
            arrivals.times,
            arrivals.trench,
        )
        nodes = self._coarse
        scores = self._score(nodes, few)
        best = nodes[int(np.argmax(scores[:, 0]))]
        likely = moments(nodes, probabilities(scores[:, 0] + self._ln_volume))
        spacing_km = config.ring_km + config.ring_growth * math.hypot(best[0], best[1])
        # never so narrow that the best node, or its neighbours, would lie outside
        least_km = 1.5 * spacing_km + math.hypot(best[0] - likely.x_km, best[1] - likely.y_km)
        return Box(
            likely.x_km,
            likely.y_km,
            likely.z_km,
            likely.angle,
            max(least_km, 3.0 * likely.major_km),
            max(least_km, 3.0 * likely.minor_km),
            2.5 * likely.z_sigma_km,
        )

    def _refine(
        self, box: Box, arrivals: _Arrivals, *, may_fail: bool = True
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Shrink a box round what is likely; return its nodes, weights and origin times.

        None where the best node of the first box lies on its rim (and ``may_fail``).
        """
        nodes = weights = times = np.empty(0)
        for level in range(_LEVELS):
            nodes = box.nodes(self._bottom_km)
            scores = self._score(nodes, arrivals)
            if level == 0 and may_fail and box.at_rim(nodes[int(np.argmax(scores[:, 0]))]):
                return None
            weights, times = probabilities(scores[:, 0]), scores[:, 1]
            likely = moments(nodes, weights)
            # the next box covers what is likely, and no less than one step of this one
            box = Box(
                likely.x_km,
                likely.y_km,
                likely.z_km,
                likely.angle,
                max(3.0 * likely.major_km, box.step_km),
                max(3.0 * likely.minor_km, box.step_km),
                max(2.0, 2.5 * likely.z_sigma_km),
            )
        return nodes, weights, times

    def _near_km(self, picks: FloatArray, silent: FloatArray) -> float:
        """Spacing of the network round the first station: distance of its sixth nearest.

        In a plane a station has six neighbours on average; nearer ones alone would measure a
        cluster, not the network.
        """
        config = self._config
        x = np.concatenate([picks[1:, 0], silent[:, 0]])
        y = np.concatenate([picks[1:, 1], silent[:, 1]])
        away_km = np.sort(np.hypot(x, y))
        least, most = config.near_km
        at = min(_NEIGHBOURS, away_km.size) - 1
        return float(np.clip(away_km[at], least, most)) if away_km.size else most

    def _score(self, nodes: FloatArray, arrivals: _Arrivals) -> FloatArray:
        config = self._config
        out = np.empty((nodes.shape[0], 2))
        log_likelihood(
            nodes,
            arrivals.times.p_table,
            arrivals.times.s_table,
            arrivals.picks,
            arrivals.silent,
            config.sigma_s,
            config.sigma_per_s,
            config.silent_sigma_s,
            config.silent_cap,
            config.s_sigma_s,
            config.s_sigma_per_s,
            config.s_odds,
            arrivals.near_km,
            config.near_power,
            out,
        )
        out[:, 0] += self._ln_depth(np.maximum(nodes[:, 2], 0.5))
        if arrivals.trench is not None:
            out[:, 0] += arrivals.trench.log_density(nodes[:, 0], nodes[:, 1])
        return out

    def _ln_depth(self, depth_km: FloatArray) -> FloatArray:
        """Log of the prior density of depth per km: the crust, and slabs below it."""
        config = self._config
        crust = _log_normal(depth_km, config.crust_km, config.crust_sigma)
        slab = _log_normal(depth_km, config.slab_km, config.slab_sigma)
        density: FloatArray = np.log(crust + config.slab_share * (slab - crust))
        return density

    def _nearest_silent(self, lat0: float, lon0: float, silent: Sequence[Silent]) -> FloatArray:
        if not silent:
            return np.empty((0, 4))
        x, y = project(lat0, lon0, [s.lat for s in silent], [s.lon for s in silent])
        until = np.array([s.until_s - self._config.silent_margin_s for s in silent])
        order = np.argsort(np.hypot(x, y), kind="stable")[: self._config.max_silent]
        since = np.array([s.since_s for s in silent])
        return np.column_stack([x[order], y[order], until[order], since[order]])

    def _summarise(
        self,
        lat0: float,
        lon0: float,
        samples: FloatArray,
        weights: FloatArray,
        times: FloatArray,
        arrivals: _Arrivals,
    ) -> Located:
        likely = moments(samples, weights)
        lat, lon = unproject(lat0, lon0, likely.x_km, likely.y_km)
        spread = times - mean(weights, times)
        origin_sigma = math.sqrt(mean(weights, spread * spread))
        outside = float(weights[np.hypot(samples[:, 0], samples[:, 1]) > self._edge_km].sum())
        # the time that belongs to this place: a mean of times belongs to none
        here = np.array([[likely.x_km, likely.y_km, likely.z_km, 0.0]])
        alone = replace(arrivals, silent=np.empty((0, 4)))
        origin = float(self._score(here, alone)[0, 1])
        model_km = self._config.model_km
        best = int(np.argmax(weights))
        x, y, z = (float(v) for v in samples[best, :3])
        away_km = np.hypot(arrivals.picks[:, 0] - x, arrivals.picks[:, 1] - y)
        predicted_s = times[best] + arrivals.times.p_s(away_km, z)
        return Located(
            lat=lat,
            lon=lon,
            depth_km=likely.z_km,
            origin_time_s=origin,
            origin_time_sigma_s=math.hypot(origin_sigma, self._config.model_s),
            ellipse_major_km=math.hypot(likely.major_km, model_km),
            ellipse_minor_km=math.hypot(likely.minor_km, model_km),
            ellipse_azimuth_deg=(90.0 - math.degrees(likely.angle)) % 180.0,
            z_sigma_km=math.hypot(likely.z_sigma_km, 0.5),
            best=(*unproject(lat0, lon0, x, y), z, float(times[best])),
            misfit_s=float(np.mean(np.abs(arrivals.picks[:, 2] - predicted_s))),
            on_edge=outside >= self._config.edge_share or likely.z_km >= 0.97 * self._bottom_km,
        )


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """All there is to go by: picks, silent stations, spacing round the first, times, a trench."""

    picks: FloatArray
    silent: FloatArray
    near_km: float
    times: TravelTimes
    trench: Trench | None


def _log_normal(x: FloatArray, median: float, sigma: float) -> FloatArray:
    """Density of the log-normal distribution."""
    z = np.log(x / median) / sigma
    density: FloatArray = np.exp(-0.5 * z * z) / (math.sqrt(2.0 * math.pi) * sigma * x)
    return density
