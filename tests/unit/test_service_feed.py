"""How a live source shows in status, stations and metrics."""

from __future__ import annotations

from dataclasses import replace

from eew.clock import NS_PER_S, VirtualClock
from eew.model.feed import FeedReport, StationFeed
from eew.service.schema import StationFeedView, Status
from eew.service.state import ServiceInfo, ServiceState

NOW_NS = 1_790_000_000 * NS_PER_S
HEARD = StationFeed(
    code="CI.A",
    state="live",
    n_packets=7,
    last_end_ns=NOW_NS - 3 * NS_PER_S,
    last_arrival_ns=NOW_NS - 2 * NS_PER_S,
)
REPORT = FeedReport(
    name="slink://h:1",
    connected=True,
    reason="a server, SeedLink 4",
    reconnects=1,
    n_packets=7,
    dropped={"unreadable": 2},
    stations=(HEARD, StationFeed(code="CI.B", state="silent", silences=3)),
    last_arrival_ns=NOW_NS - 2 * NS_PER_S,
)


def state() -> ServiceState:
    info = ServiceInfo(service_id="x", version="1", source="live", speed=1.0, status="exercise")
    return ServiceState(info, VirtualClock(NOW_NS))


def value(of: ServiceState, name: str) -> float:
    lines = of.metrics.text().decode().splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).split()[1])


def test_a_replay_has_no_feed() -> None:
    status = Status.of(state())
    assert (status.feed, status.data_offset_s) == (None, None)


def test_the_status_says_how_the_source_is() -> None:
    it = state()
    it.receive_feed(REPORT)
    it.receive_offset(-3600.5)
    status = Status.of(it)
    assert status.data_offset_s == -3600.5
    assert status.feed is not None
    assert status.feed.stations == {"live": 1, "silent": 1}
    assert (status.feed.silences, status.feed.reconnects) == (3, 1)
    assert status.feed.last_packet_age_s == 2.0
    assert status.feed.dropped == {"unreadable": 2}


def test_a_station_s_latency_is_in_data_time() -> None:
    assert StationFeedView.of(HEARD, 0.0).latency_s == 1.0
    old = replace(HEARD, last_end_ns=NOW_NS - 3603 * NS_PER_S)
    assert StationFeedView.of(old, -3600.5).latency_s == 0.5
    assert StationFeedView.of(HEARD, None).latency_s is None
    assert StationFeedView.of(REPORT.stations[1], 0.0).last_packet_at is None


def test_counters_take_what_is_new_since_the_last_report() -> None:
    it = state()
    it.receive_feed(REPORT)
    it.receive_feed(REPORT)
    it.receive_feed(
        replace(REPORT, connected=False, reconnects=2, dropped={"unreadable": 5, "overflow": 1})
    )
    assert value(it, "eew_feed_connected") == 0.0
    assert value(it, "eew_feed_reconnects_total") == 2.0
    assert value(it, "eew_feed_silences_total") == 3.0
    assert value(it, 'eew_feed_dropped_total{reason="unreadable"}') == 5.0
    assert value(it, 'eew_feed_dropped_total{reason="overflow"}') == 1.0
    assert value(it, 'eew_feed_stations{state="silent"}') == 1.0
    assert value(it, "eew_feed_last_packet_timestamp_seconds") == NOW_NS / NS_PER_S - 2.0
