"""Strict reading of typed tables: every wrong field is named, with its value and what fits.

``msgspec.convert`` stops at the first error and does not say what it found. Here each field is
converted alone, so that one reading of a file shows all that is wrong with it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from simulator.expected import expected_words

__all__ = ["Problem", "plain", "read_fields", "read_struct"]

MISSING = "is missing"  # of a field that only the others around it make necessary
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A field that cannot be used.

    Attributes
    ----------
    path : str
        Of the field, as ``site[0].lat``.
    words : str
        The field, what was found and what is expected: one line.
    """

    path: str
    words: str

    @classmethod
    def found(cls, path: str, value: object, expected: str) -> Problem:
        """Say what a field holds and what it should."""
        return cls(path=path, words=f"{path} = {plain(value)}: {expected}")


def read_struct(kind: type[T], data: Mapping[str, Any]) -> tuple[T | None, list[str]]:
    """Build a struct from a parsed table and collect everything that does not fit, as lines.

    As :func:`read_fields`; each line has the form ``event.lat = 123.0: expected a number from -90
    to 90 (degrees)``.
    """
    value, problems = read_fields(kind, data)
    return value, [one.words for one in problems]


def read_fields(kind: type[T], data: Mapping[str, Any]) -> tuple[T | None, list[Problem]]:
    """Build a struct from a parsed table and collect everything that does not fit.

    Parameters
    ----------
    kind : type
        A ``msgspec.Struct``; its fields may be structs, tuples of structs, and tuples of unions of
        structs that are told apart by a tag. A struct with a method ``contradictions`` is asked
        for pairs of a field's name and what is wrong with it, once its own fields are right;
        ``"is missing"`` of a field that the others make necessary.
    data : mapping
        As from :mod:`tomllib`.

    Returns
    -------
    tuple
        The struct and no problems, or None and all problems.
    """
    problems: list[Problem] = []
    value = _struct(kind, data, "", problems)
    return (None, problems) if problems else (value, [])


def plain(value: object) -> str:
    """Return a value as a TOML file has it, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    words = repr(value) if isinstance(value, str | int | float | list | dict) else str(value)
    return words if len(words) <= 80 else f"{words[:77]}..."


def _struct(kind: type[T], data: object, path: str, problems: list[Problem]) -> T | None:
    if not isinstance(data, Mapping):
        problems.append(Problem.found(path, data, "expected a table"))
        return None
    before = len(problems)
    prefix = f"{path}." if path else ""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    tag = kind.__struct_config__.tag_field if kind.__struct_config__.tag is not None else None
    for key in data:
        if key not in fields and key != tag:
            problems.append(
                Problem.found(prefix + key, data[key], f"unknown field{_near(key, fields)}")
            )
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[field.name] = _value(field.type, data[name], prefix + name, problems)
        elif field.required:
            expected = expected_words(field.type, name)
            problems.append(
                Problem(path=prefix + name, words=f"{prefix}{name} is missing: expected {expected}")
            )
    if len(problems) > before:
        return None
    made = kind(**values)
    for name, words in getattr(made, "contradictions", tuple)():
        found = data.get(name)
        if words == MISSING:
            expected = expected_words(fields[name].type, name)
            words = f"{prefix}{name} {MISSING}: expected {expected}"
            problems.append(Problem(path=prefix + name, words=words))
        elif found is None:
            problems.append(Problem(path=prefix + name, words=f"{prefix}{name}: {words}"))
        else:
            problems.append(Problem.found(prefix + name, found, words))
    return made


def _value(kind: Any, data: object, path: str, problems: list[Problem]) -> Any:
    structs = _structs_in(kind)
    if structs:
        return _one_of(structs, data, path, problems)
    structs = _structs_in_tuple(kind)
    if structs and isinstance(data, list):
        rows = enumerate(data)
        return tuple(_one_of(structs, row, f"{path}[{i}]", problems) for i, row in rows)
    name = path.rpartition(".")[2]
    if not _finite(data):
        problems.append(Problem.found(path, data, "expected a finite number"))
        return None
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError:
        problems.append(Problem.found(path, data, f"expected {expected_words(kind, name)}"))
        return None


def _one_of(
    structs: tuple[type[msgspec.Struct], ...], data: object, path: str, problems: list[Problem]
) -> Any:
    """Read a table as the only struct there is, or as the one its tag names."""
    if len(structs) == 1 or not isinstance(data, Mapping):
        return _struct(structs[0], data, path, problems)
    field = str(structs[0].__struct_config__.tag_field)
    by_tag = {str(one.__struct_config__.tag): one for one in structs}
    known = ", ".join(by_tag)
    if field not in data:
        problems.append(
            Problem(
                path=f"{path}.{field}", words=f"{path}.{field} is missing: expected one of {known}"
            )
        )
        return None
    word = data[field]
    if word not in by_tag:
        near = difflib.get_close_matches(str(word), by_tag, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        problems.append(Problem.found(f"{path}.{field}", word, f"{hint}expected one of {known}"))
        return None
    return _struct(by_tag[word], data, path, problems)


def _near(key: str, fields: Iterable[str]) -> str:
    names = list(fields)
    # the unit left out is the commonest slip
    close = [one for one in names if one.startswith(f"{key}_")]
    close = close or difflib.get_close_matches(str(key), names, n=1)
    return f", did you mean {close[0]}?" if close else f"; there are: {', '.join(names)}"


def _structs_in(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    """Return the structs of ``X``, ``X | None`` or ``X | Y``."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return (kind,)
    if get_origin(kind) is tuple:
        return ()
    return tuple(
        part
        for part in get_args(kind)
        if isinstance(part, type) and issubclass(part, msgspec.Struct)
    )


def _structs_in_tuple(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    """Return the structs of ``tuple[X, ...]``."""
    return _structs_in(get_args(kind)[0]) if get_origin(kind) is tuple else ()


def _finite(data: object) -> bool:
    if isinstance(data, list):
        return all(_finite(item) for item in data)
    return not isinstance(data, float) or math.isfinite(data)
