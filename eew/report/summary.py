"""``summary.json`` (reproducible) and ``measured.json`` (this machine, this time).

Both are plain dictionaries ready for JSON: no NaN, None where a value is unknown, numbers
rounded to what they can carry. ``merged`` is what ``eew replay --json`` prints.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from typing import Any

from eew.model.alert import AlertMessage
from eew.model.waveform import Truth
from eew.report.result import MEASURED, MODELLED, FirstFinal, RunResult, TargetResult
from eew.report.statistics import bias_and_sigma, quantiles
from eew.report.times import utc

SUMMARY_SCHEMA = "eew.summary/1"
MEASURED_SCHEMA = "eew.measured/1"


def summary(result: RunResult) -> dict[str, Any]:
    """Return the reproducible summary of a run (schema ``eew.summary/1``)."""
    info = result.info
    return {
        "schema": SUMMARY_SCHEMA,
        "run": {
            "id": info.run_id,
            "seed": info.seed,
            "version": info.version,
            "packet_s": info.packet_s,
            "link": info.link,
            "broker": info.broker,
            "channel": info.channel,
            "channel_latency": info.channel_latency,
            "status": info.status,
            "complete": info.complete,
            "time_zero": result.zero_is,
            "time_zero_utc": utc(result.zero_ns),
        },
        "event": _event(result),
        "data": _data(result),
        "alerts": [_alert(result, message) for message in result.messages],
        "detection": _detection(result),
        "intensity": _intensity(result),
        "delivery": {
            "devices": result.delivery.devices,
            "expected": result.delivery.expected,
            "delivered": result.delivery.delivered,
            "lost": result.delivery.lost,
            "duplicates": result.delivery.duplicates,
        },
        "latency_s": {
            stage: {**quantiles(samples), "kind": MODELLED}
            for stage, samples in result.stages_s.items()
        },
        "targets": [_target(target) for target in result.targets],
        **_expectations(result),
    }


def _expectations(result: RunResult) -> dict[str, Any]:
    """Return what the scenario expects; nothing of a run where nothing is expected."""
    if not result.expectations:
        return {}
    return {
        "expectations": [
            {"name": one.name, "asked": one.asked, "found": one.found, "met": one.met}
            for one in result.expectations
        ]
    }


def measured(result: RunResult) -> dict[str, Any]:
    """Return what was measured on the clock of the machine (schema ``eew.measured/1``)."""
    values = result.measured
    return {
        "schema": MEASURED_SCHEMA,
        "wall_s": {name: round(seconds, 3) for name, seconds in values.wall_s.items()},
        "real_time_factor": number(values.real_time_factor, 1),
        "latency_s": {
            stage: {**quantiles(samples, digits=6), "kind": MEASURED}
            for stage, samples in values.stages_s.items()
        },
        "delivery": {"latency_ms": quantiles(values.delivery_ms)},
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "processor": platform.machine(),
        },
    }


def merged(reproducible: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return both in one document; the schema stays that of the summary."""
    document = _deep(reproducible, {k: v for k, v in machine.items() if k != "schema"})
    document["measured_schema"] = machine["schema"]
    return document


def _deep(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(left)
    for key, value in right.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = _deep(out[key], value) if both else value
    return out


def number(value: float | None, digits: int) -> float | None:
    """Round; None for unknown and for what is not finite (JSON knows no NaN)."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0  # no -0.0


def truth_figures(truth: Truth) -> dict[str, Any]:
    """Return time, place and size of a true source as documents have them."""
    return {
        "origin_time": utc(truth.origin_time_ns),
        "lat": number(truth.lat, 4),
        "lon": number(truth.lon, 4),
        "depth_km": number(truth.depth_km, 2),
        "magnitude": number(truth.magnitude, 2),
        "magnitude_type": truth.magnitude_type,
    }


def _event(result: RunResult) -> dict[str, Any]:
    truth = result.recording.truth
    if truth is None:
        names = ("id", "origin_time", "lat", "lon", "depth_km", "magnitude", "magnitude_type")
        return {**dict.fromkeys(names), "name": result.info.event}
    return {
        "id": truth.event_id,
        **truth_figures(truth),
        "name": result.info.event,
    }


def _data(result: RunResult) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for problem in result.problems:
        counts[problem.kind] = counts.get(problem.kind, 0) + problem.count
    return {
        "stations": len(result.recording.stations),
        "channels": result.n_channels,
        "seconds": number(result.seconds, 3),
        "picks": len(result.picks),
        "picks_rejected": len(result.rejected),
        "solutions": len(result.solutions),
        "problems": dict(sorted(counts.items())),
    }


def _alert(result: RunResult, message: AlertMessage) -> dict[str, Any]:
    return {
        "event_id": message.event_id,
        "serial": message.serial,
        "msg_type": message.msg_type.value,
        "since_origin_s": number(result.since_zero_s(message.issued_ns), 3),
        "since_first_pick_s": number((message.issued_ns - message.first_pick_ns) / 1e9, 3),
        "lat": number(message.origin.lat, 4),
        "lon": number(message.origin.lon, 4),
        "depth_km": number(message.origin.depth_km, 2),
        "magnitude": number(message.magnitude.value, 2),
        "magnitude_sigma": number(message.magnitude.sigma, 2),
        "magnitude_is_lower_bound": message.magnitude.lower_bound,
        "n_stations": message.quality.n_stations,
        "max_intensity": number(message.prediction.max_intensity, 2),
        "scale": message.prediction.scale,
        "provisional": message.origin.provisional,
    }


def _detection(result: RunResult) -> dict[str, Any]:
    found = result.detection
    return {
        "detected": found.detected,
        "events": found.events,
        "first_alert_s": number(found.first_alert_s, 3),
        "epicentre_error_km": _first_final(found.epicentre_error_km, 2),
        "depth_error_km": _first_final(found.depth_error_km, 2),
        "origin_time_error_s": _first_final(found.origin_time_error_s, 3),
        "magnitude_error": _first_final(found.magnitude_error, 2),
        "nth_p_floor_s": [round(value, 3) for value in found.nth_p_floor_s],
        "false_alerts": found.false_alerts,
        "splits": found.splits,
        "blind_zone_km": number(found.blind_zone_km, 1),
    }


def _first_final(value: FirstFinal, digits: int) -> dict[str, float | None]:
    return {"first": number(value.first, digits), "final": number(value.final, digits)}


def _intensity(result: RunResult) -> dict[str, Any]:
    bias, sigma = bias_and_sigma([row.predicted - row.observed for row in result.intensities])
    final = result.final_alert()
    return {
        "n": len(result.intensities),
        "bias": number(bias, 3),
        "sigma": number(sigma, 3),
        "scale": final.prediction.scale if final else None,
        "relation": final.prediction.relation if final else None,
    }


def _target(target: TargetResult) -> dict[str, Any]:
    return {
        "name": target.site.name,
        "lat": number(target.site.lat, 4),
        "lon": number(target.site.lon, 4),
        "distance_km": number(target.distance_km, 1),
        "predicted_intensity": number(target.predicted_intensity, 2),
        "observed_intensity": number(target.observed_intensity, 2),
        "observed_station": target.observed_station,
        "true_intensity": number(target.true_intensity, 2),
        "scale": target.scale,
        "s_arrival_s": number(target.s_arrival_s, 3),
        "told_s": number(target.told_s, 3),
        "lead_time_s": number(target.lead_time_s, 3),
        "level": target.level.value,
        "outcome": target.outcome,
    }
