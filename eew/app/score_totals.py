"""Totals over folders: medians and tails, noise, honesty of uncertainties, shaking, places.

Everything is ready for JSON: numbers rounded to what they carry, None where nothing is known.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from eew.report.score_result import (
    MOMENTS,
    OUTCOMES,
    FolderScore,
    ScoreSettings,
    Snapshot,
    StationScore,
)
from eew.report.statistics import bias_and_sigma
from eew.report.summary import number
from simulator.outcome import cost_score
from simulator.truth import Outcome

LARGE = 7.0  # magnitudes below this are a group of their own: no relation saturates there
RELIABILITY_MOMENTS = ("first", "+5", "final")
_ERRORS: dict[str, Callable[[Snapshot], float | None]] = {
    "epicentre_km": lambda one: one.epicentre_km,
    "best_epicentre_km": lambda one: one.best_epicentre_km,
    "depth_km": lambda one: abs(one.depth_km),
    "origin_time_s": lambda one: abs(one.origin_time_s),
    "magnitude": lambda one: abs(one.magnitude),
}


def totals(scores: Sequence[FolderScore], settings: ScoreSettings) -> dict[str, Any]:
    """Return the totals of a score."""
    quakes = [one for one in scores if one.expected]
    stations = [station for one in quakes for station in one.stations]
    return {
        "folders": len(scores),
        "quakes": len(quakes),
        "detected": sum(one.detected for one in quakes),
        "not_detected": [one.name for one in quakes if not one.detected],
        "events": {
            **{
                name: sum(getattr(one.events, name) for one in scores)
                for name in ("alerted", "matched", "split", "merged", "phantom", "withdrawn")
            },
            "phantom_after_quake": sum(p.after_quake for one in scores for p in one.phantoms),
        },
        "noise": _noise(scores),
        "all": _group(quakes),
        "in_network": _group([one for one in quakes if _is_inside(one)]),
        "edge": _group([one for one in quakes if not _is_inside(one)]),
        "below_m7": _group([one for one in quakes if one.truth and one.truth.magnitude < LARGE]),
        "reliability": _reliability(quakes),
        "shaking": {**shaking(stations), **_shaking_per_folder(quakes)},
        "sites": sites(stations, settings),
        "published": _published(quakes),
    }


def spread(values: Iterable[float | None], *, digits: int = 2) -> dict[str, float | int | None]:
    """Return count, median, 75th and 95th percentile (linear) of the values that are known."""
    known = [value for value in values if value is not None]
    if not known:
        return {"n": 0, "p50": None, "p75": None, "p95": None}
    p50, p75, p95 = np.percentile(np.asarray(known, dtype=np.float64), [50.0, 75.0, 95.0])
    return {
        "n": len(known),
        "p50": number(float(p50), digits),
        "p75": number(float(p75), digits),
        "p95": number(float(p95), digits),
    }


def shaking(stations: Sequence[StationScore]) -> dict[str, Any]:
    """Return residuals (predicted minus observed) over stations, and who was left out and why.

    ``true_source`` holds the same for the prediction from the catalogue's source: what is left
    there belongs to the ground-motion model and the ground, not to the detector.
    """
    compared = [one for one in stations if one.compared]
    residuals = [_minus(one.predicted, one.observed) for one in compared]
    ln_pga = [_ln_ratio(one.predicted_pga_mps2, one.observed_pga_mps2) for one in compared]
    true = [_minus(one.true_predicted, one.observed) for one in compared]
    true_ln_pga = [_ln_ratio(one.true_pga_mps2, one.observed_pga_mps2) for one in compared]
    left_out = Counter(one.state for one in stations if one.state != "good")
    return {
        "n": len(compared),
        **_named("bias", "sigma", residuals),
        **_named("ln_pga_bias", "ln_pga_sigma", ln_pga),
        "true_source": {
            **_named("bias", "sigma", true),
            **_named("ln_pga_bias", "ln_pga_sigma", true_ln_pga),
        },
        "left_out": dict(sorted(left_out.items())),
    }


def sites(stations: Sequence[StationScore], settings: ScoreSettings) -> dict[str, Any]:
    """Return per threshold how many places got which word, their warning times and Q."""
    found: dict[str, Any] = {}
    for threshold in settings.thresholds:
        rows = [one.sites[threshold] for one in stations if threshold in one.sites]
        counts = Counter(row.outcome for row in rows)
        timely = [row.warning_s for row in rows if row.outcome == Outcome.TIMELY.value]
        found[f"{threshold:g}"] = {
            **{word: counts[word] for word in OUTCOMES},
            "warning_s": spread(timely, digits=1),
            "q": number(
                cost_score(
                    {word: counts[word.value] for word in Outcome}, settings.damage_to_action
                ),
                3,
            ),
        }
    return found


# ---------------------------------------------------------------------- parts


def _is_inside(score: FolderScore) -> bool:
    return score.network is not None and score.network.in_network


def _noise(scores: Sequence[FolderScore]) -> dict[str, Any]:
    hours = sum(one.quiet_s for one in scores) / 3600.0
    events = sum(one.quiet_false for one in scores)
    # largest rate with which so few events are still 5 % likely (Poisson)
    most = float(gammaincinv(events + 1, 0.95))
    return {
        "hours": number(hours, 4),
        "false_events": events,
        "per_hour": number(events / hours, 3) if hours else None,
        "per_hour_95_upper": number(most / hours, 3) if hours else None,
    }


def _group(scores: Sequence[FolderScore]) -> dict[str, Any]:
    found = [one for one in scores if one.detected]
    before = [floor[3] < 0.0 for one in found if len(floor := one.minus_observed_floor_s()) >= 4]
    return {
        "quakes": len(scores),
        "detected": len(found),
        "names": [one.name for one in scores],
        "first_alert_s": spread(one.first_alert_s for one in found),
        # the 4th P: what systems wait for that want four stations
        "alert_minus_floor_s": {
            "truth": spread(_nth(one.minus_floor_s(), 4) for one in found),
            "observed": spread(_nth(one.minus_observed_floor_s(), 4) for one in found),
        },
        "alerts_before_4th_observed_p": sum(before),
        "errors": {
            moment: {
                name: spread(value(one.snapshots[moment]) for one in found)
                for name, value in _ERRORS.items()
            }
            for moment in MOMENTS
        },
    }


def _nth(values: Sequence[float], n: int) -> float | None:
    return values[n - 1] if len(values) >= n else None


def _reliability(scores: Sequence[FolderScore]) -> dict[str, Any]:
    """Return which share of truths lies inside one stated sigma, by moment and quantity."""
    found: dict[str, Any] = {}
    for name, moments in {
        **{moment: (moment,) for moment in RELIABILITY_MOMENTS},
        "together": RELIABILITY_MOMENTS,
    }.items():
        sigmas: dict[str, list[float]] = {}
        for one in scores:
            for moment in moments:
                if moment in one.snapshots:
                    for quantity, value in one.snapshots[moment].sigmas.items():
                        sigmas.setdefault(quantity, []).append(value)
        found[name] = {
            quantity: {"n": len(values), "inside": number(float(np.mean(np.array(values) <= 1)), 3)}
            for quantity, values in sorted(sigmas.items())
        }
    return found


def _shaking_per_folder(scores: Sequence[FolderScore]) -> dict[str, Any]:
    """Return medians over quakes: pooled residuals belong to the quakes with most stations."""
    rows = [part for one in scores if (part := shaking(one.stations))["n"] >= 3]
    return {
        "per_quake": {
            "bias_size": spread(abs(row["bias"]) for row in rows),
            "sigma": spread(row["sigma"] for row in rows),
        }
    }


def _published(scores: Sequence[FolderScore]) -> dict[str, Any]:
    """Set our figures beside those of each detector, over the folders that it has figures of."""
    detectors = sorted({row.detector for one in scores for row in one.published})
    return {name: _beside(scores, name) for name in detectors}


def _beside(scores: Sequence[FolderScore], detector: str) -> dict[str, Any]:
    pairs = [(one, row) for one in scores for row in one.published if row.detector == detector]
    earlier_s = {one.name: earlier(one, row.t_s) for one, row in pairs}
    keys = sorted({key for _, row in pairs for key in row.figures})
    return {
        "folders": len(pairs),
        "detected": sum(one.detected for one, _ in pairs),
        "earlier": sum(value is not None and value > 0.0 for value in earlier_s.values()),
        "not_earlier": [name for name, value in earlier_s.items() if value is None or value <= 0.0],
        "earlier_s": spread(earlier_s.values()),
        "theirs": {
            "t_s": spread(row.t_s for _, row in pairs),
            **{
                key: spread(abs(row.figures[key]) for _, row in pairs if key in row.figures)
                for key in keys
            },
        },
        "ours": {
            "t_s": spread(one.first_alert_s for one, _ in pairs),
            **{
                f"{name}_{moment}": spread(
                    value(one.snapshots[moment]) for one, _ in pairs if one.detected
                )
                for name in ("epicentre_km", "magnitude")
                for moment in ("first", "+5", "final")
                for value in [_ERRORS[name]]
            },
        },
    }


def earlier(score: FolderScore, t_s: float) -> float | None:
    """Return how much earlier than another's publication our first alert was, s."""
    return None if score.first_alert_s is None else t_s - score.first_alert_s


def _minus(a: float | None, b: float | None) -> float:
    assert a is not None
    assert b is not None
    return a - b


def _ln_ratio(a: float | None, b: float | None) -> float:
    assert a is not None
    assert b is not None
    return math.log(a / b)


def _named(bias: str, sigma: str, residuals: Sequence[float]) -> Mapping[str, float | None]:
    values = bias_and_sigma(residuals)
    return {bias: number(values[0], 3), sigma: number(values[1], 3)}
