"""Which alerted event was which quake, what a place got from it, and what that was worth.

Pure scoring beyond one target of one run (that is in :mod:`simulator.truth`, whose words are used
here): several quakes and events at once, thresholds, cost, and how honest an uncertainty was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage, Level
from eew.model.event import Solution
from eew.model.waveform import Truth
from eew.physics.geo import azimuth_deg
from simulator.truth import (
    MATCH_DISTANCE_KM,
    MATCH_ORIGIN_TIME_S,
    OriginError,
    Outcome,
    matches,
    origin_error,
    score_target,
)

__all__ = [
    "EventMatch",
    "StandardErrors",
    "cost_score",
    "match_events",
    "message_error",
    "site_outcome",
    "solution_error",
    "standard_errors",
]

_FURTHEST = 30.0  # standard deviations; beyond, probabilities underflow


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMatch:
    """How alerted events belong to quakes; event ids in the order of their first alerts.

    Attributes
    ----------
    primary : tuple of str or None, one per truth
        The event that stands for the quake: the earliest alerted of those that match it.
    split : tuple of str
        Further events of a quake that has one.
    withdrawn : tuple of str
        Events that match a quake but were cancelled.
    phantom : tuple of str
        Events that match nothing (cancelled or not: people were told).
    merged : tuple of int
        Quakes (indices) without an event of their own, where one of another quake matches.
    missed : tuple of int
        Quakes (indices) that no event matches.
    """

    primary: tuple[str | None, ...]
    split: tuple[str, ...]
    withdrawn: tuple[str, ...]
    phantom: tuple[str, ...]
    merged: tuple[int, ...]
    missed: tuple[int, ...]


def match_events(truths: Sequence[Truth], messages: Sequence[AlertMessage]) -> EventMatch:
    """Lay alerted events to quakes by the last thing each event said.

    An event matches a quake within 100 km and 30 s (Lux et al. 2024). Each event belongs to one
    quake: pairs are joined nearest first (distance and time in units of their limits), one event
    a quake; events left over go to the nearest quake that they match, as splits.
    """
    by_event: dict[str, list[AlertMessage]] = {}
    for message in messages:
        by_event.setdefault(message.event_id, []).append(message)
    pairs = sorted(
        (_apart(error), order, number)
        for order, mine in enumerate(by_event.values())
        for number, truth in enumerate(truths)
        if matches(error := message_error(truth, mine[-1]))
    )
    ids = list(by_event)
    standing = [mine[-1].cancel_reason is None for mine in by_event.values()]
    owner: dict[int, int] = {}
    for _, order, number in pairs:
        if standing[order] and order not in owner and number not in owner.values():
            owner[order] = number
    for _, order, number in pairs:
        if standing[order]:
            owner.setdefault(order, number)
    of_truth = [
        [order for order in sorted(owner) if owner[order] == number]
        for number in range(len(truths))
    ]
    matched = {order for _, order, _ in pairs}
    reached = {number for _, order, number in pairs if standing[order]}
    return EventMatch(
        primary=tuple(ids[mine[0]] if mine else None for mine in of_truth),
        split=tuple(ids[order] for order in sorted(o for mine in of_truth for o in mine[1:])),
        withdrawn=tuple(ids[order] for order in sorted(matched) if not standing[order]),
        phantom=tuple(name for order, name in enumerate(ids) if order not in matched),
        merged=tuple(n for n, mine in enumerate(of_truth) if not mine and n in reached),
        missed=tuple(n for n, mine in enumerate(of_truth) if not mine and n not in reached),
    )


def message_error(truth: Truth, message: AlertMessage) -> OriginError:
    """Return how far the origin of a message is from the truth."""
    return origin_error(
        truth,
        lat=message.origin.lat,
        lon=message.origin.lon,
        depth_km=message.origin.depth_km,
        origin_time_ns=message.origin.time_ns,
        magnitude=message.magnitude.value,
    )


def solution_error(truth: Truth, solution: Solution) -> OriginError:
    """Return how far a solution is from the truth."""
    return origin_error(
        truth,
        lat=solution.lat,
        lon=solution.lon,
        depth_km=solution.depth_km,
        origin_time_ns=solution.origin_time_ns,
        magnitude=solution.magnitude,
    )


def _apart(error: OriginError) -> float:
    return math.hypot(
        error.epicentre_km / MATCH_DISTANCE_KM, error.origin_time_s / MATCH_ORIGIN_TIME_S
    )


def site_outcome(
    *,
    threshold: float,
    told_ns: int | None,
    told_by_match: bool,
    reached_ns: int | None,
    observed: float,
) -> tuple[Outcome, float | None]:
    """Give a place its word at one threshold, and its warning time in s.

    The words are those of :func:`simulator.truth.score_target`, with the threshold for "needed"
    and, in place of the S arrival, the moment at which the record reached the threshold.

    Parameters
    ----------
    told_ns : int or None
        When a message first predicted the threshold or more for the place.
    told_by_match : bool
        The event of that message is the quake.
    reached_ns : int or None
        When the intensity on the record reached the threshold.
    observed : float
        Intensity of the whole record.
    """
    warning_s = None
    if told_ns is not None and told_by_match and reached_ns is not None:
        warning_s = (reached_ns - told_ns) / NS_PER_S
    outcome = score_target(
        level=Level.NONE if told_ns is None else Level.TAKE_ACTION,
        told_by_match=told_by_match,
        lead_time_s=warning_s,
        intensity=observed,
        be_aware=threshold,
    )
    return outcome, warning_s


def cost_score(counts: Mapping[Outcome, int], damage_to_action: float) -> float | None:
    """Return Q = (C_none - C_EEW) / (C_none - C_perfect); None where nobody needed anything.

    1 is a perfect system, 0 one that might as well not be there, below 0 one that does harm. An
    action costs 1, damage without an action in time costs ``damage_to_action`` (Minson et al.
    2019, doi:10.1038/s41598-019-39384-y): timely 1, late 1 + r, missed r, false and precautionary
    1.
    """
    r = damage_to_action
    needed = counts[Outcome.TIMELY] + counts[Outcome.LATE] + counts[Outcome.MISSED]
    if needed == 0:
        return None
    none, perfect = needed * r, needed * 1.0
    ours = (
        counts[Outcome.TIMELY]
        + counts[Outcome.LATE] * (1.0 + r)
        + counts[Outcome.MISSED] * r
        + counts[Outcome.FALSE]
        + counts[Outcome.PRECAUTIONARY]
    )
    return (none - ours) / (none - perfect)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardErrors:
    """Errors in units of the stated standard deviations, >= 0; inside one sigma is <= 1.

    The epicentre has two dimensions, and one sigma of its ellipse holds 39 % of a normal
    distribution, not 68 %. So its error is given as the number of sigmas that is as likely in one
    dimension as this error is in two: 68.3 % of honest epicentres are inside 1, as for the others.
    """

    epicentre: float
    depth: float
    origin_time: float
    magnitude: float


def standard_errors(truth: Truth, solution: Solution) -> StandardErrors:
    """Compare a solution's errors with the uncertainties that it states."""
    from scipy.special import ndtri  # a third of a second, not for every command

    error = solution_error(truth, solution)
    towards_deg = float(azimuth_deg(solution.lat, solution.lon, truth.lat, truth.lon))
    turn = math.radians(towards_deg - solution.ellipse_azimuth_deg)
    radii = math.hypot(
        error.epicentre_km * math.cos(turn) / solution.ellipse_major_km,
        error.epicentre_km * math.sin(turn) / solution.ellipse_minor_km,
    )
    tail = math.exp(-0.5 * min(radii, _FURTHEST) ** 2)
    return StandardErrors(
        epicentre=max(0.0, float(-ndtri(0.5 * tail))),
        depth=abs(error.depth_km) / solution.z_sigma_km,
        origin_time=abs(error.origin_time_s) / solution.origin_time_sigma_s,
        magnitude=abs(error.magnitude) / solution.magnitude_sigma,
    )
