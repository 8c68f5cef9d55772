"""Open a list of shelters: CSV or GeoJSON, plain, gzip or xz, UTF-8 or Shift JIS (cp932)."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eew.errors import DataError

__all__ = ["RawTable", "read_raw_table"]

_ENCODINGS = ("utf-8-sig", "cp932")
_MAX_BYTES = 1_000_000_000  # a compressed file may claim to be endless
_MAX_FIELD_CHARACTERS = 1_000_000
_LAT, _LON = "latitude", "longitude"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """Rows as read, before anything is understood.

    Attributes
    ----------
    rows : list of (int, list of str)
        Row number as people count (the first line of a CSV is 1, the first feature of a GeoJSON
        1) and one text per column; shorter than ``columns`` where the file is.
    encoding : str
        Which encoding fitted.
    geometry : bool
        True where positions come from GeoJSON geometries (columns ``latitude``, ``longitude``
        are then ours).
    """

    where: str
    columns: list[str]
    rows: list[tuple[int, list[str]]]
    encoding: str
    geometry: bool


def read_raw_table(path: Path, *, encoding: str | None = None) -> RawTable:
    """Read the whole file.

    Raises
    ------
    DataError
        If it is missing, damaged, in another encoding or no table at all.
    """
    where = path.name
    data = _bytes_of(path)
    text, used = _decoded(where, data, encoding)
    if text.lstrip()[:1] in ("{", "["):
        return _geojson(where, text, used)
    return _csv(where, text, used)


def _bytes_of(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror or error}") from error
    try:
        if raw[:6] == b"\xfd7zXZ\x00":
            with lzma.open(path) as file:
                raw = file.read(_MAX_BYTES + 1)
        elif raw[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                raw = file.read(_MAX_BYTES + 1)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(str(path), f"damaged compressed file: {error}") from error
    if len(raw) > _MAX_BYTES:
        raise DataError(str(path), f"more than {_MAX_BYTES // 1_000_000} MB unpacked")
    if not raw.strip():
        raise DataError(str(path), "the file is empty")
    return raw


def _decoded(where: str, data: bytes, encoding: str | None) -> tuple[str, str]:
    tried = (encoding,) if encoding else _ENCODINGS
    for name in tried:
        try:
            return data.decode(name), name
        except UnicodeDecodeError as error:
            last = error
        except LookupError as error:
            raise DataError(where, f"unknown encoding {name!r}") from error
    line = data.count(b"\n", 0, last.start) + 1
    raise DataError(
        where,
        f"neither of {', '.join(tried)}: byte 0x{data[last.start]:02x} in line {line}",
        hint="name the encoding with --encoding",
    )


def _csv(where: str, text: str, encoding: str) -> RawTable:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)  # the first wins a tie
    before = csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        columns = [name.strip() for name in next(reader)]
        for row in reader:
            if row:  # an empty line is no row
                rows.append((reader.line_num, row))
    except csv.Error as error:
        raise DataError(where, f"line {reader.line_num}: {error}") from error
    finally:
        csv.field_size_limit(before)
    return RawTable(where=where, columns=columns, rows=rows, encoding=encoding, geometry=False)


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends; only line feeds end one (U+2028 and the like do not)."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end + 1
        yield text[start:end]
        start = end


def _geojson(where: str, text: str, encoding: str) -> RawTable:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(where, f"not valid JSON: {error}") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        kind = document.get("type") if isinstance(document, dict) else type(document).__name__
        raise DataError(where, f"not a GeoJSON FeatureCollection, was {kind!r}")
    names: dict[str, None] = {}  # in order of appearance
    for feature in features:
        if isinstance(feature, dict) and isinstance(feature.get("properties"), dict):
            names.update(dict.fromkeys(feature["properties"]))
    columns = [name for name in names if name not in (_LAT, _LON)] + [_LAT, _LON]
    rows = [
        (number, _feature_row(feature, columns)) for number, feature in enumerate(features, start=1)
    ]
    return RawTable(where=where, columns=columns, rows=rows, encoding=encoding, geometry=True)


def _feature_row(feature: Any, columns: list[str]) -> list[str]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        properties = {}
    lat, lon = _point(feature)
    row = [_text(properties.get(name)) for name in columns[:-2]]
    return [*row, lat, lon]


def _point(feature: Any) -> tuple[str, str]:
    """Return latitude and longitude as text; a geometry that is no point gives its kind."""
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict):
        return "", ""
    coordinates = geometry.get("coordinates")
    if geometry.get("type") != "Point":
        kind = f"<{geometry.get('type')}>"
        return kind, kind
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return "", ""
    return _text(coordinates[1]), _text(coordinates[0])


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)
