"""Whom a scenario tells: towns, devices, and the help packs that are on them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from simulator.fields import Country, Lat, Lon, Table

__all__ = [
    "DevicesSpec",
    "HelpSpec",
    "SiteSpec",
]

Devices = Annotated[int, Meta(ge=0, le=100_000)]


class DevicesSpec(Table, frozen=True, kw_only=True):
    """Phones and televisions, placed by population.

    Attributes
    ----------
    phones, tvs : int or None
        How many; 20 and 4 if not given.
    languages : tuple of str
        Of the devices in turn; those of the file if not given.
    """

    phones: Devices | None = None
    tvs: Devices | None = None
    languages: tuple[Literal["en", "zh", "ja", "es", "tr"], ...] = ()


class HelpSpec(Table, frozen=True, kw_only=True):
    """Help packs that are on the devices before anything happens.

    Attributes
    ----------
    packs : tuple of str
        Files made by ``eew help-pack build``; paths count from the folder of this file.
    """

    packs: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]


class SiteSpec(Table, frozen=True, kw_only=True):
    """A town; it gets devices, a station beside it and a line in the table of lead times.

    Attributes
    ----------
    name : str
        As people call it.
    lat, lon : float
        Degrees north and east.
    population : int
        Decides how many devices it gets.
    country : str or None
        ISO 3166-1 alpha-2; that of the file if not given.
    vs30_mps : float or None
        Mean S velocity of the upper 30 m.
    """

    name: Annotated[str, Meta(min_length=1)]
    lat: Lat
    lon: Lon
    population: Annotated[int, Meta(ge=0)] = 0
    country: Country | None = None
    vs30_mps: Annotated[float, Meta(ge=100.0, le=2000.0)] | None = None
