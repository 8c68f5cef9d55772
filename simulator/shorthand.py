"""``catalogue = "luding-2022"`` in a scenario file: what is known of that quake fills the rest."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from simulator.catalogue import catalogue_names, catalogue_quake
from simulator.strict import Problem

__all__ = [
    "builtin_names",
    "drill_names",
    "expanded",
    "known_names",
    "packaged_bytes",
    "runnable_names",
]

_FOLDERS = ("scenarios", "drills")

# What a known quake brings along where the file does not say it. Faults, link, devices and what is
# expected are the file's own business.
_BROUGHT = (
    "title",
    "region",
    "country",
    "languages",
    "network",
    "noise",
    "record",
    "site",
)


def builtin_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package, sorted."""
    return _names_in("scenarios")


def drill_names() -> tuple[str, ...]:
    """Return the names of the drills that come with the package: known quakes with trouble."""
    return _names_in("drills")


def known_names() -> tuple[str, ...]:
    """Return the names of all quakes that can be computed by name, sorted."""
    return tuple(sorted({*builtin_names(), *catalogue_names()}))


def known_quake(name: str) -> Mapping[str, Any]:
    """Return what is known of a quake, as a scenario file would have it.

    A built-in scenario goes before a quake of the same name in the catalogue.
    """
    packaged = packaged_bytes(name)
    if packaged is None:
        from simulator.catalogue_scenario import scenario_table

        return scenario_table(catalogue_quake(name))
    return tomllib.loads(packaged[0].decode("utf-8"))


def runnable_names() -> tuple[str, ...]:
    """Return the names of all that can be replayed by name, quakes and drills, sorted."""
    return tuple(sorted({*known_names(), *drill_names()}))


def packaged_bytes(name: str) -> tuple[bytes, str] | None:
    """Return a scenario file that comes with the package and where it stands; None: no such one."""
    for folder in _FOLDERS:
        if name in _names_in(folder):
            file = resources.files("simulator").joinpath(folder, f"{name}.toml")
            return file.read_bytes(), f"simulator/{folder}/{name}.toml"
    return None


def _names_in(folder: str) -> tuple[str, ...]:
    entries = resources.files("simulator").joinpath(folder).iterdir()
    names = (entry.name for entry in entries)
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def expanded(table: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Problem]]:
    """Fill in what the quake named by ``event.catalogue`` brings along.

    Parameters
    ----------
    table : mapping
        A whole scenario file, as from :mod:`tomllib`; returned as it is where it names no quake.
    """
    event = table.get("event")
    if not isinstance(event, Mapping) or not isinstance(event.get("catalogue"), str):
        return table, []
    name = event["catalogue"]
    if name not in known_names():
        near = difflib.get_close_matches(name, known_names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        words = f"no such quake, {hint}eew events list shows them"
        return table, [Problem.found("event.catalogue", name, words)]
    quake = known_quake(name)
    brought = {key: quake[key] for key in _BROUGHT if key in quake}
    network = table.get("network")
    if isinstance(network, Mapping):  # another network is taken out as far as the known one
        network = {"radius_km": quake["network"]["radius_km"], **network}
        table = {**table, "network": network}
    known = dict(quake["event"])
    if "fault" in event or "line" in event:  # the file's own rupture replaces the known one
        known.pop("fault", None)
        known.pop("line", None)
    return {**brought, **table, "event": {**known, **event}}, []
