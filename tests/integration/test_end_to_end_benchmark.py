"""What ``bench_end_to_end`` counts at the phones, and the floor it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.bench_end_to_end import Way, delivered_to, phone_places
from benchmarks.far_phones import Heard, alert_topic_at, floor

MS = 10**6
PLACES = phone_places(4)


@dataclass(frozen=True)
class Sent:
    topics: tuple[str, ...]
    overtaken: Sequence[str] = ()


def way(serial: int, decided_ns: int, receipt: Sent | None) -> Way:
    message = SimpleNamespace(event_id="e", serial=serial)
    return Way(cast(Any, message), 0, decided_ns, receipt=cast(Any, receipt))


def heard(phone: int, serial: int, at_ns: int, *, accepted: bool = True) -> Heard:
    return Heard(phone, "e", serial, accepted, at_ns, 0)


def test_a_phone_misses_only_what_was_sent_to_its_area_and_not_overtaken() -> None:
    topics = [alert_topic_at(place) for place in PLACES]
    assert len(set(topics)) > 1
    theirs = [n for n, topic in enumerate(topics) if topic == topics[0]]
    ways = [
        way(1, 0, Sent((topics[0],))),
        way(2, 10 * MS, Sent((topics[0],), overtaken=(topics[0],))),
        way(3, 20 * MS, Sent((topics[0],))),
        way(4, 30 * MS, None),
    ]
    came = [heard(n, 1, (2 + n) * MS) for n in theirs]
    came += [heard(n, 1, 9 * MS, accepted=False) for n in theirs]  # a copy it did not take

    figures = delivered_to(PLACES, ways, came, spent_s=0.001 * len(theirs))

    assert (figures["delivered"], figures["lost"]) == (len(theirs), len(theirs))
    assert figures["duplicates"] == 0
    assert figures["p50_ms"] >= 2.0
    assert figures["max_ms"] == 2.0 + theirs[-1]
    assert figures["cpu_us_per_delivery"] == 1000.0
    twice = delivered_to(PLACES, ways, [*came, heard(0, 1, 50 * MS)], spent_s=0.0)
    assert twice["duplicates"] == 1
    assert twice["max_ms"] == figures["max_ms"]  # the first one counts


@pytest.mark.slow
def test_the_floor_counts_every_copy_from_its_own_write() -> None:
    with floor(3) as bare:
        for number in range(4):
            bare.post(b"%d" % number * 600)
        while len(bare.delays_ms) < 12 and bare.pipe.poll(20.0):
            bare.collect()
    assert (len(bare.delays_ms), bare.lost) == (12, 0)
    assert all(0.0 < one < 10_000.0 for one in bare.delays_ms)
