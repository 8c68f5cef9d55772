"""OpenEEW packets for tests."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from eew.messages.openeew import TracePacket, unix_s
from eew.model.waveform import Station
from tests.unit.ingest_cases import START_NS, station

S = 1_000_000_000
RATE_HZ = 31.25
N = 32
SPAN_NS = round(N * S / RATE_HZ)  # 1.024 s


def device(code: str = "XX.OE001", *, rate_hz: float = RATE_HZ) -> Station:
    """Return a device as the inventories of the recorded folders have them."""
    streams = [f"{code}..BN{letter}" for letter in "Z12"]
    return station(streams, sensitivity=1e5, rate_hz=rate_hz)


def trace(
    number: int = 0,
    *,
    device_id: str = "001",
    end_ns: int | None = None,
    delay_ns: int | None = 300_000_000,
    value: float = 0.0,
    sr: float = RATE_HZ,
) -> TracePacket:
    """Return packet ``number`` of a device that loses no sample."""
    last_ns = START_NS + (number + 1) * SPAN_NS if end_ns is None else end_ns
    x = [value + 0.001 * (number * N + i) for i in range(N)]
    return TracePacket(
        country_code="mx",
        device_id=device_id,
        x=x,
        y=[2.0 * gal for gal in x],
        z=[-gal for gal in x],
        device_t=unix_s(last_ns),
        cloud_t=None if delay_ns is None else unix_s(last_ns + delay_ns),
        sr=sr,
    )


def write_archive(path: Path, files: dict[str, bytes]) -> Path:
    """Write a ``tar.xz`` of the files."""
    with tarfile.open(path, "w:xz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
