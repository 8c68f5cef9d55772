"""A rupture as a line: strike, length and position by the pattern of the shaking so far.

A light form of FinDer (Boese et al. 2012, doi:10.1111/j.1365-246X.2012.05657.x; 2018,
doi:10.1093/gji/ggx430): instead of templates of thresholded PGA, the peaks of all stations are
compared with the region's own ground-motion model by their distance to each of many lines
through the hypocentre. Where the strongest shaking cannot have passed yet (the rupture has not
come by, its S wave is on the way, the record is clipped), a peak is only a lower bound. Length and
magnitude hold together by Wells & Coppersmith (1994); a rupture is no longer than its front ran.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.core.config import LineConfig
from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.line_kernels import (
    DISTANCE_KNEE_KM,
    DISTANCE_STEP,
    LineRules,
    LineTable,
    fit_lines,
)
from eew.core.shaken import Shaken
from eew.physics.geo import destination
from eew.physics.shaking import ShakingModel, shaking_model
from eew.tables import load_table

__all__ = ["Line", "LineFit", "due_s", "fit_line"]

FloatArray = NDArray[np.float64]
Line = tuple[float, float, float, float]

_STEP = 0.1  # of magnitude
_AXIS = np.round(np.arange(5.0, 9.91, _STEP), 2)  # rows of the tables
_AROUND = 6  # rows tried on each side of what a length lets expect: twice its scatter
_DISTANCES_KM = DISTANCE_KNEE_KM * (np.exp(np.arange(104) * DISTANCE_STEP) - 1.0)  # to 860 km
# Few ruptures begin outside their large slip (Mai, Spudich & Boatwright 2005,
# doi:10.1785/0120040111): taken as one in twenty.
_LN_BESIDE = -3.0
_TAIL = 8.0  # least slope of the likelihood per magnitude beyond the lines tried


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineFit:
    """What the shaking so far says of a line source.

    Attributes
    ----------
    evidence : Evidence
        For the magnitude: at each the likelier of point and line, the line less ``needed``.
    lines : numpy.ndarray, shape (len(_AXIS), 3)
        Best line for each magnitude tried: strike (rad), length (km), share ahead.
    gain : numpy.ndarray, shape (len(_AXIS),)
        Log-likelihood of that line over that of the point source; -inf where none was tried.
    needed : float
        Gain from which a line is worth its three parameters.
    """

    evidence: Evidence
    lat: float
    lon: float
    lines: FloatArray
    gain: FloatArray
    needed: float

    def gain_at(self, magnitude: float) -> float:
        """Return the log-likelihood over the point source's at a magnitude."""
        return float(self.gain[_row(magnitude)])

    def line_at(self, magnitude: float) -> Line | None:
        """Return both ends of the best line for a magnitude; None where none was tried."""
        row = _row(magnitude)
        if not math.isfinite(self.gain[row]):
            return None
        strike_rad, length_km, ahead = self.lines[row]
        strike_deg = math.degrees(strike_rad)
        lat1, lon1 = destination(self.lat, self.lon, strike_deg, length_km * ahead)
        back_km = length_km * (1.0 - ahead)
        lat2, lon2 = destination(self.lat, self.lon, (strike_deg + 180.0) % 360.0, back_km)
        # as it is sent (1.1 km), so that everybody sees what a device sees
        ends = (round(float(one), 2) for one in (lat1, lon1, lat2, lon2))
        return next(ends), next(ends), next(ends), next(ends)


