"""What was never recorded: gaps, stations that fall silent, a component that is gone.

Pure, as :mod:`simulator.faults`; the samples that are left are views of those handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from eew.clock import NS_PER_S
from eew.errors import ConfigError
from eew.model.waveform import Component, Recording, Segment, Station
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.seeds import rng

__all__ = ["dark_from_s_wave", "gaps", "silent", "without_component", "without_times"]

# [from, until) in UTC ns
Span = tuple[int, int]
_NEVER_NS = 2**62


def gaps(
    recording: Recording,
    stations: Sequence[str],
    *,
    at_ns: int,
    lasts_s: float,
    number: int,
    within_s: float,
    seed: int,
) -> Recording:
    """Take pieces out of the records of some stations.

    Parameters
    ----------
    at_ns : int
        The first gap of every station begins here, UTC ns.
    lasts_s : float
        Length of each.
    number : int
        Gaps per station; those after the first begin within ``within_s`` behind ``at_ns``, for
        each station at moments of its own. They may touch.
    """
    spans = {}
    for code in stations:
        later_s = rng(seed, "gaps", code).uniform(0.0, within_s, size=number - 1)
        begins_ns = [at_ns, *(at_ns + round(float(s) * NS_PER_S) for s in sorted(later_s))]
        spans[code] = [(begin, begin + round(lasts_s * NS_PER_S)) for begin in begins_ns]
    return without_times(recording, spans)


def silent(recording: Recording, stations: Sequence[str], *, at_ns: int) -> Recording:
    """Let some stations record nothing from a moment on."""
    return without_times(recording, {code: [(at_ns, _NEVER_NS)] for code in stations})


def dark_from_s_wave(
    recording: Recording,
    stations: Sequence[str],
    *,
    origin_ns: int,
    lat: float,
    lon: float,
    depth_km: float,
    after_s_wave_s: float,
) -> Recording:
    """Let each station record nothing from when the S wave of a quake has come to it.

    Parameters
    ----------
    after_s_wave_s : float
        Time from the arrival of S (iasp91) until it is dark; negative: before.
    """
    places = {one.code: one for one in (*recording.stations, *recording.gnss)}
    distances_km = epicentral_distance_km(
        lat,
        lon,
        np.array([places[code].lat for code in stations]),
        np.array([places[code].lon for code in stations]),
    )
    s_s = TravelTimes.load().s_s(distances_km, np.full_like(distances_km, depth_km))
    spans = {
        code: [(origin_ns + round((float(one_s) + after_s_wave_s) * NS_PER_S), _NEVER_NS)]
        for code, one_s in zip(stations, np.atleast_1d(s_s), strict=True)
    }
    return without_times(recording, spans)


def without_times(recording: Recording, spans: Mapping[str, Sequence[Span]]) -> Recording:
    """Leave out the samples of some stations that lie in spans of time.

    Parameters
    ----------
    spans : mapping
        From code to spans, begin included, end not; seismometers and GNSS receivers alike.

    Raises
    ------
    ConfigError
        If the recording has no such station, or nothing at all is left.
    """
    known = {one.code for one in (*recording.stations, *recording.gnss)}
    for code in spans:
        if code not in known:
            raise ConfigError("station", f"{recording.name} has no station {code!r}")
    segments = _kept(recording.segments, spans)
    if not segments:
        raise ConfigError(recording.name, "no sample is left: the faults take all of them")
    return replace(
        recording, segments=segments, gnss_segments=_kept(recording.gnss_segments, spans)
    )


def without_component(
    recording: Recording, stations: Sequence[str], component: Component, *, at_ns: int
) -> Recording:
    """Let one component of some stations not be sent from a moment on.

    A channel that is not there from the first sample on is also left out of the metadata.
    """
    wanted = set(stations)
    gone = {
        channel.stream_id
        for station in recording.stations
        if station.code in wanted
        for channel in station.channels
        if channel.component is component
    }
    segments: list[Segment] = []
    for segment in recording.segments:
        if segment.stream_id in gone:
            segments += _pieces(segment, [(at_ns, _NEVER_NS)])
        else:
            segments.append(segment)
    left = {segment.stream_id for segment in segments}

    def channels(station: Station) -> Station:
        keep = tuple(c for c in station.channels if c.stream_id not in gone or c.stream_id in left)
        return replace(station, channels=keep) if keep else station

    return replace(
        recording,
        segments=tuple(segments),
        stations=tuple(channels(one) for one in recording.stations),
    )


def _kept(segments: Sequence[Segment], spans: Mapping[str, Sequence[Span]]) -> tuple[Segment, ...]:
    kept: list[Segment] = []
    for segment in segments:
        cut = spans.get(segment.stream_id.station_code)
        kept += [segment] if cut is None else _pieces(segment, cut)
    return tuple(kept)


def _pieces(segment: Segment, spans: Sequence[Span]) -> list[Segment]:
    """Return what is left of a segment, in order of time."""
    rate_hz, n = segment.sampling_rate_hz, len(segment.samples)
    there = np.ones(n, dtype=bool)
    for from_ns, until_ns in spans:
        # the first sample at or after each edge
        first, last = (
            int(np.clip(np.ceil((edge - segment.start_ns) * (rate_hz / NS_PER_S) - 1e-6), 0, n))
            for edge in (from_ns, until_ns)
        )
        there[first:last] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    return [
        replace(
            segment,
            start_ns=segment.start_ns + round(int(first) * NS_PER_S / rate_hz),
            samples=segment.samples[first:last],
        )
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]
