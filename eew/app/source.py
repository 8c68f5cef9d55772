"""From what the user named to a recording: a folder, a built-in event or a scenario file."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from eew.errors import ConfigError
from eew.model.place import Site
from eew.model.waveform import Recording
from simulator.scenario import builtin_names, load_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording with the places and people around it.

    ``sites`` is empty for recorded quakes: they know stations, not towns.
    """

    recording: Recording
    title: str
    sites: tuple[Site, ...] = ()
    country: str = ""
    languages: tuple[str, ...] = ()
    is_computed: bool = False


def event_name(event: str) -> str:
    """Return the name a run of ``event`` carries: its folder's, or the scenario's.

    Raises
    ------
    ConfigError
        If there is no such folder, scenario file or built-in event.
    """
    if event in builtin_names():
        return event
    path = Path(event)
    if event and path.is_dir():  # the empty path would be the current folder
        return path.resolve().name
    if path.is_file() and path.suffix == ".toml":
        return path.stem
    raise unknown_event(event)


def load_source(event: str, *, seed: int) -> Source:
    """Read or compute what ``event`` names.

    A built-in name wins over a folder of that name in the current directory (write ``./name``
    for the folder).

    Raises
    ------
    ConfigError
        If there is no such event, or the scenario file is wrong.
    DataError
        If the folder holds no usable station.
    """
    path = Path(event)
    if event in builtin_names() or (path.is_file() and path.suffix == ".toml"):
        return _computed(event, seed)
    if event and path.is_dir():
        from eew.ingest import read_quake_folder

        recording = read_quake_folder(path)
        return Source(recording=recording, title=recording.name)
    raise unknown_event(event)


def _computed(event: str, seed: int) -> Source:
    from simulator.synthesise import compute

    scenario = load_scenario(event)
    return Source(
        recording=compute(scenario, seed),
        title=scenario.title,
        sites=scenario.sites,
        country=scenario.country,
        languages=scenario.languages,
        is_computed=True,
    )


def unknown_event(event: str) -> ConfigError:
    """Return the error that names what there is instead of ``event``."""
    path = Path(event)
    if path.is_file():
        return ConfigError(
            "EVENT",
            f"{event} is a file; a folder with waveforms.mseed and stations.xml is needed, "
            "or a scenario file ending in .toml",
        )
    names = builtin_names()
    near = difflib.get_close_matches(event, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return ConfigError(
        "EVENT",
        f"no folder and no built-in event is called {event!r}",
        hint=f"{hint}built-in: {', '.join(names)}; or give the path of a folder",
    )
