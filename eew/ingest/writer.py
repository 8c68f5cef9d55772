"""Write a recording as a quake folder: the same layout, and the same bytes every time."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from eew.errors import ConfigError
from eew.ingest.export import catalog_of, inventory_of, stream_of
from eew.ingest.quake_folder import EVENT_FILE, SOURCE_FILE, STATIONS_FILE, WAVEFORMS_FILE
from eew.model.waveform import Recording

__all__ = ["write_quake_folder"]

_MARK = "Written by eew-simulator in the layout of a quake folder."
_OUR_FILES = (WAVEFORMS_FILE, STATIONS_FILE, EVENT_FILE, SOURCE_FILE)
_RECORD_BYTES = 512


def write_quake_folder(
    recording: Recording, path: Path, source_text: str, *, force: bool = False
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
    contents = _contents(recording, source_text)
    try:
        _put(contents, path, into_existing=taken)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from error


def _put(contents: Mapping[str, bytes], path: Path, *, into_existing: bool) -> None:
    """Write beside the target, then move there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        for name, content in contents.items():
            (place / name).write_bytes(content)
        if into_existing:
            for name in contents:
                os.replace(place / name, path / name)
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


def _contents(recording: Recording, source_text: str) -> dict[str, bytes]:
    """Content of each file by its name."""
    contents = {
        WAVEFORMS_FILE: _miniseed(recording),
        STATIONS_FILE: _stationxml(recording),
        SOURCE_FILE: f"{source_text.rstrip()}\n\n{_MARK}\n".encode(),
    }
    if recording.truth is not None:
        buffer = io.BytesIO()
        catalog_of(recording.truth).write(buffer, format="QUAKEML")
        contents[EVENT_FILE] = buffer.getvalue()
    return contents


def _miniseed(recording: Recording) -> bytes:
    buffer = io.BytesIO()
    for trace in stream_of(recording):
        trace.write(
            buffer, format="MSEED", reclen=_RECORD_BYTES, encoding=trace.stats.mseed.encoding
        )
    return buffer.getvalue()


def _stationxml(recording: Recording) -> bytes:
    buffer = io.BytesIO()
    inventory_of(recording).write(buffer, format="STATIONXML")
    return buffer.getvalue()
