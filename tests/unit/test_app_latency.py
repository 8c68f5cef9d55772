"""The modelled stages of the delay budget."""

from __future__ import annotations

import numpy as np
import pytest

from eew.app.latency import ModelledStages
from eew.model.alert import MsgType
from eew.model.event import Phase, Pick
from eew.model.waveform import Packet, StreamId
from tests.unit.run_example import ORIGIN_NS, S, message, pick, recording, solution

STREAM = StreamId("CI", "A", "", "HNZ")


def packet(start_s: float, stream: StreamId = STREAM) -> Packet:
    return Packet(
        stream_id=stream,
        start_ns=round(start_s * S),
        sampling_rate_hz=100.0,
        samples=np.zeros(50, dtype=np.int32),
    )


def a_pick(time_s: float, known_s: float) -> Pick:
    return Pick(
        pick_id=1,
        station="CI.A",
        stream=str(STREAM),
        phase=Phase.P,
        time_ns=round(time_s * S),
        known_ns=round(known_s * S),
        uncertainty_s=0.1,
        snr=5.0,
    )


def test_packet_link_and_detect_add_up_to_the_whole_way_of_a_pick() -> None:
    stages = ModelledStages()
    for n in range(6):
        stages.packets([packet(0.5 * n)], round((0.5 * n + 0.5 + 0.3) * S))
    stages.pick(a_pick(1.2, 2.3))

    found = stages.frozen()
    assert found["packet"] == pytest.approx((0.3,))
    assert found["link"] == pytest.approx((0.3,))
    assert found["detect"] == pytest.approx((0.5,))
    assert sum(v[0] for v in found.values()) == pytest.approx(2.3 - 1.2)


def test_a_pick_is_only_booked_to_packets_of_its_own_stream() -> None:
    stages = ModelledStages()
    stages.packets([packet(1.0, StreamId("CI", "B", "", "HNZ"))], 2 * S)
    stages.pick(a_pick(1.2, 2.3))

    assert stages.frozen() == {}


def test_packets_are_forgotten_after_a_while() -> None:
    stages = ModelledStages()
    stages.packets([packet(1.0)], 2 * S)
    stages.packets([packet(60.0)], 61 * S)
    stages.pick(a_pick(1.2, 61.0))

    assert "packet" not in stages.frozen()


def test_the_decision_is_counted_once_per_event_and_the_age_for_each_message() -> None:
    stages = ModelledStages()
    first = pick(1, recording().stations[0])
    stages.pick(first)
    found = solution(5.0, 5.4, (first,), 0.0)
    stages.message(message(1, MsgType.ALERT, found))
    stages.message(message(2, MsgType.UPDATE, solution(6.0, 6.0, (first,), 0.0)))

    samples = stages.frozen()
    assert samples["decide"] == pytest.approx(((ORIGIN_NS + 5 * S - first.known_ns) / S,))
    assert samples["update"] == pytest.approx((0.4, 0.4))
