"""One recording through the detector, and the detector against the truth.

Without broker and devices: packets in data time to the detector, and what it says is compared
with the catalogue, with the record's own P picks and with what the stations recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eew.app.arriving import link_delay
from eew.app.options import RunOptions
from eew.app.score_sites import score_stations
from eew.app.scoring import model_for
from eew.clock import NS_PER_S
from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.model.alert import AlertMessage
from eew.model.event import Pick, Solution
from eew.model.waveform import Recording, Truth
from eew.physics.geo import epicentral_distance_km
from eew.report.score_result import (
    MOMENTS,
    BestScore,
    EventCounts,
    FolderScore,
    MagnitudePoint,
    NetworkScore,
    Phantom,
    Snapshot,
)
from simulator.floor import (
    BestLocation,
    best_location,
    geometry,
    observed_floor_s,
    observed_p,
    quiet_s,
    quiet_until_ns,
)
from simulator.outcome import EventMatch, match_events, solution_error, standard_errors
from simulator.schedule import Schedule
from simulator.score_rules import ScoreRules
from simulator.truth import nth_p_floor_s


def score_recording(recording: Recording, options: RunOptions) -> FolderScore:
    """Replay a recording through the detector and score what it said."""
    config = DetectorConfig.load()
    events = _replay(recording, options, config)
    messages = [one for one in events if isinstance(one, AlertMessage)]
    truth = recording.truth
    place = None if truth is None else geometry(recording)
    near = place is not None and not place.is_far
    match = match_events([truth] if truth is not None and near else [], messages)
    primary = match.primary[0] if match.primary else None
    quiet_ns = quiet_until_ns(recording)
    first_ns = {one.event_id: one.issued_ns for one in reversed(messages)}
    common = FolderScore(
        name=recording.name,
        input_sha256=dict(sorted(recording.input_sha256.items())),
        truth=truth,
        expected=near,
        detected=primary is not None,
        events=_counts(match, messages),
        phantoms=tuple(_phantom(name, messages, truth if near else None) for name in match.phantom),
        quiet_s=quiet_s(recording),
        quiet_false=sum(first_ns[name] < quiet_ns for name in match.phantom),
    )
    if truth is None or place is None or not near:
        return common
    picks = observed_p(recording, config)
    best = best_location(recording, picks, config)
    mine = [one for one in messages if one.event_id == primary and one.cancel_reason is None]
    model = model_for(recording, mine[-1] if mine else None)
    quake = replace(
        common,
        network=NetworkScore(
            stations=len(recording.stations),
            delivering=place.delivering,
            gap_deg=place.gap_deg,
            nearest_km=place.nearest_km,
            in_network=place.in_network,
        ),
        floor_s=tuple(nth_p_floor_s(recording)),
        observed_floor_s=tuple(observed_floor_s(recording, picks)),
        best=None if best is None else _best(best, truth),
        scale=model.scale,
        relation=model.name,
        stations=score_stations(recording, messages, primary=primary, model=model),
    )
    return _with_detection(quake, events, mine, truth, best) if mine else quake


# ---------------------------------------------------------------------- parts


def _replay(recording: Recording, options: RunOptions, config: DetectorConfig) -> list[CoreEvent]:
    pipeline = Pipeline(recording.stations, config, gnss=recording.gnss)
    schedule = Schedule(
        recording, packet_s=options.profile.packet_s, link=link_delay(options), seed=options.seed
    )
    events: list[CoreEvent] = []
    now_ns = schedule.start_ns
    for step in schedule:
        now_ns = step.now_ns
        if step.packets:
            events += pipeline.receive(step.packets, now_ns)
        else:
            events += pipeline.advance(now_ns)
    return [*events, *pipeline.finish(now_ns)]


def _counts(match: EventMatch, messages: Sequence[AlertMessage]) -> EventCounts:
    return EventCounts(
        alerted=len({one.event_id for one in messages}),
        matched=sum(name is not None for name in match.primary),
        split=len(match.split),
        merged=len(match.merged),
        phantom=len(match.phantom),
        withdrawn=len(match.withdrawn),
    )


def _phantom(event_id: str, messages: Sequence[AlertMessage], truth: Truth | None) -> Phantom:
    mine = [one for one in messages if one.event_id == event_id]
    last, alerted_ns = mine[-1], mine[0].issued_ns
    return Phantom(
        event_id=event_id,
        alerted_ns=alerted_ns,
        magnitude=last.magnitude.value,
        lat=last.origin.lat,
        lon=last.origin.lon,
        n_stations=last.quality.n_stations,
        after_quake=truth is not None and alerted_ns >= truth.origin_time_ns,
        distance_km=None
        if truth is None
        else float(epicentral_distance_km(truth.lat, truth.lon, last.origin.lat, last.origin.lon)),
    )


def _best(best: BestLocation, truth: Truth) -> BestScore:
    return BestScore(
        lat=best.lat,
        lon=best.lon,
        depth_km=best.depth_km,
        origin_time_s=(best.origin_time_ns - truth.origin_time_ns) / NS_PER_S,
        epicentre_km=float(epicentral_distance_km(truth.lat, truth.lon, best.lat, best.lon)),
        h_sigma_km=best.h_sigma_km,
        n_picks=best.n_picks,
        n_left_out=best.n_left_out,
        n_far=best.n_far,
        rms_s=best.rms_s,
    )


def _with_detection(
    score: FolderScore,
    events: Sequence[CoreEvent],
    messages: Sequence[AlertMessage],
    truth: Truth,
    best: BestLocation | None,
) -> FolderScore:
    """Add what only a detected event has; ``messages`` are its own."""
    first_ns, final_ns = messages[0].issued_ns, messages[-1].issued_ns
    solutions = [
        one for one in events if isinstance(one, Solution) and one.event_id == messages[0].event_id
    ]
    alerted = _newest(solutions, first_ns)
    known_ns = {one.pick_id: one.known_ns for one in events if isinstance(one, Pick)}
    seen_ns = [known_ns[one.pick_id] for one in alerted.arrivals if one.pick_id in known_ns]

    def since_s(at_ns: int) -> float:
        return (at_ns - truth.origin_time_ns) / NS_PER_S

    trajectory = []
    for at_ns in _instants(first_ns, final_ns):
        newest = _newest(solutions, at_ns)
        trajectory.append(
            MagnitudePoint(
                at_s=since_s(at_ns),
                magnitude=newest.magnitude,
                sigma=newest.magnitude_sigma,
                lower_bound=newest.magnitude_is_lower_bound,
            )
        )
    return replace(
        score,
        first_pick_s=since_s(messages[0].first_pick_ns),
        first_pick_known_s=None if not seen_ns else since_s(min(seen_ns)),
        first_solution_s=since_s(solutions[0].at_ns),
        first_alert_s=since_s(first_ns),
        snapshots={
            moment: _snapshot(_newest(solutions, at_ns), since_s(at_ns), truth, best)
            for moment, at_ns in _moments(first_ns, final_ns)
        },
        trajectory=tuple(trajectory),
    )


def _moments(first_ns: int, final_ns: int) -> list[tuple[str, int]]:
    after_s = {"first": 0.0} | {name: float(name) for name in MOMENTS if name.startswith("+")}
    moments = [(name, first_ns + round(s * NS_PER_S)) for name, s in after_s.items()]
    return [*moments, ("final", final_ns)]


def _instants(first_ns: int, final_ns: int) -> list[int]:
    """Return when the magnitude is noted: every second at first, then every ten, and at the end."""
    rules = ScoreRules.load()
    fine = [n * rules.step_s for n in range(int(rules.until_s / rules.step_s))]
    n_coarse = int((rules.end_s - rules.until_s) / rules.coarse_step_s)
    coarse = [rules.until_s + n * rules.coarse_step_s for n in range(n_coarse + 1)]
    at_ns = [first_ns + round(s * NS_PER_S) for s in (*fine, *coarse)]
    return [*(one for one in at_ns if one < final_ns), final_ns]


def _newest(solutions: Sequence[Solution], at_ns: int) -> Solution:
    """Return the newest solution at a moment; the first where there was none yet."""
    return next((one for one in reversed(solutions) if one.at_ns <= at_ns), solutions[0])


def _snapshot(solution: Solution, at_s: float, truth: Truth, best: BestLocation | None) -> Snapshot:
    def against(reference: Truth) -> tuple[float, float, float, float]:
        error = solution_error(reference, solution)
        return error.epicentre_km, error.depth_km, error.origin_time_s, error.magnitude

    epicentre_km, depth_km, origin_time_s, magnitude = against(truth)
    stated = standard_errors(truth, solution)
    sigmas = {
        "epicentre": stated.epicentre,
        "depth": stated.depth,
        "origin_time": stated.origin_time,
        "magnitude": stated.magnitude,
    }
    best_errors: tuple[float | None, ...] = (None, None, None)
    if best is not None:
        right = Truth(
            event_id=truth.event_id,
            origin_time_ns=best.origin_time_ns,
            lat=best.lat,
            lon=best.lon,
            depth_km=best.depth_km,
            magnitude=truth.magnitude,
            magnitude_type=truth.magnitude_type,
        )
        best_errors = against(right)[:3]
        stated = standard_errors(right, solution)
        sigmas |= {
            "best_epicentre": stated.epicentre,
            "best_depth": stated.depth,
            "best_origin_time": stated.origin_time,
        }
    return Snapshot(
        at_s=at_s,
        epicentre_km=epicentre_km,
        depth_km=depth_km,
        origin_time_s=origin_time_s,
        magnitude=magnitude,
        best_epicentre_km=best_errors[0],
        best_depth_km=best_errors[1],
        best_origin_time_s=best_errors[2],
        n_stations=solution.n_stations,
        sigmas=sigmas,
    )
