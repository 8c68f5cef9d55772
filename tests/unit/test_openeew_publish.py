from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eew.app.openeew_publish import PublishOptions, plan_packets
from eew.app.openeew_source import split_url
from eew.app.options import RunOptions
from eew.app.source import load_source, packet_length_s, with_arrivals
from eew.app.trace_packets import align_axes, trace_packets
from eew.errors import ConfigError, DataError
from eew.ingest import write_quake_folder
from eew.ingest.live import Health
from eew.ingest.openeew import TraceReader
from eew.ingest.openeew_archive import PACKETS_FILE
from eew.messages.openeew import encode_trace
from eew.model.waveform import SensorKind
from simulator.arrivals import RecordedArrivals
from simulator.link import LinkDelay
from simulator.schedule import Schedule
from tests.unit.ingest_cases import (
    START_NS,
    TRUTH,
    counts,
    kinds,
    recording,
    segment,
    station,
    three_components,
)
from tests.unit.openeew_cases import N, S, device, trace, write_archive

A = three_components("XX.AAA")


# ---------------------------------------------------------------- from a recording to packets
def test_packets_hold_the_samples_of_all_three_axes() -> None:
    case = recording([station(A)])
    devices = align_axes(case)
    schedule = Schedule(devices.recording, 1.0, LinkDelay.fixed(0.4))

    made = list(trace_packets(devices, schedule, country="cn"))

    for axis, stream in zip("xyz", (A[0], A[1], A[2]), strict=True):
        gal = np.concatenate([getattr(packet, axis) for _, packet in made])
        source = next(one.samples for one in case.segments if str(one.stream_id) == stream)
        np.testing.assert_allclose(gal * 0.01 * 213_979.5, source, atol=0.0005 * 2139.795 + 1e-6)
    first_due_ns, first = made[0]
    assert first.device_id == "XX.AAA"
    assert first.country_code == "cn"
    last_sample_ns = START_NS + round((len(first.x) - 1) * S / 100.0)
    assert first.device_ns == pytest.approx(last_sample_ns, abs=1000)
    assert first.cloud_ns == pytest.approx(first_due_ns, abs=1000)
    assert first_due_ns == pytest.approx(last_sample_ns + round(0.41 * S), abs=1000)


def test_times_can_be_moved() -> None:
    devices = align_axes(recording([station(A)]))
    schedule = Schedule(devices.recording, 1.0, LinkDelay.fixed(0.4))

    plain = [packet.device_ns for _, packet in trace_packets(devices, schedule)]
    moved = [packet.device_ns for _, packet in trace_packets(devices, schedule, shift_ns=60 * S)]

    assert [b - a for a, b in zip(plain, moved, strict=True)] == [60 * S] * len(plain)


