"""Scenario files: what quake to compute, on which network, what goes wrong, and what to watch.

Every field is checked on reading; each wrong one is named with its line, its value and what fits.
The built-in scenarios stand in ``simulator/scenarios/*.toml`` and are written the same way.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from eew.errors import ConfigError, FieldError
from eew.model.place import Site
from simulator.catalogue import CatalogueQuake, catalogue_names, catalogue_quake
from simulator.fault_fields import Fault
from simulator.link_fields import LinkSpec
from simulator.ruptures import Quake, Rupture
from simulator.scenario_checks import choices, contradictions, wholeness
from simulator.scenario_fields import (
    AftershocksSpec,
    DevicesSpec,
    EventSpec,
    Expectation,
    NetworkSpec,
    NoiseSpec,
    RecordSpec,
    ScenarioFile,
    SiteSpec,
    SourceSpec,
)
from simulator.scenario_sources import scenario_sources
from simulator.selection import Zero
from simulator.shorthand import (
    builtin_names,
    drill_names,
    expanded,
    known_names,
    packaged_bytes,
    runnable_names,
)
from simulator.strict import Problem, read_fields
from simulator.toml_lines import line_of, toml_lines

__all__ = [
    "RecordedScenario",
    "Scenario",
    "Script",
    "builtin_names",
    "drill_names",
    "known_names",
    "load_scenario",
    "parse_any",
    "parse_scenario",
    "quake_scenario",
    "read_scenario",
    "runnable_names",
    "scenario_from_table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What goes wrong and who is told: the part of a scenario that any recording can have.

    Attributes
    ----------
    help_packs : tuple of Path
        As seen from the current folder.
    where : str
        The file, for messages.
    lines : mapping of str to int
        Where its keys stand.
    """

    link: LinkSpec = field(default_factory=LinkSpec)
    faults: tuple[Fault, ...] = ()
    devices: DevicesSpec = field(default_factory=DevicesSpec)
    help_packs: tuple[Path, ...] = ()
    expect: Expectation | None = None
    where: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def error(self, problems: Sequence[Problem]) -> FieldError:
        """Return the error that names problems by their lines, in order of the file."""
        return _field_errors(self.where, problems, dict(self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A quake to compute, checked.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    region : str
        Table of ``eew/tables/attenuation.toml``.
    country : str
        ISO 3166-1 alpha-2; chooses the help pack.
    languages : tuple of str
        Spoken there, the first one by most.
    further, storms : tuple
        Quakes beside ``event``.
    sites : tuple of Site
        Towns to place devices at and to predict for.
    script : Script
        What goes wrong.
    folder : Path
        Where the file stands: its paths count from there.
    sha256 : str
        Of the file's bytes.
    """

    name: str
    title: str
    region: str
    country: str
    languages: tuple[str, ...]
    event: EventSpec
    network: NetworkSpec
    noise: NoiseSpec
    record: RecordSpec
    sites: tuple[Site, ...]
    further: tuple[SourceSpec, ...] = ()
    storms: tuple[AftershocksSpec, ...] = ()
    script: Script = field(default_factory=Script)
    folder: Path = Path()
    sha256: str

    @property
    def expect(self) -> Expectation | None:
        """What must come out."""
        return self.script.expect

    @property
    def zero(self) -> Zero:
        """What times and distances of the script count from: the event."""
        event = self.event
        return Zero(
            at_ns=event.origin_time_ns, lat=event.lat, lon=event.lon, depth_km=event.depth_km
        )

    def sources(self, seed: int) -> tuple[Quake | Rupture, ...]:
        """Return what the generator computes, the event first; times count from its origin.

        Parameters
        ----------
        seed : int
            Of the run.
        """
        return scenario_sources(self.event, self.further, self.storms, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScenario:
    """A script to lay over a recorded quake, checked.

    Attributes
    ----------
    recorded : Path
        The folder of the recorded quake.
    country : str
        Empty where the file does not say it.
    """

    name: str
    title: str
    recorded: Path
    country: str
    languages: tuple[str, ...]
    sites: tuple[Site, ...]
    script: Script
    sha256: str


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a built-in scenario by its name, or a scenario file that computes a quake.

    Raises
    ------
    ConfigError
        If there is no such scenario or file (the built-in ones are listed), or the file does
        not hold a scenario, or one that is laid over a recorded quake.
    """
    return _only_computed(read_scenario(name_or_path), str(name_or_path))


def read_scenario(name_or_path: str | Path) -> Scenario | RecordedScenario:
    """Read a built-in scenario or a quake of the catalogue by its name, or a scenario file.

    A built-in scenario goes before a quake of the same name in the catalogue.

    Raises
    ------
    ConfigError
        If there is no such scenario or file (the built-in ones are listed), or the file does
        not hold a scenario.
    """
    text = str(name_or_path)
    packaged = packaged_bytes(text)
    if packaged is not None:
        return parse_any(packaged[0], name=text, where=packaged[1])
    if text in catalogue_names():
        return quake_scenario(catalogue_quake(text))
    path = Path(name_or_path)
    if not path.is_file():
        raise _unknown(text)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(text, f"cannot be read: {error.strerror}") from error
    return parse_any(content, name=path.stem, where=text, folder=path.parent)


def quake_scenario(quake: CatalogueQuake, *, network: str | None = None) -> Scenario:
    """Make the scenario of a quake, on a named network or that of its country.

    Raises
    ------
    ConfigError
        If there is no such network.
    """
    from simulator.catalogue_scenario import scenario_table

    return scenario_from_table(scenario_table(quake, network=network), name=quake.name)


def scenario_from_table(table: Mapping[str, Any], *, name: str) -> Scenario:
    """Check a table as a scenario file would have it, made by a program.

    Raises
    ------
    FieldError
        Naming each wrong field.
    """
    words = json.dumps(table, sort_keys=True, default=str)
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    made = _made(table, name=name, where=f"scenario {name}", lines={}, sha256=sha256)
    return _only_computed(made, name)


def parse_scenario(content: bytes, *, name: str, where: str, folder: Path = Path()) -> Scenario:
    """Check the bytes of a scenario file that computes a quake; as :func:`parse_any`."""
    return _only_computed(parse_any(content, name=name, where=where, folder=folder), where)


def parse_any(
    content: bytes, *, name: str, where: str, folder: Path = Path()
) -> Scenario | RecordedScenario:
    """Check the bytes of a scenario file.

    Parameters
    ----------
    where : str
        Names the file in errors.
    folder : Path
        Paths in the file count from here.

    Raises
    ------
    FieldError
        Naming each wrong field with its line, the value found and what is expected.
    """
    try:
        text = content.decode("utf-8")
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _not_toml(where, error) from error
    sha256 = hashlib.sha256(content).hexdigest()
    lines = toml_lines(text)
    return _made(table, name=name, where=where, lines=lines, sha256=sha256, folder=folder)


def _made(
    table: Mapping[str, Any],
    *,
    name: str,
    where: str,
    lines: dict[str, int],
    sha256: str,
    folder: Path = Path(),
) -> Scenario | RecordedScenario:
    whole, problems = expanded(table)
    file, wrong = read_fields(ScenarioFile, whole)
    if problems:  # what the unknown quake would have filled in is not missing
        wrong = [one for one in wrong if " is missing: " not in one.words]
    else:
        problems = wholeness(table, whole)
    problems += wrong
    problems += choices(whole)
    if file is not None:
        problems += contradictions(file, folder)
    if file is None or problems:
        raise _field_errors(where, problems, lines)
    script = Script(
        link=file.link,
        faults=file.fault,
        devices=file.devices,
        help_packs=() if file.help is None else tuple(folder / one for one in file.help.packs),
        expect=file.expect,
        where=where,
        lines=lines,
    )
    sites = tuple(_site(spec, file.country or "") for spec in file.site)
    if file.recorded is not None:
        return RecordedScenario(
            name=name,
            title=file.title,
            recorded=folder / file.recorded,
            country=file.country or "",
            languages=file.languages,
            sites=sites,
            script=script,
            sha256=sha256,
        )
    assert file.region is not None
    assert file.country is not None
    assert file.event is not None
    assert file.network is not None
    return Scenario(
        name=name,
        title=file.title,
        region=file.region,
        country=file.country,
        languages=file.languages,
        event=file.event,
        network=_from_folder(file.network, folder),
        noise=file.noise,
        record=file.record,
        sites=sites,
        further=file.source,
        storms=file.aftershocks,
        script=script,
        folder=folder,
        sha256=sha256,
    )


def _site(spec: SiteSpec, country: str) -> Site:
    return Site(
        name=spec.name,
        lat=spec.lat,
        lon=spec.lon,
        population=spec.population,
        country=spec.country or country,
        vs30_mps=spec.vs30_mps,
    )


# ---------------------------------------------------------------- errors
def _field_errors(where: str, problems: Sequence[Problem], lines: dict[str, int]) -> FieldError:
    placed = [(line_of(lines, one.path) or 1, one.words) for one in problems]
    return FieldError(where, [f"{where} line {line}: {words}" for line, words in sorted(placed)])


def _not_toml(where: str, error: tomllib.TOMLDecodeError | UnicodeDecodeError) -> FieldError:
    place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    if place is None:
        return FieldError(where, [f"{where}: not a TOML file: {error}"])
    words = str(error)[: place.start()].strip()
    return FieldError(
        where, [f"{where} line {place[1]}: not a TOML file: {words} (column {place[2]})"]
    )


def _only_computed(scenario: Scenario | RecordedScenario, where: str) -> Scenario:
    if isinstance(scenario, RecordedScenario):
        raise ConfigError(where, "is laid over a recorded quake, there is nothing to compute")
    return scenario


def _from_folder(network: NetworkSpec, folder: Path) -> NetworkSpec:
    """Take the relative path of a list of stations from the folder of the scenario file."""
    if network.file is None:
        return network
    return msgspec.structs.replace(network, file=str(folder / network.file))


def _unknown(text: str) -> ConfigError:
    names = known_names()
    close = difflib.get_close_matches(text, runnable_names(), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    hint += f"eew events list shows all {len(names)}; or give the path of a .toml file"
    return ConfigError("scenario", f"no scenario {text!r}", hint=hint)
