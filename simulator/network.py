"""Seeded station networks: evenly spread but not in rows, dense at the epicentre, on land."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eew.model.waveform import Station
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from simulator.channels import instrument_channels
from simulator.geography import on_land
from simulator.named_networks import stations_near
from simulator.placed import PlacedStation
from simulator.scenario import Scenario
from simulator.scenario_fields import NetworkSpec
from simulator.seeds import rng
from simulator.station_lists import read_station_list

__all__ = ["build_network"]

Floats = NDArray[np.float64]

# Points that keep a distance d and fill the plane have a density of about 0.70 / d**2; a
# hexagonal net of spacing s has 1.155 / s**2. So d = 0.78 s gives as many stations as that net.
_DISTANCE_SHARE = 0.78
_CANDIDATES_PER_STATION = 40
_BESIDE_SITE_KM = 3.0  # a town's station stands at most so far from its centre
_LIMIT = 2_000


def build_network(scenario: Scenario, seed: int, vs30_mps: float) -> tuple[PlacedStation, ...]:
    """Place the stations of a scenario: those of a named network, of a file, or drawn ones.

    Of drawn ones, one stands at every site. The rest keep the distance that the scenario asks for
    at their place from each other and are thrown at random until no room is left (Poisson-disk
    sampling): even as a real network, without rows that would favour a location grid.

    Parameters
    ----------
    seed : int
        Of the run; a seed in the scenario goes before it.
    vs30_mps : float
        Given to every station of whose ground nothing is known.

    Returns
    -------
    tuple of PlacedStation
        In order of code; drawn ones are numbered in the order of placement.

    Raises
    ------
    ConfigError
        If the file of stations cannot be used.
    """
    spec, event = scenario.network, scenario.event
    seed = seed if spec.seed is None else spec.seed
    if spec.name is not None:
        return stations_near(spec.name, seed, event.lat, event.lon, spec.radius_km, code=spec.code)
    assert spec.sensor is not None  # checked on reading, as all that is not None below
    assert spec.sampling_rate_hz is not None
    if spec.file is not None:
        found = read_station_list(
            Path(spec.file), sensor=spec.sensor, sampling_rate_hz=spec.sampling_rate_hz
        )
        lats, lons = np.array([one.lat for one in found]), np.array([one.lon for one in found])
        near = epicentral_distance_km(event.lat, event.lon, lats, lons) <= spec.radius_km
        return tuple(
            replace(one, station=replace(one.station, vs30_mps=one.station.vs30_mps or vs30_mps))
            for one, is_near in zip(found, near, strict=True)
            if is_near
        )
    return _drawn(scenario, spec.sensor, spec.sampling_rate_hz, seed, vs30_mps)


def _drawn(
    scenario: Scenario, sensor: str, sampling_rate_hz: float, seed: int, vs30_mps: float
) -> tuple[PlacedStation, ...]:
    spec, event = scenario.network, scenario.event
    draw = rng(seed, "network", scenario.name)
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
    placed = []
    for number, point in enumerate(east_north_km, start=1):
        lat, lon = _position(scenario, point)
        name = f"S{number:04d}"
        station = Station(
            code=f"{spec.code}.{name}",
            lat=lat,
            lon=lon,
            elevation_m=0.0,
            channels=instrument_channels(spec.code, name, sensor, sampling_rate_hz),
            vs30_mps=vs30_mps,
        )
        placed.append(PlacedStation(station=station, sensor=sensor))
    return tuple(placed)


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
    if spec.on_land:
        lat, lon = destination(
            scenario.event.lat, scenario.event.lon, np.degrees(angles), distances_km
        )
        allowed = on_land(lat, lon)
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
    assert spec.spacing_km is not None
    assert spec.outer_spacing_km is not None
    assert spec.dense_radius_km is not None
    span_km = spec.radius_km - spec.dense_radius_km
    share = (distance_km - spec.dense_radius_km) / span_km if span_km > 0.0 else distance_km * 0.0
    growth = np.clip(share, 0.0, 1.0) * (spec.outer_spacing_km - spec.spacing_km)
    spacing: Floats = spec.spacing_km + growth
    return spacing


def _candidate_count(spec: NetworkSpec) -> int:
    """As many throws as fill the densest part, were it everywhere."""
    assert spec.spacing_km is not None
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
