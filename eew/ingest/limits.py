"""The limits and unit names of ``eew/tables/ingest.toml``, typed and read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from eew.model.waveform import SensorKind
from eew.tables import load_table

__all__ = ["Limits", "limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is accepted from a recorded quake; reasons and sources stand in the table."""

    min_rate_hz: float
    max_rate_hz: float
    min_gnss_hz: float
    max_gnss_hz: float
    rate_tolerance: float
    join_tolerance_samples: float
    clip_fraction: float
    full_scale_counts: float
    full_scale_counts_26_bit: float
    min_velocity_full_scale_v: float
    accelerometer_ranges_mps2: tuple[float, ...]
    accelerometer_range_tolerance: float
    min_vs30_mps: float
    max_vs30_mps: float
    units: dict[str, tuple[SensorKind, float]]

    def unit(self, name: str) -> tuple[SensorKind, float] | None:
        """Return what a StationXML unit measures and its size in SI; None where unknown."""
        return self.units.get(name.strip().upper())

    def same_rate(self, first_hz: float, second_hz: float) -> bool:
        """Tell whether two sampling rates are one, apart from rounding."""
        return abs(first_hz - second_hz) <= self.rate_tolerance * second_hz


@cache
def limits() -> Limits:
    """Read the table."""
    table = load_table("ingest")
    sampling, clipping = table["sampling"], table["clipping"]
    gravity_mps2 = clipping["standard_gravity_mps2"]
    return Limits(
        min_rate_hz=sampling["min_hz"],
        max_rate_hz=sampling["max_hz"],
        min_gnss_hz=table["gnss"]["min_hz"],
        max_gnss_hz=table["gnss"]["max_hz"],
        rate_tolerance=sampling["relative_tolerance"],
        join_tolerance_samples=table["joining"]["tolerance_samples"],
        clip_fraction=clipping["usable_fraction"],
        full_scale_counts=clipping["full_scale_counts"],
        full_scale_counts_26_bit=clipping["full_scale_counts_26_bit"],
        min_velocity_full_scale_v=clipping["min_velocity_full_scale_v"],
        accelerometer_ranges_mps2=tuple(
            g * gravity_mps2 for g in clipping["accelerometer_ranges_g"]
        ),
        accelerometer_range_tolerance=clipping["accelerometer_range_tolerance"],
        min_vs30_mps=table["vs30"]["min_mps"],
        max_vs30_mps=table["vs30"]["max_mps"],
        units={
            name: (kind, size)
            for kind in SensorKind
            for name, size in table["units"][kind.value].items()
        },
    )
