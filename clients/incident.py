"""One event as one device lives it: what was shown, what is shown now, what comes next.

The phase at a time is a function of the messages taken and the times they were taken at, never
of how often anybody looked. Order of life at a place that is told::

    take_action / be_aware -> (weaker) -> shaking_now -> after -> idle
                           -> weaker_none -> idle     nothing is felt here after all
                           -> cancelled -> idle       it was no quake
                           -> vanished -> idle        no last word before the shaking was due
"""

from __future__ import annotations

from dataclasses import dataclass, field

from clients.arrival import Countdown
from clients.events import Phase
from clients.locality import LocalEstimate
from clients.policy import DevicePolicy
from clients.session import EventState
from eew.messages.levels import Thresholds
from eew.messages.wire import ReceivedAlert
from eew.model.alert import Level

__all__ = ["ACTIVE_PHASES", "Incident"]

_NS_PER_S = 1_000_000_000

ACTIVE_PHASES = frozenset(
    {
        Phase.TAKE_ACTION,
        Phase.BE_AWARE,
        Phase.WEAKER,
        Phase.SHAKING_NOW,
        Phase.SHAKING_NOW_LIGHT,
    }
)
# Looked up many times per message in a crowd; ``Level.rank`` builds a list each time.
_RANK = {level: level.rank for level in Level}
# Which of several events rules the screen: what is to be done now, then what is to be known.
_URGENCY = {
    Phase.IDLE: 0,
    Phase.WEAKER_NONE: 1,
    Phase.VANISHED: 2,
    Phase.CANCELLED: 3,
    Phase.AFTER: 4,
} | dict.fromkeys(sorted(ACTIVE_PHASES, key=lambda phase: phase.value), 5)


