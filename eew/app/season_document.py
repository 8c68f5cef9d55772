"""A season as one document for JSON; table, map and page are drawn from it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from eew import __version__
from eew.app.season import QuakeOfSeason, SeasonRun
from eew.app.trial import trial_figures
from eew.report.summary import number
from simulator.catalogue import CatalogueQuake
from simulator.season import is_drawn

__all__ = ["SEASON_SCHEMA", "season_document"]

SEASON_SCHEMA = "eew.season/1"
_STEPS_S = (0.0, 5.0, 10.0, 20.0, 40.0)  # lead times are counted between these


def season_document(run: SeasonRun) -> dict[str, Any]:
    """Return the reproducible document of a season (schema ``eew.season/1``).

    Alerts are devices on which one appeared, people those of the places where it did; both are
    modelled from populations, nothing was sent.
    """
    what = run.season
    reached = run.people_reached
    return {
        "schema": SEASON_SCHEMA,
        "simulation": True,
        "season": run.name,
        "seed": run.seed,
        "version": __version__,
        "network": what.network,
        "installed_share": what.installed_share,
        "tv_share": what.tv_share,
        "reported_alerts": what.reported_alerts,
        "share_for_reported": number(run.share_for_reported, 4),
        "quakes_handled": sum(one.trial.detected for one in run.quakes),
        "alerts_total": run.alerts_total,
        "alerts_tv": round(run.alerts_total * what.tv_share),
        "people_reached": reached,
        "people_warned_before_s": sum(one.people_warned for one in run.quakes),
        "lead_time_people": lead_histogram(run.quakes),
        "quakes": [_quake(one, what.installed_share) for one in run.quakes],
        "not_covered": [_source(one) for one in run.left_out],
    }


def lead_histogram(quakes: Sequence[QuakeOfSeason]) -> dict[str, int]:
    """Return how many people had how much time, keys such as ``5-10 s``."""
    rows = [row for one in quakes for row in one.lead_times_s]
    names = ["too late", *(f"{a:g}-{b:g} s" for a, b in itertools.pairwise(_STEPS_S))]
    names.append(f"{_STEPS_S[-1]:g} s and more")
    counts = dict.fromkeys(names, 0)
    for lead_s, people in rows:
        step = sum(lead_s > edge for edge in _STEPS_S)
        counts[names[step]] += people
    return counts


def _source(quake: CatalogueQuake) -> dict[str, Any]:
    return {
        "id": quake.name,
        "place": quake.place,
        "origin_time": quake.origin_text,
        "lat": quake.lat,
        "lon": quake.lon,
        "depth_km": quake.depth_km,
        "magnitude": quake.magnitude,
        "drawn": is_drawn(quake),
        "sure": quake.sure and not is_drawn(quake),
    }


def _quake(one: QuakeOfSeason, installed_share: float) -> dict[str, Any]:
    trial = one.trial
    return {
        **_source(one.quake),
        **trial_figures(trial),
        "alerts": {level.value: n for level, n in one.alerts(installed_share).items()},
        "alerts_total": sum(one.alerts(installed_share).values()),
        "places_told": one.places_told,
        "people_reached": one.people_reached,
        "people_warned_before_s": one.people_warned,
        "lead_time_s": {
            "least": number(min((s for s, _ in one.lead_times_s), default=None), 1),
            "median_of_people": number(_median(one.lead_times_s), 1),
            "most": number(max((s for s, _ in one.lead_times_s), default=None), 1),
        },
    }


def _median(rows: Sequence[tuple[float, int]]) -> float | None:
    """Lead time that half of the people have at least."""
    half = sum(people for _, people in rows) / 2.0
    seen = 0
    for lead_s, people in sorted(rows):
        seen += people
        if seen >= half:
            return lead_s
    return None
