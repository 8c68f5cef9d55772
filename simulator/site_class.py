"""What ground and neighbourhood do to a station: tables of ``eew/tables/site_classes.toml``."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.strict import read_struct

__all__ = ["Burst", "SiteClass", "burst_shape", "site_class", "site_class_names"]

T = TypeVar("T", bound=msgspec.Struct)
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class SiteClass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of site.

    Attributes
    ----------
    level, spread : float
        Ground noise as a share of the way from the low to the high noise model, and how far
        stations of the class lie from it.
    vs30_mps : float
        Typical ground.
    bursts_per_hour : float
        Passing vehicles and machines heard, mean over the day.
    burst_peak_mps2 : float
        Median of their peak acceleration.
    """

    level: Share
    spread: Annotated[float, Meta(ge=0.0, le=0.5)]
    vs30_mps: Positive
    bursts_per_hour: NotNegative
    burst_peak_mps2: Positive


class Burst(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How bursts are drawn, of every class.

    Attributes
    ----------
    duration_s, duration_sigma_log10 : float
        Median length and its scatter.
    peak_sigma_log10 : float
        Scatter of the peak.
    centre_hz : tuple of float
        Least and largest centre of the band, drawn evenly in the logarithm.
    bandwidth_octaves : float
        Width of the band.
    by_hour : tuple of float
        Times the mean rate, for each hour of local solar time.
    """

    duration_s: Positive
    duration_sigma_log10: NotNegative
    peak_sigma_log10: NotNegative
    centre_hz: tuple[Positive, Positive]
    bandwidth_octaves: Positive
    by_hour: Annotated[tuple[NotNegative, ...], Meta(min_length=24, max_length=24)]


def site_class_names() -> tuple[str, ...]:
    """Return the classes there are, from quiet to loud."""
    return tuple(load_table("site_classes")["class"])


@cache
def site_class(name: str) -> SiteClass:
    """Return a class by name.

    Raises
    ------
    ConfigError
        If there is none of that name or its table does not fit the type.
    """
    table = load_table("site_classes")["class"]
    if name not in table:
        known = ", ".join(site_class_names())
        raise ConfigError("site_class", f"no site class {name!r}", hint=f"there are: {known}")
    return _read(SiteClass, table[name], f"class.{name}")


@cache
def burst_shape() -> Burst:
    """Return how bursts are drawn."""
    return _read(Burst, load_table("site_classes")["burst"], "burst")


def _read(kind: type[T], table: dict[str, Any], where: str) -> T:
    value, problems = read_struct(kind, table)
    if value is None:
        raise ConfigError(f"eew/tables/site_classes.toml [{where}]", "; ".join(problems))
    return value