def fit_line(shaken: Shaken, model: ShakingModel, config: LineConfig) -> LineFit | None:
    """Search the line that explains the peaks so far.

    Returns
    -------
    LineFit or None
        None with fewer than ``min_stations`` stations whose strongest motion has come.
    """
    use = shaken.heard_slow & (shaken.distance_km <= config.max_km)
    passed = shaken.since_origin_s >= due_s(shaken.distance_km, shaken.depth_km, config)
    if int((use & passed & ~shaken.clipped).sum()) < config.min_stations:
        return None  # lower bounds alone say nothing
    peaks = _Peaks.of(shaken, use, model)
    age_s = float(peaks.since_s.max())
    reach_km = config.rupture_km_s * age_s

    search = _Search(peaks, model, shaken.depth_km, config)
    strikes = np.radians(np.arange(0.0, 180.0, config.strike_step_deg))
    lengths = config.shortest_km * config.length_factor ** np.arange(config.n_lengths, dtype=float)
    search.try_lines(
        _grid(strikes, lengths, np.array([-0.5, 0.0, 0.5, 1.0, 1.5]), reach_km), step=3
    )
    strike, length_km, ahead = search.best
    step = math.radians(config.strike_step_deg)
    search.try_lines(
        _grid(
            strike + step * np.array([-0.6, -0.3, 0.0, 0.3, 0.6]),
            length_km * config.length_factor ** np.array([-0.67, -0.33, 0.0, 0.33, 0.67]),
            ahead + np.array([-0.33, -0.17, 0.0, 0.17, 0.33]),
            reach_km,
        ),
        step=1,
    )
    n = int(use.sum())
    point = search.point_score()
    needed = 1.5 * math.log(n)  # three parameters, by Schwarz (1978, doi:10.1214/aos/1176344136)
    either = np.maximum(point, search.score - needed)
    _, length_km, ahead = search.best
    runs_s = length_km * max(ahead, 1.0 - ahead) / config.rupture_km_s
    return LineFit(
        evidence=Evidence(
            name="line",
            log_likelihood=_on_common_axis(either, peaks.independent(config.alike_km)),
            n_stations=n,
            is_lower_bound=age_s < runs_s + config.rise_s,
        ),
        lat=shaken.lat,
        lon=shaken.lon,
        lines=search.lines,
        gain=search.score - point,
        needed=needed,
    )


def due_s(distance_km: FloatArray, depth_km: float, config: LineConfig) -> FloatArray:
    """When the strongest motion of a source has come at distances, s after it broke."""
    way_km = np.hypot(distance_km, depth_km)
    due: FloatArray = way_km / config.s_km_s + config.rise_s + config.rise_s_per_km * distance_km
    return due


# ---------------------------------------------------------------------- parts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Peaks:
    """The stations used, as the kernel wants them; on the model's default ground."""

    x_km: FloatArray
    y_km: FloatArray
    ln_pga: FloatArray
    ln_pgv: FloatArray
    since_s: FloatArray  # -inf where the record is clipped: it never says more than "at least"

    @classmethod
    def of(cls, shaken: Shaken, use: NDArray[np.bool_], model: ShakingModel) -> _Peaks:
        azimuth = np.radians(shaken.azimuth_deg[use])
        on_pga, on_pgv = shaken.ground(use, model)
        return cls(
            x_km=shaken.distance_km[use] * np.sin(azimuth),
            y_km=shaken.distance_km[use] * np.cos(azimuth),
            ln_pga=np.log(shaken.pga_mps2[use]) - on_pga,
            ln_pgv=np.log(shaken.pgv_mps[use]) - on_pgv,
            since_s=np.where(shaken.clipped[use], -np.inf, shaken.since_origin_s[use]),
        )

    def independent(self, alike_km: float) -> float:
        """Share of the records that say something of their own: neighbours count as one."""
        away_km = np.hypot(
            self.x_km[:, None] - self.x_km[None, :], self.y_km[:, None] - self.y_km[None, :]
        )
        return float((1.0 / (away_km < alike_km).sum(axis=1)).mean())


