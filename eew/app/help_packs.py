"""Help packs: which ones a run publishes before any alert, and how a file of them is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eew.clock import Clock
from eew.errors import ConfigError
from eew.ingest.help_pack import (
    build_packs,
    country_pack,
    generate_shelters,
    read_help_packs,
    write_help_packs,
)
from eew.ingest.shelters import ShelterImport, read_shelters
from eew.model.place import HelpPack, Shelter, Site
from eew.report.times import utc
from simulator.seeds import rng

SHELTERS_PER_SITE = 12
GENERATED_SOURCE = "generated for this simulation: not real places"
_GENERATED_VERSION = 1


def help_packs(
    files: Sequence[Path], towns: Sequence[Site], countries: Iterable[str], seed: int
) -> list[HelpPack]:
    """Return national packs, and packs with shelters: from files, else generated round towns.

    Generated shelters are for scenarios, whose towns are real but whose shelter lists are not
    shipped; each carries the mark of it in its name.

    Raises
    ------
    DataError
        If a file cannot be used.
    """
    national = [country_pack(country) for country in sorted(set(countries)) if country]
    if files:
        newest: dict[str, HelpPack] = {pack.area: pack for pack in national}
        for path in files:
            for pack in read_help_packs(path):
                before = newest.get(pack.area)
                if before is None or pack.version >= before.version:
                    newest[pack.area] = pack
        return [newest[area] for area in sorted(newest)]
    by_country: dict[str, list[Shelter]] = {}
    for town in towns:
        if town.country and town.population:
            shelters = generate_shelters(town, SHELTERS_PER_SITE, rng(seed, "shelters", town.name))
            by_country.setdefault(town.country, []).extend(shelters)
    packs = list(national)
    for country in sorted(by_country):
        packs += build_packs(
            by_country[country],
            country,
            source=GENERATED_SOURCE,
            version=_GENERATED_VERSION,
        )
    return packs


def packs_heard(
    packs: Sequence[HelpPack], cells: Iterable[str], countries: Iterable[str]
) -> list[HelpPack]:
    """Return the packs that some device listens to; a run publishes no others."""
    areas = {*cells, *(f"country:{country}" for country in countries)}
    return [pack for pack in packs if pack.area in areas]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPacks:
    """What became of a list of shelters."""

    read: ShelterImport
    n_packs: int
    version: int
    n_bytes: int


def build_file(
    file: Path,
    target: Path,
    *,
    country: str,
    source: str,
    version: str | None,
    columns: Sequence[str],
    encoding: str | None,
    assume_suited: bool,
    clock: Clock,
) -> BuiltPacks:
    """Import a list of shelters and write it as help packs.

    Where ``target`` holds packs already, an unchanged area keeps its version and a changed one
    gets a higher one.

    Raises
    ------
    ConfigError
        If country, version or a column mapping is not of its form, or ``target`` is in the way.
    DataError
        If the list cannot be understood, or none of its rows can be offered.
    """
    if not re.fullmatch("[A-Za-z]{2}", country):
        raise ConfigError(
            "--country", f"{country!r} is no ISO 3166-1 alpha-2 code", hint="for example JP"
        )
    country = country.upper()
    day = utc(clock.utc_ns(), digits=0)[:10].replace("-", "") if version is None else version
    if not re.fullmatch("[0-9]{8}", day):
        raise ConfigError("--version", f"{day!r} is no day", hint="YYYYMMDD, for example 20240401")
    mapping = dict(_column(text) for text in columns)
    if target.is_dir() or not target.parent.is_dir():
        raise ConfigError("--out", f"{target} cannot be written: no such folder, or it is one")
    previous = read_help_packs(target) if target.exists() else []
    read = read_shelters(
        file, country=country, mapping=mapping, encoding=encoding, assume_suited=assume_suited
    )
    packs = build_packs(read.shelters, country, source=source, version=int(day), previous=previous)
    packs.append(country_pack(country, version=int(day)))
    write_help_packs(target, packs)
    return BuiltPacks(
        read=read, n_packs=len(packs), version=int(day), n_bytes=target.stat().st_size
    )


def _column(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise ConfigError("--column", f"{text!r} is not field=column", hint='name="Site name"')
    return field, column
