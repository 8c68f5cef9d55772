"""What a field may be, in words: ``a number from 3 to 100 (km)``."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect as mi

__all__ = ["expected_words", "range_words", "unit_of"]

# the end of a field's name -> the unit that people read
_UNITS = {
    "km": "km",
    "s": "s",
    "ns": "ns",
    "hz": "Hz",
    "deg": "degrees",
    "mps2": "m/s²",
    "mps": "m/s",
    "kms": "km/s",
    "bar": "bar",
    "ppm": "ppm",
    "m": "m",
    "share": "0 to 1 is none to all",
}
_DEGREES = ("lat", "lon")


def unit_of(name: str) -> str:
    """Return the unit of a field by the end of its name; empty where it has none."""
    if name in _DEGREES:
        return "degrees"
    *front, last = name.split("_")
    return "" if not front or last == "share" else _UNITS.get(last, "")


def expected_words(kind: Any, name: str = "") -> str:
    """Say what a value of a type has to be; the unit is that of the field's name."""
    return _words(mi.type_info(kind), unit_of(name))


def range_words(info: mi.Type) -> str:
    """Return the range of a number: ``from 0 to 90``, ``> 0``; empty where there is none."""
    if not isinstance(info, mi.FloatType | mi.IntType):
        return ""
    if info.ge is not None and info.le is not None:
        return f"from {info.ge:g} to {info.le:g}"
    limits = ((">=", info.ge), (">", info.gt), ("<=", info.le), ("<", info.lt))
    words = [f"{sign} {value:g}" for sign, value in limits if value is not None]
    return " and ".join(words)


def _words(info: mi.Type, unit: str) -> str:
    behind = f" ({unit})" if unit else ""
    match info:
        case mi.Metadata():
            return _words(info.type, unit)
        case mi.FloatType() | mi.IntType():
            word = "a number" if isinstance(info, mi.FloatType) else "a whole number"
            limits = range_words(info)
            return f"{word} {limits}{behind}" if limits else f"a number{behind}"
        case mi.BoolType():
            return "true or false"
        case mi.DateTimeType():
            return "a time with its zone, as 2024-02-29T23:59:59Z"
        case mi.StrType():
            if info.pattern is not None:
                return f"text that fits {info.pattern}"
            return "text that is not empty" if info.min_length else "text"
        case mi.LiteralType():
            return f"one of {', '.join(map(str, info.values))}"
        case mi.StructType():
            return "a table"
        case mi.VarTupleType():
            return f"a list, each {_words(info.item_type, unit)}"
        case mi.TupleType():
            each = _words(info.item_types[0], unit)
            return f"a list of {len(info.item_types)}, each {each}"
        case mi.UnionType():
            parts = [one for one in info.types if not isinstance(one, mi.NoneType)]
            if all(isinstance(one, mi.StructType) for one in parts):
                return "a table"
            return " or ".join(_words(one, unit) for one in parts)
    raise msgspec.ValidationError(f"no words for {type(info).__name__}")
