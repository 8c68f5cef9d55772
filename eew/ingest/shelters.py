"""Import a list of shelters: what can be offered after a quake, and why the rest cannot.

Every row ends in exactly one place: it is offered, it is merged into an equal one, or it is set
aside with a reason that is counted. A site that nobody has called suited for earthquakes is
never offered, and a list that does not speak of earthquakes at all is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from eew.errors import DataError
from eew.ingest.shelter_fields import (
    Columns,
    clean,
    find_columns,
    is_closed,
    parse_capacity,
    parse_degrees,
    parse_yes_no,
)
from eew.ingest.shelter_files import RawTable, read_raw_table
from eew.model.place import Shelter
from eew.model.waveform import DataProblem
from eew.tables import load_table

__all__ = ["SET_ASIDE", "ShelterImport", "read_shelters"]

# Reasons for which a row is not offered, with words for people.
SET_ASIDE = {
    "short_row": "fewer fields than the header",
    "no_name": "no name",
    "position": "no usable position",
    "geometry": "not a point",
    "swapped": "latitude and longitude are swapped",
    "outside_country": "outside the country",
    "not_for_earthquake": "not suited for earthquakes",
    "suitability_unknown": "nobody says whether it is suited for earthquakes",
    "suitability_conflict": "listed both as suited and as not suited for earthquakes",
    "closed": "being built or torn down",
}
_NAMED_ONE_BY_ONE = ("short_row", "position", "geometry", "swapped", "outside_country", "closed")
_MAX_NAMED = 50
_EXAMPLES = 5
_SAME_PLACE_DIGITS = 5  # degrees, about 1 m


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelterImport:
    """Outcome of an import.

    Attributes
    ----------
    shelters : tuple of Shelter
        Those that may be offered after an earthquake, in file order.
    problems : tuple of DataProblem
        Everything odd, sorted by kind; ``where`` is the file and, for single rows, the row.
    n_rows : int
        Rows of the file: shelters + merged + set aside.
    set_aside : dict
        Kind of :data:`SET_ASIDE` -> number of rows.
    n_merged : int
        Rows merged into an equal one.
    columns : dict
        Field -> name of the column it was read from.
    """

    shelters: tuple[Shelter, ...]
    problems: tuple[DataProblem, ...]
    n_rows: int
    set_aside: dict[str, int]
    n_merged: int
    columns: dict[str, str]
    encoding: str


def read_shelters(
    path: Path,
    *,
    country: str = "",
    mapping: dict[str, str] | None = None,
    encoding: str | None = None,
    assume_suited: bool = False,
) -> ShelterImport:
    """Read a CSV or GeoJSON list of shelters.

    Parameters
    ----------
    path : Path
        Plain, gzip or xz; UTF-8 (with or without mark) or cp932.
    country : str
        ISO 3166-1 alpha-2; where its bounding box is known, positions outside are set aside.
    mapping : dict, optional
        Field -> column name, for columns with names of their own.
    encoding : str, optional
        Instead of trying UTF-8 and cp932.
    assume_suited : bool
        Take every site as suited for earthquakes; only for a list that has no such column and
        is known to hold earthquake shelters.

    Raises
    ------
    DataError
        If the file cannot be understood, or no row can be offered.
    """
    table = read_raw_table(path, encoding=encoding)
    columns = find_columns(table.where, table.columns, mapping)
    if "suited_for_earthquake" not in columns.index and not assume_suited:
        raise DataError(
            table.where,
            "no column says which sites are suited for earthquakes",
            hint="name it with --map suited_for_earthquake=COLUMN, or say --assume-suited",
        )
    reader = _Reader(table, columns, country, assume_suited)
    for number, row in table.rows:
        reader.read(number, row)
    return reader.finish()


@dataclass(slots=True)
class _Entry:
    """One kept row, until equal rows are merged."""

    row: int
    shelter: Shelter
    suited: bool


@dataclass(slots=True)
class _Log:
    """Counts oddities, keeps the first few examples of each."""

    where: str
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    single: list[DataProblem] = field(default_factory=list)

    def add(self, kind: str, row: int, value: str = "") -> None:
        self.counts[kind] += 1
        if kind in _NAMED_ONE_BY_ONE and self.counts[kind] <= _MAX_NAMED:
            detail = SET_ASIDE[kind] + (f": {value}" if value else "")
            self.single.append(
                DataProblem(kind=kind, where=f"{self.where} row {row}", detail=detail)
            )
            return
        known = self.examples.setdefault(kind, [])
        if len(known) < _EXAMPLES:
            known.append(f"{row} ({value})" if value else str(row))

    def problems(self, words: dict[str, str]) -> tuple[DataProblem, ...]:
        rows = list(self.single)
        for kind, known in self.examples.items():
            named = sum(1 for problem in self.single if problem.kind == kind)
            rest = self.counts[kind] - named
            more = ", ..." if rest > len(known) else ""
            detail = f"{words[kind]}: row {', '.join(known)}{more}"
            rows.append(DataProblem(kind=kind, where=self.where, detail=detail, count=rest))
        return tuple(sorted(rows, key=lambda problem: problem.kind))


_NOTES = {
    "duplicate": "merged with an equal row (same name, same place)",
    "capacity_text": "capacity read out of free text",
    "capacity_unreadable": "no number in the capacity",
    "control_characters": "control characters or stray spaces removed from name or address",
    "shared_phone": "the same telephone number at several places, perhaps a shifted column",
    "long_row": "more fields than the header, the extra ones ignored",
    "encoding": "not UTF-8, read as",
}


class _Reader:
    """Reads rows one after the other; see :meth:`finish` for the result."""

    def __init__(
        self, table: RawTable, columns: Columns, country: str, assume_suited: bool
    ) -> None:
        self._table = table
        self._columns = columns
        self._assume_suited = assume_suited
        self._box = load_table("help/columns")["boxes"].get(country)
        self._log = _Log(table.where)
        self._entries: list[_Entry] = []
        # Which fields the file has is the same in every row: look it up once.
        self._n = len(table.columns)
        self._at = columns.index

    def read(self, number: int, row: list[str]) -> None:
        """Take one row in, or set it aside."""
        if len(row) < self._n:
            self._log.add("short_row", number, f"{len(row)} of {self._n}")
            return
        if len(row) > self._n:
            self._log.add("long_row", number)
        name = self._cleaned(number, row, "name")
        if not name:
            self._log.add("no_name", number)
            return
        # One reason per row: what comes first counts.
        position = self._position(number, row)
        if position is None:
            return
        suited = self._suited(number, row)
        if suited is None:
            return
        if is_closed(name) or is_closed(self._text(row, "remark")):
            self._log.add("closed", number, name)
            return
        shelter = Shelter(
            id=self._text(row, "id").strip() or f"row-{number}",
            name=name,
            lat=position[0],
            lon=position[1],
            capacity=self._capacity(number, row),
            address=self._cleaned(number, row, "address"),
            phone=self._text(row, "phone").strip(),
        )
        self._entries.append(_Entry(number, shelter, suited))

    def finish(self) -> ShelterImport:
        """Merge equal rows and close the books."""
        shelters, n_merged = self._merged()
        self._note_shared_phones()
        if self._table.encoding != "utf-8-sig":
            self._log.add("encoding", 1, self._table.encoding)
        n_rows = len(self._table.rows)
        set_aside = {kind: self._log.counts[kind] for kind in SET_ASIDE if self._log.counts[kind]}
        if not shelters:
            reasons = ", ".join(f"{n} {SET_ASIDE[kind]}" for kind, n in set_aside.items())
            raise DataError(
                self._table.where, f"no site of {n_rows} can be offered: {reasons or 'no rows'}"
            )
        if len(shelters) + n_merged + sum(set_aside.values()) != n_rows:
            raise AssertionError("a row was lost")  # our own bug, never the file's
        names = {key: self._table.columns[i] for key, i in self._at.items()}
        return ShelterImport(
            shelters=shelters,
            problems=self._log.problems(SET_ASIDE | _NOTES),
            n_rows=n_rows,
            set_aside=set_aside,
            n_merged=n_merged,
            columns=names,
            encoding=self._table.encoding,
        )

    def _text(self, row: list[str], name: str) -> str:
        index = self._at.get(name)
        return "" if index is None else row[index]

    def _cleaned(self, number: int, row: list[str], name: str) -> str:
        text = self._text(row, name)
        tidy = clean(text)
        if tidy != text:
            self._log.add("control_characters", number)
        return tidy

    def _position(self, number: int, row: list[str]) -> tuple[float, float] | None:
        lat_text, lon_text = self._text(row, "lat"), self._text(row, "lon")
        lat, lon = parse_degrees(lat_text), parse_degrees(lon_text)
        found = f"lat {lat_text!r}, lon {lon_text!r}"
        if lat is None or lon is None:
            self._log.add("geometry" if lat_text.startswith("<") else "position", number, found)
            return None
        if self._plausible(lat, lon):
            return lat, lon
        if self._plausible(lon, lat):
            self._log.add("swapped", number, found)
        elif abs(lat) > 90.0 or abs(lon) > 180.0 or lat == lon == 0.0:
            self._log.add("position", number, found)
        else:
            self._log.add("outside_country", number, found)
        return None

    def _plausible(self, lat: float, lon: float) -> bool:
        if self._box is None:
            return abs(lat) <= 90.0 and abs(lon) <= 180.0 and not lat == lon == 0.0
        lat_min, lat_max, lon_min, lon_max = self._box
        return bool(lat_min <= lat <= lat_max and lon_min <= lon <= lon_max)

    def _suited(self, number: int, row: list[str]) -> bool | None:
        """Return True where it is suited, False where a later equal row may contradict."""
        if "suited_for_earthquake" not in self._at:
            return self._assume_suited
        text = self._text(row, "suited_for_earthquake")
        answer = parse_yes_no(text)
        if answer is None:
            self._log.add("suitability_unknown", number, text)
            return None
        if answer:
            return True
        # A row that says nothing about any hazard says nothing about earthquakes either.
        hazards = self._columns.hazards
        if not text.strip() and hazards and not any(row[i].strip() for i in hazards):
            self._log.add("suitability_unknown", number, "no hazard is marked")
            return None
        return False

    def _capacity(self, number: int, row: list[str]) -> int | None:
        text = self._text(row, "capacity")
        if not text:
            return None
        capacity, was_text = parse_capacity(text)
        if capacity is None and text.strip():
            self._log.add("capacity_unreadable", number, text.strip()[:40])
        elif was_text:
            self._log.add("capacity_text", number)
        return capacity

    def _note_shared_phones(self) -> None:
        rows: dict[str, list[int]] = {}
        for entry in self._entries:
            if entry.shelter.phone:
                rows.setdefault(entry.shelter.phone, []).append(entry.row)
        for phone, sharing in rows.items():
            for row in sharing if len(sharing) > 1 else ():
                self._log.add("shared_phone", row, phone)

    def _merged(self) -> tuple[tuple[Shelter, ...], int]:
        groups: dict[tuple[str, float, float], list[_Entry]] = {}
        for entry in self._entries:
            shelter = entry.shelter
            key = (
                shelter.name,
                round(shelter.lat, _SAME_PLACE_DIGITS),
                round(shelter.lon, _SAME_PLACE_DIGITS),
            )
            groups.setdefault(key, []).append(entry)
        shelters: list[Shelter] = []
        n_merged = 0
        for entries in groups.values():
            suited = [entry for entry in entries if entry.suited]
            if len(suited) == len(entries):
                shelters.append(_merge([entry.shelter for entry in suited]))
                n_merged += len(entries) - 1
                for entry in entries[1:]:
                    self._log.add("duplicate", entry.row, entry.shelter.name)
                continue
            kind = "suitability_conflict" if suited else "not_for_earthquake"
            for entry in entries:
                self._log.add(kind, entry.row)
        return tuple(shelters), n_merged


def _merge(equal: list[Shelter]) -> Shelter:
    """Return the first of equal shelters, its gaps filled from the others."""
    first = equal[0]
    if len(equal) == 1:
        return first
    capacities = [shelter.capacity for shelter in equal if shelter.capacity is not None]
    return replace(
        first,
        capacity=max(capacities, default=None),
        address=next((shelter.address for shelter in equal if shelter.address), ""),
        phone=next((shelter.phone for shelter in equal if shelter.phone), ""),
    )
