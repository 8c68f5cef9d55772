"""Any recording as the packets that OpenEEW devices would have sent in its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from eew.clock import NS_PER_S
from eew.messages.openeew import GAL_MPS2, TracePacket, unix_s
from eew.model.waveform import (
    Channel,
    DataProblem,
    Packet,
    Recording,
    Segment,
    SensorKind,
    Station,
)
from simulator.schedule import Step

__all__ = ["Devices", "align_axes", "trace_packets"]

_AXES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Devices:
    """A recording of which every station can be a device with axes x, y, z.

    Attributes
    ----------
    recording : Recording
        Only stations with three channels of acceleration; the segments of a station come in
        threes with the same start and number of samples.
    problems : tuple of DataProblem
        Stations and samples that are left out.
    """

    recording: Recording
    problems: tuple[DataProblem, ...]


def align_axes(recording: Recording) -> Devices:
    """Keep what all three axes of a station have, on the sample grid of its vertical."""
    stations, segments, problems = [], [], []
    for station in recording.stations:
        channels = _axes(station)
        if channels is None:
            detail = "not three channels of acceleration; left out"
            problems.append(DataProblem(kind="no_waveform", where=station.code, detail=detail))
            continue
        mine = [
            [one for one in recording.segments if one.stream_id == channel.stream_id]
            for channel in channels
        ]
        together = [part for vertical in mine[0] for part in _common(vertical, mine[1], mine[2])]
        n_left_out = sum(len(one.samples) for one in mine[0]) - sum(
            len(part.samples) for part in together[::_AXES]
        )
        if n_left_out:
            detail = "not on all three axes; left out"
            problems.append(
                DataProblem(kind="gap", where=station.code, detail=detail, count=n_left_out)
            )
        if together:
            stations.append(station)
            segments += together
    kept = replace(
        recording,
        stations=tuple(stations),
        segments=tuple(sorted(segments, key=lambda one: (one.stream_id, one.start_ns))),
        gnss=(),
        gnss_segments=(),
    )
    return Devices(kept, tuple(problems))


def _axes(station: Station) -> tuple[Channel, ...] | None:
    channels = tuple(sorted(station.channels, key=lambda channel: channel.component.value))
    kinds = {channel.kind for channel in channels}
    return channels if len(channels) == _AXES and kinds == {SensorKind.ACCELERATION} else None


def _common(
    vertical: Segment, first: Iterable[Segment], second: Iterable[Segment]
) -> Iterator[Segment]:
    """Yield x, y, z in turn for each stretch that a vertical segment shares with the others."""
    for y in first:
        for z in second:
            offsets = [0, _samples_between(vertical, y), _samples_between(vertical, z)]
            begin = max(offsets)
            end = min(
                offset + len(one.samples)
                for offset, one in zip(offsets, (vertical, y, z), strict=True)
            )
            if end <= begin:
                continue
            start_ns = vertical.start_ns + round(begin * NS_PER_S / vertical.sampling_rate_hz)
            for offset, one in zip(offsets, (vertical, y, z), strict=True):
                yield Segment(
                    stream_id=one.stream_id,
                    start_ns=start_ns,
                    sampling_rate_hz=vertical.sampling_rate_hz,
                    samples=one.samples[begin - offset : end - offset],
                )


def _samples_between(vertical: Segment, other: Segment) -> int:
    return round((other.start_ns - vertical.start_ns) * vertical.sampling_rate_hz / NS_PER_S)


def trace_packets(
    devices: Devices,
    steps: Iterable[Step],
    *,
    country: str = "",
    decimals: int = 3,
    shift_ns: int = 0,
) -> Iterator[tuple[int, TracePacket]]:
    """Turn the steps of a schedule over aligned axes into trace packets with their data time.

    Parameters
    ----------
    devices : Devices
        What the schedule was made from.
    decimals : int
        Digits of a value in gal; 3 as in the recorded packets.
    shift_ns : int
        Added to the times *in* the packets.

    Yields
    ------
    due_ns, packet
        ``device_id`` is the station's whole code; ``cloud_t`` is the time of the step. Packets
        with a value that is no number are left out: JSON has no word for it.
    """
    channels = {
        channel.stream_id: channel
        for station in devices.recording.stations
        for channel in station.channels
    }
    for step in steps:
        together: dict[tuple[str, int], list[Packet]] = {}
        for packet in step.packets:
            key = (packet.stream_id.station_code, packet.start_ns)
            together.setdefault(key, []).append(packet)
        for (code, start_ns), packets in together.items():
            packets.sort(key=lambda one: channels[one.stream_id].component.value)
            axes = [
                np.round(one.samples / (GAL_MPS2 * channels[one.stream_id].sensitivity), decimals)
                for one in packets
            ]
            if not all(np.isfinite(axis).all() for axis in axes):
                continue
            rate_hz = packets[0].sampling_rate_hz
            last_ns = start_ns + round((len(axes[0]) - 1) * NS_PER_S / rate_hz)
            x, y, z = (axis.tolist() for axis in axes)
            yield (
                step.now_ns,
                TracePacket(
                    country_code=country,
                    device_id=code,
                    x=x,
                    y=y,
                    z=z,
                    device_t=unix_s(last_ns + shift_ns),
                    cloud_t=unix_s(step.now_ns + shift_ns),
                    sr=rate_hz,
                ),
            )
