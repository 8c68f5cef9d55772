"""How long until the shaking, as people are told it.

Seconds left are shown, rounded down, while there are at least five and the arrival is known
well enough; "any moment" below; "shaking now" from the S arrival on. Once shown, the number
never goes up and never below zero: a later estimate makes it wait, not climb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from clients.policy import DevicePolicy

__all__ = ["ArrivalKind", "ArrivalShown", "Countdown"]

_NS_PER_S = 1_000_000_000


class ArrivalKind(Enum):
    """Which words are used."""

    ABOUT = "about"
    MOMENT = "moment"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class ArrivalShown:
    """What is shown: the words, and the number for ``ABOUT``."""

    kind: ArrivalKind
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """The arrival at one place by the newest message, and what was already promised.

    Attributes
    ----------
    s_arrival_ns : int
        Not later than an earlier estimate that has already come due.
    sigma_s : float
        One standard deviation.
    cap_s : int or None
        Last number shown under an earlier estimate; 0 once "any moment" was said because the
        time had run down.
    """

    s_arrival_ns: int
    sigma_s: float
    cap_s: int | None = None

    def shown(
        self, now_ns: int, rules: DevicePolicy, *, clock_trusted: bool = True
    ) -> ArrivalShown:
        """Return what to show at a time (the service's, ns)."""
        remaining_s = (self.s_arrival_ns - now_ns) / _NS_PER_S
        if remaining_s <= 0.0:
            return ArrivalShown(ArrivalKind.NOW)
        uncertain = self.sigma_s > rules.countdown_sigma_share * remaining_s
        seconds = math.floor(remaining_s)
        if self.cap_s is not None:
            seconds = min(seconds, self.cap_s)
        if seconds < rules.countdown_floor_s or uncertain or not clock_trusted:
            return ArrivalShown(ArrivalKind.MOMENT)
        return ArrivalShown(ArrivalKind.ABOUT, seconds)

    def updated(
        self, s_arrival_ns: int, sigma_s: float, now_ns: int, rules: DevicePolicy
    ) -> Countdown:
        """Return the countdown after a new estimate at a time."""
        before = self.shown(now_ns, rules)
        if before.kind is ArrivalKind.NOW:  # people have been told that it shakes
            return Countdown(s_arrival_ns=min(self.s_arrival_ns, s_arrival_ns), sigma_s=sigma_s)
        cap_s = self.cap_s
        if before.kind is ArrivalKind.ABOUT:
            cap_s = before.seconds
        elif (self.s_arrival_ns - now_ns) / _NS_PER_S < rules.countdown_floor_s:
            cap_s = 0
        return Countdown(s_arrival_ns=s_arrival_ns, sigma_s=sigma_s, cap_s=cap_s)
