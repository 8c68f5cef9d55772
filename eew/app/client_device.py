"""What one simulated phone or television is, and the device of ``clients`` that this makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clients.device import Device
from clients.phone import Phone
from clients.policy import policy
from clients.tv import TV
from eew.app.track import Waypoint
from eew.errors import ConfigError
from eew.messages.cells import cell_of
from eew.messages.seal import Keyring
from eew.model.alert import Status
from eew.model.place import Site

__all__ = ["ClientOptions", "cells_of", "make_device"]

_KINDS = ("phone", "tv")
_MOST_OFFSET_S = 10 * 365.25 * 86_400
_NAMES_KM, _NAMES_SMALLEST, _MOST_NAMES = 800.0, 15_000, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What a simulated device is, and what befalls it.

    Attributes
    ----------
    at : tuple of float
        Latitude and longitude, degrees; never leaves the device.
    clock_offset_s : float
        How far its clock is ahead of the right time.
    service_time : bool
        Its clock is first set by the service: for a replay that keeps the times of its quake.
    route : tuple of Waypoint
        Where it is carried, and when.
    for_s : float or None
        How long it is on; None until it is stopped.
    """

    kind: str
    at: tuple[float, float]
    language: str
    country: str
    profile: str
    district: str = ""
    tree: Status = Status.EXERCISE
    clock_offset_s: float = 0.0
    service_time: bool = False
    route: tuple[Waypoint, ...] = ()
    for_s: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ConfigError("KIND", f"unknown kind {self.kind!r}", hint=" or ".join(_KINDS))
        policy().profile(self.profile)
        if not abs(self.clock_offset_s) <= _MOST_OFFSET_S:
            raise ConfigError(
                "--clock-offset", f"must be within ten years, was {self.clock_offset_s:g} s"
            )
        if self.for_s is not None and not 0.0 < self.for_s <= _MOST_OFFSET_S:
            raise ConfigError("--for", f"must be more than 0 s, was {self.for_s:g}")


def cells_of(options: ClientOptions) -> tuple[str, ...]:
    """Return the areas the device will be in, in order; the first is where it begins."""
    way = [options.at, *((point.lat, point.lon) for point in options.route)]
    return tuple(dict.fromkeys(cell_of(*place) for place in way))


def make_device(options: ClientOptions, keyring: Keyring) -> Device:
    """Return the device that the options describe."""
    lat, lon = options.at
    settings: dict[str, Any] = {
        "id": "client",
        "lat": lat,
        "lon": lon,
        "language": options.language,
        "country": options.country,
        "profile": options.profile,
        "gazetteer": _names_near(lat, lon),
        "keyring": keyring,
        "tree": options.tree,
    }
    if options.kind == "tv":
        return TV(district=options.district, **settings)
    return Phone(title=options.district, **settings)


def _names_near(lat: float, lon: float) -> tuple[Site, ...]:
    """Return the larger towns by which a screen may say where a quake was."""
    from simulator.population import places

    near = places(_NAMES_SMALLEST).near(lat, lon, _NAMES_KM)
    rows = zip(near.name, near.lat, near.lon, strict=True)
    return tuple(
        Site(name=str(name), lat=float(at_lat), lon=float(at_lon))
        for name, at_lat, at_lon in list(rows)[:_MOST_NAMES]
    )
