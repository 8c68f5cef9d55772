"""From the tables of a scenario file to the quakes that the generator computes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from eew.clock import NS_PER_S
from eew.physics.geo import destination
from simulator.ruptures import Fault, Quake, Rupture, aftershocks, line_rupture
from simulator.scenario_fields import (
    AftershocksSpec,
    EventSpec,
    FaultSpec,
    LineSpec,
    SourceSpec,
    utc_ns,
)
from simulator.seeds import rng

__all__ = ["after_event_s", "scenario_sources"]


def scenario_sources(
    event: EventSpec,
    further: Sequence[SourceSpec],
    storms: Sequence[AftershocksSpec],
    *,
    seed: int,
) -> tuple[Quake | Rupture, ...]:
    """Return all quakes of a scenario, the event first; times count from its origin.

    Parameters
    ----------
    seed : int
        Of the run; draws the aftershocks that have no seed of their own.
    """
    sources: list[Quake | Rupture] = [
        _quake(event, lat=event.lat, lon=event.lon, depth_km=event.depth_km, after_s=0.0)
    ]
    for one in further:
        lat, lon = one.lat, one.lon
        if lat is None or lon is None:
            assert one.azimuth_deg is not None
            assert one.distance_km is not None
            there = destination(event.lat, event.lon, one.azimuth_deg, one.distance_km)
            lat, lon = float(there[0]), float(there[1])
        depth_km = event.depth_km if one.depth_km is None else one.depth_km
        after_s = after_event_s(one, event)
        sources.append(_quake(one, lat=lat, lon=lon, depth_km=depth_km, after_s=after_s))
    for number, storm in enumerate(storms):
        sources += _storm(storm, event, number, seed)
    return tuple(sources)


def after_event_s(source: SourceSpec, event: EventSpec) -> float:
    """Return the origin time of a further quake, s after that of the event."""
    if source.after_s is not None:
        return source.after_s
    assert source.origin_time is not None
    return (utc_ns(source.origin_time) - event.origin_time_ns) / NS_PER_S


def _quake(
    spec: EventSpec | SourceSpec, *, lat: float, lon: float, depth_km: float, after_s: float
) -> Quake | Rupture:
    if spec.line is not None:
        return _line(spec.line, spec, lat, lon, depth_km, after_s)
    return Quake(
        lat=lat,
        lon=lon,
        depth_km=depth_km,
        magnitude=spec.magnitude,
        after_s=after_s,
        stress_drop_bar=spec.stress_drop_bar,
        fault=_plane(spec.fault),
    )


def _line(
    line: LineSpec,
    spec: EventSpec | SourceSpec,
    lat: float,
    lon: float,
    depth_km: float,
    after_s: float,
) -> Rupture:
    return line_rupture(
        lat=lat,
        lon=lon,
        depth_km=depth_km,
        magnitude=spec.magnitude,
        strike_deg=line.strike_deg,
        length_km=line.length_km,
        velocity_kms=line.velocity_kms,
        weights=line.weights,
        begins_at=line.begins_share,
        after_s=after_s,
        stress_drop_bar=spec.stress_drop_bar,
    )


def _plane(spec: FaultSpec | None) -> Fault | None:
    return None if spec is None else Fault(**msgspec.structs.asdict(spec))


def _storm(spec: AftershocksSpec, event: EventSpec, number: int, seed: int) -> list[Quake]:
    # a storm of its own for each block, and other than what else draws from the run's seed
    own = int(rng(seed, "storm", number).integers(2**62)) if spec.seed is None else spec.seed
    drawn = aftershocks(
        lat=event.lat if spec.lat is None else spec.lat,
        lon=event.lon if spec.lon is None else spec.lon,
        depth_km=spec.depth_km,
        magnitude=spec.magnitude,
        number=spec.number,
        within_s=spec.within_s,
        radius_km=spec.radius_km,
        b_value=spec.b_value,
        seed=own,
    )
    return [
        Quake(
            lat=one.lat,
            lon=one.lon,
            depth_km=one.depth_km,
            magnitude=one.magnitude,
            after_s=one.after_s + spec.after_s,
        )
        for one in drawn
    ]
