"""Recorded OpenEEW packets: ``packets.tar.xz`` of a quake folder, with what their way took.

The archive holds ``<device>/<minute>.jsonl``, one packet a line, each kept as the bytes it had.
Nothing is unpacked to disk.
"""

from __future__ import annotations

import lzma
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eew.errors import DataError, WireError
from eew.ingest.live import Health
from eew.ingest.openeew import TraceReader
from eew.messages.openeew import TracePacket, decode_trace
from eew.model.waveform import DataProblem, Packet, Station

__all__ = ["PACKETS_FILE", "ArchivedPacket", "Arrival", "read_archive", "read_arrivals"]

PACKETS_FILE = "packets.tar.xz"
_MAX_BYTES = 1_000_000_000  # of one file in it: an hour of 1,000 devices is 4 MB each


@dataclass(frozen=True, slots=True, eq=False)
class ArchivedPacket:
    """One line of the archive.

    Attributes
    ----------
    arrival_ns : int
        When the server had it, UTC ns by the server's clock.
    trace : TracePacket
        What it says.
    payload : bytes
        The line as it stands in the archive.
    """

    arrival_ns: int
    trace: TracePacket
    payload: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """What reached the detector at one moment of the recording."""

    arrival_ns: int
    packets: tuple[Packet, ...]


def read_archive(path: Path) -> tuple[list[ArchivedPacket], list[DataProblem]]:
    """Read an archive in the order of arrival: by ``cloud_t``, then ``device_t``.

    Returns
    -------
    packets, problems
        Lines that cannot be used are set aside by file, with the first reason.

    Raises
    ------
    DataError
        If the file is missing or damaged, or not one line can be used.
    """
    packets: list[ArchivedPacket] = []
    refused: dict[str, list[str]] = {}
    try:
        with tarfile.open(path, "r:xz") as archive:
            for member in archive:
                if not (member.isfile() and member.name.endswith(".jsonl")):
                    continue
                if member.size > _MAX_BYTES:
                    raise DataError(str(path), f"{member.name} would unpack to {member.size} bytes")
                content = archive.extractfile(member)
                if content is not None:
                    _read_lines(member.name, content.read().splitlines(), packets, refused)
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise DataError(str(path), f"damaged, or not a tar.xz: {error}") from error
    problems = [
        DataProblem(kind="unreadable", where=f"{path.name}:{name}", detail=why[0], count=len(why))
        for name, why in refused.items()
    ]
    if not packets:
        reason = problems[0].detail if problems else "it holds no <device>/<minute>.jsonl"
        raise DataError(str(path), f"no OpenEEW packet: {reason}")
    packets.sort(key=lambda one: (one.arrival_ns, one.trace.device_ns, one.trace.device_id))
    return packets, problems


def _read_lines(
    name: str, lines: Iterable[bytes], packets: list[ArchivedPacket], refused: dict[str, list[str]]
) -> None:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            trace = decode_trace(line)
        except WireError as error:
            refused.setdefault(name, []).append(f"line {number}: {error}")
            continue
        if trace.cloud_ns is None:
            refused.setdefault(name, []).append(f"line {number}: no cloud_t, so no arrival")
            continue
        packets.append(ArchivedPacket(trace.cloud_ns, trace, line))


def read_arrivals(
    path: Path, stations: Iterable[Station]
) -> tuple[tuple[Arrival, ...], tuple[DataProblem, ...]]:
    """Read an archive as the detector would have had it, clocks and grids put right on the way.

    Raises
    ------
    DataError
        As :func:`read_archive`, or if none of its devices is among ``stations``.
    """
    archived, problems = read_archive(path)
    health = Health(path.name)
    reader = TraceReader(stations, health.set_aside)
    arrivals = []
    for one in archived:
        packets = reader.take(one.trace, one.arrival_ns)
        if packets:
            arrivals.append(Arrival(one.arrival_ns, packets))
    if not arrivals:
        raise DataError(str(path), "none of its devices is in stations.xml")
    return tuple(arrivals), (*problems, *health.problems())
