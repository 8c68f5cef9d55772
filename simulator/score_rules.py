"""The settings of the score, typed and frozen, read from ``eew/tables/score.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from eew.tables import load_table

__all__ = ["ScoreRules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRules:
    """What counts as what; meaning and reason of each value stand in the table."""

    max_gap_deg: float
    max_nearest_km: float
    far_km: float
    window_s: float
    floor_picks: int
    min_picks: int
    near_km: float
    enough_picks: int
    outlier_mads: float
    outlier_min_s: float
    recheck: int
    packet_s: float
    highpass_hz: float
    noise_s: float
    noise_gap_s: float
    noise_min_s: float
    deaf_ratio: float
    before_p_s: float
    thresholds: tuple[float, ...]
    damage_to_action: float
    min_stations: int
    step_s: float
    until_s: float
    coarse_step_s: float
    end_s: float

    @staticmethod
    def load() -> ScoreRules:
        """Return the rules; read once per process."""
        return _load()


@cache
def _load() -> ScoreRules:
    table = load_table("score")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for name, section in table.items()
        if name != "bands"
        for key, value in section.items()
    }
    return ScoreRules(**values)