def test_only_what_all_axes_have_is_sent() -> None:
    segments = [
        segment(A[0], counts(1000)),
        segment(A[1], counts(400)),  # has a hole from 4 to 5 s
        segment(A[1], counts(500), start_ns=START_NS + 5 * S),
        segment(A[2], counts(1000), start_ns=START_NS + S // 2),
    ]
    devices = align_axes(recording([station(A)], segments))

    found = [(one.start_ns - START_NS, len(one.samples)) for one in devices.recording.segments]
    assert found[:2] == [(S // 2, 350), (5 * S, 500)]
    assert found[:2] * 3 == found
    assert kinds(devices.problems) == {"gap": 150}


def test_stations_that_are_no_device_are_left_out_and_named() -> None:
    velocity = station(three_components("XX.VEL"), kind=SensorKind.VELOCITY)
    devices = align_axes(recording([station(A), velocity]))

    assert [one.code for one in devices.recording.stations] == ["XX.AAA"]
    assert [(one.kind, one.where) for one in devices.problems] == [("no_waveform", "XX.VEL")]


def test_published_and_taken_in_again_the_samples_are_the_same() -> None:
    case = recording([station(A), station(three_components("XX.BBB"))])
    devices = align_axes(case)
    health = Health("test")
    reader = TraceReader(case.stations, health.set_aside)
    taken: dict[str, list[np.ndarray]] = {}
    schedule = Schedule(devices.recording, 1.0, LinkDelay(seed=3), seed=3)
    ends: dict[str, int] = {}
    for due_ns, packet in trace_packets(devices, schedule):
        for one in reader.take(packet, due_ns):
            name = str(one.stream_id)
            assert abs(one.start_ns - ends.get(name, one.start_ns)) <= 1
            ends[name] = one.end_ns
            taken.setdefault(name, []).append(one.samples)

    for whole in case.segments:
        again = np.concatenate(taken[str(whole.stream_id)])
        np.testing.assert_allclose(again, whole.samples, atol=0.0005 * 2139.795 + 1e-6)
    assert health.problems() == []


# ---------------------------------------------------------------- plans and addresses
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A quake folder with packets: two devices of 31.25 Hz, 20 packets each."""
    stations = [device("XX.OE001"), device("XX.OE002")]
    path = tmp_path / "quake"
    write_quake_folder(recording(stations, truth=TRUTH), path, "for a test")
    files = {
        f"{name}/00.jsonl": b"\n".join(encode_trace(trace(i, device_id=name)) for i in range(20))
        for name in ("001", "002")
    }
    write_archive(path / PACKETS_FILE, files)
    return path


def test_recorded_packets_go_out_byte_for_byte_when_they_arrived(folder: Path) -> None:
    options = PublishOptions(as_recorded=True, topic="/traces/{device}")
    plan = plan_packets(str(folder), options)
    sent = list(plan.packets(0))

    assert plan.n_devices == 2
    assert len(sent) == 40
    assert [one.due_ns for one in sent] == sorted(one.due_ns for one in sent)
    assert {one.topic for one in sent} == {"/traces/001", "/traces/002"}
    assert sent[0].payload == encode_trace(trace(0))
    assert sent[0].due_ns == trace(0).cloud_ns == plan.start_ns


def test_a_plan_is_dated_now_unless_told_otherwise(folder: Path) -> None:
    now_ns = START_NS + 1000 * S
    plan = plan_packets(str(folder), PublishOptions())
    kept = plan_packets(str(folder), PublishOptions(time="original"))

    first = next(plan.packets(now_ns))
    assert first.due_ns == plan.start_ns
    assert b'"cloud_t":1600001000.123' in first.payload
    assert b'"cloud_t":160000000' in next(kept.packets(now_ns)).payload


def test_a_folder_without_packets_is_told_so(folder: Path) -> None:
    (folder / PACKETS_FILE).unlink()
    with pytest.raises(ConfigError, match=r"--as-recorded: .* has no recorded packets"):
        plan_packets(str(folder), PublishOptions(as_recorded=True))
    with pytest.raises(ConfigError, match=r"--arrivals: .* has no recorded packets"):
        with_arrivals(str(folder), load_source(str(folder), seed=1))


def test_a_folder_without_accelerometers_cannot_be_published(tmp_path: Path) -> None:
    velocity = station(three_components("XX.VEL", "HH"), kind=SensorKind.VELOCITY)
    write_quake_folder(recording([velocity]), tmp_path / "quake", "for a test")

    with pytest.raises(DataError, match="no station has three channels of acceleration"):
        plan_packets(str(tmp_path / "quake"), PublishOptions())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"topic": "a/+/b"}, "--topic: topic 'a/+/b': a topic to publish to holds no + or #"),
        ({"topic": ""}, "--topic"),
        ({"time": "today"}, "--time: must be now or original, was 'today'"),
        ({"speed": -1.0}, "--speed: must be 0 or more, was -1"),
        ({"speed": float("nan")}, "--speed"),
        ({"packet_s": 60.0}, "--packet: must be 0.1 to 10 s, was 60"),
        ({"delay_s": 100.0}, "--delay"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, float | str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(PublishOptions(), **settings)  # type: ignore[arg-type]
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "topic"),
    [
        ("mqtt://localhost", "localhost", 1883, "/traces"),
        ("mqtt://localhost:1999/", "localhost", 1999, "/traces"),
        ("mqtts://broker.example/eew/traces", "broker.example", 8883, "/eew/traces"),
        ("mqtt://h/iot-2/+/%23", "h", 1883, "/iot-2/+/#"),
    ],
)
def test_the_topic_follows_the_address(url: str, host: str, port: int, topic: str) -> None:
    address, found = split_url(url, {})

    assert (address.host, address.port, found) == (host, port, topic)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtt://host/a#b", "nothing may follow the topic"),
        ("mqtt://host/a?b=1", "nothing may follow the topic"),
        ("mqtt://host/a%23/b", "+ and # must stand for whole levels"),
        ("mqtt://host/%23/b", "# must be the last level"),
        ("http://host/a", "unknown scheme 'http'"),
        ("localhost:1883", "unknown broker"),
        ("mqtt://u:geheim@host:99999/x", "mqtt://u:***@host:99999"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split_url(url, {})
    assert str(caught.value).startswith("--source: ")
    assert words in str(caught.value)
    assert "geheim" not in str(caught.value)


# ---------------------------------------------------------------- replay by recorded arrivals
def test_steps_follow_the_recorded_arrivals(folder: Path) -> None:
    source = with_arrivals(str(folder), load_source(str(folder), seed=1))
    schedule = RecordedArrivals(source.recording, source.arrivals)
    steps = list(schedule)

    data = [step for step in steps if step.packets]
    assert [step.now_ns for step in data] == [trace(i).cloud_ns for i in range(20)]
    assert all(len(step.packets) == 6 for step in data)  # both devices at the same moment
    assert sum(len(p.samples) for step in data for p in step.packets) == 2 * 3 * 20 * N
    assert [s.now_ns for s in steps] == sorted(s.now_ns for s in steps)
    ticks = [step.now_ns - schedule.start_ns for step in steps if not step.packets]
    assert ticks == [(i + 1) * S // 2 for i in range(len(ticks))]
    assert 0 < steps[-1].now_ns - data[-1].now_ns <= S // 2
    assert packet_length_s(source) == 1.02
    assert "packets.tar.xz" in source.recording.input_sha256
    assert [step.now_ns for step in schedule] == [step.now_ns for step in steps]


def test_steps_end_where_they_are_told(folder: Path) -> None:
    source = with_arrivals(str(folder), load_source(str(folder), seed=1))

    steps = list(RecordedArrivals(source.recording, source.arrivals, until_s=3.0))

    assert max(step.now_ns for step in steps) <= TRUTH.origin_time_ns + 3 * S
    assert any(step.packets for step in steps)
    with pytest.raises(ConfigError, match="the data begin at"):
        RecordedArrivals(source.recording, source.arrivals, until_s=-6.0)


def test_a_delay_cannot_be_set_with_recorded_arrivals() -> None:
    with pytest.raises(ConfigError, match="--delay: has no meaning with --arrivals recorded"):
        RunOptions(arrivals="recorded", delay_s=0.3)
    with pytest.raises(ConfigError, match="--arrivals: unknown 'real'"):
        RunOptions(arrivals="real")
