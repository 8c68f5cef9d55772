"""How devices are connected: when they listen, when their radio sleeps, when they are away.

Profiles are rows of ``eew/tables/network_profiles.toml``. Nothing here reads a clock: whoever owns
the crowd asks what is due at a time, and does it.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["Asleep", "Change", "NetworkProfile", "Radios", "builtin_profiles", "draw", "shares_of"]

_NS_PER_S = 1_000_000_000


class Asleep(Enum):
    """What a device does when it does not listen."""

    NEVER = "never"
    UNREAD = "unread"
    AWAY = "away"
    DEAD = "dead"


class Change(Enum):
    """What happens to a device's connection."""

    LISTEN = "listen"  # its radio wakes: what has come meanwhile is read
    SLEEP = "sleep"
    RETURN = "return"
    LEAVE = "leave"
    DIE = "die"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkProfile:
    """One row of the table; see there."""

    name: str
    kind: str
    share: float
    round_trip_ms: float
    asleep: Asleep
    asleep_s: float = 0.0
    awake_s: float = 0.0


@cache
def builtin_profiles() -> tuple[NetworkProfile, ...]:
    """Return the profiles of the table, in its order."""
    return tuple(
        NetworkProfile(name=name, **{**row, "asleep": Asleep(row["asleep"])})
        for name, row in load_table("network_profiles").items()
    )


def shares_of(
    profiles: Sequence[NetworkProfile], kind: str, wanted: Mapping[str, float]
) -> dict[str, float]:
    """Return the share of each profile of a kind of device; they add up to 1.

    Profiles that ``wanted`` names have that share, the others divide what is left as in the table.

    Raises
    ------
    ConfigError
        If a name is unknown, or the shares cannot be had.
    """
    known = {profile.name: profile.share for profile in profiles if profile.kind == kind}
    everywhere = {profile.name for profile in profiles}
    for name, share in wanted.items():
        if name not in everywhere:
            raise ConfigError(
                "--profile-shares",
                f"unknown profile {name!r}",
                hint=f"known: {', '.join(sorted(everywhere))}",
            )
        if not 0.0 <= share <= 1.0:
            raise ConfigError("--profile-shares", f"{name} must be 0 to 1, was {share:g}")
    given = {name: share for name, share in wanted.items() if name in known}
    rest = 1.0 - sum(given.values())
    if rest < -1e-9:
        raise ConfigError("--profile-shares", f"those of {kind}s add up to {1.0 - rest:g}")
    others = {name: share for name, share in known.items() if name not in given}
    total = sum(others.values())
    if not others and rest > 1e-9:
        raise ConfigError("--profile-shares", f"those of {kind}s add up to {1.0 - rest:g}")
    return {
        name: given[name] if name in given else max(rest, 0.0) * others[name] / total
        for name in known
    }


def draw(
    profiles: Sequence[NetworkProfile],
    kinds: Sequence[str],
    shares: Mapping[str, float],
    rng: np.random.Generator,
) -> NDArray[np.int8]:
    """Give each device a profile of its kind.

    Returns
    -------
    ndarray of int8
        Index into ``profiles`` for each device.
    """
    drawn = rng.random(len(kinds))
    found = np.zeros(len(kinds), dtype=np.int8)
    of = np.asarray(kinds)
    for kind in dict.fromkeys(profile.kind for profile in profiles):
        mine = [n for n, profile in enumerate(profiles) if profile.kind == kind]
        edges = np.cumsum([shares[profiles[n].name] for n in mine])
        here = of == kind
        place = np.searchsorted(edges, drawn[here] * edges[-1], side="right")
        found[here] = np.array(mine, dtype=np.int8)[np.minimum(place, len(mine) - 1)]
    return found


class Radios:
    """When the radios of a crowd change, as seeded.

    Parameters
    ----------
    profile_of : ndarray of int8
        Index into ``profiles`` for each device.
    start_ns : int
        When the cycles begin, on any time scale.

    Attributes
    ----------
    away_at_start, asleep_at_start : ndarray of bool
        Devices that are not connected at first, and those that connect and then do not listen.
    """

    def __init__(
        self,
        profiles: Sequence[NetworkProfile],
        profile_of: NDArray[np.int8],
        rng: np.random.Generator,
        start_ns: int,
    ) -> None:
        self._profiles, self._profile_of = profiles, profile_of
        self.away_at_start = np.zeros(profile_of.size, dtype=np.bool_)
        self.asleep_at_start = np.zeros(profile_of.size, dtype=np.bool_)
        self._due: list[tuple[int, int, bool]] = []  # (when, device, asleep from then on)
        drawn = rng.random(profile_of.size)
        for device in np.flatnonzero(_has_cycle(profiles)[profile_of]).tolist():
            profile = profiles[profile_of[device]]
            at_s = float(drawn[device]) * (profile.asleep_s + profile.awake_s)
            # the cycle begins asleep: a device that has slept at_s of it wakes after the rest
            asleep = at_s < profile.asleep_s
            until_s = (profile.asleep_s if asleep else profile.asleep_s + profile.awake_s) - at_s
            if asleep and profile.asleep is Asleep.UNREAD:
                self.asleep_at_start[device] = True
            elif asleep:
                self.away_at_start[device] = True
            self._due.append((start_ns + round(until_s * _NS_PER_S), device, not asleep))
        heapq.heapify(self._due)

    def due(self, now_ns: int) -> list[tuple[int, Change]]:
        """Return the changes until a time, in order; each is told once."""
        changes = []
        while self._due and self._due[0][0] <= now_ns:
            at_ns, device, asleep = heapq.heappop(self._due)
            profile = self._profiles[self._profile_of[device]]
            changes.append((device, _change(profile.asleep, asleep=asleep)))
            if profile.asleep is not Asleep.DEAD:
                length_s = profile.asleep_s if asleep else profile.awake_s
                heapq.heappush(self._due, (at_ns + round(length_s * _NS_PER_S), device, not asleep))
        return changes


def _has_cycle(profiles: Sequence[NetworkProfile]) -> NDArray[np.bool_]:
    return np.array([profile.asleep is not Asleep.NEVER for profile in profiles])


def _change(kind: Asleep, *, asleep: bool) -> Change:
    if kind is Asleep.DEAD:
        return Change.DIE
    if kind is Asleep.UNREAD:
        return Change.SLEEP if asleep else Change.LISTEN
    return Change.LEAVE if asleep else Change.RETURN
