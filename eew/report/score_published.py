"""What other detectors reached on the same folders: ``<detector>-measured.csv`` files.

A first line of names after comment lines (``#``): ``folder``, ``t_s`` (first publication, s after
the true origin) and any further figures, one folder a line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from eew.errors import DataError
from eew.report.score_result import PublishedFigures

SUFFIX = "-measured.csv"
_NEEDED = ("folder", "t_s")


def read_published(folder: Path) -> dict[str, tuple[PublishedFigures, ...]]:
    """Read every such file of a folder; the result is by quake folder, detectors by name.

    Raises
    ------
    DataError
        Naming file, line and value of what cannot be read, or the folder if it holds no such
        file.
    """
    files = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    if not files:
        raise DataError(str(folder), f"holds no *{SUFFIX}")
    found: dict[str, tuple[PublishedFigures, ...]] = {}
    for file in files:
        detector = file.name.removesuffix(SUFFIX)
        for name, t_s, figures in _read(file):
            if any(one.detector == detector for one in found.get(name, ())):
                raise DataError(str(file), f"folder {name!r} stands there twice")
            line = PublishedFigures(detector=detector, t_s=t_s, figures=figures)
            found[name] = (*found.get(name, ()), line)
    return found


def _read(file: Path) -> Iterable[tuple[str, float, dict[str, float]]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(str(file), f"cannot be read: {error}") from error
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    rows = csv.DictReader(line for _, line in lines)
    for needed in _NEEDED:
        if needed not in (rows.fieldnames or ()):
            raise DataError(str(file), f"no column {needed!r}")
    for (number, _), row in zip(lines[1:], rows, strict=True):
        figures = {}
        for key, value in row.items():
            if key == "folder" or not value:
                continue
            try:
                figures[key] = float(value)
            except (TypeError, ValueError):
                where = f"{file}, line {number}"
                raise DataError(where, f"{key} {value!r} is no number") from None
        if "t_s" not in figures:
            raise DataError(f"{file}, line {number}", "t_s is empty")
        yield row["folder"], figures.pop("t_s"), figures
