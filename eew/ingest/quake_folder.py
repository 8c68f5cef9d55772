"""A folder with a recorded quake: MiniSEED, StationXML and, where known, QuakeML."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from eew.errors import DataError, MetadataError
from eew.ingest.inventory import Metadata, read_stationxml
from eew.ingest.obspy_adapter import assemble
from eew.ingest.truth import read_quakeml
from eew.ingest.waveforms import read_miniseed
from eew.model.waveform import DataProblem, Recording, Segment

__all__ = ["EVENT_FILE", "SOURCE_FILE", "STATIONS_FILE", "WAVEFORMS_FILE", "read_quake_folder"]

WAVEFORMS_FILE = "waveforms.mseed"
STATIONS_FILE = "stations.xml"
EVENT_FILE = "event.xml"
SOURCE_FILE = "SOURCE.txt"

_LAYOUT = f"a quake folder holds {WAVEFORMS_FILE}, {STATIONS_FILE} and, if known, {EVENT_FILE}"
_ROOT_ELEMENT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)")
_SNIFFED_BYTES = 4096


def read_quake_folder(path: Path) -> Recording:
    """Read a recorded quake.

    Every ``*.mseed`` file is read as waveforms, every ``*.xml`` file as StationXML or QuakeML by
    its root element. What cannot be used is set aside and stands in ``Recording.problems``.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    DataError
        If the folder or one of the kinds of files is missing, if no file of a kind can be read,
        or if no station can be used. The message names the folder or file and the reason.
    """
    path = Path(path)
    if not path.is_dir():
        what = "not a folder" if path.exists() else "no such folder"
        raise DataError(str(path), what, hint=_LAYOUT)
    files = sorted(entry for entry in path.iterdir() if entry.is_file())
    checksums: dict[str, str] = {}
    problems: list[DataProblem] = []
    pieces = _read_waveforms(path, files, checksums, problems)
    inventories, catalogs = [], []
    for file in (file for file in files if file.suffix.lower() == ".xml"):
        data = _read(file, checksums)
        root = _root_element(data)
        try:
            if root == "FDSNStationXML" or (file.name == STATIONS_FILE and root != "quakeml"):
                inventory, more = read_stationxml(data, name=file.name)
                inventories.append(inventory)
                problems += more
            elif root == "quakeml" or file.name == EVENT_FILE:
                catalogs.append((file.name != EVENT_FILE, read_quakeml(data, name=file.name)))
            else:
                detail = f"neither StationXML nor QuakeML, root element {root!r}"
                problems.append(DataProblem(kind="unreadable", where=file.name, detail=detail))
        except MetadataError as error:
            if file.name == STATIONS_FILE:
                raise MetadataError(str(file), error.problem) from error
            problems.append(DataProblem(kind="unreadable", where=file.name, detail=error.problem))
    if not inventories:
        raise MetadataError(str(path), "no StationXML in this folder", hint=_LAYOUT)
    # event.xml counts, another QuakeML file only where there is none
    catalog = min(catalogs, key=lambda entry: entry[0])[1] if catalogs else None
    try:
        return assemble(
            pieces,
            Metadata(inventories),
            catalog,
            name=path.resolve().name,
            problems=problems,
            input_sha256=checksums,
        )
    except DataError as error:
        raise DataError(str(path), error.problem, hint=error.hint) from error


def _read_waveforms(
    path: Path, files: list[Path], checksums: dict[str, str], problems: list[DataProblem]
) -> list[Segment]:
    """Read every MiniSEED file; fails only where not one of them can be read."""
    names = [file for file in files if file.suffix.lower() == ".mseed"]
    if not names:
        raise DataError(str(path), "no MiniSEED file (*.mseed) in this folder", hint=_LAYOUT)
    pieces: list[Segment] = []
    failures: list[DataError] = []
    for file in names:
        try:
            some, more = read_miniseed(_read(file, checksums), name=file.name)
        except DataError as error:
            failures.append(error)
            continue
        pieces += some
        problems += more
    if len(failures) == len(names):
        first = failures[0]
        raise DataError(str(path / first.where), first.problem) from first
    problems += [
        DataProblem(kind="unreadable", where=error.where, detail=error.problem)
        for error in failures
    ]
    return pieces


def _read(file: Path, checksums: dict[str, str]) -> bytes:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(str(file), f"cannot be read: {error.strerror}") from error
    checksums[file.name] = hashlib.sha256(data).hexdigest()
    return data


def _root_element(data: bytes) -> str:
    """Name of the outermost XML element without its prefix; empty where there is none."""
    match = _ROOT_ELEMENT.search(data, 0, _SNIFFED_BYTES)
    return match.group(1).decode("ascii", "replace") if match else ""
