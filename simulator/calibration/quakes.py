"""Recorded quakes computed again: the published fault, the same stations, the same chain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.errors import DataError
from eew.model.calibration import Pair, QuakeComparison
from eew.model.waveform import Channel, Component, Recording, Station, StreamId, Truth
from eew.physics.bssa14 import bssa14
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from eew.tables import load_table
from simulator.calibration.plane import plane_distances_km
from simulator.calibration.recorded import AFTER_S, BEFORE_S, Record, cut
from simulator.instrument import instrument
from simulator.placed import PlacedStation
from simulator.ruptures import Fault, Quake, moment_magnitude
from simulator.scenario import Scenario
from simulator.scenario_fields import EventSpec, NetworkSpec, NoiseSpec, RecordSpec
from simulator.seeds import rng
from simulator.source import moment_nm
from simulator.synthesise import compose

__all__ = ["compare_quake", "planes_of", "quake_names"]

Floats = NDArray[np.float64]

_SENSOR, _RATE_HZ = "force_balance", 100.0
_WANTED_AFTER_S = 20.0  # of record behind S, to hold the peak
_PAIRS = 3


def quake_names() -> tuple[str, ...]:
    """Return the folders that are compared."""
    return tuple(load_table("calibration_quakes"))


def planes_of(row: Mapping[str, Any], truth: Truth) -> tuple[Quake, ...]:
    """Return the planes of a quake as sources; the first begins at the hypocentre."""
    quakes = []
    for plane in row["plane"]:
        quakes.append(
            Quake(
                lat=plane.get("lat", truth.lat),
                lon=plane.get("lon", truth.lon),
                depth_km=plane.get("depth_km", truth.depth_km),
                magnitude=plane["magnitude"],
                after_s=plane.get("after_s", 0.0),
                fault=Fault(**{name: plane[name] for name in Fault.__dataclass_fields__}),
            )
        )
    return tuple(quakes)


def compare_quake(name: str, recording: Recording, seed: int) -> QuakeComparison:
    """Compute a recorded quake for its stations and measure both alike.

    The plane is published, slip and rupture on it are drawn: computed peaks are geometric means
    over some realisations. Both go through a causal second-order high-pass at 0.075 Hz; PGV is
    integrated and high-passed again.

    Parameters
    ----------
    name : str
        One of :func:`quake_names`.
    recording : Recording
        The folder of that name, read.

    Raises
    ------
    DataError
        If the recording has no truth, or no station that can be used.
    """
    row, truth = load_table("calibration_quakes")[name], recording.truth
    if truth is None:
        raise DataError(name, "has no event.xml, a hypocentre is needed")
    planes = planes_of(row, truth)
    magnitude = moment_magnitude(sum(moment_nm(one.magnitude) for one in planes))
    left_out: list[str] = []
    used: list[tuple[Station, float, Record]] = []
    for station in recording.stations:
        distance_km = _fault_distance_km(planes, station)
        record = _usable(recording, station, distance_km, row, truth)
        if isinstance(record, Record):
            used.append((station, distance_km, record))
        else:
            left_out.append(f"{station.code}: {record}")
    if not used:
        raise DataError(name, f"no station can be used: {'; '.join(left_out[:5])}")
    used.sort(key=lambda one: (one[1], one[0].code))
    placed = tuple(_placed(station, row["vs30_mps"]) for station, _, _ in used)
    scenario = _scenario(name, row, truth, magnitude)
    drawn = []
    for chance in _seeds(seed, load_table("calibration")["recorded"]["realisations"]):
        made = compose(scenario, planes, chance, network=placed).recording
        drawn.append([_computed(made, one.station, truth.origin_time_ns) for one in placed])
    computed = np.exp(np.mean(np.log([[one.peaks() for one in each] for each in drawn]), axis=0))
    recorded = np.array([record.peaks() for _, _, record in used])
    distances_km = np.array([km for _, km, _ in used])
    vs30_mps = np.array([one.station.vs30_mps for one in placed])
    model = bssa14(magnitude, distances_km, vs30_mps)
    chosen = sorted({round(k * (len(used) - 1) / (_PAIRS - 1)) for k in range(_PAIRS)})
    return QuakeComparison(
        name=name,
        title=row["title"],
        magnitude=magnitude,
        source=row["source"],
        stations=tuple(station.code for station, _, _ in used),
        distance_km=distances_km,
        vs30_mps=vs30_mps,
        recorded_pga=recorded[:, 0],
        computed_pga=computed[:, 0],
        model_pga=model.pga_mps2,
        recorded_pgv=recorded[:, 1],
        computed_pgv=computed[:, 1],
        model_pgv=model.pgv_mps,
        model="BSSA14",
        pairs=tuple(_pair(used[k][0].code, used[k][1], used[k][2], drawn[0][k]) for k in chosen),
        left_out=tuple(left_out),
    )


# ---------------------------------------------------------------------- stations


def _usable(
    recording: Recording, station: Station, distance_km: float, row: Mapping[str, Any], truth: Truth
) -> Record | str:
    """Return the record of a station, or why it is left out."""
    if station.code in row["left_out"]:
        return "known as bad"
    if distance_km > row["within_km"]:
        return f"{distance_km:.0f} km away"
    epicentral_km = float(epicentral_distance_km(truth.lat, truth.lon, station.lat, station.lon))
    times = TravelTimes.load()
    p_s = float(times.p_s(epicentral_km, truth.depth_km))
    record = cut(recording, station, truth.origin_time_ns, p_s)
    if isinstance(record, Record):
        wanted_s = float(times.s_s(epicentral_km, truth.depth_km)) + _WANTED_AFTER_S
        if record.end_s < wanted_s:
            return f"ends {record.end_s:.0f} s after the origin"
    return record


def _fault_distance_km(planes: Sequence[Quake], station: Station) -> float:
    """Distance to the surface projection of the nearest plane."""
    distances = []
    for plane in planes:
        assert plane.fault is not None
        hypocentre = (plane.lat, plane.lon, plane.depth_km)
        distances.append(plane_distances_km(plane.fault, hypocentre, station.lat, station.lon)[0])
    return min(distances)


# ---------------------------------------------------------------------- computed


def _seeds(seed: int, count: int) -> list[int]:
    """Seeds of the realisations; the first is the run's own."""
    return [seed, *(int(rng(seed, "realisation", k).integers(2**31)) for k in range(1, count))]


