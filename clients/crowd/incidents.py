"""``clients.incident`` and ``clients.arrival`` for many devices at once: the same rules, on arrays.

Any change there must be made here too; tests/property/test_crowd_equals_device.py compares both.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from clients.crowd.slots import CANCELLED, NEVER, EventSlot, Ints, Rows
from clients.locality import Estimates
from clients.policy import DevicePolicy
from eew.messages.levels import Thresholds
from eew.model.alert import AlertMessage

__all__ = ["LocalRows", "begin", "local_rows", "promise", "update", "withdraw"]

_NS_PER_S = 1_000_000_000
_LAST_NS = 2**62
Floats = NDArray[np.float64]
Ranks = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class LocalRows:
    """What a message means on some devices."""

    distance_km: Floats
    azimuth_deg: Floats
    p_arrival_ns: Ints
    s_arrival_ns: Ints
    sigma_s: Floats
    intensity: Floats
    seen_nearby: NDArray[np.bool_]
    level: Ranks

    def at(self, rows: NDArray[np.intp]) -> LocalRows:
        """Return a part of the rows."""
        return LocalRows(*(getattr(self, one.name)[rows] for one in fields(self)))


def local_rows(many: Estimates, rows: Rows, limits: Thresholds) -> LocalRows:
    """Take the estimates of some devices."""
    intensity = many.intensity[rows]
    return LocalRows(
        distance_km=many.epicentral_distance_km[rows],
        azimuth_deg=many.azimuth_deg[rows],
        p_arrival_ns=many.p_arrival_ns[rows],
        s_arrival_ns=many.s_arrival_ns[rows],
        sigma_s=many.s_arrival_sigma_s[rows],
        intensity=intensity,
        seen_nearby=many.seen_nearby[rows],
        level=_rank(intensity, limits.be_aware, limits.take_action),
    )


def begin(
    slot: EventSlot,
    rows: Rows,
    message: AlertMessage,
    local: LocalRows,
    service_ns: Ints,
    rules: DevicePolicy,
) -> NDArray[np.bool_]:
    """Start the event on devices that did not have it; returns where it calls for a cue."""
    slot.held[rows] = True
    slot.received_ns[rows] = service_ns
    slot.level[rows] = local.level
    slot.cap_s[rows] = -1
    slot.s_arrival_ns[rows] = local.s_arrival_ns
    _set_estimate(slot, rows, message, local, rules)
    told: NDArray[np.bool_] = (local.level > 0) & (slot.state[rows] != CANCELLED)
    slot.peak[rows] = np.where(told, local.level, 0)
    slot.told_ns[rows] = slot.raised_ns[rows] = np.where(told, service_ns, NEVER)
    slot.ended_ns[rows] = NEVER
    slot.any_told = slot.any_told or bool(told.any())
    return told


def update(
    slot: EventSlot,
    rows: Rows,
    message: AlertMessage,
    local: LocalRows,
    service_ns: Ints,
    limits: Thresholds,
    rules: DevicePolicy,
) -> NDArray[np.bool_]:
    """Take the next message; returns where it calls for a new cue (a higher level)."""
    told_ns = slot.told_ns[rows]
    before: Ranks = np.where(told_ns == NEVER, np.int8(0), slot.level[rows])
    slot.received_ns[rows] = service_ns
    level = _held(local, before, limits, rules.hysteresis)
    _count_down(slot, rows, local, service_ns, rules)
    _set_estimate(slot, rows, message, local, rules)
    slot.level[rows] = level
    slot.ended_ns[rows] = np.where(level == 0, service_ns, NEVER)
    louder: NDArray[np.bool_] = level > before
    slot.told_ns[rows] = np.where((told_ns == NEVER) & (level > 0), service_ns, told_ns)
    slot.raised_ns[rows] = np.where(louder, service_ns, slot.raised_ns[rows])
    slot.peak[rows] = np.maximum(slot.peak[rows], level)
    slot.any_told = slot.any_told or bool((level > 0).any())
    return louder


def promise(slot: EventSlot, rows: Rows, local: LocalRows) -> None:
    """Begin the countdown anew: nothing has been said of it yet."""
    slot.s_arrival_ns[rows] = local.s_arrival_ns
    slot.sigma_s[rows] = local.sigma_s
    slot.cap_s[rows] = -1


def withdraw(slot: EventSlot, rows: Rows, service_ns: Ints) -> None:
    """Take a cancel of an event that these devices have."""
    slot.received_ns[rows] = slot.ended_ns[rows] = service_ns
    slot.level[rows] = 0


def _count_down(
    slot: EventSlot, rows: Rows, local: LocalRows, service_ns: Ints, rules: DevicePolicy
) -> None:
    """``Countdown.updated``: what was promised is not taken back."""
    arrival_ns, cap_s = slot.s_arrival_ns[rows], slot.cap_s[rows]
    remaining_s = (arrival_ns - service_ns) / _NS_PER_S
    due = remaining_s <= 0.0
    seconds = np.floor(remaining_s).astype(np.int64)
    seconds = np.where(cap_s >= 0, np.minimum(seconds, cap_s), seconds)
    uncertain = slot.sigma_s[rows] > rules.countdown_sigma_share * remaining_s
    about = (seconds >= rules.countdown_floor_s) & ~uncertain
    run_down = remaining_s < rules.countdown_floor_s
    kept = np.where(about, seconds, np.where(run_down, 0, cap_s))
    slot.cap_s[rows] = np.where(due, -1, kept)
    earliest_ns = np.minimum(arrival_ns, local.s_arrival_ns)
    slot.s_arrival_ns[rows] = np.where(due, earliest_ns, local.s_arrival_ns)


def _set_estimate(
    slot: EventSlot, rows: Rows, message: AlertMessage, local: LocalRows, rules: DevicePolicy
) -> None:
    slot.sigma_s[rows] = local.sigma_s
    slot.distance_km[rows] = local.distance_km
    slot.azimuth_deg[rows] = local.azimuth_deg
    slot.intensity[rows] = local.intensity
    slot.p_estimate_ns[rows] = local.p_arrival_ns
    slot.s_estimate_ns[rows] = local.s_arrival_ns
    slot.estimate_level[rows] = local.level
    slot.seen_nearby[rows] = local.seen_nearby
    lasts_s = rules.shaking_s(message.magnitude.value, local.distance_km)
    ends_ns = slot.s_arrival_ns[rows] + np.rint(lasts_s * _NS_PER_S).astype(np.int64)
    seen_ns = min(message.issued_ns, _LAST_NS) + round(rules.margin_s * _NS_PER_S)
    slot.ends_ns[rows] = np.where(local.seen_nearby, np.maximum(ends_ns, seen_ns), ends_ns)


def _held(local: LocalRows, before: Ranks, limits: Thresholds, hysteresis: float) -> Ranks:
    eased = _rank(local.intensity, limits.be_aware - hysteresis, limits.take_action - hysteresis)
    lowered = np.where(eased >= before, before, eased)
    level: Ranks = np.where(local.level >= before, local.level, lowered)
    return level


def _rank(intensity: Floats, be_aware: float, take_action: float) -> Ranks:
    strong = intensity >= take_action
    return ((intensity >= be_aware) | strong).astype(np.int8) + strong.astype(np.int8)
