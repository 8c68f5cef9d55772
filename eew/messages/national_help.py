"""National numbers and rescue text that every device has, with no network and no help pack."""

from __future__ import annotations

from functools import cache
from typing import Any

from eew.model.place import Contact, HelpPack
from eew.tables import load_table

__all__ = [
    "FALLBACK_COUNTRY",
    "countries",
    "distance_unit",
    "national_contacts",
    "national_pack",
    "rescue_texts",
]

FALLBACK_COUNTRY = "ZZ"


@cache
def _table() -> dict[str, Any]:
    return load_table("help/countries")


def _row(country: str) -> dict[str, Any]:
    table = _table()
    row: dict[str, Any] = table.get(country) or table[FALLBACK_COUNTRY]
    return row


def countries() -> tuple[str, ...]:
    """Return the ISO 3166-1 alpha-2 codes of the countries with numbers of their own, sorted."""
    return tuple(sorted(code for code in _table() if code != FALLBACK_COUNTRY))


def national_contacts(country: str) -> tuple[Contact, ...]:
    """Return the numbers of a country; 112 where the country is not in the table."""
    return tuple(
        Contact(kind=row["kind"], number=row["number"], name=dict(row.get("name", {})))
        for row in _row(country)["contacts"]
    )


def distance_unit(country: str) -> str:
    """Return ``km`` or ``mi``, as the road signs of the country have it."""
    unit: str = _row(country)["distance_unit"]
    return unit


def rescue_texts() -> dict[str, str]:
    """Return what to do when trapped, hurt or looking for people: language -> three lines."""
    return {
        language: "\n".join((row["trapped"], row["hurt"], row["looking"]))
        for language, row in sorted(load_table("help/rescue").items())
    }


@cache
def national_pack(country: str) -> HelpPack:
    """Return the pack of a country without shelters; version 0, older than any published one."""
    return HelpPack(
        area=f"country:{country}",
        version=0,
        country=country,
        contacts=national_contacts(country),
        rescue=rescue_texts(),
        shelters=(),
        source=_row(country)["source"],
    )