@dataclass(slots=True, kw_only=True)
class Incident:
    """State of one event at one place; times are the service's (corrected), ns.

    Attributes
    ----------
    level : Level
        Now asked of people here, with hysteresis.
    told_ns : int or None
        When anything was first due on the screen; None while below the threshold.
    raised_ns : int or None
        When the level was last raised.
    peak : Level
        Highest level told.
    ended_ns : int or None
        When the event was withdrawn, vanished, or fell below the threshold.
    """

    alert: ReceivedAlert
    estimate: LocalEstimate
    state: EventState
    level: Level
    countdown: Countdown
    received_ns: int
    told_ns: int | None = None
    raised_ns: int | None = None
    peak: Level = Level.NONE
    ended_ns: int | None = None
    shown_serials: set[int] = field(default_factory=set)

    @classmethod
    def begin(
        cls, alert: ReceivedAlert, estimate: LocalEstimate, state: EventState, now_ns: int
    ) -> Incident:
        """Start with the first message taken of an event."""
        incident = cls(
            alert=alert,
            estimate=estimate,
            state=state,
            level=estimate.level,
            countdown=Countdown(
                s_arrival_ns=estimate.s_arrival_ns, sigma_s=estimate.s_arrival_sigma_s
            ),
            received_ns=now_ns,
        )
        incident._tell(Level.NONE, now_ns)
        return incident

    def update(
        self,
        alert: ReceivedAlert,
        estimate: LocalEstimate,
        state: EventState,
        now_ns: int,
        limits: Thresholds,
        rules: DevicePolicy,
    ) -> bool:
        """Take the next message; returns True where it calls for a new cue (a higher level)."""
        before = self.level if self.told_ns is not None else Level.NONE
        self.alert, self.state, self.received_ns = alert, state, now_ns
        if state is EventState.CANCELLED:
            self.ended_ns = now_ns
            self.level = Level.NONE
            return False
        self.estimate = estimate
        self.countdown = self.countdown.updated(
            estimate.s_arrival_ns, estimate.s_arrival_sigma_s, now_ns, rules
        )
        self.level = _held(estimate, before, limits, rules.hysteresis)
        self.ended_ns = now_ns if self.level is Level.NONE else None
        self._tell(before, now_ns)
        return _RANK[self.level] > _RANK[before]

    def relocate(
        self, estimate: LocalEstimate, now_ns: int, limits: Thresholds, rules: DevicePolicy
    ) -> bool:
        """Take the same message at another place; returns True where it calls for a new cue."""
        if self.told_ns is None:  # nothing was promised yet
            self.countdown = Countdown(
                s_arrival_ns=estimate.s_arrival_ns, sigma_s=estimate.s_arrival_sigma_s
            )
        return self.update(self.alert, estimate, self.state, now_ns, limits, rules)

    def vanish(self, now_ns: int) -> None:
        """Note that the event expired without a last word."""
        self.state = EventState.VANISHED
        if self.ended_ns is None:
            self.ended_ns = now_ns

    def _tell(self, before: Level, now_ns: int) -> None:
        if self.level is Level.NONE or self.state is EventState.CANCELLED:
            return
        if self.told_ns is None:
            self.told_ns = now_ns
        if _RANK[self.level] > _RANK[before]:
            self.raised_ns = now_ns
        if _RANK[self.level] > _RANK[self.peak]:
            self.peak = self.level

    @property
    def in_blind_zone(self) -> bool:
        """True where the shaking was due before anything could be told."""
        return self.told_ns is not None and self.told_ns >= self.countdown.s_arrival_ns

    def shaking_ends_ns(self, rules: DevicePolicy) -> int:
        """Return when strong motion is over here."""
        lasts_s = rules.shaking_s(
            self.alert.message.magnitude.value, self.estimate.epicentral_distance_km
        )
        ends_ns = self.countdown.s_arrival_ns + round(lasts_s * _NS_PER_S)
        if self.estimate.seen_nearby:  # whatever the source lets expect, it shakes around here
            seen_ns = self.alert.message.issued_ns + round(rules.margin_s * _NS_PER_S)
            ends_ns = max(ends_ns, seen_ns)
        return ends_ns

    def phase(self, now_ns: int, rules: DevicePolicy) -> Phase:
        """Return what the screen says about this event at a time."""
        if self.told_ns is None:
            return Phase.IDLE
        arrival_ns, ends_ns = self.countdown.s_arrival_ns, self.shaking_ends_ns(rules)
        if self.state is EventState.CANCELLED:
            return self._held_since_end(Phase.CANCELLED, now_ns, rules.cancelled_hold_s)
        before_arrival = self.ended_ns is not None and self.ended_ns < arrival_ns
        if self.level is Level.NONE and before_arrival:
            return self._held_since_end(Phase.WEAKER_NONE, now_ns, rules.weaker_hold_s)
        if self.state is EventState.VANISHED and before_arrival:  # trust it no more
            return self._held_since_end(Phase.VANISHED, now_ns, rules.vanished_hold_s)
        if now_ns < arrival_ns:
            if _RANK[self.level] < _RANK[self.peak]:
                return Phase.WEAKER
            return Phase.TAKE_ACTION if self.level is Level.TAKE_ACTION else Phase.BE_AWARE
        if now_ns < ends_ns:
            strong = self.level is Level.TAKE_ACTION
            return Phase.SHAKING_NOW if strong else Phase.SHAKING_NOW_LIGHT
        held_ns = round(rules.after_hold_s * _NS_PER_S)
        return Phase.AFTER if now_ns < ends_ns + held_ns else Phase.IDLE

    def _held_since_end(self, phase: Phase, now_ns: int, hold_s: float) -> Phase:
        ended_ns = self.ended_ns if self.ended_ns is not None else now_ns
        return phase if now_ns < ended_ns + round(hold_s * _NS_PER_S) else Phase.IDLE

    def urgency(self, now_ns: int, rules: DevicePolicy) -> tuple[int, int, float, int, str]:
        """Return a key that sorts events; the greatest rules the screen, equal ones by id."""
        return (
            _URGENCY[self.phase(now_ns, rules)],
            _RANK[self.level],
            self.estimate.intensity,
            -self.countdown.s_arrival_ns,
            self.alert.message.event_id,
        )


def _held(estimate: LocalEstimate, before: Level, limits: Thresholds, hysteresis: float) -> Level:
    """Return the level, keeping the one before while the intensity is just below its threshold."""
    if _RANK[estimate.level] >= _RANK[before]:
        return estimate.level
    eased = Thresholds(
        scale=limits.scale,
        be_aware=limits.be_aware - hysteresis,
        take_action=limits.take_action - hysteresis,
    ).level_of(estimate.intensity)
    return before if _RANK[eased] >= _RANK[before] else eased
