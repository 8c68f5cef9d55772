"""What goes wrong at a station: each function gives the recording as it would then look.

Pure: the recording handed in is left as it is, and the samples of untouched streams are shared,
not copied. What people, lightning and far quakes add is in :mod:`simulator.nuisance`, what goes
wrong on the way to the detector in :mod:`simulator.delivery`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.errors import ConfigError
from eew.model.waveform import Channel, Component, Recording, Segment, Station
from eew.physics.geo import destination
from eew.tables import load_table
from simulator.seeds import rng

__all__ = [
    "clipped",
    "dead_component",
    "edited",
    "exchanged_coordinates",
    "full_scale_counts",
    "garbage",
    "moved_coordinates",
    "noise_dropout",
    "reversed_polarity",
    "stuck",
    "swapped_lat_lon",
    "wrong_gain",
]

Floats = NDArray[np.float64]
Change = Callable[[Channel, Floats, Floats], Floats]

_INT32 = np.iinfo(np.int32)
_GARBAGE_RUN_S = 0.25  # as long as one packet or a part of it: words of one kind come in runs


# ---------------------------------------------------------------- of the data
def noise_dropout(
    recording: Recording,
    stations: Sequence[str],
    *,
    at_ns: int,
    lasts_s: float,
    floor: float = 1e-3,
) -> Recording:
    """Let the signal of some stations fall to almost nothing, and come back.

    This is what an ocean-bottom sensor off Mie did on 8 August 2013; with a M2.3 far away it
    became a warning of M7.8 for half of Japan.

    Parameters
    ----------
    floor : float
        Part of the motion that is left meanwhile, 0 to 1; the constant part stays.
    """

    def change(_: Channel, since_s: Floats, counts: Floats) -> Floats:
        low = (since_s >= 0.0) & (since_s < lasts_s)
        middle = np.mean(counts)
        return np.where(low, middle + floor * (counts - middle), counts)

    return edited(recording, stations, at_ns, change)


def stuck(
    recording: Recording, stations: Sequence[str], *, at_ns: int, lasts_s: float = np.inf
) -> Recording:
    """Let some stations repeat one value from a moment on."""

    def change(_: Channel, since_s: Floats, counts: Floats) -> Floats:
        held = (since_s >= 0.0) & (since_s < lasts_s)
        return np.where(held, counts[np.argmax(held)], counts)

    return edited(recording, stations, at_ns, change)


def clipped(recording: Recording, stations: Sequence[str], *, limit: float) -> Recording:
    """Let the range of some sensors end at ``limit`` (m/s**2 or m/s, as they measure)."""

    def change(channel: Channel, _: Floats, counts: Floats) -> Floats:
        most = limit * abs(channel.sensitivity)
        return np.clip(counts, -most, most)

    return edited(recording, stations, recording.start_ns, change)


def garbage(
    recording: Recording, stations: Sequence[str], *, at_ns: int, lasts_s: float, seed: int
) -> Recording:
    """Let broken telemetry put random words and runs of zeros between the true samples.

    Words are 24 bits wide, as digitisers send them. Each station breaks in its own way.
    """

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        draw = rng(seed, "garbage", str(channel.stream_id))
        run = max(1, round(_GARBAGE_RUN_S * channel.sampling_rate_hz))
        kinds = np.repeat(draw.integers(3, size=len(counts) // run + 1), run)[: len(counts)]
        words = draw.integers(-(2**23), 2**23, size=len(counts)).astype(np.float64)
        broken = np.select([kinds == 0, kinds == 1], [words, np.zeros_like(counts)], counts)
        return np.where((since_s >= 0.0) & (since_s < lasts_s), broken, counts)

    return edited(recording, stations, at_ns, change)


def reversed_polarity(recording: Recording, stations: Sequence[str]) -> Recording:
    """Turn all components of some stations upside down."""
    return edited(recording, stations, recording.start_ns, lambda _, __, counts: -counts)


def dead_component(
    recording: Recording, stations: Sequence[str], component: Component, *, at_ns: int | None
) -> Recording:
    """Let one component of some stations stand still, at its mean, from a moment on (or always)."""

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        if channel.component is not component:
            return counts
        return np.where(since_s >= 0.0, np.rint(np.mean(counts)), counts)

    return edited(recording, stations, recording.start_ns if at_ns is None else at_ns, change)


# ---------------------------------------------------------------- of the metadata
def wrong_gain(recording: Recording, stations: Sequence[str], factor: float) -> Recording:
    """State a sensitivity that makes the motion of some stations ``factor`` times too large."""
    wanted = set(_known(recording, stations))

    def channels(station: Station) -> Station:
        return replace(
            station,
            channels=tuple(
                replace(channel, sensitivity=channel.sensitivity / factor)
                for channel in station.channels
            ),
        )

    return replace(
        recording,
        stations=tuple(channels(s) if s.code in wanted else s for s in recording.stations),
    )


def swapped_lat_lon(recording: Recording, station: str) -> Recording:
    """State the latitude of one station as its longitude and the other way round.

    Raises
    ------
    ConfigError
        If the longitude cannot pass for a latitude: any reader would notice that.
    """
    _known(recording, [station])
    stations = []
    for one in recording.stations:
        if one.code == station:
            if abs(one.lon) > 90.0:
                raise ConfigError(station, f"longitude {one.lon} cannot pass for a latitude")
            one = replace(one, lat=one.lon, lon=one.lat)
        stations.append(one)
    return replace(recording, stations=tuple(stations))


def moved_coordinates(
    recording: Recording, stations: Sequence[str], *, distance_km: float, azimuth_deg: float
) -> Recording:
    """State some stations so far from where they are, in a direction from north over east."""
    wanted = set(_known(recording, stations))

    def moved(station: Station) -> Station:
        lat, lon = destination(station.lat, station.lon, azimuth_deg, distance_km)
        return replace(station, lat=float(lat), lon=float(lon))

    return replace(
        recording, stations=tuple(moved(s) if s.code in wanted else s for s in recording.stations)
    )


def exchanged_coordinates(recording: Recording, first: str, second: str) -> Recording:
    """State each of two stations at the place of the other."""
    _known(recording, [first, second])
    by_code = {station.code: station for station in recording.stations}
    other = {first: by_code[second], second: by_code[first]}
    return replace(
        recording,
        stations=tuple(
            replace(station, lat=other[station.code].lat, lon=other[station.code].lon)
            if station.code in other
            else station
            for station in recording.stations
        ),
    )


# ---------------------------------------------------------------- how
def edited(recording: Recording, stations: Sequence[str], at_ns: int, change: Change) -> Recording:
    """Rewrite the samples of some stations.

    Parameters
    ----------
    stations : sequence of str
        Codes ``NET.STA``.
    at_ns : int
        Zero of the times that ``change`` is given, UTC ns.
    change : callable
        From channel, time of each sample in s and counts (float64, shape (n,)) to new counts;
        these are rounded and kept within what the digitiser can tell.

    Raises
    ------
    ConfigError
        If the recording has no such station.
    """
    wanted = set(_known(recording, stations))
    channels = {c.stream_id: c for s in recording.stations for c in s.channels if s.code in wanted}
    segments: list[Segment] = []
    for segment in recording.segments:
        channel = channels.get(segment.stream_id)
        if channel is not None:
            n = len(segment.samples)
            since_s = (segment.start_ns - at_ns) / NS_PER_S + np.arange(n) / (
                segment.sampling_rate_hz
            )
            counts = change(channel, since_s, segment.samples.astype(np.float64))
            segment = replace(segment, samples=_as_recorded(channel, segment, counts))
        segments.append(segment)
    return replace(recording, segments=tuple(segments))


def full_scale_counts(channel: Channel) -> float:
    """Return the counts at which a digitiser ends; those of an int32 where unknown."""
    share = float(load_table("ingest")["clipping"]["usable_fraction"])
    return min(channel.clip_counts / share, float(_INT32.max))


def _as_recorded(
    channel: Channel, segment: Segment, counts: Floats
) -> NDArray[np.int32] | NDArray[np.float64]:
    if segment.samples.dtype != np.int32:
        return counts
    limit = full_scale_counts(channel)
    return np.rint(np.clip(counts, -limit, limit)).astype(np.int32)


def _known(recording: Recording, stations: Sequence[str]) -> Sequence[str]:
    codes = {station.code for station in recording.stations}
    for code in stations:
        if code not in codes:
            raise ConfigError("station", f"{recording.name} has no station {code!r}")
    return stations
