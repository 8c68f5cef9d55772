"""What no single table of a scenario file shows: what is missing, and what contradicts what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.attenuation import region_names
from simulator.instrument import instrument_names
from simulator.network_table import network_names
from simulator.scenario_fields import COMPUTED_NEEDS, ScenarioFile
from simulator.scenario_sources import after_event_s
from simulator.strict import Problem

__all__ = ["choices", "contradictions", "wholeness"]

_COMPUTED_ONLY = ("region", "event", "source", "aftershocks", "network", "noise", "record")


def wholeness(table: Mapping[str, Any], whole: Mapping[str, Any]) -> list[Problem]:
    """Check that the file is of one kind, and that all of that kind is there."""
    if "recorded" in table:
        words = "has no place beside recorded: nothing is computed there"
        return [Problem(path=one, words=f"{one} {words}") for one in _COMPUTED_ONLY if one in table]
    missing = [one for one in COMPUTED_NEEDS if one not in whole]
    kinds = {"event": "a table", "network": "a table", "languages": 'a list, as ["en"]'}
    return [
        Problem(
            path=one,
            words=f"{one} is missing: expected {kinds.get(one, 'text')}"
            + (", or recorded = FOLDER for a recorded quake" if one == "event" else ""),
        )
        for one in missing
    ]


def choices(whole: Mapping[str, Any]) -> list[Problem]:
    """Check the names of tables of ours."""
    network = whole.get("network")
    network = network if isinstance(network, Mapping) else {}
    return [
        *_choice("region", whole.get("region"), region_names()),
        *_choice("network.sensor", network.get("sensor"), instrument_names()),
        *_choice("network.name", network.get("name"), network_names()),
    ]


def _choice(path: str, value: object, known: tuple[str, ...]) -> list[Problem]:
    if not isinstance(value, str) or value in known:
        return []
    return [Problem.found(path, value, f"expected one of {', '.join(known)}")]


def contradictions(file: ScenarioFile, folder: Path) -> list[Problem]:
    """Check one table against another, and the files that are named."""
    problems = _list_problems(file, folder)
    names = [site.name for site in file.site]
    problems += [
        Problem.found(f"site[{i}].name", name, "a site of this name stands above")
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    if file.recorded is not None and not (folder / file.recorded).is_dir():
        words = f"there is no folder {folder / file.recorded}"
        problems.append(Problem.found("recorded", file.recorded, words))
    for i, pack in enumerate(() if file.help is None else file.help.packs):
        if not (folder / pack).is_file():
            words = f"there is no file {folder / pack}"
            problems.append(Problem.found(f"help.packs[{i}]", pack, words))
    return problems + _time_problems(file)


def _list_problems(file: ScenarioFile, folder: Path) -> list[Problem]:
    if file.network is None or file.network.file is None:
        return []
    path = folder / file.network.file
    if path.exists():
        return []
    return [Problem.found("network.file", file.network.file, f"there is no file {path}")]


def _time_problems(file: ScenarioFile) -> list[Problem]:
    """Check that what is to happen happens while something is recorded."""
    if file.event is None:
        return []
    before_s, after_s = file.record.before_s, file.record.after_s
    problems = []
    for i, source in enumerate(file.source):
        at_s = after_event_s(source, file.event)
        if at_s > after_s:
            path = f"source[{i}].{'after_s' if source.origin_time is None else 'origin_time'}"
            words = f"{at_s:g} s after the event, the records end after {after_s:g} s"
            problems.append(Problem(path=path, words=f"{path}: {words}"))
    for i, storm in enumerate(file.aftershocks):
        last_s = storm.after_s + storm.within_s
        if last_s > after_s:
            words = f"expected at most {after_s - storm.after_s:g}: the records end there"
            problems.append(Problem.found(f"aftershocks[{i}].within_s", storm.within_s, words))
    for i, fault in enumerate(file.fault):
        at = getattr(fault, "at_s", None)
        if at is not None and not -before_s <= at <= after_s:
            words = f"the records last from {-before_s:g} to {after_s:g} s"
            problems.append(Problem.found(f"fault[{i}].at_s", at, words))
    return problems
