"""Say which field of a received document is wrong, and what was found there."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from eew.errors import WireError

__all__ = ["check_schema", "find", "refuse", "schema_of"]

_PATH = re.compile(r" - at `(?:key` in `)?\$(?P<path>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_ELEMENT = re.compile(r"(?P<group>\w+)\[(?P<index>\d+)\]")
_SHOWN = 80  # characters of a found value that fit a line


def refuse(
    what: str,
    payload: bytes,
    error: Exception,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> WireError:
    """Turn a decoding error of msgspec into one that names field and value found.

    Parameters
    ----------
    what : str
        Kind of document, the first word of the message.
    payload : bytes
        The document; read again, loosely, to look up the value.
    error : Exception
        What msgspec raised.
    groups : mapping, optional
        Arrays whose elements have names: ``origin[1]`` is then called ``origin.lat``.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return WireError(f"{what}: not JSON in UTF-8: {_short(payload)}")
    # Python reads NaN and Infinity where the JSON standard, and msgspec, do not.
    bad = _first_not_finite(document, "")
    if bad is not None:
        name = _named(bad[0], groups) or "document"
        return WireError(f"{what}: {name} must be a finite number, was {bad[1]}")
    if not isinstance(error, msgspec.ValidationError):
        return WireError(f"{what}: {error}")
    text = str(error)
    match = _PATH.search(text)
    path = match["path"] if match else ""
    problem = text[: match.start()] if match else text
    found = find(document, path)
    name = _named(path.lstrip("."), groups) or "document"
    missing = _MISSING.fullmatch(problem)
    if missing:
        return WireError(f"{what}: {f'{path}.'.lstrip('.')}{missing['field']} is missing")
    return WireError(f"{what}: {name}: {problem}, was {_short(found)}")


def _named(path: str, groups: Mapping[str, Sequence[str]] | None) -> str:
    found = _ELEMENT.fullmatch(path)
    names = (groups or {}).get(found["group"], ()) if found else ()
    if found is None or int(found["index"]) >= len(names):
        return path
    return f"{found['group']}.{names[int(found['index'])]}"


def check_schema(what: str, ours: str, found: object) -> None:
    """Refuse another major version; ``eew.alert/2.4`` can be read where ours is ``eew.alert/2``.

    Raises
    ------
    WireError
        Naming the schema found.
    """
    if not isinstance(found, str) or not (found == ours or found.startswith(ours + ".")):
        raise WireError(f"{what}: schema must be {ours}, was {found!r}")


def schema_of(payload: bytes) -> object:
    """Return what a document that could not be decoded says its schema is; None if nothing.

    A message of another version may differ anywhere: its version is the thing to complain of,
    not the first difference.
    """
    try:
        document: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return document.get("schema") if isinstance(document, dict) else None


def find(document: Any, path: str) -> Any:
    """Return the value at a path like ``.origin.lat`` or ``.sites[3]``; None where there is none.

    ``[...]``, which stands for any element, gives the whole container.
    """
    for step in _STEP.finditer(path):
        if step["index"] == "...":
            return document
        try:
            document = document[step["key"] if step["key"] is not None else int(step["index"])]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _first_not_finite(value: Any, path: str) -> tuple[str, float] | None:
    if isinstance(value, float) and not math.isfinite(value):
        return path, value
    children: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        children = [(f"{path}.{key}".lstrip("."), child) for key, child in value.items()]
    elif isinstance(value, list):
        children = [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    for where, child in children:
        bad = _first_not_finite(child, where)
        if bad is not None:
            return bad
    return None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
