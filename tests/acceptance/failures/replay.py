"""Computed cases on one network, their replay through the whole detector, and what it said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from eew.core.pipeline import CoreEvent, Pipeline
from eew.model.alert import AlertMessage, MsgType
from eew.model.event import EventClosed, Pick, PickRejected, Solution, StationState
from eew.model.waveform import DataProblem, Recording, Station, Truth
from eew.physics.geo import destination, epicentral_distance_km
from simulator.ruptures import Quake, Rupture
from simulator.scenario import Scenario, parse_scenario
from simulator.schedule import Schedule, Step
from simulator.synthesise import Composition, compose

SEED = 20240102
NS_PER_S = 1_000_000_000

# The middle of the network. Latitude and longitude differ and both pass for a latitude, so that
# they can be swapped; 39 N 28 E is land that belongs to no special region of the shaking models.
LAT, LON = 38.8, 28.2

_SCENARIO = """
title = "A network to break"
region = "california"
country = "TR"
languages = ["tr"]

[event]
id = "failure"
origin_time = 2024-01-02T03:04:05Z
lat = {lat}
lon = {lon}
depth_km = 10.0
magnitude = 6.0
magnitude_type = "Mw"

[network]
spacing_km = {spacing_km}
outer_spacing_km = {spacing_km}
dense_radius_km = 0.0
radius_km = {radius_km}
sampling_rate_hz = {rate_hz}
sensor = "force_balance"
on_land = false
seed = 5

[noise]
level = 0.5
spread = 0.2

[record]
before_s = {before_s}
after_s = {after_s}
"""

Link = Callable[[Iterable[Step]], Iterator[Step]]


def scenario(
    *,
    before_s: float = 15.0,
    after_s: float = 45.0,
    spacing_km: float = 20.0,
    radius_km: float = 80.0,
    rate_hz: float = 100.0,
) -> Scenario:
    """Describe the network and the length of the records; by default 60 stations for a minute."""
    text = _SCENARIO.format(
        lat=LAT,
        lon=LON,
        spacing_km=spacing_km,
        radius_km=radius_km,
        rate_hz=rate_hz,
        before_s=before_s,
        after_s=after_s,
    )
    return parse_scenario(text.encode(), name="failure", where="failure.toml")


@cache
def computed(
    *sources: Quake | Rupture, before_s: float = 15.0, after_s: float = 45.0, rate_hz: float = 100.0
) -> Composition:
    """Compute sources on the common network, once a session for each set."""
    return compose(scenario(before_s=before_s, after_s=after_s, rate_hz=rate_hz), sources, SEED)


def quake(magnitude: float, *, depth_km: float = 10.0, after_s: float = 0.0) -> Quake:
    """Place a quake a little off the middle of the network."""
    return Quake(
        lat=LAT + 0.05, lon=LON - 0.07, depth_km=depth_km, magnitude=magnitude, after_s=after_s
    )


def zero_ns() -> int:
    """Zero of all computed cases, UTC ns."""
    return scenario().event.origin_time_ns


def after_zero_ns(seconds: float) -> int:
    """Moment so many seconds after the zero of the computed cases, UTC ns."""
    return zero_ns() + round(seconds * NS_PER_S)


def nearest(recording: Recording, number: int, *, lat: float = LAT, lon: float = LON) -> list[str]:
    """Codes of the stations nearest to a point, nearest first."""
    return [station.code for station in by_distance(recording, lat=lat, lon=lon)[:number]]


def by_distance(recording: Recording, *, lat: float, lon: float) -> list[Station]:
    """All stations, nearest to a point first."""
    return sorted(
        recording.stations,
        key=lambda s: float(epicentral_distance_km(lat, lon, s.lat, s.lon)),
    )


def place(distance_km: float, azimuth_deg: float) -> tuple[float, float]:
    """Latitude and longitude of a point seen from the middle of the network."""
    lat, lon = destination(LAT, LON, azimuth_deg, distance_km)
    return float(lat), float(lon)


# ---------------------------------------------------------------- replay
@dataclass(frozen=True, kw_only=True)
class Heard:
    """All that the detector said about one case; ``zero_ns`` is the origin, for people."""

    events: list[CoreEvent]
    states: dict[str, StationState]
    problems: list[DataProblem]
    zero_ns: int

    @property
    def messages(self) -> list[AlertMessage]:
        """Every message to the public."""
        return [e for e in self.events if isinstance(e, AlertMessage)]

    @property
    def solutions(self) -> list[Solution]:
        """Every solution, public or not."""
        return [e for e in self.events if isinstance(e, Solution)]

    @property
    def picks(self) -> list[Pick]:
        """Every accepted pick."""
        return [e for e in self.events if isinstance(e, Pick)]

    @property
    def rejected(self) -> list[PickRejected]:
        """Every trigger that a gate refused."""
        return [e for e in self.events if isinstance(e, PickRejected)]

    @property
    def withdrawn(self) -> list[EventClosed]:
        """Events that the detector took back."""
        return [e for e in self.events if isinstance(e, EventClosed) and e.withdrawn]

    @property
    def alerted(self) -> dict[str, list[AlertMessage]]:
        """Messages by event, in the order in which the events were announced."""
        result: dict[str, list[AlertMessage]] = {}
        for message in self.messages:
            result.setdefault(message.event_id, []).append(message)
        return result


def replay(
    recording: Recording,
    *through: Link,
    packet_s: float = 0.5,
    until_s: float | None = None,
) -> Heard:
    """Let a recording run through the detector; ``through`` are faults of the delivery."""
    steps: Iterable[Step] = Schedule(recording, packet_s, until_s=until_s, seed=SEED)
    for fault in through:
        steps = fault(steps)
    pipeline = Pipeline(recording.stations, gnss=recording.gnss)
    events: list[CoreEvent] = []
    now_ns = recording.start_ns
    for step in steps:
        assert step.now_ns >= now_ns, "a case that goes back in time is no case"
        now_ns = step.now_ns
        events += (
            pipeline.receive(step.packets, now_ns) if step.packets else pipeline.advance(now_ns)
        )
    events += pipeline.finish(now_ns)
    truth = recording.truth
    return Heard(
        events=events,
        states={state.station: state for state in pipeline.station_states(now_ns)},
        problems=pipeline.problems(),
        zero_ns=zero_ns() if truth is None else truth.origin_time_ns,
    )


# ---------------------------------------------------------------- what was said
def told(heard: Heard) -> str:
    """Everything the public was told, for the message of a failed assertion."""
    lines = [
        f"{m.event_id} {m.serial} {m.msg_type.value} "
        f"at {(m.issued_ns - heard.zero_ns) / 1e9:+.1f} s: "
        f"M{m.magnitude.value:.2f} {m.origin.lat:.2f} {m.origin.lon:.2f} "
        f"{m.origin.depth_km:.0f} km, {m.quality.n_stations} stations"
        for m in heard.messages
    ]
    return "\n" + "\n".join(lines)


def away_km(message: AlertMessage, truth: Truth) -> float:
    """Distance of a message's epicentre from the true one."""
    return float(
        epicentral_distance_km(truth.lat, truth.lon, message.origin.lat, message.origin.lon)
    )


