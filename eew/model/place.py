"""Places, and the help that is near them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


def _check_position(name: str, lat: float, lon: float) -> None:
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90.0 and abs(lon) <= 180.0):
        raise ValueError(f"{name}: position out of range: lat {lat!r}, lon {lon!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A named place for which shaking and arrival are predicted (a *target*)."""

    name: str
    lat: float
    lon: float
    population: int = 0
    country: str = ""  # ISO 3166-1 alpha-2, upper case
    vs30_mps: float | None = None

    def __post_init__(self) -> None:
        _check_position(self.name, self.lat, self.lon)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelter:
    """A place to go *after* the shaking."""

    id: str
    name: str
    lat: float
    lon: float
    capacity: int | None = None
    address: str = ""
    phone: str = ""
    suited_for_earthquake: bool = True
    generated: bool = False

    def __post_init__(self) -> None:
        _check_position(self.name, self.lat, self.lon)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A number to call, with its purpose in plain words per language."""

    kind: str  # "emergency", "medical", "fire", "police", "rescue", "information"
    number: str
    name: dict[str, str] = field(default_factory=dict)  # language -> words


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPack:
    """What a device keeps for its area before any quake: shelters, contacts, rescue words.

    ``area`` is an H3 cell or ``country:XX``; ``version`` rises with content and never falls.
    """

    area: str
    version: int
    country: str
    contacts: tuple[Contact, ...]
    rescue: dict[str, str]  # language -> what to do when trapped, hurt, or looking for people
    shelters: tuple[Shelter, ...]
    source: str
    generated: bool = False
