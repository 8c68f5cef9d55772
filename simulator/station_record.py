"""The records of one station: ground motion of every source, background, instrument, counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.waveform import Segment
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.accelerometer import Accelerometer, accelerometer
from simulator.attenuation import Attenuation
from simulator.motion import PointSource, TimeAxis, motion_spectra, path_to
from simulator.noise import noise_amplitude, noise_spectrum
from simulator.placed import PlacedStation
from simulator.ruptures import Quake, Rupture
from simulator.scenario import Scenario
from simulator.seeds import rng

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
    sources: Sequence[Rupture]
    times: TravelTimes


def station_segments(task: Task, placed: PlacedStation) -> list[Segment]:
    """Compute the three records of one station.

    Chance is drawn from one stream per station and purpose, so another station, or another
    source, changes nothing.
    """
    scenario, code = task.scenario, placed.code
    instrument = accelerometer(placed.sensor)
    rate_hz = placed.station.channels[0].sampling_rate_hz
    site = rng(task.seed, "site", code)
    # A whole number of samples keeps start times exact for rates that divide a second.
    start_s = site.integers(round(_START_SPREAD_S * rate_hz)) / rate_hz - scenario.record.before_s
    samples = math.floor((scenario.record.after_s - start_s) * rate_hz)
    amplification = 10.0 ** (task.region.site_sigma_log10 * site.standard_normal())
    level = scenario.noise.level + scenario.noise.spread * site.uniform(-1.0, 1.0)
    offsets_mps2 = instrument.offset_mps2 * site.standard_normal(3)

    motion_mps2 = np.zeros((3, samples))
    number = 0
    for which, rupture in enumerate(task.sources):
        below_s, along = rng(task.seed, "late", code, which).standard_normal(2)
        late = (task.region.late_s * float(below_s), task.region.late_share * float(along))
        for part in rupture.parts:
            _add(task, placed, part, number, late, start_s, motion_mps2)
            number += 1
    background = _background(task, placed, instrument, samples, min(max(level, 0.0), 1.0))
    acceleration_mps2 = amplification * motion_mps2 + background + offsets_mps2[:, None]
    counts = _digitise(acceleration_mps2, instrument)
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
    task: Task, placed: PlacedStation, instrument: Accelerometer, samples: int, level: float
) -> Floats:
    """Noise of ground and instrument on three components, shape (3, samples), m/s**2."""
    rate_hz = placed.station.channels[0].sampling_rate_hz
    length = _fast_length(samples)
    axis = TimeAxis(start_s=0.0, sampling_rate_hz=rate_hz, samples=length, fade_s=_FADE_S)
    floor = noise_amplitude(axis.frequencies_hz(), level, instrument.self_noise_psd)
    draw = rng(task.seed, "noise", placed.code)
    spectra = [noise_spectrum(floor, length, rate_hz, draw) for _ in range(3)]
    noise: Floats = np.fft.irfft(np.array(spectra), length)[:, :samples]
    return noise


def _add(
    task: Task,
    placed: PlacedStation,
    quake: Quake,
    number: int,
    late: tuple[float, float],
    start_s: float,
    into_mps2: Floats,
) -> None:
    """Add the motion of one source, from a little before its P to the end of its coda."""
    rate_hz = placed.station.channels[0].sampling_rate_hz
    distance_km = float(epicentral_distance_km(quake.lat, quake.lon, placed.lat, placed.lon))
    if distance_km > _FURTHEST_KM:
        return
    source = PointSource(
        magnitude=quake.magnitude,
        depth_km=quake.depth_km,
        stress_drop_bar=quake.stress_drop_bar,
    )
    onwards_deg = float(azimuth_deg(placed.lat, placed.lon, quake.lat, quake.lon)) + 180.0
    path = path_to(task.times, source, distance_km, onwards_deg)
    path = path.late(late[0] + late[1] * path.p_s)
    # sample numbers of the record; the axis must begin on a sample
    since_start_s = quake.after_s - start_s
    first = math.floor((since_start_s + path.p_s - _LEAD_S) * rate_hz)
    ends_s = since_start_s + path.s_s + _CODAS * task.region.s.coda_decay_s
    last = min(math.ceil(ends_s * rate_hz), into_mps2.shape[1])
    if last <= max(first, 0):
        return
    axis = TimeAxis(
        start_s=first / rate_hz - since_start_s,
        sampling_rate_hz=rate_hz,
        samples=_fast_length(last - first + round(_FADE_S * rate_hz)),
        fade_s=_FADE_S,
    )
    spectra = motion_spectra(
        axis,
        task.region,
        source,
        path,
        rng(task.seed, "P", placed.code, number),
        rng(task.seed, "S", placed.code, number),
    )
    motion_mps2 = np.fft.irfft(spectra, axis.samples)
    skip = max(-first, 0)  # a P wave from before the record
    into_mps2[:, first + skip : last] += motion_mps2[:, skip : last - first]


def _digitise(acceleration_mps2: Floats, instrument: Accelerometer) -> NDArray[np.int32]:
    """Turn acceleration into whole counts, clipped where the instrument's range ends."""
    limit = instrument.full_scale_counts
    counts = np.rint(acceleration_mps2 * instrument.sensitivity)
    return np.clip(counts, -limit, limit - 1).astype(np.int32)


def _fast_length(at_least: int) -> int:
    """Return an even length that is a product of small primes, quick to transform."""
    best = 1 << math.ceil(math.log2(at_least))
    for odd in (3, 5, 9, 15, 25, 27, 45):
        best = min(best, odd << max(1, math.ceil(math.log2(at_least / odd))))
    return best
