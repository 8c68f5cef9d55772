"""Compute the records of a scenario: source, path, ground, noise, instrument, counts.

The result is a :class:`Recording` as read from a folder of recorded data, so that the detector
cannot tell the two apart. Chance is drawn from one stream per station and purpose: the same
scenario and seed give the same bytes, and another station changes nothing at the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.model.waveform import Recording, Segment, Station, Truth
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.accelerometer import Accelerometer, accelerometer
from simulator.attenuation import Attenuation, attenuation
from simulator.motion import PointSource, TimeAxis, motion_spectra, path_to
from simulator.network import build_network
from simulator.noise import noise_amplitude, noise_spectrum
from simulator.scenario import Scenario
from simulator.seeds import rng

__all__ = ["compute", "source_text"]

Floats = NDArray[np.float64]

_NS_PER_S = 1_000_000_000
_FADE_S = 20.0  # computed behind the record and cut off, see TimeAxis
_START_SPREAD_S = 1.0  # stations cut their packets at different moments


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What all stations of one computation share."""

    scenario: Scenario
    seed: int
    region: Attenuation
    instrument: Accelerometer
    source: PointSource
    times: TravelTimes


def compute(scenario: Scenario, seed: int) -> Recording:
    """Compute the records of a scenario.

    Parameters
    ----------
    scenario : Scenario
        From :func:`simulator.scenario.load_scenario`.
    seed : int
        Of the run.

    Returns
    -------
    Recording
        One int32 segment per channel, stations of the drawn network, and the truth.
    """
    event = scenario.event
    region = attenuation(scenario.region)
    task = _Task(
        scenario=scenario,
        seed=seed,
        region=region,
        instrument=accelerometer(scenario.network.sensor),
        source=PointSource(
            magnitude=event.magnitude,
            depth_km=event.depth_km,
            stress_drop_bar=event.stress_drop_bar,
        ),
        times=TravelTimes.load(),
    )
    stations = build_network(scenario, seed, region.vs30_mps)
    segments = [segment for station in stations for segment in _records(task, station)]
    return Recording(
        name=scenario.name,
        stations=stations,
        segments=tuple(sorted(segments, key=lambda s: (s.stream_id, s.start_ns))),
        truth=Truth(
            event_id=event.id,
            origin_time_ns=event.origin_time_ns,
            lat=event.lat,
            lon=event.lon,
            depth_km=event.depth_km,
            magnitude=event.magnitude,
            magnitude_type=event.magnitude_type,
        ),
        problems=(),
        input_sha256={f"{scenario.name}.toml": scenario.sha256},
    )


def source_text(scenario: Scenario, seed: int) -> str:
    """Say what the records are, for the ``SOURCE.txt`` of a folder."""
    event, network = scenario.event, scenario.network
    return (
        f"{scenario.title}\n"
        "COMPUTED, not recorded: stochastic point source with separate P and S, noise between\n"
        f"the low and the high noise model (scenario {scenario.name}, seed {seed}).\n"
        f"Event: {event.origin_time.isoformat()} {event.magnitude_type} {event.magnitude} "
        f"at {event.lat}, {event.lon}, {event.depth_km} km.\n"
        f"Region {scenario.region}; network {network.code}, {network.sensor}, spacing "
        f"{network.spacing_km} to {network.outer_spacing_km} km.\n"
        f"Scenario file sha256: {scenario.sha256}\n"
    )


def _records(task: _Task, station: Station) -> list[Segment]:
    """Compute the three records of one station."""
    scenario, code = task.scenario, station.code
    event, record, noise = scenario.event, scenario.record, scenario.noise
    rate_hz = scenario.network.sampling_rate_hz
    site = rng(task.seed, "site", code)
    # A whole number of samples keeps start times exact for rates that divide a second.
    start_s = site.integers(round(_START_SPREAD_S * rate_hz)) / rate_hz - record.before_s
    samples = math.floor((record.after_s - start_s) * rate_hz)
    axis = TimeAxis(
        start_s=start_s,
        sampling_rate_hz=rate_hz,
        samples=_fast_length(samples + round(_FADE_S * rate_hz)),
        fade_s=_FADE_S,
    )
    amplification = 10.0 ** (task.region.site_sigma_log10 * site.standard_normal())
    level = noise.level + noise.spread * site.uniform(-1.0, 1.0)
    offsets_mps2 = task.instrument.offset_mps2 * site.standard_normal(3)

    distance_km = float(epicentral_distance_km(event.lat, event.lon, station.lat, station.lon))
    onwards_deg = float(azimuth_deg(station.lat, station.lon, event.lat, event.lon)) + 180.0
    path = path_to(task.times, task.source, distance_km, onwards_deg)
    below_s, along = rng(task.seed, "late", code).standard_normal(2)
    late_s = task.region.late_s * below_s + task.region.late_share * path.p_s * along
    spectra = amplification * motion_spectra(
        axis,
        task.region,
        task.source,
        path.late(late_s),
        rng(task.seed, "P", code),
        rng(task.seed, "S", code),
    )
    background = rng(task.seed, "noise", code)
    floor = noise_amplitude(
        axis.frequencies_hz(), min(max(level, 0.0), 1.0), task.instrument.self_noise_psd
    )
    for spectrum in spectra:
        spectrum += noise_spectrum(floor, axis.samples, rate_hz, background)
    acceleration_mps2 = np.fft.irfft(spectra, axis.samples)[:, :samples] + offsets_mps2[:, None]
    counts = _digitise(acceleration_mps2, task.instrument)
    start_ns = event.origin_time_ns + round(start_s * _NS_PER_S)
    return [
        Segment(
            stream_id=channel.stream_id,
            start_ns=start_ns,
            sampling_rate_hz=rate_hz,
            samples=np.ascontiguousarray(row),
        )
        for channel, row in zip(station.channels, counts, strict=True)
    ]


def _digitise(acceleration_mps2: Floats, instrument: Accelerometer) -> NDArray[np.int32]:
    """Turn acceleration into whole counts, clipped where the instrument's range ends."""
    limit = instrument.full_scale_counts
    counts = np.rint(acceleration_mps2 * instrument.sensitivity)
    return np.clip(counts, -limit, limit - 1).astype(np.int32)


def _fast_length(at_least: int) -> int:
    """Return the next even length that is a product of small primes, quick to transform."""
    best = 1 << math.ceil(math.log2(at_least))
    for odd in (3, 5, 9, 15, 25, 27, 45):
        best = min(best, odd << max(1, math.ceil(math.log2(at_least / odd))))
    return best
