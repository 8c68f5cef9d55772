"""What each screen of the crowd is about at a time, and which event rules it: on arrays.

``Incident.phase`` and ``Incident.urgency`` for many devices at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clients.crowd.slots import CANCELLED, NEVER, VANISHED, EventSlot, Ints, Rows
from clients.policy import DevicePolicy

__all__ = ["ruling", "urgency"]

_NS_PER_S = 1_000_000_000
_IDLE, _WEAKER_NONE, _VANISHED, _CANCELLED, _AFTER, _ACTIVE = (np.int8(k) for k in range(6))


def urgency(slot: EventSlot, rows: Rows, service_ns: Ints, rules: DevicePolicy) -> NDArray[np.int8]:
    """Return how urgent an event is on each device; 0 where it has nothing to say (idle)."""
    told_ns, state, level = slot.told_ns[rows], slot.state[rows], slot.level[rows]
    arrival_ns, ended_ns = slot.s_arrival_ns[rows], slot.ended_ns[rows]
    over_ns = slot.ends_ns[rows] + round(rules.after_hold_s * _NS_PER_S)
    after = np.where(service_ns < over_ns, _AFTER, _IDLE)
    # Before the S arrival or before strong motion is over: one of the active phases.
    active = (service_ns < arrival_ns) | (service_ns < slot.ends_ns[rows])
    found = np.where(active, _ACTIVE, after)
    early = (ended_ns != NEVER) & (ended_ns < arrival_ns)
    for is_so, phase, hold_s in (
        ((state == VANISHED) & early, _VANISHED, rules.vanished_hold_s),
        ((level == 0) & early, _WEAKER_NONE, rules.weaker_hold_s),
        (state == CANCELLED, _CANCELLED, rules.cancelled_hold_s),
    ):
        # A told event that is withdrawn or vanished has an end: never "NEVER plus a hold".
        held = is_so & (service_ns < ended_ns + round(hold_s * _NS_PER_S))
        found = np.where(is_so, np.where(held, phase, _IDLE), found)
    return np.where(told_ns == NEVER, _IDLE, found)


def ruling(
    slots: Sequence[EventSlot], rows: Rows, service_ns: Ints, rules: DevicePolicy
) -> NDArray[np.int16]:
    """Return the place in ``slots`` of the event that rules each screen; -1 when idle.

    Parameters
    ----------
    slots : sequence of EventSlot
        Sorted by ``event_id``: of two equal ones the last rules.
    """
    best = np.full(len(rows), -1, dtype=np.int16)
    key: tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.float64], Ints] | None = None
    for place, slot in enumerate(slots):
        if not slot.any_told:
            continue
        urgent = urgency(slot, rows, service_ns, rules)
        if key is None:
            best = np.where(urgent > _IDLE, np.int16(place), best)
            if len(slots) > 1:
                key = (urgent, slot.level[rows], slot.intensity[rows], slot.s_arrival_ns[rows])
            continue
        level, intensity, arrival_ns = (
            slot.level[rows], slot.intensity[rows], slot.s_arrival_ns[rows],
        )  # fmt: skip
        worse = arrival_ns <= key[3]
        for mine, other in ((intensity, key[2]), (level, key[1]), (urgent, key[0])):
            worse = (mine > other) | ((mine == other) & worse)
        worse &= urgent > _IDLE
        best = np.where(worse, np.int16(place), best)
        key = (
            np.where(worse, urgent, key[0]),
            np.where(worse, level, key[1]),
            np.where(worse, intensity, key[2]),
            np.where(worse, arrival_ns, key[3]),
        )
    return best
