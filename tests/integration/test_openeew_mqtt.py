"""OpenEEW packets over real brokers: publisher, source, and the detector behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tarfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from eew.app.openeew_publish import PublishOptions, plan_packets
from eew.app.openeew_source import open_openeew_source
from eew.cli import run
from eew.clock import Clock, SystemClock
from eew.core.config import DetectorConfig
from eew.core.pipeline import Pipeline
from eew.egress.openeew import Published, publish_traces
from eew.errors import ConfigError, ConnectError, DataError, PublishError
from eew.ingest import read_quake_folder, write_quake_folder
from eew.ingest.export import inventory_of
from eew.ingest.inventory import Metadata
from eew.ingest.live import LiveSource
from eew.ingest.openeew_archive import PACKETS_FILE, read_arrivals
from eew.ingest.openeew_mqtt import MqttTraceSource, ReplayShift
from eew.ingest.selection import Selection
from eew.ingest.station_files import metadata_from_path
from eew.messages.openeew import encode_trace
from eew.model.alert import AlertMessage
from eew.model.waveform import Packet, Recording, SensorKind, Station
from eew.mqtt_link import BrokerAddress, open_link
from tests.integration.brokers import BOTH, Forwarder, broker_of, recording, until
from tests.unit.ingest_cases import START_NS, station, three_components
from tests.unit.ingest_cases import recording as a_recording
from tests.unit.openeew_cases import device, trace, write_archive

S = 1_000_000_000
OAXACA = "mx20200111_m51_openeew"


class ClockOfTheData:
    """Goes on to what is due next as soon as all before it has come, on a machine of any speed."""

    def __init__(self) -> None:
        self._now_ns = SystemClock().utc_ns()
        self.published = Published()
        self.taker: Taker | None = None

    def utc_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return SystemClock().monotonic_ns()

    async def sleep_until(self, utc_ns: int) -> None:
        async with asyncio.timeout(10.0):
            for _ in iter(self.all_has_come, True):
                await asyncio.sleep(0.001)
        self._now_ns = max(self._now_ns, utc_ns)

    def all_has_come(self) -> bool:
        """Tell whether the three channels of each packet that the broker has are here."""
        return self.taker is not None and len(self.taker.got) == 3 * self.published.n_packets


def metadata_of(case: Recording) -> Callable[[], Metadata]:
    return lambda: Metadata([inventory_of(case)])


def source_of(
    address: BrokerAddress, metadata: Callable[[], Metadata], clock: Clock | None = None
) -> MqttTraceSource:
    return open_openeew_source(
        f"{address}/traces", metadata, Selection.parse(()), clock=clock or SystemClock()
    )


class Taker:
    """Takes what a source gives, as whoever drives one does."""

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        self.got: list[tuple[Packet, int]] = []

    async def run(self) -> None:
        async with contextlib.aclosing(self.source.packets()) as packets:
            async for packet, arrival_ns in packets:
                self.got.append((packet, arrival_ns))


@contextlib.asynccontextmanager
async def taking(source: MqttTraceSource) -> AsyncIterator[Taker]:
    await source.open()
    taker = Taker(source)
    task = asyncio.create_task(taker.run())
    try:
        yield taker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await source.close()


async def send(
    address: BrokerAddress,
    event: Path,
    options: PublishOptions,
    clock: ClockOfTheData | None = None,
) -> Published:
    """Publish, by the clock of the machine where no other is given."""
    plan = plan_packets(str(event), options)
    published = Published() if clock is None else clock.published
    used: Clock = clock or SystemClock()
    async with open_link(address) as link:
        await publish_traces(
            link,
            plan.packets(used.utc_ns()),
            clock=used,
            start_ns=plan.start_ns,
            speed=options.speed,
            published=published,
        )
    return published


@BOTH
async def test_what_is_published_is_taken_in(kind: str, tmp_path: Path) -> None:
    case = a_recording([station(three_components(f"XX.{c}AA")) for c in "ABC"])
    write_quake_folder(case, tmp_path / "quake", "for a test")
    clock = ClockOfTheData()

    async with (
        broker_of(kind) as address,
        taking(source_of(address, metadata_of(case), clock)) as taker,
        recording(address, "/traces") as raw,
    ):
        clock.taker = taker
        published = await send(address, tmp_path / "quake", PublishOptions(), clock)
        await until(lambda: len(taker.got) == 3 * published.n_packets == 3 * len(raw.got))

    assert published.n_packets >= 60
    for one in case.segments:
        mine = [(p, at) for p, at in taker.got if p.stream_id == one.stream_id]
        samples = np.concatenate([packet.samples for packet, _ in mine])
        np.testing.assert_allclose(samples, one.samples, atol=0.0005 * 2139.795 + 1e-6)
        delays_s = [(at - packet.end_ns) / S for packet, at in mine]
        assert min(delays_s) > 0.05  # the modelled link
        assert max(delays_s) < 1.5
    assert taker.source.health.problems() == []
    report = taker.source.health.report()
    assert not report.connected  # it has been closed
    assert [one.state for one in report.stations] == ["live"] * 3


@BOTH
async def test_recorded_packets_go_over_the_broker_byte_for_byte(
    kind: str, quakes_dir: Path
) -> None:
    plan = plan_packets(str(quakes_dir / OAXACA), PublishOptions(as_recorded=True))
    some = list(plan.packets(0))[:900]  # a broker drops beyond 1,000 that wait for a reader
    async with (
        broker_of(kind) as address,
        recording(address, "/traces") as raw,
        open_link(address) as link,
    ):
        await publish_traces(
            link,
            some,
            clock=SystemClock(),
            start_ns=plan.start_ns,
            speed=0.0,
            published=Published(),
        )
        await until(lambda: len(raw.got) == len(some))

    assert [payload for _, payload in raw.got] == [one.payload for one in some]
    lines = archive_lines(quakes_dir / OAXACA / PACKETS_FILE)
    assert {payload for _, payload in raw.got} <= lines


@pytest.mark.mosquitto
@pytest.mark.broker
async def test_the_detector_alerts_by_mqtt_as_by_file(quakes_dir: Path) -> None:
    """A minute of the recorded packets, by a clock that waits for each of them."""
    folder = quakes_dir / OAXACA
    case = read_quake_folder(folder)
    assert case.truth is not None
    begin_ns, end_ns = case.truth.origin_time_ns - 30 * S, case.truth.origin_time_ns + 25 * S
    by_file = [
        (one.arrival_ns, one.packets)
        for one in read_arrivals(folder / PACKETS_FILE, case.stations)[0]
        if begin_ns <= one.arrival_ns <= end_ns
    ]
    plan = plan_packets(str(folder), PublishOptions(as_recorded=True))
    payloads = [one for one in plan.packets(0) if begin_ns <= one.due_ns <= end_ns]
    clock = ClockOfTheData()

    async with broker_of("mosquitto") as address:
        source = source_of(address, lambda: metadata_from_path(folder), clock)
        async with taking(source) as taker, open_link(address) as link:
            clock.taker = taker
            first_ns = clock.utc_ns()
            await publish_traces(
                link,
                payloads,
                clock=clock,
                start_ns=begin_ns,
                speed=1.0,
                published=clock.published,
            )
            await until(lambda: len(taker.got) == 3 * len(payloads))

    # what the source gives has the times of the recording: arrivals by the same clock
    by_mqtt: dict[int, list[Packet]] = {}
    for packet, arrival_ns in taker.got:
        by_mqtt.setdefault(arrival_ns - first_ns + begin_ns, []).append(packet)
    expected = first_alert(case.stations, by_file)
    found = first_alert(case.stations, sorted(by_mqtt.items(), key=lambda one: one[0]))

    assert found.issued_ns / S == pytest.approx(expected.issued_ns / S, abs=0.6)
    assert found.magnitude.value == pytest.approx(expected.magnitude.value, abs=0.1)
    assert found.origin.lat == pytest.approx(expected.origin.lat, abs=0.1)
    assert {one.code for one in source.health.report().stations if one.state == "live"} == {
        one.code for one in case.stations
    }
    assert source.health.reason == "closed"
    assert not [one for one in source.health.problems() if one.kind != "gap"]


PLACEHOLDER = BrokerAddress(kind="remote", host="127.0.0.1", port=1)


def first_alert(
    stations: Sequence[Station], arrivals: Sequence[tuple[int, Sequence[Packet]]]
) -> AlertMessage:
    pipeline = Pipeline(stations, DetectorConfig.load())
    tick_ns = arrivals[0][0]
    for now_ns, packets in arrivals:
        while tick_ns < now_ns:
            for event in pipeline.advance(tick_ns):
                if isinstance(event, AlertMessage):
                    return event
            tick_ns += S // 2
        for event in pipeline.receive(packets, now_ns):
            if isinstance(event, AlertMessage):
                return event
    pytest.fail("no alert")


@BOTH
async def test_a_lost_connection_is_made_anew(kind: str) -> None:
    case = a_recording([device()])
    async with broker_of(kind) as broker:
        forwarder = Forwarder(broker)
        async with forwarder as address:
            source = source_of(address, metadata_of(case))
            async with taking(source) as taker, open_link(broker) as link:
                payload = fresh(0)
                await link.publish("/traces", payload, qos=1)
                await until(lambda: len(taker.got) == 3)
                forwarder.cut()
                await until(lambda: not source.health.is_connected)
                await until(lambda: source.health.is_connected)
                await link.publish("/traces", fresh(1), qos=1)
                await until(lambda: len(taker.got) == 6)
                await link.publish("/traces", payload, qos=1)  # a double, from before
                await link.publish("/traces", b"{}", qos=1)
                await until(lambda: source.health.dropped.total() == 2)

    assert source.health.reconnects == 1
    assert dict(source.health.dropped) == {"duplicate": 1, "unreadable": 1}
    assert len(taker.got) == 6


def archive_lines(path: Path) -> set[bytes]:
    """Return every line of the archive, read without our reader."""
    with tarfile.open(path, "r:xz") as archive:
        files = [archive.extractfile(member) for member in archive if member.isfile()]
        return {line for file in files if file is not None for line in file.read().splitlines()}


def fresh(number: int) -> bytes:
    """Return a packet of now."""
    return encode_trace(trace(end_ns=SystemClock().utc_ns() - S // 5 + number, delay_ns=None))


async def test_a_broker_that_is_not_there_is_an_error_at_the_start() -> None:
    source = source_of(PLACEHOLDER, metadata_of(a_recording([device()])))

    with pytest.raises(ConnectError, match=r"mqtt://127.0.0.1:1: connection refused"):
        await source.open()
    await source.close()


async def test_an_inventory_without_accelerometers_is_an_error() -> None:
    velocity = station(three_components("XX.VEL", "HH"), kind=SensorKind.VELOCITY)
    source = source_of(PLACEHOLDER, metadata_of(a_recording([velocity])))

    with pytest.raises(DataError, match=r"none of 1 stations .* three channels of acceleration"):
        await source.open()
    await source.close()


def test_without_an_inventory_nothing_is_opened() -> None:
    with pytest.raises(ConfigError, match="--inventory: needed"):
        open_openeew_source(
            "mqtt://127.0.0.1:1/traces", None, Selection.parse(()), clock=SystemClock()
        )


@BOTH
async def test_a_broker_that_goes_away_ends_the_publishing(kind: str, tmp_path: Path) -> None:
    case = a_recording([station(three_components("XX.AAA"))])
    write_quake_folder(case, tmp_path / "quake", "for a test")
    published = Published()
    plan = plan_packets(str(tmp_path / "quake"), PublishOptions())
    async with broker_of(kind) as broker:
        forwarder = Forwarder(broker)

        def cut(so_far: Published) -> None:
            if so_far.n_packets >= 3:
                forwarder.cut()

        async with forwarder as address, open_link(address) as link:
            publishing = publish_traces(
                link,
                plan.packets(SystemClock().utc_ns()),
                clock=SystemClock(),
                start_ns=plan.start_ns,
                speed=10.0,
                published=published,
                progress=cut,
            )
            with pytest.raises(PublishError, match="was not taken"):
                await publishing
    assert 3 <= published.n_packets < 20


@pytest.mark.broker
def test_the_commands_publish_and_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "quake"
    case = a_recording([device(), station(three_components("XX.VEL"), kind=SensorKind.VELOCITY)])
    write_quake_folder(case, folder, "for a test")
    lines = b"\n".join(encode_trace(trace(number)) for number in range(30))
    write_archive(folder / PACKETS_FILE, {"001/00.jsonl": lines})

    publish = ("openeew", "publish", str(folder), "--broker", "embedded", "--speed", "0")
    assert run(publish) == 0
    said = capsys.readouterr().out
    assert said.startswith("SIMULATION  quake: 1 devices, ")
    assert "XX.VEL: not three channels of acceleration; left out" in said
    assert run((*publish, "--as-recorded", "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["packets"], document["complete"]) == (30, True)

    assert run(("openeew", "delays", str(folder))) == 0
    said = capsys.readouterr().out
    assert said.startswith("SIMULATION")
    assert "0.30 s" in said
    assert run(("openeew", "delays", str(folder), "--json")) == 0
    assert json.loads(capsys.readouterr().out)["all"]["median_s"] == 0.3


def test_data_of_another_day_move_the_time_of_the_server_once() -> None:
    shift = ReplayShift()
    now_ns = START_NS + 2507 * 86_400 * S

    assert shift.look(trace(0), now_ns)
    first_ns = shift.shift_ns
    assert not shift.look(trace(5), now_ns + 20 * S)  # jitter and outages do not move it again
    assert shift.shift_ns == first_ns
    assert shift.look(trace(0), START_NS + 3 * S)  # the data of now are back
    assert shift.shift_ns == 0
    assert not shift.look(trace(0, delay_ns=None), now_ns)
