"""Prometheus names in one place; base units, no station code as a label.

Each service has a registry of its own, so that two in one process (tests) do not share numbers
and nothing of the process at large is exported by accident. *Modelled* times are differences of
data time, *measured* ones of this machine's monotonic clock; the help text says which.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from eew.clock import NS_PER_S
from eew.model.feed import FeedReport

__all__ = ["CONTENT_TYPE_LATEST", "FEED_STATES", "SOURCE_STATES", "FeedMetrics", "Metrics"]

SOURCE_STATES = ("starting", "running", "lost", "ended", "stopped", "failed")
FEED_STATES = ("waiting", "live", "silent")

_DELAY_BUCKETS_S = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
_FAST_BUCKETS_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_NETWORK_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_LEAD_BUCKETS_S = (-20.0, -10.0, -5.0, 0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0)


class FeedMetrics:
    """Of a live source; all 0 in a replay, which has none."""

    def __init__(self, kind: CollectorRegistry) -> None:
        self.connected = Gauge("eew_feed_connected", "1 while a connection stands.", registry=kind)
        self.reconnects = Counter("eew_feed_reconnects", "Connections made anew.", registry=kind)
        self.restarts = Counter(
            "eew_feed_restarts", "Connections broken off because nothing came.", registry=kind
        )
        self.dropped = Counter(
            "eew_feed_dropped", "Packets set aside before the detector.", ["reason"], registry=kind
        )
        self.stations = Gauge(
            "eew_feed_stations", "Stations by what the watch-dog says.", ["state"], registry=kind
        )
        self.silences = Counter(
            "eew_feed_silences", "Times a station was missed by the watch-dog.", registry=kind
        )
        self.last_packet_s = Gauge(
            "eew_feed_last_packet_timestamp_seconds", "When a packet last came.", registry=kind
        )
        self.data_offset_s = Gauge(
            "eew_data_offset_seconds",
            "Data time minus wall clock; not 0 where a server replays old data.",
            registry=kind,
        )
        self._before: FeedReport | None = None

    def receive(self, report: FeedReport) -> None:
        """Take how the source is now; what is new since the last time is counted."""
        before = self._before or FeedReport(name=report.name, connected=False, reason="")
        self._before = report
        self.connected.set(report.connected)
        self.reconnects.inc(report.reconnects - before.reconnects)
        self.restarts.inc(report.restarts - before.restarts)
        for reason, count in report.dropped.items():
            self.dropped.labels(reason).inc(count - before.dropped.get(reason, 0))
        for state in FEED_STATES:
            self.stations.labels(state).set(sum(one.state == state for one in report.stations))
        self.silences.inc(report.n_silences - before.n_silences)
        if report.last_arrival_ns is not None:
            self.last_packet_s.set(report.last_arrival_ns / NS_PER_S)


class Metrics:
    """All counters, gauges and histograms of one service."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        kind = self.registry
        Gauge("eew_build_info", "Always 1.", ["version"], registry=kind).labels(version).set(1)
        self.packets = Counter("eew_packets", "Packets received.", registry=kind)
        self.packet_delay_s = Histogram(
            "eew_packet_delay_seconds",
            "Arrival minus end of the packet's last sample (modelled: data time).",
            ["network"],
            buckets=_DELAY_BUCKETS_S,
            registry=kind,
        )
        self.gaps = Counter("eew_gaps", "Gaps stepped over in the data.", registry=kind)
        self.dropped = Counter("eew_dropped", "Packets too late to alert on.", registry=kind)
        self.picks = Counter("eew_picks", "P and S picks.", ["phase"], registry=kind)
        self.picks_rejected = Counter(
            "eew_picks_rejected", "Triggers refused by a quality gate.", registry=kind
        )
        self.pick_latency_s = Histogram(
            "eew_pick_latency_seconds",
            "Time a pick was known minus its onset (modelled: data time).",
            buckets=_DELAY_BUCKETS_S,
            registry=kind,
        )
        self.decision_s = Histogram(
            "eew_decision_seconds",
            "Work of the detector on one round of packets (measured).",
            buckets=_FAST_BUCKETS_S,
            registry=kind,
        )
        self.messages = Counter("eew_messages", "Alert messages.", ["msg_type"], registry=kind)
        self.publish_s = Histogram(
            "eew_publish_seconds",
            "Handing one message over to the broker (measured).",
            buckets=_NETWORK_BUCKETS_S,
            registry=kind,
        )
        self.publish_failures = Counter(
            "eew_publish_failures", "Messages the broker did not take in time.", registry=kind
        )
        self.delivery_s = Histogram(
            "eew_delivery_seconds",
            "Publish to receipt on a device (measured).",
            buckets=_NETWORK_BUCKETS_S,
            registry=kind,
        )
        self.lead_time_s = Histogram(
            "eew_lead_time_seconds",
            "Predicted S arrival minus the time a device first showed the alert (data time).",
            buckets=_LEAD_BUCKETS_S,
            registry=kind,
        )
        self.clients = Gauge("eew_clients", "Devices connected.", registry=kind)
        self.source_state = Gauge(
            "eew_source_state", "1 for the state the source is in.", ["state"], registry=kind
        )
        self.stations = Gauge("eew_stations", "Stations by state.", ["state"], registry=kind)
        self.feed = FeedMetrics(kind)
        self.set_source_state("starting")

    def set_source_state(self, now: str) -> None:
        """Set the one state the source is in."""
        for state in SOURCE_STATES:
            self.source_state.labels(state).set(1 if state == now else 0)

    def text(self) -> bytes:
        """Return the exposition in Prometheus' text format."""
        return generate_latest(self.registry)
