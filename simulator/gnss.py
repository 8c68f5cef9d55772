"""Displacement of satellite receivers beside some of the stations, once a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.waveform import Channel, Component, Segment, SensorKind, Station, StreamId
from eew.physics.geo import epicentral_distance_km
from eew.tables import load_table
from simulator.finite_fault import FiniteSource
from simulator.ground_motion import paths_of
from simulator.low_frequency import low_frequency_spectra
from simulator.placed import PlacedStation
from simulator.rays import Late, sight_of
from simulator.seeds import rng
from simulator.station_record import Task, ground_below
from simulator.time_axis import TimeAxis, fast_length

__all__ = ["displacement_m", "gnss_segments", "receivers"]

Floats = NDArray[np.float64]

_FINER = 10  # computed so much finer than it is sampled, for pulses between two samples
_FADE_S = 20.0
_LEAD_S = 2.0
_KEPT_SHARE = 0.78  # of the spacing between neighbours, as in the network
_COMPONENTS = {
    "Z": Component.VERTICAL,
    "N": Component.HORIZONTAL_1,
    "E": Component.HORIZONTAL_2,
}


def receivers(
    network: Sequence[PlacedStation], spacing_km: float
) -> tuple[tuple[PlacedStation, Station], ...]:
    """Put receivers at stations, in their order, that keep a distance from those before."""
    kept: list[PlacedStation] = []
    for placed in network:
        if kept:
            lats, lons = np.array([(one.lat, one.lon) for one in kept]).T
            away_km = np.asarray(epicentral_distance_km(placed.lat, placed.lon, lats, lons))
            if away_km.min() < _KEPT_SHARE * spacing_km:
                continue
        kept.append(placed)
    return tuple((placed, _receiver(placed, n)) for n, placed in enumerate(kept, start=1))


def gnss_segments(task: Task, placed: PlacedStation, receiver: Station) -> list[Segment]:
    """Compute the three series of one receiver, in counts, with noise; on whole seconds."""
    scenario, table = task.scenario, load_table("gnss")
    rate_hz = receiver.channels[0].sampling_rate_hz
    zero_ns = scenario.event.origin_time_ns
    first_ns = zero_ns - round(scenario.record.before_s * NS_PER_S)
    start_ns = -(-first_ns // NS_PER_S) * NS_PER_S
    start_s = (start_ns - zero_ns) / NS_PER_S
    samples = math.floor((scenario.record.after_s - start_s) * rate_hz)
    total_m = np.zeros((3, samples))
    for number, source in enumerate(task.sources):
        if source.magnitude > table["least_magnitude"]:
            total_m += displacement_m(task, placed, source, number, start_s, rate_hz, samples)
    draw = rng(task.seed, "gnss", receiver.code)
    for row, which in zip(total_m, ("vertical", "horizontal", "horizontal"), strict=True):
        row += table["white_m"][which] * draw.standard_normal(samples)
        step_m = table["walk_m_per_sqrt_s"][which] / math.sqrt(rate_hz)
        row += np.cumsum(step_m * draw.standard_normal(samples))
    return [
        Segment(
            stream_id=channel.stream_id,
            start_ns=start_ns,
            sampling_rate_hz=rate_hz,
            samples=np.rint(total_m[channel.component.value] * channel.sensitivity).astype(
                np.int32
            ),
        )
        for channel in receiver.channels
    ]


def displacement_m(
    task: Task,
    placed: PlacedStation,
    source: FiniteSource,
    number: int,
    start_s: float,
    rate_hz: float,
    samples: int,
) -> Floats:
    """Displacement of the ground by one source, without noise, shape (3, samples).

    Parameters
    ----------
    start_s : float
        Of the first sample after the composition's zero.
    """
    seconds, share = rng(task.seed, "late", placed.code, number).standard_normal(2)
    region = task.region
    late = Late(seconds=region.late_s * float(seconds), share=region.late_share * float(share))
    sight = sight_of(source, task.times, placed.lat, placed.lon, late)
    fine_hz = rate_hz * _FINER
    begins_s = source.after_s + float(sight.p.arrivals_s[0]) - _LEAD_S - start_s
    first = max(math.floor(begins_s * rate_hz), 0)
    displacement = np.zeros((3, samples))
    if first >= samples:
        return displacement
    axis = TimeAxis(
        start_s=start_s + first / rate_hz - source.after_s,
        sampling_rate_hz=fine_hz,
        samples=fast_length((samples - first) * _FINER + round(_FADE_S * fine_hz)),
        fade_s=_FADE_S,
    )
    ground = ground_below(task, placed)
    p, s = paths_of(axis.frequencies_hz(), source, sight, region, ground)
    velocity = np.fft.irfft(
        low_frequency_spectra(axis, source, sight, region, filters=(p.filter, s.filter)),
        axis.samples,
    )
    fine_m = np.cumsum(velocity, axis=1) / fine_hz
    displacement[:, first:] = fine_m[:, : (samples - first) * _FINER : _FINER]
    return displacement


def _receiver(placed: PlacedStation, number: int) -> Station:
    table = load_table("gnss")
    network, name = placed.station.channels[0].stream_id.network, f"G{number:04d}"
    return Station(
        code=f"{network}.{name}",
        lat=placed.lat,
        lon=placed.lon,
        elevation_m=placed.station.elevation_m,
        channels=tuple(
            Channel(
                stream_id=StreamId(network, name, "", f"LX{letter}"),
                component=component,
                kind=SensorKind.DISPLACEMENT,
                sensitivity=table["counts_per_m"],
                sampling_rate_hz=table["sampling_rate_hz"],
            )
            for letter, component in _COMPONENTS.items()
        ),
    )
