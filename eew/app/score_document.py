"""The score as one JSON document, schema ``eew.score/1``: figures, and no waveforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eew.app.score_totals import earlier, shaking, sites, totals
from eew.report.score_compare import SCORE_SCHEMA
from eew.report.score_result import FolderScore, PublishedFigures, ScoreSettings, Snapshot
from eew.report.summary import number, truth_figures
from eew.report.times import utc


def score_document(scores: Sequence[FolderScore], settings: ScoreSettings) -> dict[str, Any]:
    """Return everything that a score found out, by folder and in total."""
    return {
        "schema": SCORE_SCHEMA,
        "settings": {
            "packet_s": settings.packet_s,
            "delay_s": settings.delay_s,
            "seed": settings.seed,
            "version": settings.version,
            "damage_to_action": settings.damage_to_action,
        },
        "folders": {one.name: _folder(one, settings) for one in scores},
        "totals": totals(scores, settings),
    }


def _folder(score: FolderScore, settings: ScoreSettings) -> dict[str, Any]:
    return {
        "input_sha256": dict(score.input_sha256),
        "truth": None if score.truth is None else truth_figures(score.truth),
        "expected": score.expected,
        "detected": score.detected,
        "events": {
            "alerted": score.events.alerted,
            "matched": score.events.matched,
            "split": score.events.split,
            "merged": score.events.merged,
            "phantom": score.events.phantom,
            "withdrawn": score.events.withdrawn,
        },
        "phantoms": [
            {
                "event_id": one.event_id,
                "alerted": utc(one.alerted_ns),
                "after_quake": one.after_quake,
                "magnitude": number(one.magnitude, 2),
                "lat": number(one.lat, 3),
                "lon": number(one.lon, 3),
                "n_stations": one.n_stations,
                "distance_km": number(one.distance_km, 1),
            }
            for one in score.phantoms
        ],
        "quiet": {"seconds": number(score.quiet_s, 1), "false_events": score.quiet_false},
        "network": _network(score),
        "times_s": {
            "first_pick": number(score.first_pick_s, 3),
            "first_pick_known": number(score.first_pick_known_s, 3),
            "first_solution": number(score.first_solution_s, 3),
            "first_alert": number(score.first_alert_s, 3),
        },
        "floor_s": {
            "truth": [number(value, 3) for value in score.floor_s],
            "observed": [number(value, 3) for value in score.observed_floor_s],
        },
        "alert_minus_floor_s": {
            "truth": [number(value, 3) for value in score.minus_floor_s()],
            "observed": [number(value, 3) for value in score.minus_observed_floor_s()],
        },
        "errors": {moment: _snapshot(one) for moment, one in score.snapshots.items()},
        "magnitude_trajectory": {
            "since_origin_s": [number(one.at_s, 2) for one in score.trajectory],
            "magnitude": [number(one.magnitude, 2) for one in score.trajectory],
            "sigma": [number(one.sigma, 2) for one in score.trajectory],
            "lower_bound": [one.lower_bound for one in score.trajectory],
        },
        "best_location": _best(score),
        "shaking": {
            "scale": score.scale,
            "relation": score.relation,
            **shaking(score.stations),
        },
        "sites": sites(score.stations, settings),
        "published": {one.detector: _published(score, one) for one in score.published},
    }


def _network(score: FolderScore) -> dict[str, Any] | None:
    network = score.network
    if network is None:
        return None
    return {
        "stations": network.stations,
        "delivering": network.delivering,
        "gap_deg": number(network.gap_deg, 1),
        "nearest_km": number(network.nearest_km, 1),
        "in_network": network.in_network,
    }


def _snapshot(one: Snapshot) -> dict[str, Any]:
    return {
        "at_s": number(one.at_s, 3),
        "epicentre_km": number(one.epicentre_km, 2),
        "depth_km": number(one.depth_km, 2),
        "origin_time_s": number(one.origin_time_s, 3),
        "magnitude": number(one.magnitude, 2),
        "best_epicentre_km": number(one.best_epicentre_km, 2),
        "best_depth_km": number(one.best_depth_km, 2),
        "best_origin_time_s": number(one.best_origin_time_s, 3),
        "n_stations": one.n_stations,
        "sigmas": {name: number(value, 2) for name, value in one.sigmas.items()},
    }


def _best(score: FolderScore) -> dict[str, Any] | None:
    best = score.best
    if best is None:
        return None
    return {
        "lat": number(best.lat, 4),
        "lon": number(best.lon, 4),
        "depth_km": number(best.depth_km, 2),
        "origin_time_s": number(best.origin_time_s, 3),
        "epicentre_km": number(best.epicentre_km, 2),
        "h_sigma_km": number(best.h_sigma_km, 2),
        "n_picks": best.n_picks,
        "n_left_out": best.n_left_out,
        "n_far": best.n_far,
        "rms_s": number(best.rms_s, 3),
    }


def _published(score: FolderScore, one: PublishedFigures) -> dict[str, Any]:
    return {
        "t_s": number(one.t_s, 2),
        **{name: number(value, 2) for name, value in one.figures.items()},
        "earlier_s": number(earlier(score, one.t_s), 2),
    }
