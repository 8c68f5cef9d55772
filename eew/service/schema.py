"""The JSON that the routes answer with, as typed models. Times are ISO 8601 UTC with ``Z``.

A number that is not finite (an error that is not known) is ``null``.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage
from eew.model.event import StationState
from eew.model.feed import FeedReport, StationFeed
from eew.model.waveform import Station
from eew.service.state import EventRecord, ServiceState


def iso(utc_ns: int) -> str:
    """Return UTC ns since the epoch as ISO 8601 with microseconds and ``Z`` (ns are cut)."""
    seconds, rest = divmod(utc_ns, NS_PER_S)
    stamp = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return stamp.isoformat(timespec="microseconds").replace("+00:00", "Z")


def finite(value: float) -> float | None:
    """Return ``value``, or None where it is NaN or infinite."""
    return value if math.isfinite(value) else None


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str
    uptime_s: float


class Part(BaseModel):
    """One part of the service."""

    ready: bool
    reason: str


class Ready(BaseModel):
    """All parts can do their work."""

    ready: Literal[True] = True
    parts: dict[str, Part]


class BrokerView(BaseModel):
    """Where devices connect."""

    kind: str
    host: str | None
    port: int | None


class Devices(BaseModel):
    """Simulated devices of this service."""

    connected: int
    told: dict[str, int]


class FeedView(BaseModel):
    """A live source: its connection, what came, and what was set aside by reason.

    ``restarts`` are connections broken off because nothing came, ``silences`` how often the
    watch-dog has missed a station.
    """

    name: str
    connected: bool
    reason: str
    reconnects: int
    restarts: int
    packets: int
    dropped: dict[str, int]
    stations: dict[str, int]
    silences: int
    last_packet_at: str | None
    last_packet_age_s: float | None

    @classmethod
    def of(cls, report: FeedReport, now_ns: int) -> FeedView:
        """Read it off ``report`` at UTC ``now_ns``."""
        by_state: dict[str, int] = {}
        for station in report.stations:
            by_state[station.state] = by_state.get(station.state, 0) + 1
        last_ns = report.last_arrival_ns
        return cls(
            name=report.name,
            connected=report.connected,
            reason=report.reason,
            reconnects=report.reconnects,
            restarts=report.restarts,
            packets=report.n_packets,
            dropped=dict(report.dropped),
            stations=dict(sorted(by_state.items())),
            silences=report.n_silences,
            last_packet_at=None if last_ns is None else iso(last_ns),
            last_packet_age_s=None if last_ns is None else (now_ns - last_ns) / NS_PER_S,
        )


class Status(BaseModel):
    """The service at a glance.

    ``data_offset_s`` is data time minus wall clock and ``feed`` the live source; both are null in
    a replay.
    """

    service_id: str
    version: str
    status: str
    source: str
    source_state: str
    speed: float
    started_at: str
    uptime_s: float
    data_time: str | None
    data_seconds: float | None
    data_offset_s: float | None
    feed: FeedView | None
    parts: dict[str, Part]
    broker: BrokerView | None
    stations: dict[str, int]
    events: dict[str, int]
    devices: Devices
    counts: dict[str, int]
    problems: dict[str, int]

    @classmethod
    def of(cls, state: ServiceState) -> Status:
        """Read it off ``state``."""
        by_station: dict[str, int] = {}
        for code in state.stations:
            name = _station_state(state.station_states.get(code))
            by_station[name] = by_station.get(name, 0) + 1
        by_event: dict[str, int] = {}
        for record in state.events.values():
            by_event[record.state] = by_event.get(record.state, 0) + 1
        now_ns, start_ns = state.data_time_ns, state.data_start_ns
        return cls(
            service_id=state.info.service_id,
            version=state.info.version,
            status=state.info.status,
            source=state.info.source,
            source_state=state.source_state,
            speed=state.info.speed,
            started_at=iso(state.started_utc_ns),
            uptime_s=state.uptime_s,
            data_time=None if now_ns is None else iso(now_ns),
            data_seconds=None
            if now_ns is None or start_ns is None
            else (now_ns - start_ns) / NS_PER_S,
            data_offset_s=state.data_offset_s,
            feed=None if state.feed is None else FeedView.of(state.feed, state.now_utc_ns),
            parts=parts_of(state),
            broker=None
            if state.broker is None
            else BrokerView(kind=state.broker.kind, host=state.broker.host, port=state.broker.port),
            stations=dict(sorted(by_station.items())),
            events=dict(sorted(by_event.items())),
            devices=Devices(connected=state.devices, told=dict(sorted(state.told.items()))),
            counts=dict(sorted(state.counts.items())),
            problems=dict(sorted(state.problems.items())),
        )


def parts_of(state: ServiceState) -> dict[str, Part]:
    """Return the parts of the service as they are now."""
    return {name: Part(ready=part.ready, reason=part.reason) for name, part in state.parts.items()}


class Source(BaseModel):
    """Where and how large, as estimated."""

    origin_time: str
    lat: float
    lon: float
    depth_km: float
    h_sigma_km: float | None
    z_sigma_km: float | None
    magnitude: float
    magnitude_type: str
    magnitude_sigma: float | None
    magnitude_is_lower_bound: bool
    n_stations: int
    azimuthal_gap_deg: float | None


class EventSummary(BaseModel):
    """An event in the list. ``source`` is the newest estimate."""

    event_id: str
    state: Literal["candidate", "open", "final", "cancelled", "dropped"]
    first_seen_at: str
    updated_at: str
    serial: int | None
    msg_type: str | None
    source: Source | None

    @classmethod
    def of(cls, record: EventRecord) -> EventSummary:
        """Read it off ``record``."""
        return cls.model_validate(_summary(record))


class Message(BaseModel):
    """One alert message, without the parts that only programs need."""

    serial: int
    msg_type: str
    status: str
    issued_at: str
    expires_at: str
    is_final: bool
    cancel_reason: str | None
    provisional: bool
    likelihood: float
    scale: str
    relation: str
    max_intensity: float | None
    radii_km: dict[int, float]
    line: tuple[float, float, float, float] | None
    correction: float
    source: Source

    @classmethod
    def of(cls, message: AlertMessage) -> Message:
        """Read it off ``message``."""
        return cls(
            serial=message.serial,
            msg_type=message.msg_type.value,
            status=message.status.value,
            issued_at=iso(message.issued_ns),
            expires_at=iso(message.expires_ns),
            is_final=message.is_final,
            cancel_reason=None if message.cancel_reason is None else message.cancel_reason.value,
            provisional=message.origin.provisional,
            likelihood=message.quality.likelihood,
            scale=message.prediction.scale,
            relation=message.prediction.relation,
            max_intensity=finite(message.prediction.max_intensity),
            radii_km=message.prediction.radii_km,
            line=message.prediction.line,
            correction=message.prediction.correction,
            source=_source_of_message(message),
        )


class EventDetail(EventSummary):
    """One event with all its messages, oldest first."""

    withdrawn: bool
    close_reason: str | None
    messages: list[Message]

    @classmethod
    def of(cls, record: EventRecord) -> EventDetail:
        """Read it off ``record``."""
        return cls.model_validate(
            _summary(record)
            | {
                "withdrawn": record.closed is not None and record.closed.withdrawn,
                "close_reason": (record.closed.reason or None) if record.closed else None,
                "messages": [Message.of(message) for message in record.messages],
            }
        )


class EventPage(BaseModel):
    """Events, newest first; ``next_cursor`` asks for the next page, null at the end."""

    events: list[EventSummary]
    total: int
    next_cursor: str | None


class StationFeedView(BaseModel):
    """What comes from a station, before the detector.

    ``latency_s`` is arrival minus end of the newest packet, in data time: length of the packet
    apart, what the way to here has taken.
    """

    state: str
    packets: int
    silences: int
    last_packet_at: str | None
    latency_s: float | None

    @classmethod
    def of(cls, feed: StationFeed, offset_s: float | None) -> StationFeedView:
        """Read it off ``feed``; ``offset_s`` is data time minus wall clock."""
        arrival_ns, latency_s = feed.last_arrival_ns, None
        if arrival_ns is not None and feed.last_end_ns is not None and offset_s is not None:
            latency_s = (arrival_ns - feed.last_end_ns) / NS_PER_S + offset_s
        return cls(
            state=feed.state,
            packets=feed.n_packets,
            silences=feed.silences,
            last_packet_at=None if arrival_ns is None else iso(arrival_ns),
            latency_s=latency_s,
        )


class StationView(BaseModel):
    """A station and what the detector thinks of it; ``feed`` is null in a replay."""

    code: str
    lat: float
    lon: float
    elevation_m: float
    vs30_mps: float | None
    sensor: str
    sampling_rate_hz: float
    channels: list[str]
    state: str
    reason: str
    last_sample_at: str | None
    delay_s: float | None
    n_packets: int
    n_picks: int
    problems: dict[str, int]
    feed: StationFeedView | None

    @classmethod
    def of(
        cls,
        station: Station,
        state: StationState | None,
        feed: StationFeed | None = None,
        offset_s: float | None = None,
    ) -> StationView:
        """Join the fixed data of ``station`` with its ``state``, if it has one yet."""
        last_ns = None if state is None else state.last_sample_ns
        return cls(
            code=station.code,
            lat=station.lat,
            lon=station.lon,
            elevation_m=station.elevation_m,
            vs30_mps=station.vs30_mps,
            sensor=station.channels[0].kind.value,
            sampling_rate_hz=station.channels[0].sampling_rate_hz,
            channels=[str(channel.stream_id) for channel in station.channels],
            state=_station_state(state),
            reason="" if state is None else state.reason,
            last_sample_at=None if last_ns is None else iso(last_ns),
            delay_s=None if state is None else state.delay_s,
            n_packets=0 if state is None else state.n_packets,
            n_picks=0 if state is None else state.n_picks,
            problems={} if state is None else state.problems,
            feed=None if feed is None else StationFeedView.of(feed, offset_s),
        )


class StationList(BaseModel):
    """All stations in use, by code."""

    stations: list[StationView]


def _station_state(state: StationState | None) -> str:
    return "starting" if state is None else state.state


def _summary(record: EventRecord) -> dict[str, object]:
    last = record.messages[-1] if record.messages else None
    return {
        "event_id": record.event_id,
        "state": record.state,
        "first_seen_at": iso(record.first_ns),
        "updated_at": iso(record.updated_ns),
        "serial": None if last is None else last.serial,
        "msg_type": None if last is None else last.msg_type.value,
        "source": _newest_source(record),
    }


def _newest_source(record: EventRecord) -> Source | None:
    solution = record.solution
    if solution is None:
        return _source_of_message(record.messages[-1]) if record.messages else None
    return Source(
        origin_time=iso(solution.origin_time_ns),
        lat=solution.lat,
        lon=solution.lon,
        depth_km=solution.depth_km,
        h_sigma_km=finite(solution.h_sigma_km),
        z_sigma_km=finite(solution.z_sigma_km),
        magnitude=solution.magnitude,
        magnitude_type=solution.magnitude_type,
        magnitude_sigma=finite(solution.magnitude_sigma),
        magnitude_is_lower_bound=solution.magnitude_is_lower_bound,
        n_stations=solution.n_stations,
        azimuthal_gap_deg=finite(solution.azimuthal_gap_deg),
    )


def _source_of_message(message: AlertMessage) -> Source:
    origin, magnitude = message.origin, message.magnitude
    return Source(
        origin_time=iso(origin.time_ns),
        lat=origin.lat,
        lon=origin.lon,
        depth_km=origin.depth_km,
        h_sigma_km=finite(origin.h_sigma_km),
        z_sigma_km=finite(origin.z_sigma_km),
        magnitude=magnitude.value,
        magnitude_type=magnitude.type,
        magnitude_sigma=finite(magnitude.sigma),
        magnitude_is_lower_bound=magnitude.lower_bound,
        n_stations=message.quality.n_stations,
        azimuthal_gap_deg=finite(message.quality.gap_deg),
    )
