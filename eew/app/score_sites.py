"""Every station of a folder as a place: what was predicted there, what came, and the word for it.

Predictions are those a device at the station would have made of each message, observations those
of the station's own record.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clients.locality import SharedEstimator
from eew.app.observations import IMPLAUSIBLE_FACTOR, S_RECORDED_S
from eew.app.scoring import MAX_COMPARED_KM, MIN_COMPARED_INTENSITY
from eew.clock import NS_PER_S
from eew.messages.prediction_model import model_of
from eew.model.alert import AlertMessage
from eew.model.waveform import Recording, Station, Truth
from eew.physics.forecast import from_source, source_distance_km
from eew.physics.geo import epicentral_distance_km
from eew.physics.shaking import ShakingModel, ShakingPrediction
from eew.report.score_result import SiteResult, StationScore
from simulator.outcome import site_outcome
from simulator.record import (
    Exceedance,
    RecordState,
    StationMotion,
    running_intensity,
    state_of,
)
from simulator.score_rules import ScoreRules
from simulator.truth import arrivals_s


def score_stations(
    recording: Recording,
    messages: Sequence[AlertMessage],
    *,
    primary: str | None,
    model: ShakingModel,
) -> tuple[StationScore, ...]:
    """Score each station; empty without truth.

    Parameters
    ----------
    messages : sequence of AlertMessage
        All messages of the run, in order.
    primary : str or None
        The event that stands for the quake.
    model : ShakingModel
        Gives the scale, and turns observed motion into intensity.
    """
    truth, rules = recording.truth, ScoreRules.load()
    if truth is None:
        return ()
    warnings = _Warnings(recording.stations, messages, primary)
    rows = []
    for index, (station, p_s, s_s) in enumerate(
        zip(recording.stations, *arrivals_s(recording), strict=True)
    ):
        p_ns = truth.origin_time_ns + round(float(p_s) * NS_PER_S)
        until_ns = truth.origin_time_ns + round((float(s_s) + S_RECORDED_S) * NS_PER_S)
        motion = StationMotion.of(
            station, recording.segments, quiet_until_ns=p_ns - round(rules.noise_gap_s * NS_PER_S)
        )
        state = state_of(motion, p_ns=p_ns, until_ns=until_ns, rules=rules)
        exceedance = None
        if motion is not None and state is RecordState.GOOD:
            from_ns = p_ns - round(rules.before_p_s * NS_PER_S)
            exceedance = running_intensity(motion, model, from_ns=from_ns)
        rows.append(_station(station, index, state, exceedance, truth, model, warnings, rules))
    return tuple(rows)


def _station(
    station: Station,
    index: int,
    state: RecordState,
    came: Exceedance | None,
    truth: Truth,
    model: ShakingModel,
    warnings: _Warnings,
    rules: ScoreRules,
) -> StationScore:
    distance_km = float(epicentral_distance_km(truth.lat, truth.lon, station.lat, station.lon))
    right = model.predict(truth.magnitude, truth.depth_km, distance_km, station.vs30_mps)
    if came is not None and _is_implausible(came.pga_mps2, right):
        state, came = RecordState.IMPLAUSIBLE, None
    score = StationScore(
        station=station.code,
        lat=station.lat,
        lon=station.lon,
        distance_km=distance_km,
        state=state.value,
    )
    if came is None:
        return score
    predicted, predicted_pga_mps2 = warnings.last(index)
    sites = {}
    for threshold in rules.thresholds:
        told_ns, by_match = warnings.told(index, threshold)
        outcome, warning_s = site_outcome(
            threshold=threshold,
            told_ns=told_ns,
            told_by_match=by_match,
            reached_ns=came.reached_ns(threshold),
            observed=came.largest,
        )
        sites[threshold] = SiteResult(outcome=outcome.value, warning_s=warning_s)
    return replace(
        score,
        observed=came.largest,
        observed_pga_mps2=came.pga_mps2,
        predicted=predicted,
        predicted_pga_mps2=predicted_pga_mps2,
        true_predicted=float(right.intensity),
        true_pga_mps2=float(right.pga_mps2),
        compared=predicted is not None
        and distance_km <= MAX_COMPARED_KM
        and max(predicted, came.largest) >= MIN_COMPARED_INTENSITY,
        sites=sites,
    )


def _is_implausible(pga_mps2: float, right: ShakingPrediction) -> bool:
    """Tell whether a record is off what the true source gives, as far as the model reaches."""
    if not bool(right.valid):
        return False
    if pga_mps2 <= 0.0:
        return True
    off = math.log(pga_mps2 / float(right.pga_mps2))
    return abs(off) > math.log(IMPLAUSIBLE_FACTOR)


class _Warnings:
    """What each message means at each station, and when each threshold was first predicted."""

    def __init__(
        self, stations: Sequence[Station], messages: Sequence[AlertMessage], primary: str | None
    ) -> None:
        self._stations = stations
        self._messages = [one for one in messages if one.cancel_reason is None]
        self._primary = primary
        estimator = SharedEstimator()
        for station in stations:
            estimator.add(station.lat, station.lon, station.vs30_mps)
        n = len(stations)
        self._intensity = np.array(
            [
                [estimator.estimate(message, index).intensity for index in range(n)]
                for message in self._messages
            ]
        ).reshape(len(self._messages), n)

    def told(self, index: int, threshold: float) -> tuple[int | None, bool]:
        """Return when the threshold was first predicted for a station, and whether rightly.

        Messages of the quake's own event count first; those of others only where it gave none.
        """
        for own in (True, False):
            for row, message in enumerate(self._messages):
                mine = message.event_id == self._primary
                if mine is own and self._intensity[row, index] >= threshold:
                    return message.issued_ns, own
        return None, False

    def last(self, index: int) -> tuple[float | None, float | None]:
        """Return intensity and PGA (m/s**2) that the event's last message predicts at a station."""
        rows = [n for n, one in enumerate(self._messages) if one.event_id == self._primary]
        if not rows:
            return None, None
        message, station = self._messages[rows[-1]], self._stations[index]
        origin = message.origin
        prediction = message.prediction
        motion = from_source(
            model_of(prediction),
            prediction,
            message.magnitude.value,
            origin.depth_km,
            source_distance_km(prediction, origin.lat, origin.lon, station.lat, station.lon),
            station.vs30_mps,
        )
        return float(self._intensity[rows[-1], index]), float(motion.pga_mps2)
