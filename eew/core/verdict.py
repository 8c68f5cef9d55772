"""Is it a quake? The rules for the first alert, for taking it back, and for the last word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eew.core.config import AlertPolicy, AssociationConfig, MagnitudeConfig
from eew.core.event_state import EventState
from eew.model.event import Solution
from eew.physics.geo import epicentral_distance_km
from eew.physics.magnitude import half_duration_s


def distinct_stations(event: EventState) -> int:
    """Stations with a P pick; those of one place count once."""
    return len({t.place for t in event.picks})


def is_ready(
    event: EventState,
    policy: AlertPolicy,
    association: AssociationConfig,
    others: Sequence[Solution] = (),
) -> bool:
    """Alert when a quake is probable enough, its picks fit, and no veto speaks against it.

    Parameters
    ----------
    event : EventState
        The candidate, with its probability.
    policy, association : AlertPolicy, AssociationConfig
        Thresholds.
    others : sequence of Solution
        Newest solutions of events already announced: in their coda more is asked for.
    """
    stations = distinct_stations(event)
    sound = (
        stations >= policy.min_stations
        and event.probability >= policy.min_probability
        and event.misfit_s <= policy.max_misfit_s
        and event.triggered_ratio >= association.ratio_min
        and not event.located.on_edge
    )
    if not sound or _simultaneous(event, policy) or _teleseismic(event, policy):
        return False
    if not any(_in_coda(event, other, policy) for other in others):
        return True
    loud = sum(t.pick.snr >= association.coda_snr for t in event.picks)
    return (
        stations >= policy.coda_min_stations
        and event.triggered_ratio >= policy.coda_ratio
        and loud >= policy.coda_loud
    )


def _simultaneous(event: EventState, policy: AlertPolicy) -> bool:
    """Tell whether the picks come at once over a distance that no wave covers at once."""
    first = event.picks[0]
    lat, lon = [t.lat for t in event.picks], [t.lon for t in event.picks]
    extent_km = float(np.max(epicentral_distance_km(first.lat, first.lon, lat, lon)))
    times_s = [(t.pick.time_ns - first.pick.time_ns) / 1e9 for t in event.picks]
    spread_s = max(float(np.std(times_s)) * 2.0, 0.01)
    return extent_km > policy.apparent_km and extent_km / spread_s > policy.max_apparent_km_s


def _teleseismic(event: EventState, policy: AlertPolicy) -> bool:
    """EPIC's tau_p-Pd line over the stations whose displacement stands above their noise.

    Until they have the second of data that it needs, a first motion as slow as that of far
    quakes counts as one: the first half second of near ones is sharper.
    """
    rows = [
        (t.peaks.tau_p_s, 100.0 * t.peaks.pd_at(4.0))
        for t in event.picks
        if t.peaks.length_s >= 1.0
        and t.peaks.tau_p_s > 0.0
        and t.peaks.pd_at(4.0) > 3.0 * t.peaks.pd_noise_m
    ]
    if len(rows) < policy.teleseism_stations:
        seen = [s for t in event.picks if (s := t.peaks.sharpness_per_s) > 0.0]
        return bool(seen) and float(np.median(seen)) < policy.teleseism_sharpness_per_s
    log_tau = float(np.mean([np.log10(r[0]) for r in rows]))
    log_pd = float(np.mean([np.log10(r[1]) for r in rows]))
    return log_pd < policy.teleseism_offset + policy.teleseism_slope * log_tau


def coda_lasts_s(magnitude: float, policy: AlertPolicy) -> float:
    """How long the coda of an announced event makes picks of its own, s."""
    return float(policy.coda_base_s * 10.0 ** (policy.coda_slope * (magnitude - 5.0)))


def _in_coda(event: EventState, other: Solution, policy: AlertPolicy) -> bool:
    lasts_s = coda_lasts_s(other.magnitude, policy)
    after_s = (event.origin_time_ns - other.origin_time_ns) / 1e9
    distance_km = float(
        epicentral_distance_km(other.lat, other.lon, event.located.lat, event.located.lon)
    )
    return -lasts_s < after_s < lasts_s and distance_km < policy.coda_km


def refuted(event: EventState, policy: AlertPolicy) -> str:
    """Say why an alerted event must be false, or return an empty string.

    Stations that must have seen P by now and have not pull the probability down.
    """
    if event.probability >= policy.cancel_probability:
        return ""
    return (
        f"stations that should have seen P did not: "
        f"the probability of a quake fell to {100.0 * event.probability:.2g} %"
    )


def still_growing(
    event: EventState, policy: AlertPolicy, magnitude: MagnitudeConfig, now_ns: int
) -> bool:
    """Tell whether the last word would come too early.

    A source of this size may still radiate, or, of a large one, the shaking grew within the quiet
    time at stations that its S wave has reached.
    """
    if event.magnitude is None:
        return False
    value = event.magnitude.value
    duration_s = 2.0 * magnitude.duration_factor * float(half_duration_s(value))
    if now_ns - event.origin_time_ns < round(duration_s * 1e9):
        return True
    if value < magnitude.saturation_ramp[0]:
        return False
    quiet_ns = round(policy.final_quiet_s * 1e9)
    growing = sum(
        now_ns - t.peaks.grown_ns < quiet_ns
        and float(event.distance_km[t.row]) <= magnitude.shaking_km
        and t.peaks.grown_ns > event.origin_time_ns + round(float(event.s_s[t.row]) * 1e9)
        for t in event.picks
    )
    return growing >= magnitude.shaking_stations
