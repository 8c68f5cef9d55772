"""OpenEEW's trace packets as packets of the detector: whose they are, in what counts, and when.

The stations come from an inventory, since a packet says neither where its device stands nor at
what rate it really samples. Three things of these devices are put right here, packet by packet
and with no look ahead (figures: docs/decisions/0038-openeew.md):

* **The clock.** See :class:`DeviceClock`.
* **The rate.** ``sr`` is nominal; devices run up to some per cent off. Packets are laid on the
  grid of the inventory's rate: within a sample of its place a packet follows the one before it,
  beyond that the grid slips by whole samples, one or two made-up samples filling a small hole.
* **Doubles.** A packet with the time of one that has come is dropped (a device may send twice).

What is further off than that is a gap or an old packet, and is left to the detector as it is.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eew.messages.openeew import GAL_MPS2, TracePacket
from eew.model.waveform import Channel, Packet, SensorKind, Station

__all__ = ["DeviceClock", "SetAside", "TraceReader", "device_names"]

NS = 1_000_000_000
_OPENEEW_CODE = re.compile(r"OE(\w+)")
_RATE_TOLERANCE = 0.05  # of sr against the inventory: 31.25 stands for 30.06 to 31.33 in the data
_SLIP_SAMPLES = 2  # holes up to this are slips of the clock, longer ones are losses
_REMEMBERED = 128  # packets of a device among which a double is looked for


class SetAside(Protocol):
    """Takes note of what is set aside or put right, as :meth:`eew.ingest.live.Health.set_aside`."""

    def __call__(self, kind: str, where: str, detail: str, count: int = 1) -> None:
        """Count it; kinds are those of :class:`~eew.model.waveform.DataProblem`."""
        ...


class DeviceClock:
    """The clock of one device against the server's, as far as arrivals prove it wrong.

    A seeming delay (arrival minus the device's time) below 0 proves that the clock is ahead. One
    above 5 s that stays the same over five packets proves that it is behind: the packets of an
    outage come in a burst, with delays that shrink. What is proven is corrected so that the
    fastest packet took 0.15 s, which is what the fastest packets of devices with sound clocks
    take; delays of 0 to 5 s may be the link's and are left alone.

    Attributes
    ----------
    offset_ns : int
        What is added to the device's time.
    """

    _LEAST_DELAY_NS = 150_000_000
    _MOST_DELAY_NS = 5 * NS
    _SAME_NS = NS // 2
    _PROOF = 5

    def __init__(self) -> None:
        self.offset_ns = 0
        self._far: list[int] = []

    def utc_ns(self, device_ns: int, arrival_ns: int) -> int:
        """Return the UTC of a device's time that arrived at ``arrival_ns``."""
        seeming_ns = arrival_ns - device_ns - self.offset_ns
        if seeming_ns < 0:
            self._correct(seeming_ns)
        elif seeming_ns > self._MOST_DELAY_NS:
            if self._far and abs(seeming_ns - self._far[-1]) > self._SAME_NS:
                self._far = []
            self._far.append(seeming_ns)
            if len(self._far) == self._PROOF:
                self._correct(min(self._far))
        else:
            self._far = []
        return device_ns + self.offset_ns

    def _correct(self, seeming_ns: int) -> None:
        self.offset_ns += seeming_ns - self._LEAST_DELAY_NS
        self._far = []


def device_names(code: str) -> tuple[str, ...]:
    """Return the device ids that may stand for a station ``NET.STA``.

    Its whole code, its station code, and what follows ``OE`` in that: the recorded OpenEEW
    device ``001`` is the station ``XX.OE001`` in the quake folders.
    """
    station = code.partition(".")[2]
    match = _OPENEEW_CODE.fullmatch(station)
    return (code, station, match[1]) if match else (code, station)


@dataclass(slots=True, eq=False)
class _Device:
    """One device: its channels in the order x, y, z, its clock, and its place on the grid."""

    station: Station
    channels: tuple[Channel, ...]
    scale: NDArray[np.float64]  # (3, 1), counts per gal
    clock: DeviceClock
    seen: deque[int]  # device times of the newest packets
    anchor_ns: int | None = None
    expected: int = 0  # index of the next sample on the grid
    last: NDArray[np.float64] | None = None  # (3, 1), newest sample


class TraceReader:
    """Carries the state of all devices from packet to packet.

    Parameters
    ----------
    stations : iterable of Station
        Those with three acceleration channels can be devices: x is the vertical, y and z are the
        two horizontals, as in the recorded OpenEEW data. The others are set aside.
    set_aside : SetAside
        Is told of everything that is left out or put right.

    Attributes
    ----------
    stations : tuple of Station
        The stations that can be devices.
    """

    def __init__(self, stations: Iterable[Station], set_aside: SetAside) -> None:
        self._set_aside = set_aside
        self._devices: dict[str, _Device] = {}
        self._by_name: dict[str, str] = {}
        usable = []
        for station in stations:
            device = _device(station)
            if device is None:
                why = "not three channels of acceleration, as an OpenEEW device has"
                set_aside("no_waveform", station.code, why)
                continue
            usable.append(station)
            self._devices[station.code] = device
            for name in device_names(station.code):
                self._by_name.setdefault(name, station.code)
        self.stations = tuple(usable)

    def take(self, trace: TracePacket, arrival_ns: int) -> tuple[Packet, ...]:
        """Take a packet that arrived at ``arrival_ns``; return three packets, or none.

        What cannot be used is set aside, never raised.
        """
        code = self._by_name.get(trace.device_id)
        if code is None:
            self._set_aside("no_metadata", trace.device_id, "device not in the inventory")
            return ()
        device = self._devices[code]
        rate_hz = device.channels[0].sampling_rate_hz
        if abs(trace.sr / rate_hz - 1.0) > _RATE_TOLERANCE:
            why = f"sr {trace.sr:g} Hz, the inventory has {rate_hz:g} Hz"
            self._set_aside("rate", code, why)
            return ()
        if trace.device_ns in device.seen:
            self._set_aside("duplicate", code, f"device_t {trace.device_t:.3f} has come already")
            return ()
        device.seen.append(trace.device_ns)
        offset_ns = device.clock.offset_ns
        end_ns = device.clock.utc_ns(trace.device_ns, arrival_ns)
        if device.clock.offset_ns != offset_ns:
            self._set_aside("clock", code, _words(device.clock))
        samples = np.array((trace.x, trace.y, trace.z)) * device.scale
        return self._place(device, samples, end_ns, rate_hz)

    def offset_s(self, code: str) -> float:
        """Return what is added to the time of a station's device, in s."""
        return self._devices[code].clock.offset_ns / NS

    def _place(
        self, device: _Device, samples: NDArray[np.float64], end_ns: int, rate_hz: float
    ) -> tuple[Packet, ...]:
        """Lay samples, the last of which was taken at ``end_ns``, on the device's grid."""
        n = samples.shape[1]
        start_ns = end_ns - round((n - 1) * NS / rate_hz)
        if device.anchor_ns is None:
            device.anchor_ns = start_ns
        # samples by which the packet is later than where the one before it ended
        off = (start_ns - device.anchor_ns) * rate_hz / NS - device.expected
        slip = 0 if abs(off) < 1.0 else round(off)
        if 0 < slip <= _SLIP_SAMPLES and device.last is not None:
            share = np.arange(1, slip + 1) / (slip + 1)
            samples = np.hstack((device.last + (samples[:, :1] - device.last) * share, samples))
            where = str(device.channels[0].stream_id)
            self._set_aside("gap", where, "made up where the device's clock slips", slip)
            slip = 0
        index = device.expected + slip
        if index + samples.shape[1] > device.expected:  # else it is an old one, come late
            device.expected = index + samples.shape[1]
            device.last = samples[:, -1:]
        packet_ns = device.anchor_ns + round(index * NS / rate_hz)
        return tuple(
            Packet(
                stream_id=channel.stream_id,
                start_ns=packet_ns,
                sampling_rate_hz=rate_hz,
                samples=row,
            )
            for channel, row in zip(device.channels, samples, strict=True)
        )


def _device(station: Station) -> _Device | None:
    channels = tuple(sorted(station.channels, key=lambda channel: channel.component.value))
    kinds = {channel.kind for channel in channels}
    if len(channels) != 3 or kinds != {SensorKind.ACCELERATION}:
        return None
    scale = np.array([[GAL_MPS2 * channel.sensitivity] for channel in channels])
    return _Device(
        station=station,
        channels=channels,
        scale=scale,
        clock=DeviceClock(),
        seen=deque(maxlen=_REMEMBERED),
    )


def _words(clock: DeviceClock) -> str:
    offset_s = clock.offset_ns / NS
    return (
        f"device clock {abs(offset_s):.2f} s {'behind' if offset_s > 0.0 else 'ahead'}, put right"
    )
