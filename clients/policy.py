"""How devices behave, read from ``eew/tables/device.toml``: one frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["Cue", "DevicePolicy", "Profile", "policy"]

_Km = TypeVar("_Km", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A sound and a vibration; the caption has the cue's name in the text catalogue."""

    name: str
    sound: str
    haptics_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a user has set."""

    name: str
    countdown: bool
    sound: bool
    quiet: tuple[str, ...]
    variant: str
    pulses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePolicy:
    """All numbers of the table; reasons and sources stand there."""

    countdown_floor_s: float
    countdown_sigma_share: float
    hysteresis: float
    half_duration_coefficient: float
    moment_slope: float
    moment_intercept: float
    path_s_per_km: float
    margin_s: float
    after_hold_s: float
    cancelled_hold_s: float
    weaker_hold_s: float
    vanished_hold_s: float
    strip_s: float
    cue_s: float
    stale_s: float
    offline_s: float
    clock_tolerance_s: float
    clock_heartbeats: int
    clock_span_s: float
    clock_most_back_s: float
    max_events: int
    cues: dict[str, Cue]
    profiles: dict[str, Profile]

    def profile(self, name: str) -> Profile:
        """Return a profile by name.

        Raises
        ------
        ConfigError
            If there is none of that name.
        """
        if name not in self.profiles:
            known = ", ".join(sorted(self.profiles))
            raise ConfigError("profile", f"unknown profile {name!r}", hint=f"known: {known}")
        return self.profiles[name]

    def shaking_s(self, magnitude: float, epicentral_distance_km: _Km) -> _Km:
        """Return how long strong motion may last at distances, from the S arrival, in s."""
        log10_moment_dyne_cm = self.moment_slope * magnitude + self.moment_intercept
        source_s = 2.0 * self.half_duration_coefficient * math.pow(10.0, log10_moment_dyne_cm / 3.0)
        return source_s + self.path_s_per_km * epicentral_distance_km + self.margin_s


@cache
def policy() -> DevicePolicy:
    """Return the built-in policy."""
    table = load_table("device")
    shaking, phases = table["shaking"], table["phases"]
    return DevicePolicy(
        countdown_floor_s=table["countdown"]["floor_s"],
        countdown_sigma_share=table["countdown"]["sigma_share"],
        hysteresis=table["levels"]["hysteresis"],
        half_duration_coefficient=shaking["half_duration_coefficient"],
        moment_slope=shaking["moment_slope"],
        moment_intercept=shaking["moment_intercept"],
        path_s_per_km=shaking["path_s_per_km"],
        margin_s=shaking["margin_s"],
        after_hold_s=phases["after_hold_s"],
        cancelled_hold_s=phases["cancelled_hold_s"],
        weaker_hold_s=phases["weaker_hold_s"],
        vanished_hold_s=phases["vanished_hold_s"],
        strip_s=phases["strip_s"],
        cue_s=phases["cue_s"],
        stale_s=table["link"]["stale_s"],
        offline_s=table["link"]["offline_s"],
        clock_tolerance_s=table["clock"]["tolerance_s"],
        clock_heartbeats=table["clock"]["heartbeats"],
        clock_span_s=table["clock"]["span_s"],
        clock_most_back_s=table["clock"]["most_back_s"],
        max_events=table["memory"]["events"],
        cues={
            name: Cue(name=name, sound=row["sound"], haptics_ms=tuple(row["haptics_ms"]))
            for name, row in table["cue"].items()
        },
        profiles={
            name: Profile(
                name=name,
                countdown=row["countdown"],
                sound=row["sound"],
                quiet=tuple(row["quiet"]),
                variant=row["variant"],
                pulses=row["pulses"],
            )
            for name, row in table["profile"].items()
        },
    )