def _computed(made: Recording, station: Station, origin_ns: int) -> Record:
    record = cut(made, station, origin_ns, 0.0)
    assert isinstance(record, Record)  # computed records have three components and no gap
    return record


def _placed(station: Station, vs30_mps: float) -> PlacedStation:
    """Put an instrument of ours where the recorded one stood."""
    sensor = instrument(_SENSOR)
    network, _, code = station.code.partition(".")
    letters = {
        "Z": Component.VERTICAL,
        "N": Component.HORIZONTAL_1,
        "E": Component.HORIZONTAL_2,
    }
    channels = tuple(
        Channel(
            stream_id=StreamId(network, code, "", f"H{sensor.instrument_code}{letter}"),
            component=component,
            kind=sensor.sensor_kind,
            sensitivity=sensor.sensitivity,
            sampling_rate_hz=_RATE_HZ,
        )
        for letter, component in letters.items()
    )
    return PlacedStation(
        station=Station(
            code=station.code,
            lat=station.lat,
            lon=station.lon,
            elevation_m=station.elevation_m,
            channels=channels,
            vs30_mps=station.vs30_mps or vs30_mps,
        ),
        sensor=_SENSOR,
        site_class="soil",
    )


def _scenario(name: str, row: Mapping[str, Any], truth: Truth, magnitude: float) -> Scenario:
    """Describe the computation; its network is not used."""
    origin = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(
        microseconds=truth.origin_time_ns // 1_000
    )
    return Scenario(
        name=name,
        title=row["title"],
        region=row["region"],
        country="XX",
        languages=("en",),
        event=EventSpec(
            id=name,
            origin_time=origin,
            lat=truth.lat,
            lon=truth.lon,
            depth_km=truth.depth_km,
            magnitude=magnitude,
            magnitude_type="Mw",
        ),
        network=NetworkSpec(
            spacing_km=20.0,
            outer_spacing_km=20.0,
            dense_radius_km=0.0,
            radius_km=20.0,
            sampling_rate_hz=_RATE_HZ,
            sensor=_SENSOR,
        ),
        noise=NoiseSpec(level=0.7, spread=0.1),
        record=RecordSpec(before_s=BEFORE_S + 2.0, after_s=AFTER_S),
        sites=(),
        sha256="",
    )


def _pair(station: str, distance_km: float, recorded: Record, computed: Record) -> Pair:
    return Pair(
        station=station,
        distance_km=distance_km,
        recorded_start_s=recorded.start_s,
        recorded_rate_hz=recorded.sampling_rate_hz,
        recorded=recorded.acceleration_mps2[1],
        computed_start_s=computed.start_s,
        computed_rate_hz=computed.sampling_rate_hz,
        computed=computed.acceleration_mps2[1],
    )
