"""Coefficients, texts and travel-time tables as package data: numbers live here, not in code.

Every table is a TOML file with its source beside the numbers. Reading one is the only I/O that
pure code does, once per process and file.
"""

from __future__ import annotations

import copy
import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import IO, Any

from eew.errors import ConfigError

__all__ = ["load_table", "open_table_file", "table_names", "table_path"]


def table_path(name: str) -> Traversable:
    """Locate a file of this package by its path inside ``eew/tables``, e.g. ``text/en.toml``.

    Raises
    ------
    ConfigError
        If there is no such file, or the name would leave the package.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name:
        raise ConfigError("table", f"not a name inside eew/tables: {name!r}")
    path = resources.files(__name__).joinpath(*parts)
    if not path.is_file():
        folder = "/".join(parts[:-1])
        known = ", ".join(_files_in(folder)) or "none"
        raise ConfigError("table", f"no file {name!r} in eew/tables", hint=f"there are: {known}")
    return path


def open_table_file(name: str) -> IO[bytes]:
    """Open a file of this package for reading bytes; the caller closes it."""
    return table_path(name).open("rb")


def load_table(name: str) -> dict[str, Any]:
    """Read ``eew/tables/<name>.toml``; parsed once, each caller gets a copy of its own.

    Raises
    ------
    ConfigError
        If there is no such table or it is not valid TOML.
    """
    return copy.deepcopy(_parsed(name))


def table_names(folder: str = "") -> tuple[str, ...]:
    """Return the names for :func:`load_table` in a folder (without ``.toml``), sorted."""
    prefix = f"{folder}/" if folder else ""
    return tuple(
        prefix + file.removesuffix(".toml") for file in _files_in(folder) if file.endswith(".toml")
    )


@cache
def _parsed(name: str) -> dict[str, Any]:
    path = table_path(f"{name}.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"eew/tables/{name}.toml", f"not valid TOML: {error}") from error


def _files_in(folder: str) -> list[str]:
    place = resources.files(__name__)
    for part in folder.split("/") if folder else []:
        place = place.joinpath(part)
    if not place.is_dir():
        return []
    names = (entry.name for entry in place.iterdir() if entry.is_file())
    return sorted(name for name in names if not name.endswith(".py"))
