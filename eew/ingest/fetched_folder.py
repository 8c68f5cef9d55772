"""A quake folder of files that are there already as bytes: checked, then in place in one move."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eew.errors import ConfigError
from eew.ingest.quake_folder import read_quake_folder
from eew.model.waveform import Recording

if TYPE_CHECKING:
    import obspy

__all__ = ["as_bytes", "check_target", "put_folder"]


def check_target(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises
    ------
    ConfigError
        Naming it.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError("--out", f"{folder} is there already", hint="name a new folder")


def as_bytes(what: obspy.Inventory | obspy.Catalog, form: str) -> bytes:
    """Return an inventory or a catalogue as ``STATIONXML`` or ``QUAKEML``."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        what.write(buffer, format=form)
    return buffer.getvalue()


def put_folder(contents: Mapping[str, bytes], folder: Path) -> Recording:
    """Write beside the target, read it as a replay would, then move it there.

    Whatever happens, the target is whole or it is not there.

    Raises
    ------
    ConfigError
        If the folder cannot be written.
    DataError
        If a replay could not use it.
    """
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ConfigError("--out", f"{folder}: {error.strerror or error}") from error
    try:
        for name, content in contents.items():
            (scratch / name).write_bytes(content)
        recording = read_quake_folder(scratch)
        scratch.chmod(0o755)
        if folder.exists():
            folder.rmdir()  # it is empty
        os.replace(scratch, folder)
    except OSError as error:
        raise ConfigError("--out", f"{folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return recording
