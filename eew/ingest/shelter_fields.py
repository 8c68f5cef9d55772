"""Understand one field of a list of shelters: which column it is, and what its text says."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from eew.errors import ConfigError, DataError
from eew.tables import load_table

__all__ = [
    "FIELDS",
    "Columns",
    "clean",
    "find_columns",
    "is_closed",
    "parse_capacity",
    "parse_degrees",
    "parse_yes_no",
]

FIELDS = (
    "id",
    "name",
    "lat",
    "lon",
    "capacity",
    "address",
    "phone",
    "suited_for_earthquake",
    "remark",
)
_NEEDED = ("name", "lat", "lon")
# Controls, soft hyphens, zero-width and direction marks, line and paragraph separators.
_INVISIBLE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u200b-\\u200f\\u2028-\\u202e\\u2060\\ufeff]"
)
_RUN = re.compile(r"\s{2,}")
_NUMBER = re.compile(r"\d[\d,]*")
_PEOPLE = re.compile(r"(\d[\d,]*)\s*(?:人|名|people|persons|personas|kişi)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Index of each field's column in a row, and of the columns for other hazards."""

    index: dict[str, int]
    hazards: tuple[int, ...]


@cache
def _table() -> dict[str, Any]:
    return load_table("help/columns")


def find_columns(where: str, columns: list[str], mapping: dict[str, str] | None = None) -> Columns:
    """Match the file's column names to fields; an explicit mapping goes before known names.

    Raises
    ------
    ConfigError
        If the mapping names an unknown field.
    DataError
        If a mapped column is not in the file, or name and position are not found.
    """
    for field in mapping or {}:
        if field not in FIELDS:
            raise ConfigError(
                "--map", f"unknown field {field!r}", hint=f"one of {', '.join(FIELDS)}"
            )
    index: dict[str, int] = {}
    position = {name.casefold(): i for i, name in reversed(list(enumerate(columns)))}
    for field in FIELDS:
        wanted = [mapping[field]] if mapping and field in mapping else _table()["names"][field]
        found = next((position[w.casefold()] for w in wanted if w.casefold() in position), None)
        if found is not None:
            index[field] = found
        elif mapping and field in mapping:
            raise DataError(where, f"no column {mapping[field]!r} for {field}", hint=_has(columns))
    missing = [field for field in _NEEDED if field not in index]
    if missing:
        raise DataError(
            where,
            f"no column for {', '.join(missing)}",
            hint=f"name it with --map {missing[0]}=COLUMN; {_has(columns)}",
        )
    hazards = tuple(i for i, name in enumerate(columns) if name in _table()["hazards"]["others"])
    return Columns(index=index, hazards=hazards)


def clean(text: str) -> str:
    """Drop control characters, white space at the ends and runs of it inside.

    A single ideographic space inside a name belongs to it and stays.
    """
    return _RUN.sub(" ", _INVISIBLE.sub(" ", text)).strip()


def parse_degrees(text: str) -> float | None:
    """Return degrees, or None where the text is no finite number; full-width digits are fine."""
    try:
        value = float(text)
    except ValueError:
        try:
            value = float(unicodedata.normalize("NFKC", text))
        except ValueError:
            return None
    return value if math.isfinite(value) else None


def parse_yes_no(text: str) -> bool | None:
    """Return what a flag says, or None where it says neither yes nor no."""
    return _yes_no(text)


@lru_cache(maxsize=1024)
def _yes_no(text: str) -> bool | None:
    values = _table()["values"]
    for form in (text, unicodedata.normalize("NFKC", text)):  # full-width "１" is a yes, too
        plain = form.strip().casefold()
        if plain in values["yes"]:
            return True
        if plain in values["no"]:
            return False
    return None


def parse_capacity(text: str) -> tuple[int | None, bool]:
    """Return how many people, and whether that had to be read out of free text.

    Numbers that people are counted with are summed: "屋内191人／屋外5,470人（面積の1/2）" is
    5,661. Text with no such number gives None.
    """
    plain = clean(unicodedata.normalize("NFKC", text))
    if not plain:
        return None, False
    if _NUMBER.fullmatch(plain):
        return _integer(plain), False
    try:
        value = float(plain)
    except ValueError:
        people = [_integer(number) for number in _PEOPLE.findall(plain)]
        return (sum(people) if people else None), True
    return (round(value), False) if math.isfinite(value) and value >= 0.0 else (None, True)


def is_closed(text: str) -> bool:
    """Tell whether a name or remark says that the place cannot be used now."""
    closed, harmless = _closed_patterns()
    if not text or not closed.search(text):
        return False
    return closed.search(harmless.sub("", text)) is not None


@cache
def _closed_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    table = _table()["closed"]
    closed, harmless = (
        re.compile("|".join(re.escape(word) for word in table[name]), re.IGNORECASE)
        for name in ("words", "except")
    )
    return closed, harmless


def _integer(text: str) -> int:
    return int(text.replace(",", ""))


def _has(columns: list[str]) -> str:
    return "the file has " + ", ".join(repr(name) for name in columns[:20])
