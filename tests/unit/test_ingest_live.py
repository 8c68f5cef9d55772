"""The account of a live source, and the choice of its stations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eew.errors import DataError
from eew.ingest import stationxml
from eew.ingest.inventory import Metadata, read_stationxml
from eew.ingest.live import Health
from eew.ingest.live_network import OfferedStream, live_network
from eew.ingest.selection import Selection
from eew.model.waveform import Packet, Recording, StreamId
from tests.unit.run_example import recording

S = 1_000_000_000
QUAKE = recording(3)
NOW_NS = QUAKE.end_ns


def packet(code: str, start_ns: int, n: int = 50) -> Packet:
    network, station = code.split(".")
    return Packet(
        stream_id=StreamId(network, station, "", "HNZ"),
        start_ns=start_ns,
        sampling_rate_hz=100.0,
        samples=np.zeros(n, dtype=np.int32),
    )


def states(health: Health) -> dict[str, str]:
    return {one.code: one.state for one in health.report().stations}


def test_a_station_is_missed_once_until_it_is_back() -> None:
    health = Health("x", silent_after_s=10.0)
    health.expect(QUAKE.stations)
    first, second, third = (station.code for station in QUAKE.stations)
    health.connected("here")
    assert health.watch(0) == []
    health.received(packet(first, 0), 5 * S)
    health.received(packet(second, 0), 9 * S)
    assert states(health) == {first: "live", second: "live", third: "waiting"}
    assert health.watch(10 * S + 1) == [third]
    assert health.watch(11 * S) == []
    assert health.watch(16 * S) == [first]
    health.received(packet(first, 10 * S), 17 * S)
    assert states(health) == {first: "live", second: "live", third: "silent"}
    assert health.watch(40 * S) == [first, second]
    report = health.report()
    assert (report.n_silent, report.n_silences, report.n_packets) == (3, 4, 3)
    assert {one.code: one.silences for one in report.stations} == {first: 2, second: 1, third: 1}


def test_no_station_is_blamed_for_a_lost_connection() -> None:
    health = Health("x", silent_after_s=10.0)
    health.expect(QUAKE.stations)
    health.connected("here")
    health.watch(0)
    health.lost("gone")
    assert health.watch(50 * S) == []
    health.connected("back")
    assert health.watch(59 * S) == []
    assert len(health.watch(61 * S)) == 3


def test_the_newest_sample_of_a_station_does_not_go_back() -> None:
    health = Health("x")
    health.received(packet("CI.A", 10 * S), 1)
    health.received(packet("CI.A", 2 * S), 2)
    (one,) = health.report().stations
    assert (one.last_end_ns, one.last_arrival_ns, one.n_packets) == (10 * S + S // 2, 2, 2)


def test_what_is_set_aside_is_counted_and_remembered_by_place_up_to_a_limit() -> None:
    health = Health("x")
    for n in range(3000):
        health.set_aside("unreadable", f"S{n:04d}", f"detail {n}", count=2)
    health.set_aside("unreadable", "S0000", "newest", count=1)
    problems = health.problems()
    assert health.report().dropped == {"unreadable": 6001}
    assert sum(problem.count for problem in problems) == 6001
    assert len(problems) <= 1001
    assert next(p for p in problems if p.where == "S0000").detail == "newest"


# ---------------------------------------------------------------- stations
def metadata(quake: Recording) -> Metadata:
    inventory, problems = read_stationxml(stationxml(quake), name="test")
    assert problems == []
    return Metadata([inventory])


def streams(quake: Recording) -> list[StreamId]:
    return [channel.stream_id for station in quake.stations for channel in station.channels]


def test_the_stations_are_those_of_the_file() -> None:
    offered = [OfferedStream(one, NOW_NS) for one in streams(QUAKE)]
    for offer in (offered, None):
        network = live_network(metadata(QUAKE), offer, Selection(), now_ns=NOW_NS, name="x")
        assert network.stations == QUAKE.stations
        assert network.problems == ()


def test_what_is_offered_without_metadata_is_a_problem() -> None:
    unknown = StreamId("XX", "NONE", "", "HNZ")
    offered = [OfferedStream(one) for one in (*streams(QUAKE), unknown)]
    network = live_network(metadata(QUAKE), offered, Selection(), now_ns=NOW_NS, name="x")
    assert network.stations == QUAKE.stations
    (problem,) = network.problems
    assert (problem.kind, problem.where) == ("no_metadata", "XX.NONE..HNZ")


def test_only_what_is_offered_and_wanted_is_used() -> None:
    first, second, _ = QUAKE.stations
    offered = [OfferedStream(c.stream_id) for s in (first, second) for c in s.channels]
    wanted = Selection.parse([f"{second.code.replace('.', '_')}:??Z"])
    network = live_network(metadata(QUAKE), offered, wanted, now_ns=NOW_NS, name="x")
    (station,) = network.stations
    assert station == replace(second, channels=second.channels[:1])


def test_no_station_at_all_says_why() -> None:
    unknown = OfferedStream(StreamId("XX", "NONE", "", "HNZ"))
    with pytest.raises(DataError, match=r"x: no usable station: 1 stream.*not in the StationXML"):
        live_network(metadata(QUAKE), [unknown], Selection(), now_ns=NOW_NS, name="x")
    with pytest.raises(DataError, match=r"no stream matches ZZ_\*"):
        live_network(metadata(QUAKE), None, Selection.parse(["ZZ_*"]), now_ns=NOW_NS, name="x")


def test_an_epoch_that_has_ended_holds_for_data_of_its_time_only() -> None:
    import obspy

    inventory, _ = read_stationxml(stationxml(QUAKE), name="test")
    for network in inventory:
        for station in network:
            for channel in station:
                channel.start_date = obspy.UTCDateTime(ns=QUAKE.start_ns - 100 * S)
                channel.end_date = obspy.UTCDateTime(ns=NOW_NS + 100 * S)
    known = Metadata([inventory])
    year_later_ns = NOW_NS + 365 * 86_400 * S
    old = [OfferedStream(one, NOW_NS) for one in streams(QUAKE)]
    chosen = live_network(known, old, Selection(), now_ns=year_later_ns, name="x")
    assert len(chosen.stations) == 3
    new = [OfferedStream(one, year_later_ns) for one in streams(QUAKE)]
    with pytest.raises(DataError, match="9 no_metadata"):
        live_network(known, new, Selection(), now_ns=year_later_ns, name="x")
