"""A comparison as one document for JSON, and the two figures it comes down to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eew import __version__
from eew.app.compare import INTENSITY_BAND, LATER_S, ComparedRow, Comparison
from eew.app.trial import trial_figures
from eew.report.summary import number

__all__ = ["COMPARE_SCHEMA", "compare_document"]

COMPARE_SCHEMA = "eew.compare/1"


def compare_document(found: Comparison, *, table: str) -> dict[str, Any]:
    """Return the reproducible document (schema ``eew.compare/1``).

    ``rows`` have the columns of the table and ours: ``first_alert_s``, ``lead_time_s`` and
    ``predicted_intensity``; the published first alert is ``published_first_alert_s``. What phones
    there did, which are silent below their thresholds, is ``level`` and ``told_*``.
    """
    return {
        "schema": COMPARE_SCHEMA,
        "simulation": True,
        "table": table,
        "network": found.network,
        "seed": found.seed,
        "version": __version__,
        "lead_time": {
            "rule": f"at least the published one less {LATER_S:g} s",
            **_share([row.lead_time_holds for row in found.rows]),
        },
        "intensity": {
            "rule": f"within {INTENSITY_BAND:g} of the published one",
            **_share([row.intensity_holds for row in found.rows]),
        },
        "events": [{"event_id": trial.name, **trial_figures(trial)} for trial in found.trials],
        "rows": [_row(row) for row in found.rows],
    }


def _share(holds: Sequence[bool | None]) -> dict[str, Any]:
    told = [one for one in holds if one is not None]
    return {
        "compared": len(told),
        "holds": sum(told),
        "share": number(sum(told) / len(told), 3) if told else None,
    }


def _row(one: ComparedRow) -> dict[str, Any]:
    row, place = one.row, one.place
    return {
        **row.published,
        "origin_time_utc": row.origin_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lat": row.lat,
        "lon": row.lon,
        "depth_km": row.depth_km,
        "magnitude": row.magnitude,
        "distance_km": row.distance_km,
        "warning_s": row.warning_s,
        "intensity": row.intensity,
        "published_first_alert_s": row.first_alert_s,
        "first_alert_s": number(one.first_alert_s, 2),
        "lead_time_s": number(one.lead_time_s, 1),
        "predicted_intensity": number(one.predicted_intensity, 2),
        "final_intensity": number(place.final_intensity, 2),
        "place_lat": number(place.site.lat, 4),
        "place_lon": number(place.site.lon, 4),
        "s_arrival_s": number(place.s_arrival_s, 2),
        "level": place.level.value,
        "told_s": number(place.told_s, 2),
        "told_lead_time_s": number(place.lead_time_s, 1),
        "lead_time_holds": one.lead_time_holds,
        "intensity_holds": one.intensity_holds,
    }
