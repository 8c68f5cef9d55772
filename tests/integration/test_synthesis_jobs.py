"""Records do not depend on how many processes compute them."""

from __future__ import annotations

from simulator.ruptures import Quake
from simulator.synthesise import prepare
from tests.unit.scenario_cases import small


def test_two_processes_compute_the_same_bytes_in_the_same_order() -> None:
    plan = prepare(small(), [Quake(lat=36.0, lon=-118.0, depth_km=8.0, magnitude=6.3)], 7)
    alone, together = (list(plan.segments(jobs=jobs)) for jobs in (1, 2))
    assert [s.stream_id for s in alone] == [s.stream_id for s in together]
    assert all(
        a.samples.tobytes() == b.samples.tobytes() for a, b in zip(alone, together, strict=True)
    )