def late_s(message: AlertMessage, truth: Truth) -> float:
    """Seconds from the true origin to a message."""
    return (message.issued_ns - truth.origin_time_ns) / 1e9


def matches(message: AlertMessage, truth: Truth, *, within_km: float = 100.0) -> bool:
    """Whether a message means a quake: by place, and by origin time within 30 s."""
    apart_s = abs(message.origin.time_ns - truth.origin_time_ns) / 1e9
    return away_km(message, truth) <= within_km and apart_s <= 30.0


def first_alert_s(heard: Heard, truth: Truth) -> float:
    """Seconds from the true origin to the first message about it; infinite if there is none."""
    return min((late_s(m, truth) for m in heard.messages if matches(m, truth)), default=np.inf)


def assert_no_alert(heard: Heard) -> None:
    """The public was told nothing."""
    assert heard.messages == [], told(heard)


def assert_one_sound_alert(
    heard: Heard,
    truth: Truth,
    *,
    by_s: float,
    first_km: float = 20.0,
    final_km: float = 10.0,
    magnitude: float = 0.4,
    over: float = 0.6,
) -> None:
    """One event was announced in time, where and as large as it was, and never taken back."""
    assert len(heard.alerted) == 1, told(heard)
    (messages,) = heard.alerted.values()
    assert late_s(messages[0], truth) <= by_s, told(heard)
    assert away_km(messages[0], truth) <= first_km, told(heard)
    assert messages[-1].msg_type is MsgType.FINAL, told(heard)
    assert away_km(messages[-1], truth) <= final_km, told(heard)
    assert abs(messages[-1].magnitude.value - truth.magnitude) <= magnitude, told(heard)
    assert max(m.magnitude.value for m in messages) <= truth.magnitude + over, told(heard)


def assert_nothing_elsewhere(heard: Heard, truths: Sequence[Truth], *, within_km: float) -> None:
    """Every announced event is one of the true ones."""
    for message in heard.messages:
        assert any(matches(message, truth, within_km=within_km) for truth in truths), told(heard)
