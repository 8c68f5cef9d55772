"""From what a run produced to what the summary says about it, against the truth where known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clients.locality import estimate_here
from eew.app.observations import Observations
from eew.clock import NS_PER_S
from eew.messages.levels import default_thresholds
from eew.messages.prediction_model import model_of
from eew.model.alert import AlertMessage, Level
from eew.model.event import Pick
from eew.model.place import Site
from eew.model.waveform import Recording, Truth
from eew.physics.geo import epicentral_distance_km
from eew.physics.shaking import ShakingModel, shaking_model_at
from eew.physics.traveltime import RegionalTravelTimes, TravelTimes
from eew.report.result import Detection, FirstFinal, StationIntensity, TargetResult, Told
from simulator.outcome import match_events, message_error
from simulator.truth import OriginError, blind_zone_km, nth_p_floor_s, score_target

# residuals only mean something where the motion is above what instruments and scales resolve
MIN_COMPARED_INTENSITY = 2.0
MAX_COMPARED_KM = 400.0  # the ground-motion models are not made for more


def time_zero(
    recording: Recording, picks: Sequence[Pick], messages: Sequence[AlertMessage]
) -> tuple[int, str]:
    """Return the ns from which times count, and what it is.

    The true origin; without truth the first pick of the first alerted event, else the first
    pick; without any pick the first sample.
    """
    if recording.truth is not None:
        return recording.truth.origin_time_ns, "origin"
    if messages:
        return messages[0].first_pick_ns, "first_pick"
    if picks:
        return min(pick.time_ns for pick in picks), "first_pick"
    return recording.start_ns, "first_sample"


def detection(
    recording: Recording, messages: Sequence[AlertMessage], zero_ns: int
) -> tuple[Detection, frozenset[str]]:
    """Score the alerted events; also return the ids of those that match the truth.

    An event matches by its last message that still says there is one. Without truth nothing can
    be false, and every alerted event counts as the quake.
    """
    truth = recording.truth
    by_event: dict[str, list[AlertMessage]] = {}
    for message in messages:
        by_event.setdefault(message.event_id, []).append(message)
    standing = {
        event_id: [one for one in mine if one.cancel_reason is None]
        for event_id, mine in by_event.items()
    }
    if truth is None:
        matched = list(by_event)
    else:
        match = match_events([truth], messages)
        matched = [*(name for name in match.primary if name is not None), *match.split]
    primary = matched[0] if matched else None
    if primary is None:
        found = Detection(
            detected=False,
            events=len(by_event),
            nth_p_floor_s=tuple(nth_p_floor_s(recording)),
            false_alerts=None if truth is None else len(by_event),
            splits=None if truth is None else 0,
        )
        return found, frozenset()
    first, final = standing[primary][0], standing[primary][-1]
    first_alert_s = (first.issued_ns - zero_ns) / NS_PER_S
    errors = None if truth is None else (message_error(truth, first), message_error(truth, final))
    return (
        Detection(
            detected=True,
            events=len(by_event),
            first_alert_s=first_alert_s,
            epicentre_error_km=_first_final(errors, "epicentre_km"),
            depth_error_km=_first_final(errors, "depth_km"),
            origin_time_error_s=_first_final(errors, "origin_time_s"),
            magnitude_error=_first_final(errors, "magnitude"),
            nth_p_floor_s=tuple(nth_p_floor_s(recording)),
            false_alerts=None if truth is None else len(by_event) - len(matched),
            splits=None if truth is None else len(matched) - 1,
            blind_zone_km=None if truth is None else blind_zone_km(first_alert_s, truth.depth_km),
            primary_event_id=primary,
        ),
        frozenset(matched),
    )


def _first_final(errors: tuple[OriginError, OriginError] | None, name: str) -> FirstFinal:
    if errors is None:
        return FirstFinal()
    return FirstFinal(first=getattr(errors[0], name), final=getattr(errors[1], name))


def station_intensities(
    observations: Observations, final: AlertMessage | None
) -> tuple[StationIntensity, ...]:
    """Compare the final alert's prediction with what stations observed.

    A station takes part if its records run past the S arrival of the final origin, within
    400 km, where the predicted or observed intensity is at least 2.
    """
    stations = observations.stations()
    if final is None or not stations:
        return ()
    origin = final.origin
    distances_km = epicentral_distance_km(
        origin.lat,
        origin.lon,
        np.array([one.lat for one in stations]),
        np.array([one.lon for one in stations]),
    )
    s_s = np.asarray(
        RegionalTravelTimes()
        .at(origin.lat, origin.lon)
        .s_s(distances_km, np.full_like(distances_km, origin.depth_km))
    )
    rows = []
    for station, distance_km, after_s in zip(stations, distances_km, s_s, strict=True):
        s_ns = origin.time_ns + round(float(after_s) * NS_PER_S)
        if float(distance_km) > MAX_COMPARED_KM:
            continue
        if not observations.has_recorded(station.code, s_ns):
            continue
        predicted = estimate_here(
            final, station.lat, station.lon, vs30_mps=station.vs30_mps
        ).intensity
        observed = observations.intensity(station.code)
        if max(predicted, observed) >= MIN_COMPARED_INTENSITY:
            rows.append(
                StationIntensity(
                    station=station.code,
                    distance_km=float(distance_km),
                    predicted=predicted,
                    observed=observed,
                )
            )
    return tuple(rows)


def targets(
    sites: Sequence[Site],
    *,
    truth: Truth | None,
    found: Detection,
    matched: frozenset[str],
    final: AlertMessage | None,
    told: Mapping[str, Sequence[Told]],
    observations: Observations,
    model: ShakingModel,
    zero_ns: int,
    cut_ns: int | None,
) -> tuple[TargetResult, ...]:
    """Score each place, nearest first.

    Parameters
    ----------
    told : mapping
        By name of the place, what the device at its centre showed.
    cut_ns : int or None
        Where a run was ended before the end of its data: a place that S had not reached by then
        and nobody had told is not scored.
    """
    rows = [
        _target(
            site,
            truth=truth,
            matched=matched if found.detected else frozenset(),
            final=final,
            told=told.get(site.name, ()),
            observations=observations,
            model=model,
            zero_ns=zero_ns,
            cut_ns=cut_ns,
        )
        for site in sites
    ]
    return tuple(
        sorted(rows, key=lambda row: (row.distance_km is None, row.distance_km, row.site.name))
    )


def _target(
    site: Site,
    *,
    truth: Truth | None,
    matched: frozenset[str],
    final: AlertMessage | None,
    told: Sequence[Told],
    observations: Observations,
    model: ShakingModel,
    zero_ns: int,
    cut_ns: int | None,
) -> TargetResult:
    right = [one for one in told if one.event_id in matched and one.level is not Level.NONE]
    wrong = [one for one in told if one.event_id not in matched and one.level is not Level.NONE]
    counted = right or wrong
    level = max((one.level for one in counted), key=lambda one: one.rank, default=Level.NONE)
    told_s = (min(one.at_ns for one in counted) - zero_ns) / NS_PER_S if counted else None

    distance_km, s_arrival_s, true_intensity = None, None, None
    if truth is not None:
        distance_km = float(epicentral_distance_km(truth.lat, truth.lon, site.lat, site.lon))
        s_arrival_s = float(TravelTimes.load().s_s(distance_km, truth.depth_km))
        true_intensity = float(
            model.predict(truth.magnitude, truth.depth_km, distance_km, site.vs30_mps).intensity
        )
    elif final is not None:
        origin = final.origin
        distance_km = float(epicentral_distance_km(origin.lat, origin.lon, site.lat, site.lon))
        times = RegionalTravelTimes().at(origin.lat, origin.lon)
        after_s = float(times.s_s(distance_km, origin.depth_km))
        s_arrival_s = (origin.time_ns - zero_ns) / NS_PER_S + after_s

    s_ns = None if s_arrival_s is None else zero_ns + round(s_arrival_s * NS_PER_S)
    station = observations.nearest(site.lat, site.lon, s_ns)
    observed = None if station is None else observations.intensity(station)
    lead_time_s = None if told_s is None or s_arrival_s is None else s_arrival_s - told_s
    came = None if truth is None else (true_intensity if observed is None else observed)
    if not counted and cut_ns is not None and (s_ns is None or s_ns > cut_ns):
        came = None  # it might still have been told
    outcome = score_target(
        level=level,
        told_by_match=bool(right),
        lead_time_s=lead_time_s,
        intensity=came,
        be_aware=default_thresholds(model.scale).be_aware,
    )
    return TargetResult(
        site=site,
        distance_km=distance_km,
        scale=model.scale,
        predicted_intensity=None if final is None else _predicted(final, site),
        observed_intensity=observed,
        observed_station=station,
        true_intensity=true_intensity,
        s_arrival_s=s_arrival_s,
        told_s=told_s,
        lead_time_s=lead_time_s,
        level=level,
        outcome=outcome.value,
    )


def _predicted(message: AlertMessage, site: Site) -> float:
    return estimate_here(message, site.lat, site.lon, vs30_mps=site.vs30_mps).intensity


def model_for(recording: Recording, final: AlertMessage | None) -> ShakingModel:
    """Return the shaking model that the alert was made with; without alert, the region's."""
    if final is not None:
        return model_of(final.prediction)
    if recording.truth is not None:
        return shaking_model_at(recording.truth.lat, recording.truth.lon)
    first = recording.stations[0]
    return shaking_model_at(first.lat, first.lon)
