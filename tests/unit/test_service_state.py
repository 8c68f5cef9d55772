"""The state of the service: what it keeps of what the chain says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eew.clock import VirtualClock
from eew.model.alert import MsgType
from eew.model.event import EventClosed, PickRejected, StationState
from eew.model.waveform import DataProblem, Packet, StreamId
from eew.service.state import MAX_EVENTS, MAX_MESSAGES, BrokerInfo, ServiceInfo, ServiceState
from tests.unit.service_events import T0_NS, S, message, pick, solution

INFO = ServiceInfo(service_id="sim", version="9.9", source="replay x", speed=1.0, status="exercise")


@pytest.fixture
def state() -> ServiceState:
    return ServiceState(INFO, VirtualClock(T0_NS))


def metric(state: ServiceState, name: str, /, **labels: str) -> float | None:
    return state.metrics.registry.get_sample_value(name, labels)


def test_it_is_ready_only_when_broker_source_and_pipeline_are(state: ServiceState) -> None:
    assert [line.split(":")[0] for line in state.not_ready()] == ["broker", "source", "pipeline"]
    state.broker_is(BrokerInfo("embedded", "127.0.0.1", 1883), "listening")
    state.source_is("running", "replaying")
    assert state.not_ready() == ["pipeline: not started yet"]
    state.part("pipeline", ready=True, reason="3 stations")
    assert state.not_ready() == []
    state.source_is("ended", "the replay has ended")
    assert state.not_ready() == []
    state.broker_is(None, "connection lost")
    assert state.not_ready() == ["broker: connection lost"]


def test_an_unknown_part_or_source_state_is_refused(state: ServiceState) -> None:
    with pytest.raises(ValueError, match="unknown part 'brokr'"):
        state.part("brokr", ready=True, reason="")
    with pytest.raises(ValueError, match="unknown state 'asleep'"):
        state.source_is("asleep", "")


def test_the_state_of_an_event_follows_its_messages(state: ServiceState) -> None:
    state.receive(solution())
    record = state.events["ev-1"]
    seen = [record.state]
    for serial, kind in enumerate((MsgType.ALERT, MsgType.UPDATE, MsgType.FINAL), start=1):
        state.receive(message(serial=serial, msg_type=kind))
        seen.append(record.state)
    assert seen == ["candidate", "open", "open", "final"]
    assert record.updated_ns == T0_NS + 8 * S

    state.receive(message("ev-2"))
    state.receive(message("ev-2", 2, MsgType.CANCEL))
    assert state.events["ev-2"].state == "cancelled"

    state.receive(solution("ev-3"))
    state.receive(EventClosed(event_id="ev-3", at_ns=T0_NS + 9 * S, withdrawn=True, reason="few"))
    assert state.events["ev-3"].state == "dropped"


def test_memory_is_bounded_and_an_open_event_outlives_closed_ones(state: ServiceState) -> None:
    state.receive(message("open-one"))
    for number in range(MAX_EVENTS + 20):
        state.receive(solution(f"ev-{number}"))
        state.receive(EventClosed(event_id=f"ev-{number}", at_ns=T0_NS, withdrawn=False, reason=""))
    assert len(state.events) == MAX_EVENTS
    assert "open-one" in state.events
    assert "ev-0" not in state.events
    for serial in range(1, MAX_MESSAGES + 10):
        state.receive(message("open-one", serial, MsgType.UPDATE))
    kept = state.events["open-one"].messages
    assert len(kept) == MAX_MESSAGES
    assert kept[-1].serial == MAX_MESSAGES + 9


def test_what_the_chain_says_is_counted_under_the_documented_names(state: ServiceState) -> None:
    packet = Packet(
        stream_id=StreamId("XX", "A01", "", "HNZ"),
        start_ns=T0_NS,
        sampling_rate_hz=100.0,
        samples=np.zeros(50, dtype=np.int32),
    )
    state.receive_step(T0_NS + S, [packet, packet], 0.002)
    state.receive_step(T0_NS + 2 * S, [], 0.0)
    state.receive(pick(known_after_s=0.8))
    state.receive(PickRejected(station="XX.A01", time_ns=T0_NS, known_ns=T0_NS, reason="boxcar"))
    state.receive(message())
    gap = DataProblem(kind="gap", where="XX.A01", detail="1 s missing", count=2)
    late = DataProblem(kind="late", where="XX.A01", detail="25 s late", count=3)
    state.receive_problems([gap])
    state.receive_problems([gap, late])  # all so far, each time
    state.receive_published(0.004)
    state.receive_delivered(0.006)
    state.receive_devices(12)
    state.receive_told("phone", -1.5)
    state.receive_told("tv", None)
    state.receive_states(
        [
            StationState(
                station="XX.A01",
                state="live",
                last_sample_ns=T0_NS,
                delay_s=0.5,
                n_packets=2,
                n_picks=1,
            )
        ]
    )

    assert metric(state, "eew_packets_total") == 2
    assert metric(state, "eew_packet_delay_seconds_sum", network="XX") == pytest.approx(1.0)
    assert metric(state, "eew_decision_seconds_count") == 1  # a tick without packets is no work
    assert metric(state, "eew_picks_total", phase="P") == 1
    assert metric(state, "eew_picks_rejected_total") == 1
    assert metric(state, "eew_pick_latency_seconds_sum") == pytest.approx(0.8)
    assert metric(state, "eew_messages_total", msg_type="alert") == 1
    assert metric(state, "eew_gaps_total") == 2
    assert metric(state, "eew_dropped_total") == 3
    assert metric(state, "eew_publish_seconds_count") == 1
    assert metric(state, "eew_delivery_seconds_sum") == pytest.approx(0.006)
    assert metric(state, "eew_clients") == 12
    assert metric(state, "eew_lead_time_seconds_bucket", le="0.0") == 1
    assert metric(state, "eew_stations", state="live") == 1
    assert metric(state, "eew_build_info", version="9.9") == 1
    assert state.data_time_ns == T0_NS + 2 * S
    assert state.told == {"phone": 1, "tv": 1}
    assert state.problems == {"gap": 2, "late": 3}


def test_a_broker_that_takes_nothing_is_not_ready_until_it_is_again(state: ServiceState) -> None:
    state.broker_is(BrokerInfo("mosquitto", "127.0.0.1", 1883), "7 devices connected")
    state.receive_publish_failure("mqtt://127.0.0.1:1883: ev-1 serial 1 not taken within 2 s")
    assert state.not_ready()[0].startswith("broker: mqtt://127.0.0.1:1883: ev-1 serial 1")
    assert metric(state, "eew_publish_failures_total") == 1
    state.part("broker", ready=True, reason="7 of 7 devices connected")
    assert not any(line.startswith("broker") for line in state.not_ready())


def test_the_source_is_in_one_state_at_a_time(state: ServiceState) -> None:
    for name in ("starting", "running", "ended"):
        state.source_is(name, name)
        values = {
            other: metric(state, "eew_source_state", state=other)
            for other in ("starting", "running", "ended", "stopped", "failed")
        }
        assert values.pop(name) == 1
        assert set(values.values()) == {0}


def test_two_services_in_one_process_share_no_numbers(state: ServiceState) -> None:
    other = ServiceState(INFO, VirtualClock(T0_NS))
    other.receive(pick())
    assert metric(state, "eew_picks_total", phase="P") is None


def test_a_first_guess_that_nobody_confirms_leaves_no_event(state: ServiceState) -> None:
    state.receive(replace(solution("guess"), n_stations=1))
    assert list(state.events) == ["guess"]

    for name in ("guess", "never-sized"):
        state.receive(EventClosed(event_id=name, at_ns=T0_NS, withdrawn=False, reason="alone"))
    assert not state.events

    state.receive(replace(solution("real"), n_stations=2))
    state.receive(EventClosed(event_id="real", at_ns=T0_NS, withdrawn=False, reason="over"))
    assert list(state.events) == ["real"]
