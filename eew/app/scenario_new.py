"""A new scenario file from a few answers; what it writes is checked before it is written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from eew.app.country import country_of, languages_of
from eew.app.options import DEFAULT_SEED
from eew.errors import ConfigError
from eew.model.place import Site
from simulator.scenario import parse_scenario
from simulator.scripted import placed_stations

__all__ = ["Answers", "likely_region", "scenario_text", "towns_near", "write_scenario"]

_DEFAULT_COUNTRY = "US"
_TOWNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The essentials of a scenario.

    Attributes
    ----------
    network : str
        Spacing of the stations in km, or the name of a network.
    """

    title: str
    lat: float
    lon: float
    magnitude: float
    depth_km: float
    region: str
    network: str = "15"
    radius_km: float = 140.0
    after_s: float = 120.0
    sites: tuple[Site, ...] = ()


def likely_region(lat: float, lon: float, depth_km: float) -> str:
    """Return the region whose attenuation holds at a place and depth."""
    from simulator.attenuation_regions import attenuation_region

    return attenuation_region(lat, lon, depth_km)


def towns_near(lat: float, lon: float, within_km: float) -> tuple[Site, ...]:
    """Return the largest places around, as the sites of a file whose author names none."""
    from simulator.population import places

    near = places().near(lat, lon, within_km)
    found: dict[str, Site] = {}  # of two with one name the larger one
    for i in range(len(near)):
        name = str(near.name[i])
        site = Site(
            name=name,
            lat=float(near.lat[i]),
            lon=float(near.lon[i]),
            population=int(near.population[i]),
            country=str(near.country[i]),
        )
        found.setdefault(name, site)
    return tuple(found.values())[:_TOWNS]


def write_scenario(answers: Answers, path: Path) -> None:
    """Write the scenario to a new file.

    Raises
    ------
    ConfigError
        If there is something at ``path``, or it cannot be written; a wrong answer is named as the
        field that it would become.
    """
    if path.exists():
        raise ConfigError("--out", f"{path} is there already, it is not overwritten")
    text = scenario_text(answers, _id_of(path))
    made = parse_scenario(text.encode(), name=path.stem, where=str(path), folder=path.parent)
    placed_stations(made, DEFAULT_SEED)  # an ocean without a station is found now, not later
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # x: somebody may have written it meanwhile
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError("--out", f"{path} cannot be written: {error.strerror}") from error


def scenario_text(answers: Answers, event_id: str) -> str:
    """Return the scenario as TOML, with comments on what can be changed."""
    country = country_of(answers.lat, answers.lon) or _DEFAULT_COUNTRY
    languages = ", ".join(f'"{one}"' for one in languages_of(country))
    return f"""\
# A computed quake. eew scenario check says what it would compute, eew replay runs it.
# All that a scenario can say: eew config schema scenario --toml
title = {_quoted(answers.title)}
region = {_quoted(answers.region)} # how waves fade there
country = "{country}" # chooses the help pack
languages = [{languages}] # the first one is spoken by most

[event]
id = "{event_id}"
origin_time = 2024-01-01T00:00:00Z
lat = {answers.lat!r}
lon = {answers.lon!r}
depth_km = {answers.depth_km!r}
magnitude = {answers.magnitude!r}

# [[source]] # a further quake
# after_s = 30.0
# distance_km = 25.0
# azimuth_deg = 90.0
# magnitude = 5.0

[network]
{_network(answers)}
[noise] # 0: as quiet as anywhere on Earth, 1: as loud
level = 0.5
spread = 0.2

[record]
before_s = 30.0
after_s = {answers.after_s!r}

# [link] # without it: packets of 0.5 s, a median delay of 0.3 s
# packet_s = 1.0
# jitter_s = 0.2
# loss_share = 0.01

# [[fault]] # what goes wrong; all kinds are in docs/scenarios.md
# kind = "outage"
# within_km = 40.0
# from_s = 5.0
# until_s = 15.0

# [devices]
# phones = 20
# tvs = 4

# [expect] # said after a replay; eew replay --strict-expect exits with 5 if it is not met
# detected = true
# first_alert_s = 6.0
{"".join(_site(site) for site in answers.sites)}"""


def _network(answers: Answers) -> str:
    try:
        spacing_km = float(answers.network)
    except ValueError:
        name = _quoted(answers.network)
        return f"name = {name}\nradius_km = {answers.radius_km!r} # no stations beyond\n"
    return (
        f"spacing_km = {spacing_km!r} # near the epicentre\n"
        f"outer_spacing_km = {1.6 * spacing_km!r} # at the edge\n"
        f"dense_radius_km = {min(40.0, answers.radius_km)!r}\n"
        f"radius_km = {answers.radius_km!r}\n"
        "sampling_rate_hz = 100.0\n"
        'sensor = "mems" # or "force_balance"\n'
    )


def _site(site: Site) -> str:
    text = f"\n[[site]]\nname = {_quoted(site.name)}\nlat = {site.lat!r}\nlon = {site.lon!r}\n"
    if site.population:
        text += f"population = {site.population}\n"
    return text + (f'country = "{site.country}"\n' if site.country else "")


def _quoted(text: str) -> str:
    """Return a basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in escaped) + '"'


def _id_of(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:64].strip("-") or "quake"
