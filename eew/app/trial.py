"""A computed quake and the places round it, with one phone's logic at each of them.

The whole chain but a broker: records, detector, messages, devices in the process. A place stands
for all who live there; what it is told does not depend on how many they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clients.locality import estimate_here
from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.model.alert import AlertMessage, Level
from eew.model.place import Site
from eew.model.waveform import Recording
from eew.report.result import RunResult, TargetResult
from eew.report.summary import number

__all__ = ["PlaceOutcome", "Trial", "run_trial", "trial_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOutcome:
    """What one place was told; times in s after the true origin, None where nothing was said.

    Attributes
    ----------
    s_arrival_s : float
        Of the true source.
    told_s : float or None
        When a phone there showed something first.
    lead_time_s : float or None
        From then to the S wave.
    level : Level
        The highest it showed.
    told_intensity : float or None
        Predicted for the place in the message that told it; in the last one where it was not told.
    final_intensity : float or None
        In the last message about the quake.
    true_intensity : float
        Of the region's model for the true source.
    """

    site: Site
    distance_km: float
    s_arrival_s: float
    told_s: float | None
    lead_time_s: float | None
    level: Level
    told_intensity: float | None
    final_intensity: float | None
    true_intensity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How the chain did on one computed quake.

    Attributes
    ----------
    events : int
        That were alerted, the right one among them.
    first_alert_s : float or None
        After the true origin.
    """

    name: str
    stations: int
    detected: bool
    events: int
    first_alert_s: float | None
    epicentre_error_km: float | None
    first_magnitude: float | None
    final_magnitude: float | None
    scale: str
    places: tuple[PlaceOutcome, ...]


def trial_figures(trial: Trial) -> dict[str, Any]:
    """Return what documents say of the quake itself; each says of its places what it needs."""
    return {
        "stations": trial.stations,
        "detected": trial.detected,
        "events": trial.events,
        "first_alert_s": number(trial.first_alert_s, 2),
        "epicentre_error_km": number(trial.epicentre_error_km, 1),
        "first_magnitude": number(trial.first_magnitude, 1),
        "final_magnitude": number(trial.final_magnitude, 1),
    }


def run_trial(recording: Recording, sites: Sequence[Site], *, seed: int) -> Trial:
    """Run the chain on a recording with a known truth.

    Parameters
    ----------
    sites : sequence of Site
        Of names that occur once.
    """
    options = RunOptions(seed=seed, broker="none", phones=0, tvs=0)
    result = asyncio.run(run_replay(recording, options, sites=sites))
    mine = _messages(result)
    first, final = (mine[0], mine[-1]) if mine else (None, None)
    found = result.detection
    return Trial(
        name=recording.name,
        stations=len(recording.stations),
        detected=found.detected,
        events=found.events,
        first_alert_s=found.first_alert_s,
        epicentre_error_km=found.epicentre_error_km.final,
        first_magnitude=None if first is None else first.magnitude.value,
        final_magnitude=None if final is None else final.magnitude.value,
        scale=result.targets[0].scale if result.targets else "",
        places=tuple(_place(result, row, mine) for row in result.targets),
    )


def _messages(result: RunResult) -> list[AlertMessage]:
    primary = result.detection.primary_event_id
    return [m for m in result.messages if m.event_id == primary and m.cancel_reason is None]


def _place(result: RunResult, row: TargetResult, messages: list[AlertMessage]) -> PlaceOutcome:
    assert row.distance_km is not None  # the truth of a computed quake is known
    assert row.s_arrival_s is not None
    assert row.true_intensity is not None
    final = messages[-1] if messages else None
    told = final
    if row.told_s is not None:
        # without a broker a place is told at the very moment of the message
        before = [m for m in messages if result.since_zero_s(m.issued_ns) <= row.told_s]
        told = before[-1] if before else final
    return PlaceOutcome(
        site=row.site,
        distance_km=row.distance_km,
        s_arrival_s=row.s_arrival_s,
        told_s=row.told_s,
        lead_time_s=row.lead_time_s,
        level=row.level,
        told_intensity=_intensity(told, row.site),
        final_intensity=_intensity(final, row.site),
        true_intensity=row.true_intensity,
    )


def _intensity(message: AlertMessage | None, site: Site) -> float | None:
    if message is None:
        return None
    return estimate_here(message, site.lat, site.lon, vs30_mps=site.vs30_mps).intensity
