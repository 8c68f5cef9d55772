"""From which predicted intensity people are told to be aware, and to take action."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from eew.errors import ConfigError
from eew.model.alert import Level
from eew.tables import load_table

__all__ = ["Thresholds", "default_thresholds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Predicted intensities, in one scale, from which each level holds.

    Raises
    ------
    ConfigError
        If a value is not finite or ``take_action`` is below ``be_aware``.
    """

    scale: str
    be_aware: float
    take_action: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.be_aware) and math.isfinite(self.take_action)):
            raise ConfigError(
                "alert.levels", f"must be finite, was {self.be_aware!r} and {self.take_action!r}"
            )
        if self.take_action < self.be_aware:
            raise ConfigError(
                "alert.levels",
                f"take_action must not be below be_aware, was {self.take_action} < {self.be_aware}",
            )

    def level_of(self, intensity: float) -> Level:
        """Return the level of a predicted intensity; NaN gives ``NONE``."""
        if intensity >= self.take_action:
            return Level.TAKE_ACTION
        return Level.BE_AWARE if intensity >= self.be_aware else Level.NONE


@cache
def default_thresholds(scale: str) -> Thresholds:
    """Return the thresholds of a scale (``mmi``, ``csi`` or ``jma``).

    Raises
    ------
    ConfigError
        If the scale is unknown.
    """
    table = load_table("levels")
    if scale not in table:
        known = ", ".join(sorted(table))
        raise ConfigError("scale", f"unknown intensity scale {scale!r}", hint=f"known: {known}")
    row = table[scale]
    return Thresholds(
        scale=scale, be_aware=float(row["be_aware"]), take_action=float(row["take_action"])
    )
