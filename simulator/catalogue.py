"""Historical quakes with their source parameters, and where each figure is from."""

from __future__ import annotations

import datetime as dt
import difflib
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from eew.errors import ConfigError
from eew.tables import load_table, table_names
from simulator.strict import read_struct

__all__ = [
    "CatalogueQuake",
    "Mechanism",
    "Plane",
    "catalogue",
    "catalogue_names",
    "catalogue_quake",
    "source_words",
]

_FOLDER = "catalogue"

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Figure = Literal["time", "hypocentre", "magnitude", "mechanism", "plane"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a catalogue file."""


class Mechanism(_Table, frozen=True, kw_only=True):
    """Which way the sides moved: dip to the right of the strike, rake of the hanging wall."""

    strike_deg: Annotated[float, Meta(ge=0.0, lt=360.0)]
    dip_deg: Annotated[float, Meta(gt=0.0, le=90.0)]
    rake_deg: Annotated[float, Meta(ge=-180.0, le=180.0)]


class Plane(_Table, frozen=True, kw_only=True):
    """What broke, as one plane with the angles of the mechanism.

    Attributes
    ----------
    length_km, width_km : float
        Along strike and down dip.
    along_share : float
        Hypocentre along the strike, 0 at the end where the strike begins.
    down_share : float
        Hypocentre down dip, 0 at the upper edge.
    ruptures : str
        Where the rupture went, in words.
    """

    length_km: Annotated[float, Meta(gt=0.0, le=2000.0)]
    width_km: Annotated[float, Meta(gt=0.0, le=300.0)]
    along_share: Share
    down_share: Share
    ruptures: str


class Sources(_Table, frozen=True, kw_only=True):
    """Of each figure: a key of ``catalogue_sources.toml``, perhaps with an id, or a paper."""

    hypocentre: str
    magnitude: str
    mechanism: str = ""
    plane: str = ""


class CatalogueQuake(_Table, frozen=True, kw_only=True):
    """One quake.

    Attributes
    ----------
    name : str
        Of place and year, as ``wenchuan-2008``.
    place, region : str
        In words; ``region`` is the province or state.
    depth_km : float
        Of the hypocentre.
    country : str
        ISO 3166-1 alpha-2, of the land that was shaken most.
    setting : str
        ``crust``, ``interface`` or ``slab``.
    mechanism : Mechanism or None
        Where known.
    plane : Plane or None
        Of the large ones; never without a mechanism.
    recorded : str
        Folder of recorded data with the same quake, empty where there is none.
    sources : Sources
        Of each figure.
    approximate : tuple of str
        Figures that are not sure to their last digits.
    """

    name: Annotated[str, Meta(pattern="^[a-z]+(-[a-z]+)*-[0-9]{4}$")]
    place: str
    origin_time: Annotated[dt.datetime, Meta(tz=True)]
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    depth_km: Annotated[float, Meta(gt=0.0, le=700.0)]
    magnitude: Annotated[float, Meta(ge=4.0, le=9.5)]
    magnitude_type: Literal["Mw", "M", "ML", "mb"]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    region: str
    setting: Literal["crust", "interface", "slab"]
    mechanism: Mechanism | None = None
    plane: Plane | None = None
    recorded: str = ""
    sources: Sources
    approximate: tuple[Figure, ...] = ()

    @property
    def title(self) -> str:
        """Place, size and day: ``Wenchuan, Sichuan, Mw7.9, 12 May 2008``."""
        day = f"{self.origin_time.day} {self.origin_time:%B %Y}"
        return f"{self.place}, {self.magnitude_type}{self.magnitude:.1f}, {day}"

    @property
    def origin_text(self) -> str:
        """Origin time as ISO 8601, with tenths of a second where they are known."""
        tenths = round(self.origin_time.microsecond / 100_000)
        fraction = f".{tenths}" if 0 < tenths < 10 else ""
        return f"{self.origin_time:%Y-%m-%dT%H:%M:%S}{fraction}Z"

    @property
    def sure(self) -> bool:
        """Whether every figure is sure as it stands."""
        return not self.approximate


class _File(_Table, frozen=True, kw_only=True):
    quake: tuple[CatalogueQuake, ...]


@cache
def catalogue() -> tuple[CatalogueQuake, ...]:
    """Return all quakes, by origin time.

    Raises
    ------
    ConfigError
        If a table of the catalogue is wrong, naming file and field.
    """
    found: list[CatalogueQuake] = []
    for table in table_names(_FOLDER):
        file, problems = read_struct(_File, load_table(table))
        if file is None:
            raise ConfigError(f"eew/tables/{table}.toml", "; ".join(problems))
        found += file.quake
    return tuple(sorted(found, key=lambda one: (one.origin_time, one.name)))


def catalogue_names() -> tuple[str, ...]:
    """Return the names of all quakes, sorted."""
    return tuple(sorted(_by_name()))


def catalogue_quake(name: str) -> CatalogueQuake:
    """Return a quake by its name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    found = _by_name().get(name)
    if found is None:
        near = difflib.get_close_matches(name, _by_name(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(
            "name", f"no quake {name!r} in the catalogue", hint=f"{hint}eew events list shows all"
        )
    return found


def source_words(source: str) -> str:
    """Write out a source: the agency that a key stands for, with the id of the event if given."""
    key, _, event_id = source.partition(" ")
    agencies = load_table("catalogue_sources")
    if key not in agencies:
        return source
    return f"{agencies[key]}, {event_id}" if event_id else str(agencies[key])


@cache
def _by_name() -> dict[str, CatalogueQuake]:
    return {one.name: one for one in catalogue()}
