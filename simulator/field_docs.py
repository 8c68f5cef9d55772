"""What the docstring of a table says of its fields: the one place where that is written."""

from __future__ import annotations

import inspect
import re

import msgspec

from simulator.fields import Table

__all__ = ["field_words", "table_words"]

_ENTRY = re.compile(r"^(\w+(?:, \w+)*) : ")
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")
_SECTION = "Attributes\n----------\n"


def table_words(kind: type[msgspec.Struct]) -> str:
    """Return the first part of a table's docstring, as plain text on one line."""
    return _plain(inspect.getdoc(kind) or "").split("Attributes -------")[0].strip()


def field_words(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return what the docstrings of a table and of those it is made from say of each field.

    An entry for ``lat, lon`` is that of both.
    """
    words: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Table) and base.__doc__ and _SECTION in inspect.cleandoc(base.__doc__):
            words |= _entries(inspect.cleandoc(base.__doc__).partition(_SECTION)[2])
    return words


def _entries(text: str) -> dict[str, str]:
    words: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            names = entry[1].split(", ")
            words |= dict.fromkeys(names, "")
        elif line.startswith("    "):
            for name in names:
                words[name] = f"{words[name]} {_plain(line)}".strip()
        elif line.strip():  # the next section
            break
    return words


def _plain(text: str) -> str:
    return " ".join(_ROLE.sub(r"\1", text).replace("``", "").split())
