"""Whatever the solutions do, what the public is told keeps its rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from eew.core.lifecycle import AlertLifecycle, predict
from eew.errors import AlertProtocolError
from eew.model.alert import AlertMessage, CancelReason, MsgType, Status
from eew.model.event import Solution
from eew.physics.geo import epicentral_distance_km
from tests.unit.associator_cases import Quake, announced
from tests.unit.core_cases import NS, START_NS, config

POLICY = config().alert
FIRST = announced(Quake(lat=30.0, lon=102.0), 5.0)


class AlertMachine(RuleBasedStateMachine):
    """One event with solutions that wander, time that passes, and an end at any moment."""

    @initialize(status=st.sampled_from(Status))
    def begin(self, status: Status) -> None:
        self.lifecycle = AlertLifecycle(replace(POLICY, status=status))
        self.status = status
        self.now_ns = START_NS + 5 * NS
        self.solution = FIRST
        self.told: list[AlertMessage] = []
        self.ended = False

    @rule(
        after_ms=st.sampled_from([10, 300, 500, 999, 1000, 1500, 5000]),
        magnitude=st.sampled_from([0.0, 0.0, 0.04, 0.1, -0.1, 1.0, -1.5]),
        north_deg=st.sampled_from([0.0, 0.0, 0.005, 0.05]),
        origin_ms=st.sampled_from([0, 0, 100, 600]),
        ready=st.booleans(),
    )
    def solve(
        self, after_ms: int, magnitude: float, north_deg: float, origin_ms: int, ready: bool
    ) -> None:
        self.now_ns += after_ms * NS // 1000
        self.solution = replace(
            self.solution,
            at_ns=self.now_ns,
            magnitude=round(min(max(self.solution.magnitude + magnitude, 2.0), 8.0), 3),
            lat=self.solution.lat + north_deg,
            origin_time_ns=self.solution.origin_time_ns + origin_ms * NS // 1000,
        )
        before = self.told[-1] if self.told else None
        said = self.lifecycle.receive_solution(self.solution, ready=ready)
        self.hear(said)
        if self.ended:
            assert said == []
        elif before is None:
            assert len(said) == int(ready and self.solution.magnitude >= POLICY.min_magnitude)
        else:
            assert len(said) == int(self.is_worth_an_update(before))

    def is_worth_an_update(self, before: AlertMessage) -> bool:
        solution = self.solution
        moved_km = float(
            epicentral_distance_km(before.origin.lat, before.origin.lon, solution.lat, solution.lon)
        )
        late_s = abs(solution.origin_time_ns - before.origin.time_ns) / NS
        return solution.at_ns - before.issued_ns >= POLICY.update_interval_s * NS and (
            abs(solution.magnitude - before.magnitude.value) >= POLICY.update_magnitude - 1e-9
            or moved_km >= POLICY.update_distance_km
            or late_s >= POLICY.update_origin_time_s
        )

    @rule(after_ms=st.sampled_from([500, 1000, 5000, 20_000, 60_000]))
    def wait(self, after_ms: int) -> None:
        self.now_ns += after_ms * NS // 1000
        said = self.lifecycle.advance(self.now_ns)
        if said:
            first, last = self.told[0], self.told[-1]
            since_first_s = (self.now_ns - first.issued_ns) / NS
            quiet_s = (self.now_ns - last.issued_ns) / NS
            assert since_first_s >= POLICY.final_after_s
            assert quiet_s >= POLICY.final_quiet_s or since_first_s >= POLICY.final_latest_s
            self.ended = True
        self.hear(said)

    @precondition(lambda self: not self.ended)
    @rule()
    def finish(self) -> None:
        self.ended = True
        said = self.lifecycle.finish(self.now_ns)
        assert [m.msg_type for m in said] == ([MsgType.FINAL] if self.told else [])
        self.hear(said)

    @precondition(lambda self: not self.ended)
    @rule()
    def withdraw(self) -> None:
        self.ended = True
        said = self.lifecycle.withdraw(self.now_ns)
        assert [m.msg_type for m in said] == ([MsgType.CANCEL] if self.told else [])
        self.hear(said)

    @precondition(lambda self: self.ended)
    @rule()
    def withdraw_again(self) -> None:
        with pytest.raises(AlertProtocolError):
            self.lifecycle.withdraw(self.now_ns)
        assert self.lifecycle.finish(self.now_ns) == []
        assert self.lifecycle.advance(self.now_ns + 1000 * NS) == []

    def hear(self, said: list[AlertMessage]) -> None:
        for message in said:
            assert message.issued_ns == self.now_ns
            assert message.trace.decided_ns == self.now_ns
            assert message.expires_ns - message.issued_ns == round(POLICY.expire_s * NS)
            assert message.event_id == FIRST.event_id
            assert message.status is self.status
            if message.msg_type is not MsgType.CANCEL:
                assert message.cancel_reason is None
            else:
                assert message.cancel_reason is CancelReason.FALSE_ALERT
        self.told += said

    @invariant()
    def serials_count_and_kinds_follow_the_life_cycle(self) -> None:
        kinds = [m.msg_type for m in self.told]
        assert [m.serial for m in self.told] == list(range(1, len(kinds) + 1))
        assert kinds[:1] in ([], [MsgType.ALERT])
        assert all(kind is MsgType.UPDATE for kind in kinds[1:-1])
        assert all(kind is not MsgType.ALERT for kind in kinds[1:])
        assert self.lifecycle.issued == bool(self.told)
        assert self.lifecycle.closed == self.ended
        if self.told:
            assert self.told[-1].is_final == self.ended
            assert self.lifecycle.first_alert_ns == self.told[0].issued_ns

    @invariant()
    def updates_keep_their_distance(self) -> None:
        told = [m for m in self.told if m.msg_type in (MsgType.ALERT, MsgType.UPDATE)]
        for one, next_one in pairwise(told):
            assert next_one.issued_ns - one.issued_ns >= POLICY.update_interval_s * NS


AlertMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=30)
TestAlertMachine = AlertMachine.TestCase


def solution_at(lat: float, lon: float, magnitude: float, depth_km: float) -> Solution:
    return replace(FIRST, lat=lat, lon=lon, magnitude=magnitude, depth_km=depth_km)


PLACES = [(30.0, 102.0), (35.7, -117.5), (32.8, 130.8), (37.2, 37.0), (-33.0, -71.5), (24.0, 121.6)]


@settings(max_examples=40)
@given(st.sampled_from(PLACES), st.floats(3.0, 8.5), st.floats(2.0, 60.0))
def test_radii_shrink_as_intensity_rises_and_end_where_it_ends(
    place: tuple[float, float], magnitude: float, depth_km: float
) -> None:
    prediction = predict(solution_at(*place, magnitude, depth_km))
    reached = sorted(prediction.radii_km)
    radii = [prediction.radii_km[i] for i in reached]

    assert radii == sorted(radii, reverse=True)
    assert all(r > 0.0 for r in radii)
    assert reached == list(range(3, 3 + len(reached)))  # no class is left out in between
    assert all(i <= prediction.max_intensity + 1e-6 for i in reached)


@settings(max_examples=20)
@given(st.sampled_from(PLACES), st.floats(4.0, 7.5), st.floats(5.0, 30.0))
def test_a_larger_quake_is_felt_further(
    place: tuple[float, float], magnitude: float, depth_km: float
) -> None:
    small = predict(solution_at(*place, magnitude, depth_km)).radii_km
    large = predict(solution_at(*place, magnitude + 0.5, depth_km)).radii_km

    assert set(small) <= set(large)
    assert all(large[i] >= small[i] for i in small)
