"""Scenario files: what quake to compute, on which network, and which towns to watch.

Every field is checked on reading; a wrong one is named with its file, its value and what fits.
The built-in scenarios stand in ``simulator/scenarios/*.toml`` and are written the same way.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from eew.errors import ConfigError
from eew.model.place import Site
from simulator.accelerometer import accelerometer_names
from simulator.attenuation import region_names
from simulator.geography import land_names
from simulator.ruptures import Fault, Quake
from simulator.scenario_fields import (
    EventSpec,
    Expectation,
    NetworkSpec,
    NoiseSpec,
    RecordSpec,
    ScenarioFile,
    SiteSpec,
)
from simulator.strict import read_struct

__all__ = ["Scenario", "builtin_names", "load_scenario", "parse_scenario"]


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
    sites : tuple of Site
        Towns to place devices at and to predict for.
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
    expect: Expectation | None
    sha256: str

    @property
    def sources(self) -> tuple[Quake, ...]:
        """What the generator computes; times count from the origin of ``event``."""
        event, plane = self.event, self.event.fault
        fault = None if plane is None else Fault(**msgspec.structs.asdict(plane))
        return (
            Quake(
                lat=event.lat,
                lon=event.lon,
                depth_km=event.depth_km,
                magnitude=event.magnitude,
                stress_drop_bar=event.stress_drop_bar,
                fault=fault,
            ),
        )


def builtin_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package, sorted."""
    folder = resources.files("simulator").joinpath("scenarios")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a built-in scenario by its name, or a scenario file.

    Raises
    ------
    ConfigError
        If there is no such scenario or file (the built-in ones are listed), or the file does
        not hold a scenario.
    """
    text = str(name_or_path)
    if text in builtin_names():
        file = resources.files("simulator").joinpath("scenarios", f"{text}.toml")
        return parse_scenario(
            file.read_bytes(), name=text, where=f"simulator/scenarios/{text}.toml"
        )
    path = Path(name_or_path)
    if not path.is_file():
        raise _unknown(text)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(text, f"cannot be read: {error.strerror}") from error
    return parse_scenario(content, name=path.stem, where=text)


def parse_scenario(content: bytes, *, name: str, where: str) -> Scenario:
    """Check the bytes of a scenario file; ``where`` names the file in errors.

    Raises
    ------
    ConfigError
        Naming each wrong field with the value found.
    """
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(where, f"not a TOML file: {error}") from error
    file, problems = read_struct(ScenarioFile, table)
    if file is not None:
        problems = _contradictions(file)
    if file is None or problems:
        raise ConfigError(where, "; ".join(problems))
    return Scenario(
        name=name,
        title=file.title,
        region=file.region,
        country=file.country,
        languages=file.languages,
        event=file.event,
        network=file.network,
        noise=file.noise,
        record=file.record,
        sites=tuple(_site(spec, file.country) for spec in file.site),
        expect=file.expect,
        sha256=hashlib.sha256(content).hexdigest(),
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


def _contradictions(file: ScenarioFile) -> list[str]:
    """Check what no single field shows."""
    problems = [
        *_choice("region", file.region, region_names()),
        *_choice("network.sensor", file.network.sensor, accelerometer_names()),
    ]
    network = file.network
    if network.land is not None:
        problems += _choice("network.land", network.land, land_names())
    if network.dense_radius_km > network.radius_km:
        problems.append(
            f"network.dense_radius_km = {network.dense_radius_km!r}: "
            f"expected at most radius_km, which is {network.radius_km!r}"
        )
    if network.outer_spacing_km < network.spacing_km:
        problems.append(
            f"network.outer_spacing_km = {network.outer_spacing_km!r}: "
            f"expected at least spacing_km, which is {network.spacing_km!r}"
        )
    names = [site.name for site in file.site]
    problems += [
        f"site[{i}].name = {name!r}: a site of this name stands above"
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    return problems


def _choice(field: str, value: str, known: tuple[str, ...]) -> list[str]:
    if value in known:
        return []
    return [f"{field} = {value!r}: expected one of {', '.join(known)}"]


def _unknown(text: str) -> ConfigError:
    names = builtin_names()
    close = difflib.get_close_matches(text, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    hint += f"built-in scenarios: {', '.join(names)}; or give the path of a .toml file"
    return ConfigError("scenario", f"no scenario {text!r}", hint=hint)
