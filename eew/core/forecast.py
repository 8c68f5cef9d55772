"""What an event lets places expect: line or point, corrected by what was seen, and PLUM beside it.

The correction is the event's own term as a random effect: the mean residual of the stations that
have been shaken, shrunk by n / (n + phi^2 / tau^2) (Abrahamson & Youngs 1992, BSSA 82, 505-510).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.core.config import DetectorConfig, ForecastConfig
from eew.core.event_state import EventState
from eew.core.evidence import Evidence
from eew.core.line_source import Line, LineFit, due_s, fit_line
from eew.core.network import Network
from eew.core.plum import Plum
from eew.core.shaken import Shaken, observed_intensity, shaken_by
from eew.core.shaking_history import ShakingHistory
from eew.model.alert import AlertPrediction, ObservedShaking
from eew.physics.forecast import from_source, site_shift, source_distance_km
from eew.physics.geo import epicentral_distance_km
from eew.physics.shaking import ShakingModel, shaking_model_at

__all__ = ["Forecaster", "Outlook", "event_term", "prediction_of"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_NS = 1_000_000_000
_CLASSES = range(3, 10)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """What is known of an event's shaking beside its origin and magnitude.

    Attributes
    ----------
    from_source, forecast : numpy.ndarray, shape (n_stations,)
        Intensity at the stations, on the model's default ground: from the source alone, and
        with what is seen nearby.
    """

    line: Line | None
    correction: float
    observed: tuple[ObservedShaking, ...]
    from_source: FloatArray
    forecast: FloatArray


class Forecaster:
    """Follows the shaking of one event.

    Parameters
    ----------
    network, history, plum : Network, ShakingHistory, Plum
        Shared by all events.
    vs30_mps : numpy.ndarray, shape (n_stations,)
        NaN where unknown.
    """

    def __init__(
        self,
        network: Network,
        history: ShakingHistory,
        plum: Plum,
        vs30_mps: FloatArray,
        config: DetectorConfig,
    ) -> None:
        self._network, self._history, self._plum = network, history, plum
        self._vs30 = vs30_mps
        self._config = config
        self._fit: LineFit | None = None
        self._fitted_ns: int | None = None
        self._uses_line = False
        self._looked_ns = 0
        self.outlook: Outlook | None = None

    def evidence(self, event: EventState, magnitude: float, now_ns: int) -> Evidence | None:
        """Return what the shaking of point or line says; sought anew every ``every_s``."""
        config = self._config.line
        if magnitude < config.search_magnitude:
            return None
        last = self._fitted_ns
        if last is None or now_ns - last >= round(config.every_s * _NS):
            self._fitted_ns = now_ns
            model = shaking_model_at(event.located.lat, event.located.lon)
            self._fit = fit_line(self._shaken(event), model, config)
        return None if self._fit is None else self._fit.evidence

    def look(
        self, event: EventState, magnitude: float, others: FloatArray | None, now_ns: int
    ) -> Outlook:
        """Renew the outlook, at most every ``every_s``.

        Parameters
        ----------
        magnitude : float
            The event's, from all evidence.
        others : numpy.ndarray, shape (n_stations,), optional
            What other announced events let expect: what is seen goes to the event that expects
            most.
        """
        every_ns = round(self._config.line.every_s * _NS)
        if self.outlook is not None and now_ns - self._looked_ns < every_ns:
            return self.outlook
        self._looked_ns = now_ns
        shaken = self._shaken(event)
        model = shaking_model_at(event.located.lat, event.located.lon)
        line = self._line(magnitude)
        bare = _bare(model, line)
        distance_km = source_distance_km(
            bare, shaken.lat, shaken.lon, self._network.lat, self._network.lon
        )
        source = magnitude, shaken.depth_km, distance_km
        median = from_source(model, bare, *source).intensity
        shift = site_shift(model, bare, *source, self._vs30)
        seen = observed_intensity(model, shaken.peaks)
        passed = shaken.heard & ~shaken.clipped & self._has_passed(shaken, line, distance_km)
        correction = event_term(
            seen - median - shift,
            passed & (distance_km <= self._config.forecast.max_km),
            np.maximum(seen, median + shift),
            self._config.forecast,
        )
        expected = model.on_scale(median + correction)
        observed, forecast = self._nearby(event, model, shift, expected, others)
        self.outlook = Outlook(
            line=line,
            correction=correction,
            observed=observed,
            from_source=expected,
            forecast=forecast,
        )
        return self.outlook

    # ------------------------------------------------------------------ parts

    def _shaken(self, event: EventState) -> Shaken:
        return shaken_by(event, self._network, self._history, self._vs30, self._config.forecast)

    def _line(self, magnitude: float) -> Line | None:
        """Take the line where it explains the shaking better than a point by more than it costs.

        Once said it stays until the point is the better one: no flicker between the two.
        """
        fit = self._fit
        if fit is None or magnitude < self._config.line.min_magnitude:
            self._uses_line = False
            return None
        self._uses_line = fit.gain_at(magnitude) >= (0.0 if self._uses_line else fit.needed)
        return fit.line_at(magnitude) if self._uses_line else None

    def _has_passed(self, shaken: Shaken, line: Line | None, distance_km: FloatArray) -> BoolArray:
        """Tell where the strongest motion has come, as the line's kernel does."""
        config = self._config.line
        broke_s = np.zeros(distance_km.size)
        if line is not None:
            # the nearest point of the line, seen from the hypocentre, by the cosine law's bound:
            # no further along than the station is away
            broke_s = np.minimum(shaken.distance_km, _length_km(line)) / config.rupture_km_s
        after_s = broke_s + due_s(distance_km, shaken.depth_km, config)
        passed: BoolArray = shaken.past_s & (shaken.since_origin_s >= after_s)
        return passed

    def _nearby(
        self,
        event: EventState,
        model: ShakingModel,
        shift: FloatArray,
        expected: FloatArray,
        others: FloatArray | None,
    ) -> tuple[tuple[ObservedShaking, ...], FloatArray]:
        history = self._history
        newest_ns = int(history.end_ns.max())
        from_ns = newest_ns - round(self._config.plum.window_s * _NS)
        now = observed_intensity(model, history.between(from_ns, newest_ns)) - shift
        now = model.on_scale(now)
        reached = history.end_ns - event.origin_time_ns > event.p_s * _NS
        reached &= ~self._network.held
        if others is not None:
            reached &= expected >= others
        seen = np.where(reached, now, -np.inf)
        return self._plum.choose(self._plum.confirmed(seen), expected)


