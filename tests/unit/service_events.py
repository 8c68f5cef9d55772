"""Detector events for the tests of the service, with only what a test varies as arguments."""

from __future__ import annotations

from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    CancelReason,
    MsgType,
    Status,
)
from eew.model.event import Phase, Pick, Solution, Trace
from eew.model.waveform import Channel, Component, SensorKind, Station, StreamId

T0_NS = 1_662_353_569_000_000_000  # 2022-09-05T04:52:49Z
S = 1_000_000_000


def pick(number: int = 1, *, known_after_s: float = 1.0) -> Pick:
    return Pick(
        pick_id=number,
        station="XX.A01",
        stream="XX.A01..HNZ",
        phase=Phase.P,
        time_ns=T0_NS,
        known_ns=T0_NS + round(known_after_s * S),
        uncertainty_s=0.05,
        snr=20.0,
    )


def solution(event_id: str = "ev-1", *, at_s: float = 5.0, magnitude: float = 6.1) -> Solution:
    return Solution(
        event_id=event_id,
        at_ns=T0_NS + round(at_s * S),
        origin_time_ns=T0_NS,
        lat=29.6,
        lon=102.1,
        depth_km=16.0,
        origin_time_sigma_s=0.3,
        h_sigma_km=float("inf"),
        z_sigma_km=float("nan"),
        ellipse_major_km=4.0,
        ellipse_minor_km=2.0,
        ellipse_azimuth_deg=30.0,
        azimuthal_gap_deg=120.0,
        rms_s=0.2,
        magnitude=magnitude,
        magnitude_sigma=0.3,
        magnitude_type="Mpd",
        magnitude_is_lower_bound=False,
        n_picks=5,
        n_stations=5,
        likelihood=0.9,
        first_pick_ns=T0_NS,
        trace=Trace(last_sample_ns=T0_NS, received_ns=T0_NS, pick_ns=T0_NS),
    )


def message(
    event_id: str = "ev-1", serial: int = 1, msg_type: MsgType = MsgType.ALERT
) -> AlertMessage:
    issued_ns = T0_NS + (5 + serial) * S
    return AlertMessage(
        event_id=event_id,
        serial=serial,
        msg_type=msg_type,
        status=Status.EXERCISE,
        issued_ns=issued_ns,
        expires_ns=issued_ns + 60 * S,
        origin=AlertOrigin(
            time_ns=T0_NS,
            lat=29.5,
            lon=102.0,
            depth_km=15.0,
            h_sigma_km=5.0,
            z_sigma_km=float("inf"),
            time_sigma_s=0.5,
            provisional=True,
        ),
        magnitude=AlertMagnitude(value=6.0, type="Mpd", sigma=0.4, lower_bound=True),
        quality=AlertQuality(n_stations=4, n_picks=4, gap_deg=150.0, likelihood=0.8),
        prediction=AlertPrediction(
            scale="csi", relation="gb18306", max_intensity=8.4, radii_km={3: 200.0, 5: 90.0}
        ),
        first_pick_ns=T0_NS,
        trace=AlertTrace(
            last_sample_ns=T0_NS, received_ns=T0_NS, pick_ns=T0_NS, decided_ns=issued_ns
        ),
        cancel_reason=CancelReason.FALSE_ALERT if msg_type is MsgType.CANCEL else None,
    )


def station(code: str = "XX.A01") -> Station:
    network, name = code.split(".")
    channel = Channel(
        stream_id=StreamId(network, name, "", "HNZ"),
        component=Component.VERTICAL,
        kind=SensorKind.ACCELERATION,
        sensitivity=4e5,
        sampling_rate_hz=100.0,
    )
    return Station(code=code, lat=29.0, lon=102.0, elevation_m=900.0, channels=(channel,))
