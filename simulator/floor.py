"""What no alert can be better than: the P waves that the network really saw, and where.

Two floors under the time of an alert that waits for n stations. The *theoretical* one
(:func:`simulator.truth.nth_p_floor_s`) takes P times from the catalogue and iasp91; where the
catalogue's origin time is 1 to 2 s off, so is this floor. The *observed* one takes the P picks
that the detector's own picker makes on each whole record by itself, with no packet, link or
computing delay, and is independent of the catalogue's clock.

The *best location* is what these picks together allow the project's own locator to say, with no
silent station to help and no hurry: what remains of the error against the catalogue there belongs
to velocity model, clocks and catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eew.clock import NS_PER_S
from eew.core.config import DetectorConfig
from eew.core.locate import Located, Locator, Observed
from eew.core.pipeline import Pipeline
from eew.model.event import Phase, Pick
from eew.model.waveform import Recording, Station
from eew.physics.geo import azimuth_deg, azimuthal_gap_deg, epicentral_distance_km
from eew.physics.traveltime import TravelTimesAt, travel_times
from simulator.link import LinkDelay
from simulator.schedule import Schedule
from simulator.score_rules import ScoreRules
from simulator.truth import arrivals_s, delivers_at

__all__ = [
    "BestLocation",
    "Geometry",
    "best_location",
    "geometry",
    "observed_floor_s",
    "observed_p",
    "quiet_s",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """How the network lies round the true epicentre; stations that deliver as P arrives count."""

    delivering: int
    gap_deg: float
    nearest_km: float
    in_network: bool
    is_far: bool  # no station anywhere near: nothing is to be alerted here


def geometry(recording: Recording) -> Geometry:
    """Say whether a quake lies in the network, at its edge, or far away.

    Raises
    ------
    ValueError
        If the recording has no truth.
    """
    rules, truth = ScoreRules.load(), recording.truth
    p_s = arrivals_s(recording)[0]  # refuses a recording without truth
    assert truth is not None
    stations = [
        station
        for station, after_s in zip(recording.stations, p_s, strict=True)
        if delivers_at(recording, station.code, truth.origin_time_ns + round(after_s * NS_PER_S))
    ]
    lats, lons = [s.lat for s in stations], [s.lon for s in stations]
    distances_km = np.asarray(epicentral_distance_km(truth.lat, truth.lon, lats, lons))
    gap_deg = azimuthal_gap_deg(azimuth_deg(truth.lat, truth.lon, lats, lons))
    nearest_km = float(distances_km.min()) if distances_km.size else math.inf
    return Geometry(
        delivering=len(stations),
        gap_deg=gap_deg,
        nearest_km=nearest_km,
        in_network=gap_deg < rules.max_gap_deg and nearest_km < rules.max_nearest_km,
        is_far=nearest_km > rules.far_km,
    )


def observed_p(recording: Recording, config: DetectorConfig) -> tuple[Pick, ...]:
    """Return the P pick of each station that has one, earliest first.

    The detector's own picker goes over each whole record by itself. Of a station's picks within
    3 s of the expected P the one counts that is nearest to the expected time corrected by the
    median over all stations (the catalogue's origin time may be off).
    """
    truth, rules = recording.truth, ScoreRules.load()
    if truth is None:
        return ()
    near: list[list[tuple[float, Pick]]] = []
    for station, after_s in zip(recording.stations, arrivals_s(recording)[0], strict=True):
        due_ns = truth.origin_time_ns + round(float(after_s) * NS_PER_S)
        near.append(
            [
                (late_s, pick)
                for pick in _picks(recording, station, config, due_ns)
                if abs(late_s := (pick.time_ns - due_ns) / NS_PER_S) <= rules.window_s
            ]
        )
    if not any(near):
        return ()
    nearest = [min(found, key=lambda item: abs(item[0]))[0] for found in near if found]
    common_s = float(np.median(nearest))
    chosen = [min(found, key=lambda item: abs(item[0] - common_s))[1] for found in near if found]
    return tuple(sorted(chosen, key=lambda pick: (pick.time_ns, pick.station)))


def observed_floor_s(recording: Recording, picks: Sequence[Pick]) -> list[float]:
    """Return the moments of the first P picks, s after the true origin; see the module."""
    truth = recording.truth
    if truth is None:
        return []
    n = ScoreRules.load().floor_picks
    return [(pick.time_ns - truth.origin_time_ns) / NS_PER_S for pick in picks[:n]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestLocation:
    """Hypocentre from the checked P picks of a recording.

    ``n_picks`` were used; ``n_left_out`` fitted no location, ``n_far`` were too far to be needed.
    """

    lat: float
    lon: float
    depth_km: float
    origin_time_ns: int
    h_sigma_km: float
    n_picks: int
    n_left_out: int
    n_far: int
    rms_s: float


def best_location(
    recording: Recording, picks: Sequence[Pick], config: DetectorConfig
) -> BestLocation | None:
    """Locate a quake with its P picks; None with fewer than four of them, or without truth.

    Picks beyond 100 km count only where fewer than ten are nearer. Picks further off than three
    scaled median deviations (and 1 s) are left out and the rest is located again, a few times
    over: wrong clocks, and S taken for P.
    """
    rules, truth = ScoreRules.load(), recording.truth
    if truth is None or len(picks) < rules.min_picks:
        return None
    station = {one.code: one for one in recording.stations}
    places = [station[pick.station] for pick in picks]
    distance_km = epicentral_distance_km(
        truth.lat, truth.lon, [one.lat for one in places], [one.lon for one in places]
    )
    near = [pick for pick, km in zip(picks, distance_km, strict=True) if km <= rules.near_km]
    checked = near if len(near) >= rules.enough_picks else list(picks)
    kept = checked
    times = travel_times(config.travel_time_model)
    every = replace(config.location, max_picks=len(kept), coarse_picks=_COARSE_PICKS)
    locator = Locator(every, times)
    reference_ns = kept[0].time_ns
    found, residuals = _located(locator, kept, station, reference_ns, times)
    for _ in range(rules.recheck):
        off = np.abs(residuals - np.median(residuals))
        limit_s = max(rules.outlier_min_s, rules.outlier_mads * 1.4826 * float(np.median(off)))
        sound = [pick for pick, away in zip(kept, off, strict=True) if away <= limit_s]
        if len(sound) == len(kept) or len(sound) < rules.min_picks:
            break
        kept = sound
        found, residuals = _located(locator, kept, station, reference_ns, times)
    return BestLocation(
        lat=found.lat,
        lon=found.lon,
        depth_km=found.depth_km,
        origin_time_ns=reference_ns + round(found.origin_time_s * NS_PER_S),
        h_sigma_km=found.h_sigma_km,
        n_picks=len(kept),
        n_left_out=len(checked) - len(kept),
        n_far=len(picks) - len(checked),
        rms_s=float(np.sqrt(np.mean(residuals**2))),
    )


def quiet_s(recording: Recording) -> float:
    """Return how long noise was watched: seconds with enough stations and no quake in them.

    Of a recording without truth, or with a far quake only, all of it; else what comes before the
    true origin. Moments count at which at least four stations deliver.
    """
    until_ns = quiet_until_ns(recording)
    starts: list[tuple[int, int]] = []
    for station in recording.stations:
        spans = sorted(
            (one.start_ns, min(one.end_ns, until_ns))
            for one in recording.segments
            if one.stream_id.station_code == station.code and one.start_ns < until_ns
        )
        end_ns = 0
        for begin, end in spans:  # components overlap: each moment of a station counts once
            if end > end_ns:
                starts += [(max(begin, end_ns), 1), (end, -1)]
                end_ns = end
    total_ns, live, last_ns = 0, 0, 0
    for at_ns, step in sorted(starts):
        if live >= ScoreRules.load().min_stations:
            total_ns += at_ns - last_ns
        live, last_ns = live + step, at_ns
    return total_ns / NS_PER_S


def quiet_until_ns(recording: Recording) -> int:
    """Return the moment up to which any alerted event is a false one, UTC ns."""
    truth = recording.truth
    if truth is None or geometry(recording).is_far:
        return recording.end_ns
    return truth.origin_time_ns


# ---------------------------------------------------------------------- parts

_COARSE_PICKS = 24  # in the search of the whole grid; the refinement uses every pick


def _picks(
    recording: Recording, station: Station, config: DetectorConfig, due_ns: int
) -> list[Pick]:
    """Run the detector over one station's record alone, until P must have been picked."""
    rules = ScoreRules.load()
    alone = replace(
        recording,
        stations=(station,),
        segments=tuple(
            one for one in recording.segments if one.stream_id.station_code == station.code
        ),
    )
    if not alone.segments:
        return []
    # no tick falls between packets: time itself has nothing to decide here
    schedule = Schedule(alone, rules.packet_s, LinkDelay.fixed(0.0), tick_s=1e6, phase="aligned")
    pipeline = Pipeline((station,), config)
    last_ns = due_ns + round((rules.window_s + rules.packet_s) * NS_PER_S)
    picks: list[Pick] = []
    for step in schedule:
        if step.packets:
            picks += [
                event
                for event in pipeline.receive(step.packets, step.now_ns)
                if isinstance(event, Pick) and event.phase is Phase.P
            ]
        if step.now_ns > last_ns:
            break
    return picks


def _located(
    locator: Locator,
    picks: Sequence[Pick],
    station: dict[str, Station],
    reference_ns: int,
    times: TravelTimesAt,
) -> tuple[Located, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Locate; also return observed minus predicted P times in s."""
    lats = np.array([station[pick.station].lat for pick in picks])
    lons = np.array([station[pick.station].lon for pick in picks])
    time_s = np.array([(pick.time_ns - reference_ns) / NS_PER_S for pick in picks])
    found = locator.locate(
        [
            Observed(lat=lat, lon=lon, time_s=at_s, sigma_s=pick.uncertainty_s, snr=pick.snr)
            for lat, lon, at_s, pick in zip(
                lats.tolist(), lons.tolist(), time_s.tolist(), picks, strict=True
            )
        ],
        [],
    )
    distance_km = epicentral_distance_km(found.lat, found.lon, lats, lons)
    p_s = np.asarray(
        times.at(lats[0], lons[0]).p_s(distance_km, np.full(lats.size, found.depth_km))
    )
    return found, time_s - found.origin_time_s - p_s
