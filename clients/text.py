"""Words for screens: one catalogue per language, the same keys and placeholders in each."""

from __future__ import annotations

from functools import cache
from string import Formatter
from typing import Any

from eew.errors import ConfigError
from eew.tables import load_table, table_names

__all__ = ["FALLBACK_LANGUAGE", "Catalogue", "catalogue", "languages", "placeholders"]

FALLBACK_LANGUAGE = "en"
_FOLDER = "text"
_EIGHTHS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")
_KM_PER_MILE = 1.609344


class Catalogue:
    """The texts of one language; keys are ``section.name``."""

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its placeholders filled.

        Raises
        ------
        ConfigError
            If there is no such key, or a placeholder is left without a value.
        """
        if key not in self._texts:
            raise ConfigError(f"text.{self.language}", f"no text {key!r}")
        try:
            return self._texts[key].format(**values)
        except KeyError as error:
            raise ConfigError(f"text.{self.language}.{key}", f"needs a value for {error}") from None

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, sorted."""
        return tuple(sorted(self._texts))

    def raw(self, key: str) -> str:
        """Return a text with its placeholders as they are."""
        return self._texts[key]

    def direction(self, azimuth_deg: float) -> str:
        """Return one of eight directions for an azimuth in degrees."""
        return self(f"direction.{_EIGHTHS[round(azimuth_deg / 45.0) % 8]}")

    def distance(self, distance_km: float, unit: str = "km") -> str:
        """Return a distance as people say it: 50 m steps, tenths below 10, whole above."""
        if unit == "mi":
            return self("distance.mi", value=self._number(distance_km / _KM_PER_MILE))
        metres = max(50, 50 * round(distance_km * 1000.0 / 50.0))
        if metres < 1000:
            return self("distance.m", value=metres)
        return self("distance.km", value=self._number(distance_km))

    def way(self, distance_km: float, azimuth_deg: float, unit: str = "km") -> str:
        """Return distance and direction together."""
        return self(
            "way.text",
            distance=self.distance(distance_km, unit),
            direction=self.direction(azimuth_deg),
        )

    def _number(self, value: float) -> str:
        if round(value, 1) >= 10.0:
            return str(round(value))
        return f"{max(value, 0.1):.1f}".replace(".", self("language.decimal"))


def languages() -> tuple[str, ...]:
    """Return the languages there are catalogues for, sorted."""
    return tuple(name.removeprefix(_FOLDER + "/") for name in table_names(_FOLDER))


@cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language tag: ``zh-Hant-TW`` gives ``zh``, an unknown one ``en``.

    Words in another language are better than none.
    """
    base = language.replace("_", "-").split("-")[0].casefold()
    name = base if base in languages() else FALLBACK_LANGUAGE
    return Catalogue(name, dict(_flat(load_table(f"{_FOLDER}/{name}"), "")))


def placeholders(text: str) -> frozenset[str]:
    """Return the names in braces of a text."""
    return frozenset(field for _, field, _, _ in Formatter().parse(text) if field is not None)


def _flat(table: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    items: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            items += _flat(value, f"{prefix}{key}.")
        else:
            items.append((prefix + key, str(value)))
    return items