def event_term(
    residuals: FloatArray, passed: BoolArray, largest: FloatArray, config: ForecastConfig
) -> float:
    """Mean residual of the stations that have been shaken, shrunk towards none.

    Parameters
    ----------
    residuals : numpy.ndarray, shape (n,)
        Intensity seen less intensity predicted.
    passed : numpy.ndarray of bool, shape (n,)
        Stations whose strongest motion has come.
    largest : numpy.ndarray, shape (n,)
        The larger of seen and predicted: chosen by both, so that the choice has no side.

    Returns
    -------
    float
        Intensity, within ``max_correction``; 0 with fewer than ``min_stations``.
    """
    use = np.flatnonzero(passed & (largest >= config.min_intensity))
    if use.size < config.min_stations:
        return 0.0
    values = residuals[use]
    centre = float(np.median(values))
    # a wrong gain pulls no more than the limit (Huber 1964)
    for _ in range(3):
        held = np.clip(values - centre, -config.outlier, config.outlier)
        centre += float(held.sum()) / use.size
    shrunk = centre * use.size / (use.size + config.phi2_over_tau2)
    return round(min(max(shrunk, -config.max_correction), config.max_correction), 2) + 0.0


def prediction_of(
    model: ShakingModel, magnitude: float, depth_km: float, outlook: Outlook | None
) -> AlertPrediction:
    """Put the forecast into the words of a message."""
    line = None if outlook is None else outlook.line
    correction = 0.0 if outlook is None else outlook.correction
    observed = () if outlook is None else outlook.observed
    bare = _bare(model, line)
    at_source = from_source(model, bare, magnitude, depth_km, 0.0).intensity + correction
    radii = model.radii_km(
        _CLASSES, magnitude, depth_km, correction=correction, from_line=line is not None
    )
    return AlertPrediction(
        scale=model.scale,
        relation=model.name,
        max_intensity=max(
            float(model.on_scale(at_source)), *(one.intensity for one in observed), -10.0
        ),
        radii_km={int(k): float(v) for k, v in radii.items() if v > 0.0},
        line=line,
        correction=correction,
        observed=observed,
    )


def _bare(model: ShakingModel, line: Line | None) -> AlertPrediction:
    return AlertPrediction(
        scale=model.scale, relation=model.name, max_intensity=0.0, radii_km={}, line=line
    )


def _length_km(line: Line) -> float:
    return float(epicentral_distance_km(*line))
