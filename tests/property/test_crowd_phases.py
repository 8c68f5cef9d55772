"""Which event rules each screen, on arrays, is what incidents say one by one, at any time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.crowd.phases import ruling, urgency
from clients.crowd.slots import CANCELLED, FINAL, LIVE, NEVER, VANISHED, EventSlot
from clients.policy import policy
from clients.screen import ruling_of
from eew.messages import wire
from tests.unit.message_cases import ORIGIN_NS, S, make_message, payload_of

N = 24
NAMES = ("ev-a", "ev-b", "ev-c")
ALERTS = {name: wire.decode(payload_of(make_message(event_id=name))) for name in NAMES}
RULES = policy()
STEP_NS = 10 * S  # all times are a few of these apart, so that edges are met exactly
EDGES_S = (
    0.0, RULES.weaker_hold_s, RULES.cancelled_hold_s, RULES.vanished_hold_s, RULES.after_hold_s,
)  # fmt: skip


def filled(name: str, rng: np.random.Generator) -> EventSlot:
    """Return an event in any state a device can have it in."""
    slot = EventSlot(name, N)
    slot.held[:] = slot.known[:] = True
    slot.state[:] = rng.choice([LIVE, FINAL, CANCELLED, VANISHED], N)
    slot.level[:] = np.where(slot.state == CANCELLED, 0, rng.integers(0, 3, N))
    slot.peak[:] = np.maximum(slot.level, rng.integers(1, 3, N))
    told_ns = ORIGIN_NS + rng.integers(0, 3, N) * STEP_NS
    slot.told_ns[:] = np.where(rng.random(N) < 0.2, NEVER, told_ns)
    over = (slot.level == 0) | (slot.state == VANISHED)
    slot.ended_ns[:] = np.where(over, told_ns + rng.integers(0, 2, N) * STEP_NS, NEVER)
    slot.s_arrival_ns[:] = ORIGIN_NS + rng.integers(0, 5, N) * STEP_NS
    slot.intensity[:] = rng.choice([2.0, 4.5, 6.5], N)
    slot.distance_km[:] = rng.choice([10.0, 80.0], N)
    lasts_s = RULES.shaking_s(ALERTS[name].message.magnitude.value, slot.distance_km)
    slot.ends_ns[:] = slot.s_arrival_ns + np.rint(lasts_s * S).astype(np.int64)
    slot.any_told = True
    return slot


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_events=st.integers(1, 3),
    edge_s=st.sampled_from(EDGES_S),
    steps=st.integers(0, 5),
    more_ns=st.sampled_from([-1, 0, 1]),
)
def test_the_same_event_rules(
    seed: int, n_events: int, edge_s: float, steps: int, more_ns: int
) -> None:
    rng = np.random.default_rng(seed)
    slots = [filled(name, rng) for name in NAMES[:n_events]]
    at_ns = ORIGIN_NS + round(edge_s * S) + steps * STEP_NS + more_ns
    rows, service_ns = np.arange(N, dtype=np.int32), np.full(N, at_ns)
    urgencies = [urgency(slot, rows, service_ns, RULES).tolist() for slot in slots]
    rules = ruling(slots, rows, service_ns, RULES).tolist()
    for device in range(N):
        incidents = [slot.incident(device, ALERTS[slot.event_id], "csi") for slot in slots]
        for place, incident in enumerate(incidents):
            assert urgencies[place][device] == incident.urgency(at_ns, RULES)[0]
        expected = ruling_of(incidents, at_ns, RULES)
        found = incidents[rules[device]] if rules[device] >= 0 else None
        assert found is expected