class _Search:
    """The best line for each magnitude of the axis among all that were tried."""

    def __init__(
        self, peaks: _Peaks, model: ShakingModel, depth_km: float, config: LineConfig
    ) -> None:
        self._peaks = peaks
        depth_km = max(depth_km, 0.0)
        self._line_table, self._point_table = _tables(
            model.name, round(depth_km), config.phi2_over_tau2
        )
        self._rules = LineRules(
            config.phi2_over_tau2,
            depth_km,
            config.rupture_km_s,
            config.s_km_s,
            config.rise_s,
            config.rise_s_per_km,
        )
        self.score: FloatArray = np.full(_AXIS.size, -np.inf)
        self.lines: FloatArray = np.zeros((_AXIS.size, 3))

    @property
    def best(self) -> FloatArray:
        """The best line of all: strike (rad), length (km), share ahead."""
        line: FloatArray = self.lines[int(np.argmax(self.score))]
        return line

    def try_lines(self, lines: FloatArray, step: int) -> None:
        """Try lines at the magnitudes that their lengths let expect, and keep what is better.

        ``step`` is that of the magnitudes, in rows of the axis.
        """
        a, b = _rupture()["log10_length"]
        log_length = np.log10(lines[:, 1])
        rows = np.arange(0, 2 * _AROUND + 1, step)
        centre = np.rint(((log_length - a) / b - _AXIS[0]) / _STEP).astype(np.int64)
        first = np.clip(centre - _AROUND, 0, _AXIS.size - 1 - 2 * _AROUND)
        expected = a + b * _AXIS[first[:, None] + rows]
        off = (log_length[:, None] - expected) / _rupture()["sigma_log10_length"]
        best = np.full(_AXIS.size, -1, dtype=np.int64)
        beside = (lines[:, 2] < 0.0) | (lines[:, 2] > 1.0)
        prior = -0.5 * off * off + np.where(beside, _LN_BESIDE, 0.0)[:, None]
        self._score(lines, first, step, prior, self._line_table, self.score, best)
        better = best >= 0
        self.lines[better] = lines[best[better]]

    def point_score(self) -> FloatArray:
        """Log-likelihood of the point source: a line without length, in the point's own table."""
        score = np.full(_AXIS.size, -np.inf)
        best = np.zeros(_AXIS.size, dtype=np.int64)
        none = np.zeros((1, _AXIS.size))
        first = np.zeros(1, dtype=np.int64)
        self._score(np.zeros((1, 3)), first, 1, none, self._point_table, score, best)
        return score

    def _score(
        self,
        lines: FloatArray,
        first: NDArray[np.int64],
        step: int,
        prior: FloatArray,
        table: LineTable,
        score: FloatArray,
        best: NDArray[np.int64],
    ) -> None:
        at = self._peaks
        where = at.x_km, at.y_km, at.ln_pga, at.ln_pgv, at.since_s
        fit_lines(lines, first, step, prior, *where, table, self._rules, score, best)


def _grid(
    strikes: FloatArray, lengths: FloatArray, aheads: FloatArray, reach_km: float
) -> FloatArray:
    """All lines of these whose ends the rupture can have reached; the shortest at least."""
    lines = np.array(np.meshgrid(strikes, lengths, aheads, indexing="ij")).reshape(3, -1).T
    runs_km = lines[:, 1] * np.maximum(lines[:, 2], 1.0 - lines[:, 2])
    possible = (runs_km <= reach_km) | (lines[:, 1] <= lengths.min())
    return np.ascontiguousarray(lines[possible])


def _on_common_axis(score: FloatArray, independent: float) -> FloatArray:
    """Profile over the common magnitudes; ``independent`` is the share of independent records."""
    tried = np.flatnonzero(np.isfinite(score))
    inside = np.interp(MAGNITUDES, _AXIS[tried], independent * score[tried])
    below = np.minimum(MAGNITUDES - _AXIS[tried[0]], 0.0)
    above = np.minimum(_AXIS[tried[-1]] - MAGNITUDES, 0.0)
    profile: FloatArray = inside + _TAIL * (below + above)
    return profile


def _row(magnitude: float) -> int:
    return min(max(round((magnitude - float(_AXIS[0])) / _STEP), 0), _AXIS.size - 1)


@cache
def _rupture() -> dict[str, Any]:
    table: dict[str, Any] = load_table("groundmotion")["rupture"]
    return table


@lru_cache(maxsize=64)
def _tables(model_name: str, depth_km: int, phi2_over_tau2: float) -> tuple[LineTable, LineTable]:
    """Medians beside a line and round a point, by magnitude and distance."""
    model = shaking_model(model_name)
    tables = []
    within = math.sqrt(phi2_over_tau2 / (1.0 + phi2_over_tau2))
    for ask in (model.predict_beside_line, model.predict):
        motion = ask(_AXIS, float(depth_km), _DISTANCES_KM[:, None])
        tables.append(
            LineTable(
                np.log(motion.pga_mps2),
                np.log(motion.pgv_mps),
                # one scatter for both: what a line explains better must show in the residuals
                within * _typical_sigma(model, "sigma_ln_pga"),
                within * _typical_sigma(model, "sigma_ln_pgv"),
            )
        )
    return tables[0], tables[1]


def _typical_sigma(model: ShakingModel, measure: str) -> float:
    return float(getattr(model.predict_beside_line(7.0, 10.0, 50.0), measure))
