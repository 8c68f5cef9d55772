"""A small run made of plain values, for the tests of what is written and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    Level,
    MsgType,
    Status,
)
from eew.model.event import Arrival, EventClosed, Phase, Pick, PickRejected, Solution, Trace
from eew.model.place import Site
from eew.model.waveform import (
    Channel,
    Component,
    DataProblem,
    Recording,
    Segment,
    SensorKind,
    Station,
    StreamId,
    Truth,
)
from eew.report.result import (
    Delivery,
    Detection,
    FirstFinal,
    Measured,
    RunInfo,
    RunResult,
    Screen,
    StationIntensity,
    TargetResult,
    Told,
)

S = 1_000_000_000
ORIGIN_NS = 1_562_383_193_040_000_000
RATE_HZ = 50.0
P_KM_S, S_KM_S = 6.0, 3.5


def truth() -> Truth:
    return Truth(
        event_id="quakeml:test/ridgecrest",
        origin_time_ns=ORIGIN_NS,
        lat=35.770,
        lon=-117.599,
        depth_km=8.0,
        magnitude=7.1,
        magnitude_type="Mw",
    )


def station(code: str, lat: float, lon: float) -> Station:
    network, name = code.split(".")
    channels = tuple(
        Channel(
            stream_id=StreamId(network, name, "", f"HN{letter}"),
            component=component,
            kind=SensorKind.ACCELERATION,
            sensitivity=4.0e5,
            sampling_rate_hz=RATE_HZ,
        )
        for letter, component in zip("ZNE", Component, strict=True)
    )
    return Station(code=code, lat=lat, lon=lon, elevation_m=700.0, channels=channels)


def distance_km(one: Station) -> float:
    """Flat-earth distance from the true epicentre: good enough to draw a picture."""
    north = (one.lat - truth().lat) * 111.2
    east = (one.lon - truth().lon) * 90.2
    return float(np.hypot(north, east))


def recording(n_stations: int = 9, *, with_truth: bool = True) -> Recording:
    generator = np.random.default_rng(3)
    stations = tuple(
        station(
            f"CI.T{n:02d}",
            truth().lat + (0.12 + 0.09 * n) * np.sin(2.4 * n),
            truth().lon + (0.12 + 0.09 * n) * np.cos(2.4 * n),
        )
        for n in range(n_stations)
    )
    segments = []
    time_s = np.arange(-20.0, 60.0, 1.0 / RATE_HZ)
    for one in stations:
        p_s, s_s = distance_km(one) / P_KM_S + 1.0, distance_km(one) / S_KM_S + 1.5
        for channel in one.channels:
            noise = generator.normal(0.0, 60.0, time_s.size)
            p_wave = 4e4 * np.exp(-(time_s - p_s) / 6.0) * (time_s > p_s)
            s_wave = 3e5 * np.exp(-(time_s - s_s) / 8.0) * (time_s > s_s)
            wave = (p_wave + s_wave) * generator.normal(0.0, 1.0, time_s.size)
            segments.append(
                Segment(
                    stream_id=channel.stream_id,
                    start_ns=ORIGIN_NS - 20 * S,
                    sampling_rate_hz=RATE_HZ,
                    samples=np.asarray(2000 + noise + wave, dtype=np.int32),
                )
            )
    return Recording(
        name="us20190706_m71_ridgecrest",
        stations=stations,
        segments=tuple(segments),
        truth=truth() if with_truth else None,
        problems=(DataProblem(kind="gap", where="CI.T03", detail="2.0 s missing", count=2),),
        input_sha256={"waveforms.mseed": "ab" * 32},
    )


def pick(number: int, one: Station) -> Pick:
    onset = ORIGIN_NS + round((distance_km(one) / P_KM_S + 1.0) * S)
    return Pick(
        pick_id=number,
        station=one.code,
        stream=str(one.channels[0].stream_id),
        phase=Phase.P,
        time_ns=onset,
        known_ns=onset + S,
        uncertainty_s=0.05,
        snr=30.0,
    )


def solution(at_s: float, magnitude: float, picks: tuple[Pick, ...], shift: float) -> Solution:
    return Solution(
        event_id="ev-1",
        at_ns=ORIGIN_NS + round(at_s * S),
        origin_time_ns=ORIGIN_NS + S // 5,
        lat=truth().lat + shift,
        lon=truth().lon - shift,
        depth_km=10.0,
        origin_time_sigma_s=0.4,
        h_sigma_km=3.0,
        z_sigma_km=6.0,
        ellipse_major_km=4.0,
        ellipse_minor_km=2.0,
        ellipse_azimuth_deg=35.0,
        azimuthal_gap_deg=120.0,
        rms_s=0.11,
        magnitude=magnitude,
        magnitude_sigma=0.3,
        magnitude_type="Mpd",
        magnitude_is_lower_bound=magnitude < 6.5,
        n_picks=len(picks),
        n_stations=len(picks),
        likelihood=0.9,
        first_pick_ns=picks[0].time_ns,
        trace=Trace(
            last_sample_ns=ORIGIN_NS + round((at_s - 0.4) * S),
            received_ns=ORIGIN_NS + round(at_s * S),
            pick_ns=picks[-1].time_ns,
        ),
        arrivals=tuple(
            Arrival(
                pick_id=one.pick_id,
                station=one.station,
                phase=Phase.P,
                residual_s=0.05,
                epicentral_distance_km=20.0,
                used=True,
            )
            for one in picks
        ),
    )


def message(serial: int, kind: MsgType, found: Solution, status: Status = Status.EXERCISE) -> Any:
    return AlertMessage(
        event_id=found.event_id,
        serial=serial,
        msg_type=kind,
        status=status,
        issued_ns=found.at_ns,
        expires_ns=found.at_ns + 180 * S,
        origin=AlertOrigin(
            time_ns=found.origin_time_ns,
            lat=found.lat,
            lon=found.lon,
            depth_km=found.depth_km,
            h_sigma_km=found.h_sigma_km,
            z_sigma_km=found.z_sigma_km,
            time_sigma_s=found.origin_time_sigma_s,
            provisional=serial == 1,
        ),
        magnitude=AlertMagnitude(
            value=found.magnitude,
            type=found.magnitude_type,
            sigma=found.magnitude_sigma,
            lower_bound=found.magnitude_is_lower_bound,
        ),
        quality=AlertQuality(
            n_stations=found.n_stations,
            n_picks=found.n_picks,
            gap_deg=found.azimuthal_gap_deg,
            likelihood=found.likelihood,
        ),
        prediction=AlertPrediction(
            scale="mmi",
            relation="bssa14",
            max_intensity=8.1,
            radii_km={3: 240.0, 4: 150.0, 5: 90.0, 6: 48.0, 7: 22.0},
        ),
        first_pick_ns=found.first_pick_ns,
        trace=AlertTrace(
            last_sample_ns=found.trace.last_sample_ns,
            received_ns=found.trace.received_ns,
            pick_ns=found.trace.pick_ns,
            decided_ns=found.at_ns,
        ),
    )


def target(name: str, lat: float, lon: float, distance: float, told_s: float) -> TargetResult:
    s_arrival_s = distance / S_KM_S + 1.5
    lead_time_s = s_arrival_s - told_s
    return TargetResult(
        site=Site(name=name, lat=lat, lon=lon, population=50_000, country="US"),
        distance_km=distance,
        scale="mmi",
        predicted_intensity=8.4 - 0.02 * distance,
        observed_intensity=8.0 if distance < 50 else None,
        observed_station="CI.T00" if distance < 50 else None,
        true_intensity=8.0 - 0.02 * distance,
        s_arrival_s=s_arrival_s,
        told_s=told_s,
        lead_time_s=lead_time_s,
        level=Level.TAKE_ACTION,
        outcome="timely" if lead_time_s > 0 else "late",
    )


def result(*, with_truth: bool = True, alerted: bool = True, complete: bool = True) -> RunResult:
    quake = recording(with_truth=with_truth)
    nearest = sorted(quake.stations, key=distance_km)
    picks = tuple(pick(n, one) for n, one in enumerate(nearest, start=1))
    solutions: tuple[Solution, ...] = (
        solution(5.0, 5.4, picks[:4], 0.06),
        solution(5.5, 5.6, picks[:4], 0.05),
        solution(7.0, 6.4, picks[:6], 0.02),
        solution(20.0, 6.9, picks, 0.01),
    )
    messages: tuple[AlertMessage, ...] = (
        message(1, MsgType.ALERT, solutions[0]),
        message(2, MsgType.UPDATE, solutions[2]),
        message(3, MsgType.FINAL, solutions[3]),
    )
    if not alerted:
        messages, solutions, picks = (), (), picks[:2]
    return RunResult(
        info=RunInfo(
            event=quake.name,
            seed=7,
            version="0.1.0",
            packet_s=0.5,
            link="log-normal, median 0.3 s",
            broker="none",
            status="exercise",
            complete=complete,
            config={"packet_s": 0.5, "phones": 2},
        ),
        recording=quake,
        zero_ns=ORIGIN_NS if with_truth else picks[0].time_ns,
        zero_is="origin" if with_truth else "first_pick",
        picks=picks,
        rejected=(
            PickRejected(
                station="CI.T05",
                time_ns=ORIGIN_NS + 30 * S,
                known_ns=ORIGIN_NS + 31 * S,
                reason="boxcar",
            ),
        ),
        solutions=solutions,
        messages=messages,
        payloads=tuple(
            f'{{"schema":"eew.alert/2","serial":{one.serial}}}'.encode() for one in messages
        ),
        closed=(
            EventClosed(event_id="ev-1", at_ns=ORIGIN_NS + 60 * S, withdrawn=False, reason="quiet"),
        )
        if alerted
        else (),
        told=(
            Told(
                device="phone-0001",
                kind="phone",
                site="Ridgecrest",
                event_id="ev-1",
                serial=1,
                level=Level.TAKE_ACTION,
                at_ns=ORIGIN_NS + round(5.1 * S),
            ),
        )
        if alerted
        else (),
        targets=(
            target("Ridgecrest", 35.622, -117.671, 18.0, 7.9),
            target("Bakersfield", 35.373, -119.019, 136.0, 5.1),
            target("Los Angeles", 34.052, -118.244, 201.0, 5.1),
        )
        if alerted
        else (),
        detection=Detection(
            detected=alerted,
            events=int(alerted),
            first_alert_s=5.0 if alerted else None,
            epicentre_error_km=FirstFinal(first=8.6, final=1.4) if with_truth else FirstFinal(),
            magnitude_error=FirstFinal(first=-1.7, final=-0.2) if with_truth else FirstFinal(),
            nth_p_floor_s=(1.6, 3.0, 5.0) if with_truth else (),
            false_alerts=0 if with_truth else None,
            splits=0 if with_truth else None,
            blind_zone_km=14.2 if with_truth and alerted else None,
            primary_event_id="ev-1" if alerted else None,
        ),
        intensities=tuple(
            StationIntensity(
                station=one.code,
                distance_km=distance_km(one),
                predicted=8.0 - 0.03 * distance_km(one),
                observed=7.8 - 0.03 * distance_km(one),
            )
            for one in quake.stations
        )
        if alerted
        else (),
        delivery=Delivery(devices=2, expected=6, delivered=6, lost=0, duplicates=0),
        stages_s={
            "packet": (0.1, 0.3, 0.5),
            "link": (0.2, 0.3, 0.4),
            "detect": (0.3, 0.4, 0.9),
            "decide": (2.1,),
        },
        peaks=(),
        states=(),
        problems=quake.problems,
        screens=(
            Screen(
                device="phone-0001",
                kind="phone",
                site="Ridgecrest",
                at_ns=ORIGIN_NS + 6 * S,
                text="+---+\n|   |\n+---+",
            ),
        ),
        measured=Measured(
            wall_s={"read": 1.234567, "total": 4.2},
            stages_s={"compute": (0.001, 0.002), "encode": (0.00002,)},
            delivery_ms=(1.0, 2.0, 9.0),
            real_time_factor=31.7,
        ),
        seconds=80.0,
    )


def changed(base: RunResult, **values: Any) -> RunResult:
    return replace(base, **values)
