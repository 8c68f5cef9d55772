"""Strict reading of typed tables: every wrong field is named, with its value and what fits.

``msgspec.convert`` stops at the first error and does not say what it found. Here each field is
converted alone, so that one reading of a file shows all that is wrong with it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec

__all__ = ["read_struct"]

T = TypeVar("T", bound=msgspec.Struct)


def read_struct(kind: type[T], data: Mapping[str, Any]) -> tuple[T | None, list[str]]:
    """Build a struct from a parsed table and collect everything that does not fit.

    Parameters
    ----------
    kind : type
        A ``msgspec.Struct``; its fields may be structs and tuples of structs themselves.
    data : mapping
        As from :mod:`tomllib`.

    Returns
    -------
    tuple
        The struct and no problems, or None and one line per problem, each of the form
        ``event.lat = 123.0: Expected `float` <= 90.0``.
    """
    problems: list[str] = []
    value = _struct(kind, data, "", problems)
    return (None, problems) if problems else (value, [])


def _struct(kind: type[T], data: object, path: str, problems: list[str]) -> T | None:
    if not isinstance(data, Mapping):
        problems.append(f"{path} = {data!r}: expected a table")
        return None
    prefix = f"{path}." if path else ""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key in data:
        if key not in fields:
            close = difflib.get_close_matches(str(key), list(fields), n=1)
            hint = f", did you mean {close[0]}?" if close else f"; there are: {', '.join(fields)}"
            problems.append(f"{prefix}{key} = {data[key]!r}: unknown field{hint}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[field.name] = _value(field.type, data[name], prefix + name, problems)
        elif field.required:
            problems.append(f"{prefix}{name} is missing: expected {_describe(field.type)}")
    return None if problems else kind(**values)


def _value(kind: Any, data: object, path: str, problems: list[str]) -> Any:
    inner = _struct_in(kind)
    if inner is not None:
        return _struct(inner, data, path, problems)
    inner = _struct_in_tuple(kind)
    if inner is not None and isinstance(data, list):
        rows = enumerate(data)
        return tuple(_struct(inner, row, f"{path}[{i}]", problems) for i, row in rows)
    if not _finite(data):
        problems.append(f"{path} = {data!r}: expected a finite number")
        return None
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        problems.append(f"{path} = {data!r}: {str(error).replace(' - at `$`', '')}")
        return None


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct of ``X`` or ``X | None``."""
    for part in (kind, *get_args(kind)) if get_origin(kind) is not tuple else ():
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
    return None


def _struct_in_tuple(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct of ``tuple[X, ...]``."""
    return _struct_in(get_args(kind)[0]) if get_origin(kind) is tuple else None


def _finite(data: object) -> bool:
    if isinstance(data, list):
        return all(_finite(item) for item in data)
    return not isinstance(data, float) or math.isfinite(data)


def _describe(kind: Any) -> str:
    base = get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
    return str(getattr(base, "__name__", base))
