"""Where the targets are, and where phones and TVs stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eew.model.place import Site
from eew.model.waveform import Recording
from eew.physics.geo import destination, epicentral_distance_km
from simulator.seeds import rng

MAX_AUTOMATIC_SITES = 8
SPREAD_KM = 5.0  # devices stand within this of their city's centre, evenly over the area
DEFAULT_PHONES, DEFAULT_TVS = 20, 4
MAX_OBSERVATION_KM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlace:
    """One device before it is switched on. ``at_centre``: it stands exactly at its site."""

    device_id: str
    kind: str  # "phone" or "tv"
    site: Site
    lat: float
    lon: float
    language: str
    at_centre: bool


def automatic_sites(recording: Recording, country: str = "") -> tuple[Site, ...]:
    """Return up to 8 stations as targets where the user and the data name no place.

    The stations are taken evenly by rank of distance, from the nearest to the farthest, so that
    the table shows blind zone and far field; what was observed there is known exactly.
    """
    lats = np.array([station.lat for station in recording.stations])
    lons = np.array([station.lon for station in recording.stations])
    truth = recording.truth
    centre = (truth.lat, truth.lon) if truth else (float(np.median(lats)), float(np.median(lons)))
    distances_km = epicentral_distance_km(*centre, lats, lons)
    ranked = sorted(
        range(len(recording.stations)),
        key=lambda n: (float(distances_km[n]), recording.stations[n].code),
    )
    count = min(MAX_AUTOMATIC_SITES, len(ranked))
    steps = np.linspace(0, len(ranked) - 1, count).round().astype(int)
    chosen = [recording.stations[ranked[int(step)]] for step in steps]
    return tuple(
        Site(name=f"{one.code} station", lat=one.lat, lon=one.lon, country=country)
        for one in chosen
    )


def place_devices(
    sites: Sequence[Site],
    *,
    phones: int,
    tvs: int,
    languages: Sequence[str],
    seed: int,
    extra: Sequence[Site] = (),
) -> list[DevicePlace]:
    """Place phones and TVs around cities, by population; the same for the same seed.

    The first devices of each kind stand at the centres of the sites, largest first, so that
    each place of the table has a device to speak for it; the others are spread. Each site of
    ``extra`` gets one further phone at its centre. More devices do not move those before them.
    """
    placed: list[DevicePlace] = []
    for kind, count in (("phone", phones), ("tv", tvs)):
        for n, (site, lat, lon, centre) in enumerate(_spots(sites, count, seed, kind), start=1):
            language = languages[(n - 1) % len(languages)]
            placed.append(
                DevicePlace(
                    device_id=f"{kind}-{n:05d}",
                    kind=kind,
                    site=site,
                    lat=lat,
                    lon=lon,
                    language=language,
                    at_centre=centre,
                )
            )
    for n, site in enumerate(extra, start=phones + 1):
        placed.append(
            DevicePlace(
                device_id=f"phone-{n:05d}",
                kind="phone",
                site=site,
                lat=site.lat,
                lon=site.lon,
                language=languages[(n - 1) % len(languages)],
                at_centre=True,
            )
        )
    return placed


def _spots(
    sites: Sequence[Site], count: int, seed: int, kind: str
) -> list[tuple[Site, float, float, bool]]:
    if not sites or not count:
        return []
    ranked = sorted(sites, key=lambda site: (-site.population, site.name))
    spots = [(site, site.lat, site.lon, True) for site in ranked[:count]]
    spread = count - len(spots)
    weights = np.array([max(1, site.population) for site in ranked], dtype=np.float64)
    draws = rng(seed, "devices", kind).random((spread, 3))  # row by row: a longer list begins alike
    chosen = np.searchsorted(np.cumsum(weights / weights.sum()), draws[:, 0], side="right")
    for site_index, (_, angle, radius) in zip(chosen, draws, strict=True):
        site = ranked[min(int(site_index), len(ranked) - 1)]
        lat, lon = destination(site.lat, site.lon, 360.0 * angle, SPREAD_KM * math.sqrt(radius))
        spots.append((site, float(lat), float(lon), False))
    return spots
