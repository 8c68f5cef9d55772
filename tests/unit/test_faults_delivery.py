"""Faults of the delivery, seen in the steps that reach the detector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from eew.errors import ConfigError
from eew.model.waveform import Packet, Recording
from simulator.delivery import (
    backlog,
    clock_offset,
    duplicates,
    gone,
    packet_loss,
    reordered,
)
from simulator.link import LinkDelay
from simulator.schedule import Schedule, Step
from tests.unit.ingest_cases import START_NS, recording, station, three_components

S = 1_000_000_000
CODES = ("XX.AAA", "XX.BBB", "XX.CCC")
Fault = Callable[[Iterable[Step]], Iterator[Step]]
FROM_NS, UNTIL_NS = START_NS + 5 * S, START_NS + 12 * S


@pytest.fixture(scope="module")
def case() -> Recording:
    return recording([station(three_components(code)) for code in CODES])


def steps(case: Recording) -> Schedule:
    return Schedule(case, link=LinkDelay(seed=1), seed=1)


def packets(stream: Iterable[Step]) -> list[tuple[int, Packet]]:
    return [(step.now_ns, packet) for step in stream for packet in step.packets]


def keys(found: list[tuple[int, Packet]]) -> Counter[tuple[str, int]]:
    return Counter((str(p.stream_id), p.start_ns) for _, p in found)


FAULTS: dict[str, Fault] = {
    "backlog": lambda s: backlog(s, CODES[:1], from_ns=FROM_NS, until_ns=UNTIL_NS),
    "gone": lambda s: gone(s, CODES[:1], from_ns=FROM_NS),
    "loss": lambda s: packet_loss(s, share=0.3, seed=1),
    "reorder": lambda s: reordered(s, share=0.3, most_s=2.0, seed=1),
    "duplicates": lambda s: duplicates(s, share=0.3, most_s=2.0, seed=1),
    "clock": lambda s: clock_offset(s, CODES[:1], offset_s=10.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_steps_stay_in_order_and_ticks_stay_where_they_are(case: Recording, name: str) -> None:
    before, after = list(steps(case)), list(FAULTS[name](steps(case)))

    assert all(a.now_ns <= b.now_ns for a, b in pairwise(after))
    assert [s.now_ns for s in after if not s.packets] == [s.now_ns for s in before if not s.packets]


@pytest.mark.parametrize("name", FAULTS)
def test_the_same_seed_gives_the_same_delivery(case: Recording, name: str) -> None:
    one, other = (packets(FAULTS[name](steps(case))) for _ in range(2))
    assert [(t, p.stream_id, p.start_ns) for t, p in one] == [
        (t, p.stream_id, p.start_ns) for t, p in other
    ]


@pytest.mark.parametrize("name", FAULTS)
def test_channels_cut_together_travel_together(case: Recording, name: str) -> None:
    for step in FAULTS[name](steps(case)):
        found = Counter((p.stream_id.station_code, p.start_ns) for p in step.packets)
        assert all(n % 3 == 0 for n in found.values())


def test_a_backlog_holds_everything_back_and_delivers_it_in_one_burst(case: Recording) -> None:
    before, after = packets(steps(case)), packets(FAULTS["backlog"](steps(case)))

    assert keys(after) == keys(before)
    times = [t for t, p in after if p.stream_id.station_code == "XX.AAA"]
    assert not any(FROM_NS <= t < UNTIL_NS for t in times)
    burst = [p for t, p in after if t == UNTIL_NS and p.stream_id.station_code == "XX.AAA"]
    assert len(burst) == pytest.approx(3 * 14, abs=3)  # 7 s of half-second packets
    others = [(t, p.start_ns) for t, p in after if p.stream_id.station_code != "XX.AAA"]
    assert others == [(t, p.start_ns) for t, p in before if p.stream_id.station_code != "XX.AAA"]


def test_a_backlog_that_outlasts_the_recording_still_comes(case: Recording) -> None:
    late_ns = case.end_ns + 60 * S
    after = packets(backlog(steps(case), CODES, from_ns=FROM_NS, until_ns=late_ns))

    assert keys(after) == keys(packets(steps(case)))
    assert after[-1][0] == late_ns


def test_a_station_that_is_gone_delivers_nothing_more(case: Recording) -> None:
    after = packets(FAULTS["gone"](steps(case)))

    last = {code: max(t for t, p in after if p.stream_id.station_code == code) for code in CODES}
    assert last["XX.AAA"] < FROM_NS
    assert min(last["XX.BBB"], last["XX.CCC"]) > case.end_ns


def test_a_share_of_the_messages_is_lost_for_good(case: Recording) -> None:
    before, after = keys(packets(steps(case))), keys(packets(FAULTS["loss"](steps(case))))

    assert set(after) < set(before)
    assert len(after) / len(before) == pytest.approx(0.7, abs=0.12)
    assert not packets(packet_loss(steps(case), share=1.0, seed=1))
    assert keys(packets(packet_loss(steps(case), share=0.0, seed=1))) == before


def test_one_station_s_luck_does_not_change_with_the_other_stations(case: Recording) -> None:
    fewer = recording(case.stations[:1], [s for s in case.segments if s.stream_id.station == "AAA"])
    alone = {
        p.start_ns for _, p in packets(packet_loss(Schedule(fewer, seed=1), share=0.3, seed=1))
    }
    among = {
        p.start_ns
        for _, p in packets(packet_loss(Schedule(case, seed=1), share=0.3, seed=1))
        if p.stream_id.station_code == "XX.AAA"
    }
    assert alone == among


def test_late_messages_are_overtaken(case: Recording) -> None:
    before, after = packets(steps(case)), packets(FAULTS["reorder"](steps(case)))

    assert keys(after) == keys(before)
    order = [p.start_ns for _, p in after if str(p.stream_id) == "XX.BBB..HNZ"]
    assert order != sorted(order)
    due = {(str(p.stream_id), p.start_ns): t for t, p in before}
    late = [t - due[str(p.stream_id), p.start_ns] for t, p in after]
    assert min(late) == 0
    assert 0.5 * S < max(late) <= 2 * S


def test_duplicates_come_again_and_nothing_else_changes(case: Recording) -> None:
    before, after = keys(packets(steps(case))), keys(packets(FAULTS["duplicates"](steps(case))))

    assert set(after) == set(before)
    assert set(after.values()) == {1, 2}
    twice = sum(n == 2 for n in after.values()) / len(after)
    assert twice == pytest.approx(0.3, abs=0.12)


def test_a_wrong_clock_moves_stamps_but_not_arrivals(case: Recording) -> None:
    before, after = packets(steps(case)), packets(FAULTS["clock"](steps(case)))

    for (t, old), (u, new) in zip(before, after, strict=True):
        assert u == t
        moved_s = 10 if old.stream_id.station_code == "XX.AAA" else 0
        assert new.start_ns - old.start_ns == moved_s * S
        np.testing.assert_array_equal(new.samples, old.samples)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_nothing_and_all(case: Recording, share: float) -> None:
    faults: list[Fault] = [
        lambda s: packet_loss(s, share=share, seed=1),
        lambda s: reordered(s, share=share, most_s=1.0, seed=1),
        lambda s: duplicates(s, share=share, most_s=1.0, seed=1),
    ]
    for fault in faults:
        with pytest.raises(ConfigError, match="share: must be 0 to 1"):
            fault(steps(case))


def test_faults_can_be_put_one_behind_the_other(case: Recording) -> None:
    both = packets(FAULTS["clock"](FAULTS["loss"](steps(case))))
    assert len(both) == len(packets(FAULTS["loss"](steps(case))))
