"""Sum computed quakes onto one network: none, one, or many, with one background noise.

:func:`simulator.synthesise.compute` makes the records of one quake. Here any number of sources
(:mod:`simulator.ruptures`) is added up in ground acceleration before noise, instrument and
rounding to counts, as the ground does it. Network, region, noise and the length of the records
are those of a scenario; its own event only says where the network is and when zero is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.waveform import Recording, Segment, Station, Truth
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.accelerometer import accelerometer
from simulator.attenuation import Attenuation, attenuation
from simulator.motion import PointSource, TimeAxis, motion_spectra, path_to
from simulator.network import build_network
from simulator.noise import noise_amplitude, noise_spectrum
from simulator.ruptures import Quake, Rupture
from simulator.scenario import Scenario
from simulator.seeds import rng

__all__ = ["Composition", "compose"]

Floats = NDArray[np.float64]

_FADE_S = 20.0  # see TimeAxis
_START_SPREAD_S = 1.0  # stations begin at different moments, as in compute()
_LEAD_S = 2.0  # a quake is computed from so long before its P wave
_CODAS = 6.0  # to so many decay times of the S coda behind S (1/400 of its beginning is left)
_FURTHEST_KM = 800.0  # beyond, a quake adds nothing to warn of


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A recording of many quakes, and the truth about each.

    Attributes
    ----------
    recording : Recording
        Its one truth is that of the largest quake; None where there is none.
    truths : tuple of Truth
        One for each source, in the order given; of a rupture the hypocentre of its first part
        and the magnitude of all.
    """

    recording: Recording
    truths: tuple[Truth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    scenario: Scenario
    seed: int
    region: Attenuation
    sources: tuple[Rupture, ...]
    times: TravelTimes


def compose(
    scenario: Scenario,
    sources: Sequence[Quake | Rupture],
    seed: int,
    *,
    stations: Sequence[Station] | None = None,
) -> Composition:
    """Compute the records of several quakes at once.

    Parameters
    ----------
    scenario : Scenario
        Network, region, noise, lengths. Network and noise are those of
        ``compute(scenario, seed)``.
    sources : sequence of Quake or Rupture
        May be empty: noise only.
    stations : sequence of Station, optional
        Instead of the network that the scenario describes; sampling rate and sensor are still
        those of the scenario.
    """
    region = attenuation(scenario.region)
    ruptures = tuple(s if isinstance(s, Rupture) else Rupture(parts=(s,)) for s in sources)
    task = _Task(
        scenario=scenario, seed=seed, region=region, sources=ruptures, times=TravelTimes.load()
    )
    network = (
        build_network(scenario, seed, region.vs30_mps) if stations is None else tuple(stations)
    )
    segments = [segment for station in network for segment in _records(task, station)]
    truths = tuple(_truth(scenario, number, r) for number, r in enumerate(ruptures, start=1))
    return Composition(
        recording=Recording(
            name=scenario.name,
            stations=network,
            segments=tuple(sorted(segments, key=lambda s: (s.stream_id, s.start_ns))),
            truth=max(truths, key=lambda t: t.magnitude, default=None),
            problems=(),
            input_sha256={f"{scenario.name}.toml": scenario.sha256},
        ),
        truths=truths,
    )


def _truth(scenario: Scenario, number: int, rupture: Rupture) -> Truth:
    first = rupture.first
    return Truth(
        event_id=f"{scenario.event.id}-{number}",
        origin_time_ns=scenario.event.origin_time_ns + round(first.after_s * NS_PER_S),
        lat=first.lat,
        lon=first.lon,
        depth_km=first.depth_km,
        magnitude=rupture.magnitude,
        magnitude_type="Mw",
    )


def _records(task: _Task, station: Station) -> list[Segment]:
    """Compute the records of one station; chance is drawn as in ``compute()``."""
    scenario, code = task.scenario, station.code
    instrument = accelerometer(scenario.network.sensor)
    rate_hz = scenario.network.sampling_rate_hz
    site = rng(task.seed, "site", code)
    start_s = site.integers(round(_START_SPREAD_S * rate_hz)) / rate_hz - scenario.record.before_s
    samples = math.floor((scenario.record.after_s - start_s) * rate_hz)
    amplification = 10.0 ** (task.region.site_sigma_log10 * site.standard_normal())
    level = scenario.noise.level + scenario.noise.spread * site.uniform(-1.0, 1.0)
    offsets_mps2 = instrument.offset_mps2 * site.standard_normal(3)

    motion_mps2 = np.zeros((3, samples))
    number = 0
    for which, rupture in enumerate(task.sources):
        below_s, along = rng(task.seed, "late", code, which).standard_normal(2)
        for part in rupture.parts:
            late = (task.region.late_s * below_s, task.region.late_share * along)
            _add(task, station, part, number, late, start_s, motion_mps2)
            number += 1
    noise_samples = _fast_length(samples + round(_FADE_S * rate_hz))
    axis = TimeAxis(
        start_s=start_s, sampling_rate_hz=rate_hz, samples=noise_samples, fade_s=_FADE_S
    )
    floor = noise_amplitude(
        axis.frequencies_hz(), min(max(level, 0.0), 1.0), instrument.self_noise_psd
    )
    background = rng(task.seed, "noise", code)
    noise = np.array(
        [
            np.fft.irfft(noise_spectrum(floor, noise_samples, rate_hz, background), noise_samples)
            for _ in range(3)
        ]
    )[:, :samples]
    acceleration_mps2 = amplification * motion_mps2 + noise + offsets_mps2[:, None]
    limit = instrument.full_scale_counts
    counts = np.clip(np.rint(acceleration_mps2 * instrument.sensitivity), -limit, limit - 1)
    start_ns = scenario.event.origin_time_ns + round(start_s * NS_PER_S)
    return [
        Segment(
            stream_id=channel.stream_id,
            start_ns=start_ns,
            sampling_rate_hz=rate_hz,
            samples=np.ascontiguousarray(counts[channel.component.value], dtype=np.int32),
        )
        for channel in station.channels
    ]


def _add(
    task: _Task,
    station: Station,
    quake: Quake,
    number: int,
    late: tuple[float, float],
    start_s: float,
    into_mps2: Floats,
) -> None:
    """Add the motion of one point source, from a little before its P to the end of its coda."""
    rate_hz = task.scenario.network.sampling_rate_hz
    distance_km = float(epicentral_distance_km(quake.lat, quake.lon, station.lat, station.lon))
    if distance_km > _FURTHEST_KM:
        return
    source = PointSource(
        magnitude=quake.magnitude,
        depth_km=quake.depth_km,
        stress_drop_bar=quake.stress_drop_bar,
    )
    onwards_deg = float(azimuth_deg(station.lat, station.lon, quake.lat, quake.lon)) + 180.0
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
        rng(task.seed, "P", station.code, number),
        rng(task.seed, "S", station.code, number),
    )
    motion_mps2 = np.fft.irfft(spectra, axis.samples)
    skip = max(-first, 0)  # a P wave from before the record
    into_mps2[:, first + skip : last] += motion_mps2[:, skip : last - first]


def _fast_length(at_least: int) -> int:
    """Return an even length that is quick to transform."""
    best = 1 << math.ceil(math.log2(at_least))
    for odd in (3, 5, 9, 15, 25, 27, 45):
        best = min(best, odd << max(1, math.ceil(math.log2(at_least / odd))))
    return best
