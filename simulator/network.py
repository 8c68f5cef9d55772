"""Seeded station networks: evenly spread but not in rows, dense at the epicentre, on land."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eew.model.waveform import Channel, Component, SensorKind, Station, StreamId
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from eew.tables import load_table
from simulator.accelerometer import Accelerometer, accelerometer
from simulator.geography import on_land
from simulator.placed import PlacedStation
from simulator.scenario import Scenario
from simulator.scenario_fields import NetworkSpec
from simulator.seeds import rng

__all__ = ["build_network"]

Floats = NDArray[np.float64]

# Points that keep a distance d and fill the plane have a density of about 0.70 / d**2; a
# hexagonal net of spacing s has 1.155 / s**2. So d = 0.78 s gives as many stations as that net.
_DISTANCE_SHARE = 0.78
_CANDIDATES_PER_STATION = 40
_BESIDE_SITE_KM = 3.0  # a town's station stands at most so far from its centre
_LIMIT = 2_000

_COMPONENTS = {
    "Z": Component.VERTICAL,
    "N": Component.HORIZONTAL_1,
    "E": Component.HORIZONTAL_2,
}


def build_network(scenario: Scenario, seed: int, vs30_mps: float) -> tuple[PlacedStation, ...]:
    """Place the stations of a scenario.

    One stands at every site. The rest keep the distance that the scenario asks for at their
    place from each other and are thrown at random until no room is left (Poisson-disk
    sampling): even as a real network, without rows that would favour a location grid.

    Parameters
    ----------
    seed : int
        Of the run; a seed in the scenario goes before it.
    vs30_mps : float
        Given to every station.

    Returns
    -------
    tuple of PlacedStation
        In order of code, which is the order of placement.
    """
    spec = scenario.network
    instrument = accelerometer(spec.sensor)
    event = scenario.event
    draw = rng(seed if spec.seed is None else spec.seed, "network", scenario.name)
    east_north_km: list[tuple[float, float]] = []
    for site in scenario.sites:
        distance_km = float(epicentral_distance_km(event.lat, event.lon, site.lat, site.lon))
        bearing = float(azimuth_deg(event.lat, event.lon, site.lat, site.lon))
        aside_km = _BESIDE_SITE_KM * math.sqrt(draw.uniform())
        aside_rad = draw.uniform(0.0, 2.0 * math.pi)
        east_north_km.append(
            (
                distance_km * math.sin(math.radians(bearing)) + aside_km * math.sin(aside_rad),
                distance_km * math.cos(math.radians(bearing)) + aside_km * math.cos(aside_rad),
            )
        )
    east_north_km = _fill(scenario, east_north_km, draw)
    return tuple(
        _station(spec, instrument, number, *_position(scenario, point), vs30_mps)
        for number, point in enumerate(east_north_km, start=1)
    )


def _fill(
    scenario: Scenario, taken: list[tuple[float, float]], draw: np.random.Generator
) -> list[tuple[float, float]]:
    """Throw stations at the free land until there is hardly room for one more, after ``taken``."""
    spec = scenario.network
    points = np.full((_LIMIT, 2), np.inf)
    count = len(taken)
    points[:count] = np.reshape(taken, (count, 2))
    candidates = draw.uniform(size=(_candidate_count(spec), 2))
    # Equal areas get equal numbers of candidates; the spacing thins them out.
    distances_km = spec.radius_km * np.sqrt(candidates[:, 0])
    angles = 2.0 * math.pi * candidates[:, 1]
    thrown = np.column_stack((distances_km * np.sin(angles), distances_km * np.cos(angles)))
    keep_km = _DISTANCE_SHARE * _spacing_km(spec, distances_km)
    if spec.land is not None:
        lat, lon = destination(
            scenario.event.lat, scenario.event.lon, np.degrees(angles), distances_km
        )
        allowed = on_land(spec.land, lat, lon)
        thrown, keep_km = thrown[allowed], keep_km[allowed]
    for point, free_km in zip(thrown, keep_km, strict=True):
        offsets = points[:count] - point
        if count == 0 or np.min(np.einsum("ij,ij->i", offsets, offsets)) >= free_km**2:
            points[count] = point
            count += 1
            if count == _LIMIT:
                break
    return [(float(east_km), float(north_km)) for east_km, north_km in points[:count]]


def _spacing_km(spec: NetworkSpec, distance_km: Floats) -> Floats:
    """Spacing wanted at a distance from the epicentre."""
    span_km = spec.radius_km - spec.dense_radius_km
    share = (distance_km - spec.dense_radius_km) / span_km if span_km > 0.0 else distance_km * 0.0
    growth = np.clip(share, 0.0, 1.0) * (spec.outer_spacing_km - spec.spacing_km)
    spacing: Floats = spec.spacing_km + growth
    return spacing


def _candidate_count(spec: NetworkSpec) -> int:
    """As many throws as fill the densest part, were it everywhere."""
    hexagonal_per_km2 = 2.0 / (math.sqrt(3.0) * spec.spacing_km**2)
    stations = math.pi * spec.radius_km**2 * hexagonal_per_km2
    return math.ceil(_CANDIDATES_PER_STATION * min(stations, _LIMIT))


def _position(scenario: Scenario, east_north_km: tuple[float, float]) -> tuple[float, float]:
    east_km, north_km = east_north_km
    lat, lon = destination(
        scenario.event.lat,
        scenario.event.lon,
        math.degrees(math.atan2(east_km, north_km)),
        math.hypot(east_km, north_km),
    )
    return round(float(lat), 5), round(float(lon), 5)  # a metre, as station lists have it


def _station(
    spec: NetworkSpec,
    instrument: Accelerometer,
    number: int,
    lat: float,
    lon: float,
    vs30_mps: float,
) -> PlacedStation:
    name = f"S{number:04d}"
    band = "H" if spec.sampling_rate_hz >= 80.0 else "B"  # SEED band codes
    # The limit that a reader of the same station's metadata would set.
    clip_share = float(load_table("ingest")["clipping"]["usable_fraction"])
    channels = tuple(
        Channel(
            stream_id=StreamId(spec.code, name, "", f"{band}N{letter}"),
            component=component,
            kind=SensorKind.ACCELERATION,
            sensitivity=instrument.sensitivity,
            sampling_rate_hz=spec.sampling_rate_hz,
            clip_counts=clip_share * instrument.full_scale_counts,
        )
        for letter, component in _COMPONENTS.items()
    )
    return PlacedStation(
        station=Station(
            code=f"{spec.code}.{name}",
            lat=lat,
            lon=lon,
            elevation_m=0.0,
            channels=channels,
            vs30_mps=vs30_mps,
        ),
        sensor=spec.sensor,
    )
