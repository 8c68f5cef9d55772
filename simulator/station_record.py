"""The records of one station: ground motion of every source, background, instrument, counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.waveform import Segment
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.attenuation import Attenuation
from simulator.background import background
from simulator.finite_fault import FiniteSource
from simulator.ground_motion import Draws, Ground, acceleration
from simulator.instrument import Instrument, instrument
from simulator.placed import PlacedStation
from simulator.rays import Late, sight_of
from simulator.scenario import Scenario
from simulator.seeds import rng
from simulator.site_class import site_class
from simulator.time_axis import TimeAxis, fast_length

__all__ = ["Task", "station_segments"]

Floats = NDArray[np.float64]

_FADE_S = 20.0  # computed behind the record and cut off, see TimeAxis
_START_SPREAD_S = 1.0  # stations cut their packets at different moments
_LEAD_S = 2.0  # a quake is computed from so long before its P wave
_CODAS = 6.0  # to so many decay times of the S coda behind S (1/400 of its beginning is left)
_FURTHEST_KM = 800.0  # beyond, a quake adds nothing to warn of


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all stations of one computation share."""

    scenario: Scenario
    seed: int
    region: Attenuation
    sources: Sequence[FiniteSource]
    times: TravelTimes


def station_segments(task: Task, placed: PlacedStation) -> list[Segment]:
    """Compute the three records of one station.

    Chance is drawn from one stream per station and purpose, so another station, or another
    source, changes nothing.
    """
    scenario, code = task.scenario, placed.code
    sensor = instrument(placed.sensor)
    rate_hz = placed.station.channels[0].sampling_rate_hz
    site = rng(task.seed, "site", code)
    # A whole number of samples keeps start times exact for rates that divide a second.
    start_s = site.integers(round(_START_SPREAD_S * rate_hz)) / rate_hz - scenario.record.before_s
    samples = math.floor((scenario.record.after_s - start_s) * rate_hz)
    amplification = 10.0 ** (task.region.site_sigma_log10 * site.standard_normal())
    level = scenario.noise.level + scenario.noise.spread * site.uniform(-1.0, 1.0)
    offsets_mps2 = sensor.offset_mps2 * site.standard_normal(3)

    motion_mps2 = np.zeros((3, samples))
    for number, source in enumerate(task.sources):
        _add(task, placed, source, number, start_s, motion_mps2)
    noise_mps2 = _background(task, placed, sensor, samples, min(max(level, 0.0), 1.0))
    acceleration_mps2 = amplification * motion_mps2 + noise_mps2 + offsets_mps2[:, None]
    counts = _digitise(acceleration_mps2, sensor, rate_hz)
    start_ns = scenario.event.origin_time_ns + round(start_s * NS_PER_S)
    return [
        Segment(
            stream_id=channel.stream_id,
            start_ns=start_ns,
            sampling_rate_hz=rate_hz,
            samples=np.ascontiguousarray(counts[channel.component.value]),
        )
        for channel in placed.station.channels
    ]


def _background(
    task: Task, placed: PlacedStation, sensor: Instrument, samples: int, level: float
) -> Floats:
    """Noise of ground and instrument on three components, shape (3, samples), m/s**2."""
    before_ns = round(task.scenario.record.before_s * NS_PER_S)
    return background(
        sensor,
        seed=task.seed,
        code=placed.code,
        level=level,
        class_name=placed.site_class,
        samples=samples,
        sampling_rate_hz=placed.station.channels[0].sampling_rate_hz,
        start_ns=task.scenario.event.origin_time_ns - before_ns,
        lon=placed.lon,
    )


def ground_below(task: Task, placed: PlacedStation) -> Ground:
    """Vs30 of the station, else of its class, else of the region, and a kappa of its own.

    Kappa is the region's on any ground: what soft ground loses stands in its amplification.
    """
    region = task.region
    vs30_mps = site_class(placed.site_class).vs30_mps if placed.site_class else region.vs30_mps
    aside = float(rng(task.seed, "kappa", placed.code).standard_normal())
    return Ground(
        vs30_mps=placed.station.vs30_mps or vs30_mps,
        kappa_s=region.kappa_s * math.exp(region.kappa_sigma_ln * aside),
    )


def _add(
    task: Task,
    placed: PlacedStation,
    source: FiniteSource,
    number: int,
    start_s: float,
    into_mps2: Floats,
) -> None:
    """Add the motion of one source, from a little before its P to the end of its coda."""
    rate_hz = placed.station.channels[0].sampling_rate_hz
    nearest_km = epicentral_distance_km(source.lats, source.lons, placed.lat, placed.lon).min()
    if nearest_km > _FURTHEST_KM:
        return
    seconds, share = rng(task.seed, "late", placed.code, number).standard_normal(2)
    late = Late(
        seconds=task.region.late_s * float(seconds), share=task.region.late_share * float(share)
    )
    sight = sight_of(source, task.times, placed.lat, placed.lon, late)
    # sample numbers of the record; the axis must begin on a sample
    since_start_s = source.after_s - start_s
    first = math.floor((since_start_s + sight.p.arrivals_s[0] - _LEAD_S) * rate_hz)
    ends_s = since_start_s + sight.s.arrivals_s.max() + _CODAS * task.region.s.coda_decay_s
    last = min(math.ceil(ends_s * rate_hz), into_mps2.shape[1])
    if last <= max(first, 0):
        return
    axis = TimeAxis(
        start_s=first / rate_hz - since_start_s,
        sampling_rate_hz=rate_hz,
        samples=fast_length(last - first + round(_FADE_S * rate_hz)),
        fade_s=_FADE_S,
    )
    draws = Draws(
        p=rng(task.seed, "P", placed.code, number), s=rng(task.seed, "S", placed.code, number)
    )
    ground = ground_below(task, placed)
    motion_mps2 = acceleration(axis, source, sight, task.region, ground, draws)
    skip = max(-first, 0)  # a P wave from before the record
    into_mps2[:, first + skip : last] += motion_mps2[:, skip : last - first]


def _digitise(
    acceleration_mps2: Floats, sensor: Instrument, sampling_rate_hz: float
) -> NDArray[np.int32]:
    """Turn acceleration into whole counts, clipped where the instrument's range ends."""
    return sensor.digitise(acceleration_mps2, sampling_rate_hz)
