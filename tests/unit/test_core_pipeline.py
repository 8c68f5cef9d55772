"""The whole detector: a computed quake from packets to alerts, and what it says of its stations."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.core.verdict import coda_lasts_s
from eew.errors import ConfigError
from eew.model.alert import AlertMessage, MsgType, Status
from eew.model.event import EventClosed, Pick, PickRejected, Solution
from eew.model.waveform import Packet, Recording, Station
from eew.physics.geo import epicentral_distance_km
from simulator.link import LinkDelay
from simulator.schedule import Schedule
from simulator.synthesise import compute
from tests.unit.core_cases import (
    NS,
    START_NS,
    Floats,
    burst,
    config,
    make_station,
    noise,
    packets_of,
    quake_record,
    steps,
    to_counts,
)
from tests.unit.scenario_cases import small

MS = 1_000_000


@cache
def recording() -> Recording:
    """A computed M5.5 in a network of 15 to 20 km spacing."""
    return compute(small(), 3)


def events_of(pipeline: Pipeline, packet_s: float = 0.5) -> list[CoreEvent]:
    events: list[CoreEvent] = []
    for step in Schedule(recording(), packet_s=packet_s, link=LinkDelay.fixed(0.1)):
        if step.packets:
            events += pipeline.receive(step.packets, step.now_ns)
        else:
            events += pipeline.advance(step.now_ns)
    return events


def run(pipeline: Pipeline, packet_s: float = 0.5) -> list[CoreEvent]:
    *_, last = Schedule(recording(), packet_s=packet_s, link=LinkDelay.fixed(0.1))
    return events_of(pipeline, packet_s) + pipeline.finish(last.now_ns)


@cache
def heard() -> tuple[CoreEvent, ...]:
    return tuple(run(Pipeline(recording().stations)))


# ---------------------------------------------------------------- from packets to alerts
def test_a_quake_becomes_one_event_with_alert_updates_and_a_last_word() -> None:
    truth = recording().truth
    assert truth is not None
    told = [e for e in heard() if isinstance(e, AlertMessage)]
    first = told[0]

    assert len({m.event_id for m in told}) == 1
    assert [m.serial for m in told] == list(range(1, len(told) + 1))
    assert [told[0].msg_type, told[-1].msg_type] == [MsgType.ALERT, MsgType.FINAL]
    assert first.status is Status.EXERCISE
    assert (first.issued_ns - truth.origin_time_ns) / NS < 7.0
    for message, limit_km in ((first, 10.0), (told[-1], 5.0)):
        away_km = epicentral_distance_km(
            truth.lat, truth.lon, message.origin.lat, message.origin.lon
        )
        assert float(away_km) < limit_km
    assert abs(told[-1].magnitude.value - truth.magnitude) < 0.6
    assert isinstance(heard()[-1], EventClosed)


def test_what_is_said_comes_in_order_and_knows_nothing_before_its_time() -> None:
    def at_ns(event: CoreEvent) -> int:
        for name in ("known_ns", "at_ns", "issued_ns"):
            if hasattr(event, name):
                return int(getattr(event, name))
        raise AssertionError(event)

    times = [at_ns(e) for e in heard()]
    assert times == sorted(times)
    for event in heard():
        if isinstance(event, Pick):
            assert event.time_ns < event.known_ns
        if isinstance(event, Solution | AlertMessage):
            assert event.trace.last_sample_ns <= event.trace.received_ns <= at_ns(event)
            assert event.first_pick_ns < at_ns(event)
    picks = [e for e in heard() if isinstance(e, Pick)]
    assert [p.pick_id for p in picks] == list(range(1, len(picks) + 1))


def test_the_same_packets_give_the_same_events() -> None:
    assert tuple(run(Pipeline(recording().stations))) == heard()


def test_the_order_in_which_stations_are_named_does_not_matter() -> None:
    stations = recording().stations
    shuffled = [stations[i] for i in np.random.default_rng(1).permutation(len(stations))]

    assert tuple(run(Pipeline(shuffled))) == heard()


def test_an_event_is_remembered_until_its_coda_is_over_and_then_forgotten() -> None:
    """A service runs for months: nothing of an event may stay."""
    pipeline = Pipeline(recording().stations)
    told = [e for e in events_of(pipeline) if isinstance(e, AlertMessage)]
    origin_ns = told[-1].origin.time_ns
    coda_s = coda_lasts_s(told[-1].magnitude.value, pipeline.config.alert)
    life_s = pipeline.config.association.event_s

    def remembered_at(since_s: float) -> set[str]:
        pipeline.advance(origin_ns + round(since_s * NS))
        return set(pipeline._announced)

    assert remembered_at(life_s + 1.0) == {told[-1].event_id}  # ended, its coda is not over
    assert remembered_at(life_s + coda_s - 5.0) == {told[-1].event_id}
    assert remembered_at(life_s + coda_s + 5.0) == set()


@pytest.mark.slow
@pytest.mark.parametrize("packet_s", [0.1, 3.0])
def test_other_packets_give_the_same_picks_and_the_same_quake(packet_s: float) -> None:
    def onsets(events: tuple[CoreEvent, ...]) -> list[tuple[str, int, float]]:
        picks = [e for e in events if isinstance(e, Pick)]
        return sorted((p.station, p.time_ns, p.snr) for p in picks)

    again = tuple(run(Pipeline(recording().stations), packet_s))
    told = [e for e in again if isinstance(e, AlertMessage)]
    before = [e for e in heard() if isinstance(e, AlertMessage)]

    assert onsets(again) == onsets(heard())
    assert len({m.event_id for m in told}) == 1
    assert told[-1].magnitude.value == pytest.approx(before[-1].magnitude.value, abs=0.1)
    assert told[-1].origin.lat == pytest.approx(before[-1].origin.lat, abs=0.03)


def test_station_peaks_are_those_of_the_ground() -> None:
    pipeline = Pipeline(recording().stations)
    run(pipeline)
    peaks = {p.station: p for p in pipeline.station_peaks()}

    assert set(peaks) == {s.code for s in recording().stations}
    for segment in recording().segments[:6]:
        code = segment.stream_id.station_code
        station = next(s for s in recording().stations if s.code == code)
        channel = next(c for c in station.channels if c.stream_id == segment.stream_id)
        acceleration = segment.samples / channel.sensitivity
        largest = float(np.abs(acceleration - acceleration.mean()).max())
        assert peaks[code].pga_vector_mps2 >= 0.9 * largest
    assert all(p.pga_mps2 <= p.pga_vector_mps2 for p in peaks.values())


# ---------------------------------------------------------------- what is known of a station
STATION = make_station()


def listen(
    counts: Floats, *, station: Station = STATION, packet_s: float = 0.5, delay_ns: int = 300 * MS
) -> Pipeline:
    pipeline = Pipeline([station], config())
    cuts = [list(range(0, counts.shape[1], round(packet_s * 100.0)))[1:] for _ in station.channels]
    for now_ns, packet in steps(packets_of(station, counts, cuts), delay_ns):
        pipeline.receive([packet], now_ns)
    return pipeline


def state_of(pipeline: Pipeline, at_s: float) -> str:
    return pipeline.station_states(START_NS + round(at_s * NS))[0].state


def reason_of(pipeline: Pipeline, at_s: float) -> str:
    return pipeline.station_states(START_NS + round(at_s * NS))[0].reason


def test_a_station_is_silent_then_starting_then_live_then_late(rng: np.random.Generator) -> None:
    assert state_of(Pipeline([STATION], config()), 0.0) == "silent"
    assert state_of(listen(to_counts(noise(rng, 3.9, 100.0))), 4.2) == "starting"
    live = listen(to_counts(noise(rng, 4.5, 100.0)))
    assert state_of(live, 4.8) == "live"
    assert state_of(live, 4.5 + 19.9) == "live"
    assert state_of(live, 4.5 + 20.1) == "late"


@pytest.mark.parametrize("packet_s", [0.05, 0.1, 0.5, 2.0])
def test_a_dead_vertical_is_dead_whatever_the_packets(
    packet_s: float, rng: np.random.Generator
) -> None:
    counts = to_counts(noise(rng, 12.0, 100.0))
    counts[0, 600:] = counts[0, 600]
    assert state_of(listen(counts, packet_s=packet_s), 12.3) == "dead"


@pytest.mark.parametrize("packet_s", [0.05, 0.1, 0.5])
def test_a_coarse_recorder_in_quiet_is_not_dead(packet_s: float) -> None:
    counts = np.zeros((3, 1200))
    counts[:, ::30] = 1.0  # the last digit moves three times a second
    assert state_of(listen(counts, packet_s=packet_s), 12.3) == "live"


def test_a_station_of_horizontals_is_not_dead(rng: np.random.Generator) -> None:
    station = make_station(components="NE")
    assert state_of(listen(to_counts(noise(rng, 8.0, 100.0)), station=station), 8.3) != "dead"


def test_a_clipped_station_says_so_in_state_and_peaks(rng: np.random.Generator) -> None:
    t = np.maximum(np.arange(2000) / 100.0 - 10.0, 0.0)
    wave = np.minimum(t, 1.0) * np.sin(2.0 * np.pi * 3.0 * t)
    counts = to_counts(noise(rng, 20.0, 100.0) + np.outer((1.0, 0.4, -0.3), wave))
    station = make_station(clip_counts=0.5 * float(np.abs(counts).max()))
    pipeline = listen(counts, station=station)

    assert state_of(pipeline, 20.3) == "clipped"
    assert reason_of(pipeline, 20.3) == "clipping"
    assert pipeline.station_peaks()[0].clipped


def test_a_station_in_quarantine_says_why_and_picks_nothing(rng: np.random.Generator) -> None:
    counts = quake_record(rng, seconds=30.0, p_at_s=20.0, s_at_s=None)
    limit = 2.0**23
    counts[0, 1500:1550] = rng.integers(-(2**23), 2**23, 50)  # words of broken telemetry
    pipeline = listen(counts, station=make_station(clip_counts=limit))

    assert state_of(pipeline, 30.3) == "quarantined"
    assert reason_of(pipeline, 30.3) == "telemetry"
    assert pipeline.station_states(START_NS + 30 * NS)[0].n_picks == 0


def test_a_clock_that_was_ahead_is_not_believed_for_twenty_seconds(
    rng: np.random.Generator,
) -> None:
    pipeline = Pipeline([STATION], config())
    pipeline.receive([one_packet(to_counts(noise(rng, 1.0, 100.0)), 10.0)], START_NS)
    said = []
    record = quake_record(rng, seconds=40.0, p_at_s=15.0, s_at_s=None)
    for packet in packets_of(STATION, record, [list(range(50, 4000, 50))] * 3):
        said += pipeline.receive([packet], packet.end_ns + NS // 3)

    assert {e.reason for e in said if isinstance(e, PickRejected)} >= {"clock"}
    assert not [e for e in said if isinstance(e, Pick)]
    assert state_of(pipeline, 40.0) == "live"


def test_counts_of_packets_picks_and_delay_are_kept(rng: np.random.Generator) -> None:
    pipeline = listen(quake_record(rng, seconds=20.0, s_at_s=None))
    state = pipeline.station_states(START_NS + 20 * NS)[0]

    assert (state.n_packets, state.n_picks) == (120, 1)
    assert state.delay_s == pytest.approx(0.3)
    assert state.problems == {}


# ---------------------------------------------------------------- data that cannot be used
def one_packet(counts: Floats, start_s: float) -> Packet:
    return packets_of(STATION, counts, start_ns=START_NS + round(start_s * NS))[0]


def test_data_older_than_twenty_seconds_on_arrival_make_no_picks(rng: np.random.Generator) -> None:
    old = listen(quake_record(rng, seconds=20.0, s_at_s=None), delay_ns=21 * NS)
    just = listen(quake_record(rng, seconds=20.0, s_at_s=None), delay_ns=19 * NS)

    assert old.station_states(START_NS)[0].n_picks == 0
    assert {p.kind: p.count for p in old.problems()} == {"late": 40}
    assert just.station_states(START_NS)[0].n_picks == 1


def test_data_from_the_future_are_set_aside(rng: np.random.Generator) -> None:
    pipeline = Pipeline([STATION], config())
    packet = one_packet(to_counts(noise(rng, 1.0, 100.0)), 10.0)
    pipeline.receive([packet], START_NS)

    assert [(p.kind, p.count) for p in pipeline.problems()] == [("clock", 1)]
    assert state_of(pipeline, 11.0) == "quarantined"
    assert reason_of(pipeline, 11.0) == "clock"


def test_unknown_streams_and_wrong_rates_are_counted_not_raised(rng: np.random.Generator) -> None:
    pipeline = Pipeline([STATION], config())
    packet = one_packet(to_counts(noise(rng, 1.0, 100.0)), 0.0)
    stranger = replace(packet, stream_id=replace(packet.stream_id, station="ZZZ"))
    channel = replace(packet, stream_id=replace(packet.stream_id, channel="BHZ"))
    rate = replace(packet, sampling_rate_hz=99.0)
    pipeline.receive([stranger, channel, rate, stranger], START_NS + NS + 300 * MS)

    found = {(p.kind, p.where): p.count for p in pipeline.problems()}
    assert found == {
        ("no_metadata", "XX.ZZZ..HNZ"): 2,
        ("no_metadata", "XX.AAA"): 1,
        ("rate", "XX.AAA"): 1,
    }


def test_a_station_that_comes_back_counts_again_after_four_seconds() -> None:
    rng = np.random.default_rng(6)
    motion = noise(rng, 60.0, 100.0)
    for at_s in (10.0, 44.3):
        motion += burst(rng, motion.shape[1], 100.0, at_s, (0.05, 0.02, 0.02), lasts_s=1.0)
    counts = to_counts(motion)
    pipeline = Pipeline([STATION], config())
    cuts = [list(range(50, 6000, 50)) for _ in range(3)]
    picks: list[float] = []
    states: dict[float, str] = {}
    for now_ns, packet in steps(packets_of(STATION, counts, cuts)):
        since_s = (packet.start_ns - START_NS) / NS
        if 20.0 <= since_s < 40.0:  # the outage
            continue
        events = pipeline.receive([packet], now_ns) + pipeline.advance(now_ns)
        picks += [(e.time_ns - START_NS) / NS for e in events if isinstance(e, Pick)]
        states[since_s] = pipeline.station_states(now_ns)[0].state

    assert [round(at_s, 1) for at_s in picks] == [10.0, 44.3]
    assert states[42.0] == "starting"
    assert states[45.0] == "live"


def test_a_vertical_that_comes_late_makes_no_pick_of_its_own() -> None:
    for first_s in (1.0, 3.5, 8.0):
        for seed in range(4):
            rng = np.random.default_rng(seed)
            counts = to_counts(noise(rng, 24.0, 100.0) + 9.81)
            cuts = [list(range(50, 2400, 50)) for _ in range(3)]
            pipeline = Pipeline([STATION], config())
            for now_ns, packet in steps(packets_of(STATION, counts, cuts)):
                vertical = packet.stream_id.channel == "HNZ"
                if vertical and packet.start_ns < START_NS + round(first_s * NS):
                    continue
                pipeline.receive([packet], now_ns)
            assert pipeline.station_states(START_NS)[0].n_picks == 0
            assert pipeline.station_peaks()[0].pga_mps2 < 0.01


def test_a_horizontal_that_comes_late_is_no_shaking() -> None:
    rng = np.random.default_rng(8)
    counts = to_counts(noise(rng, 24.0, 100.0) + 9.81)
    cuts = [list(range(50, 2400, 50)) for _ in range(3)]
    pipeline = Pipeline([STATION], config())
    for now_ns, packet in steps(packets_of(STATION, counts, cuts)):
        if packet.stream_id.channel == "HNN" and packet.start_ns < START_NS + 9 * NS:
            continue
        pipeline.receive([packet], now_ns)

    assert pipeline.station_peaks()[0].pga_mps2 < 0.01


# ---------------------------------------------------------------- settings
def test_the_status_of_alerts_is_chosen_and_never_actual() -> None:
    assert {s.value for s in Status} == {"exercise", "drill", "test"}
    assert config().with_status(Status.TEST).alert.status is Status.TEST
    assert config().alert.status is Status.EXERCISE


@pytest.mark.parametrize(
    ("section", "change", "said"),
    [
        ("alert", {"min_magnitud": 4.0}, "min_magnitud: unknown field"),
        ("location", {"ring_km": None}, "ring_km"),
        ("processing", None, r"section \[processing\] is missing"),
    ],
)
def test_a_wrong_table_names_section_and_field(
    section: str, change: dict[str, float | None] | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eew.core import config as module
    from eew.tables import load_table

    table = {name: dict(values) for name, values in load_table("detector").items()}
    if change is None:
        del table[section]
    else:
        for name, value in change.items():
            if value is None:
                del table[section][name]
            else:
                table[section][name] = value
    monkeypatch.setattr(module, "load_table", lambda name: table)

    with pytest.raises(ConfigError, match=said):
        DetectorConfig.load()
