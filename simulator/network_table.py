"""The named networks of ``eew/tables/networks.toml`` as types."""

from __future__ import annotations

import difflib
import math
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.instrument import instrument_names
from simulator.site_class import site_class_names
from simulator.strict import read_struct

__all__ = ["NamedNetwork", "StationKind", "Zone", "named_network", "network_names"]

_TABLE = "eew/tables/networks.toml"

Lat = Annotated[float, Meta(ge=-90.0, le=90.0)]
Lon = Annotated[float, Meta(ge=-180.0, le=180.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
# A net that is farther apart could not be placed tile by tile, see simulator.blue_noise.
Spacing = Annotated[float, Meta(ge=3.0, le=95.0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class StationKind(_Table, frozen=True, kw_only=True):
    """One kind of station.

    Attributes
    ----------
    sensor : str
        Table of ``eew/tables/instruments.toml``.
    ground : dict of str to float
        Share of each site class; they add up to 1.
    """

    name: str
    sensor: str
    ground: dict[str, Share]


class Zone(_Table, frozen=True, kw_only=True):
    """A part of the territory with its own density.

    Attributes
    ----------
    spacing_km : tuple of float
        Between neighbours of the first kind, of the first two, and so on; falling.
    corners : tuple of (lat, lon)
        Outline in degrees; none means everywhere.
    """

    name: str = "elsewhere"
    spacing_km: tuple[Spacing, ...]
    corners: tuple[tuple[Lat, Lon], ...] = ()


class NamedNetwork(_Table, frozen=True, kw_only=True):
    """A network as densities.

    Attributes
    ----------
    countries : tuple of str
        ISO 3166-1 alpha-2 of the land that it stands on; none means any land.
    stations : int
        The published number that the spacings are set to meet; 0 where there is none.
    kind : tuple of StationKind
        From the sparsest to the one that fills in.
    zone : tuple of Zone
        The first that holds a point counts.
    elsewhere : Zone or None
        Outside the zones.
    """

    title: str
    countries: tuple[str, ...]
    stations: int
    sampling_rate_hz: Annotated[float, Meta(ge=20.0, le=250.0)]
    kind: Annotated[tuple[StationKind, ...], Meta(min_length=1)]
    zone: tuple[Zone, ...] = ()
    elsewhere: Zone | None = None

    @property
    def zones(self) -> tuple[Zone, ...]:
        """All zones, the one without an outline last."""
        return self.zone if self.elsewhere is None else (*self.zone, self.elsewhere)


def network_names() -> tuple[str, ...]:
    """Return the names of the networks there are, sorted."""
    return tuple(sorted(load_table("networks")["network"]))


@cache
def named_network(name: str) -> NamedNetwork:
    """Return a network by its name.

    Raises
    ------
    ConfigError
        If there is none of that name (those there are get listed), or its table is wrong.
    """
    table = load_table("networks")["network"]
    if name not in table:
        close = difflib.get_close_matches(name, table, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ConfigError(
            "network.name",
            f"no network {name!r}",
            hint=f"{hint}there are: {', '.join(network_names())}",
        )
    value, problems = read_struct(NamedNetwork, table[name])
    if value is not None:
        problems = _contradictions(value)
    if value is None or problems:
        raise ConfigError(f"{_TABLE} [network.{name}]", "; ".join(problems))
    return value


def _contradictions(network: NamedNetwork) -> list[str]:
    """Check what no single field shows."""
    problems = []
    classes = site_class_names()
    for kind in network.kind:
        if kind.sensor not in instrument_names():
            problems.append(f"kind {kind.name}: no sensor {kind.sensor!r}")
        if set(kind.ground) - set(classes) or not math.isclose(sum(kind.ground.values()), 1.0):
            problems.append(
                f"kind {kind.name}: ground = {kind.ground!r}: expected shares of "
                f"{', '.join(classes)} that add up to 1"
            )
    for zone in network.zones:
        if len(zone.spacing_km) != len(network.kind):
            problems.append(f"zone {zone.name}: expected one spacing for each kind")
        if list(zone.spacing_km) != sorted(zone.spacing_km, reverse=True):
            problems.append(f"zone {zone.name}: expected falling spacings")
        if 0 < len(zone.corners) < 3:
            problems.append(f"zone {zone.name}: expected three corners or more")
    if not network.zones:
        problems.append("no zone and no elsewhere: nothing would stand anywhere")
    return problems
