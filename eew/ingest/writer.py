"""Write a recording as a quake folder: the same layout, and the same bytes every time."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from eew.errors import ConfigError, DataError
from eew.ingest.export import catalog_of, inventory_of, trace_of
from eew.ingest.quake_folder import EVENT_FILE, SOURCE_FILE, STATIONS_FILE, WAVEFORMS_FILE
from eew.model.waveform import Recording, Segment

__all__ = ["stationxml", "write_quake_folder"]

_MARK = "Written by eew-simulator in the layout of a quake folder."
_OUR_FILES = (WAVEFORMS_FILE, STATIONS_FILE, EVENT_FILE, SOURCE_FILE)
_RECORD_BYTES = 512


def write_quake_folder(
    recording: Recording,
    path: Path,
    source_text: str,
    *,
    force: bool = False,
    segments: Iterable[Segment] | None = None,
) -> None:
    """Write MiniSEED, StationXML, QuakeML (where there is a truth) and ``SOURCE.txt``.

    Reading the folder gives the same stations, samples and truth back, and start times to 1 us.
    The files are written beside the target and moved there when complete. The same recording
    gives the same bytes: nothing in them depends on when or where they were written.

    Parameters
    ----------
    path : Path
        The folder. A folder that this function wrote earlier is replaced.
    source_text : str
        Where the data come from, for people; the content of ``SOURCE.txt``.
    force : bool
        Write into a folder that holds something else, too. Other files in it stay.
    segments : iterable of Segment, optional
        The waveforms, in the order in which to write them, instead of those of the recording.
        They are taken one at a time: 16,000 stations need no more memory than one.

    Raises
    ------
    ConfigError
        If ``path`` is in use for something else and ``force`` is not given, or cannot be written.
    DataError
        If a sample, code or id cannot be represented in the formats.
    """
    path = Path(path).resolve()
    taken = path.exists() and not _is_ours(path)
    if taken and (not force or not path.is_dir()):
        raise ConfigError(
            str(path),
            "there is something else here, not a quake folder of ours",
            hint="choose another folder" + (" or force it" if path.is_dir() else ""),
        )
    if segments is None:
        segments = (*recording.segments, *recording.gnss_segments)
    try:
        _put(recording, segments, source_text, path, into_existing=taken)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from error


def _put(
    recording: Recording,
    segments: Iterable[Segment],
    source_text: str,
    path: Path,
    *,
    into_existing: bool,
) -> None:
    """Write beside the target, then move there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        with (place / WAVEFORMS_FILE).open("wb") as file:
            begins_ns = _write_miniseed(file, segments)
        for name, content in _contents(recording, source_text, begins_ns).items():
            (place / name).write_bytes(content)
        if into_existing:
            for entry in sorted(place.iterdir()):
                os.replace(entry, path / entry.name)
        else:
            place.chmod(0o755)  # mkdtemp makes it private
            if path.exists():
                shutil.rmtree(path)  # ours or empty, see _is_ours
            os.replace(place, path)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    """Tell whether nothing is lost if this folder is replaced: it is empty, or we wrote it."""
    if not path.is_dir():
        return False
    names = {entry.name for entry in path.iterdir()}
    if not names:
        return True
    if not names <= set(_OUR_FILES) or SOURCE_FILE not in names:
        return False
    return _MARK in (path / SOURCE_FILE).read_text(encoding="utf-8", errors="replace")


def _contents(recording: Recording, source_text: str, begins_ns: int) -> dict[str, bytes]:
    """Content of each file by its name, but for the waveforms."""
    contents = {
        STATIONS_FILE: stationxml(recording, begins_ns=begins_ns),
        SOURCE_FILE: f"{source_text.rstrip()}\n\n{_MARK}\n".encode(),
    }
    if recording.truth is not None:
        buffer = io.BytesIO()
        catalog_of(recording.truth).write(buffer, format="QUAKEML")
        contents[EVENT_FILE] = buffer.getvalue()
    return contents


def _write_miniseed(file: BinaryIO, segments: Iterable[Segment]) -> int:
    """Write one segment after the other; return when the earliest begins."""
    begins_ns: int | None = None
    for segment in segments:
        trace = trace_of(segment)
        trace.write(file, format="MSEED", reclen=_RECORD_BYTES, encoding=trace.stats.mseed.encoding)
        begins_ns = segment.start_ns if begins_ns is None else min(begins_ns, segment.start_ns)
    if begins_ns is None:
        raise DataError(WAVEFORMS_FILE, "there is no waveform to write")
    return begins_ns


def stationxml(recording: Recording, *, begins_ns: int | None = None) -> bytes:
    """Return the stations of a recording as StationXML, UTF-8.

    Parameters
    ----------
    begins_ns : int, optional
        When the records begin, where the recording is without its samples; UTC ns.

    Raises
    ------
    DataError
        If a code is too long for the format.
    """
    buffer = io.BytesIO()
    inventory_of(recording, begins_ns=begins_ns).write(buffer, format="STATIONXML")
    return buffer.getvalue()
