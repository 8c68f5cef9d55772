"""For which areas a deployment has accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from eew.errors import ConfigError
from eew.messages.cells import cells_within, fine_cell_of, is_cell

__all__ = ["cells_around", "cells_of_country", "cells_of_file"]

_SMALLEST_PLACE = 500  # people: the smallest places of the gazetteer
_MOST_KM = 3000.0


def cells_of_country(country: str) -> tuple[str, ...]:
    """Return the areas of all places of a country with 500 people and more, and those around.

    Raises
    ------
    ConfigError
        If the country is unknown.
    """
    from simulator.population import places

    found = places(_SMALLEST_PLACE).in_country(country)
    if len(found) == 0:
        raise ConfigError("--cells-of", f"no country {country!r}", hint="two letters, such as JP")
    return _near(zip(found.lat.tolist(), found.lon.tolist(), strict=True))


def cells_around(where: str, within_km: float) -> tuple[str, ...]:
    """Return the areas that may hold a point within a distance of ``LAT,LON``.

    Raises
    ------
    ConfigError
        If the position or the distance cannot be used.
    """
    try:
        lat, lon = (float(part) for part in where.split(","))
        fine_cell_of(lat, lon)
    except ValueError:
        raise ConfigError("--around", f"LAT,LON in degrees expected, was {where!r}") from None
    if not 0.0 < within_km <= _MOST_KM:
        raise ConfigError("--within", f"above 0, at most {_MOST_KM:g} km, was {within_km:g}")
    return cells_within(lat, lon, within_km)


def cells_of_file(file: Path) -> tuple[str, ...]:
    """Return the areas named in a file, one each line; ``#`` begins a remark.

    Raises
    ------
    ConfigError
        Naming the line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError("--cells", f"cannot read {file}: {reason}") from error
    found = set()
    for number, line in enumerate(lines, start=1):
        cell = re.sub(r"#.*", "", line).strip()
        if cell and not is_cell(cell):
            raise ConfigError("--cells", f"{file}:{number}: not an area: {cell[:40]!r}")
        if cell:
            found.add(cell)
    return _checked(sorted(found), f"{file} names no area")


def _near(positions: Iterable[tuple[float, float]]) -> tuple[str, ...]:
    by_cell = {fine_cell_of(lat, lon): (lat, lon) for lat, lon in positions}
    found: set[str] = set()
    for lat, lon in by_cell.values():
        found.update(cells_within(lat, lon, 0.0))
    return tuple(sorted(found))


def _checked(cells: Sequence[str], otherwise: str) -> tuple[str, ...]:
    if not cells:
        raise ConfigError("--cells", otherwise)
    return tuple(cells)
