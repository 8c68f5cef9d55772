"""From what the user named to a recording: a folder, a built-in event or a scenario file."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from eew.app.country import country_of
from eew.errors import ConfigError, DataError
from eew.model.place import Site
from eew.model.waveform import Packet, Recording
from simulator.scenario import (
    RecordedScenario,
    Script,
    known_names,
    read_scenario,
    runnable_names,
)
from simulator.selection import Zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording with the places and people around it, and what goes wrong.

    ``sites`` is empty for recorded quakes: they know stations, not towns. The faults of ``script``
    that are in the records are in ``recording``; times and distances count from ``zero``.
    ``arrivals`` are packets with the time at which they arrived, UTC ns, where they are wanted and
    were recorded.
    """

    recording: Recording
    title: str
    sites: tuple[Site, ...] = ()
    country: str = ""
    languages: tuple[str, ...] = ()
    is_computed: bool = False
    script: Script = field(default_factory=Script)
    zero: Zero
    arrivals: tuple[tuple[int, tuple[Packet, ...]], ...] = ()


def event_name(event: str) -> str:
    """Return the name a run of ``event`` carries: its folder's, or the scenario's.

    Raises
    ------
    ConfigError
        If there is no such folder, scenario file or built-in event.
    """
    if event in runnable_names():
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
    if event in runnable_names() or (path.is_file() and path.suffix == ".toml"):
        return _scripted(event, seed)
    if event and path.is_dir():
        from eew.ingest import read_quake_folder

        recording = read_quake_folder(path)
        return Source(recording=recording, title=recording.name, zero=Zero.of(recording))
    raise unknown_event(event)


def with_arrivals(event: str, source: Source) -> Source:
    """Add the recorded arrivals of the packets to what was read from the folder ``event``.

    Raises
    ------
    ConfigError
        If ``event`` is no folder with recorded packets.
    DataError
        If the packets cannot be used.
    """
    from eew.ingest.openeew_archive import PACKETS_FILE, read_arrivals

    path = Path(event) / PACKETS_FILE
    if source.is_computed or not path.is_file():
        raise ConfigError(
            "--arrivals",
            f"{event} has no recorded packets",
            hint=f"a folder with {PACKETS_FILE} is needed; leave the option out for modelled links",
        )
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}") from error
    recording = source.recording
    arrivals, problems = read_arrivals(path, recording.stations)
    return replace(
        source,
        recording=replace(
            recording,
            problems=(*recording.problems, *problems),
            input_sha256={**recording.input_sha256, PACKETS_FILE: digest},
        ),
        arrivals=tuple((one.arrival_ns, one.packets) for one in arrivals),
    )


def packet_length_s(source: Source) -> float:
    """Return the length in s that most recorded packets of a source have, to 10 ms."""
    packets = (packet for _, some in source.arrivals for packet in some)
    lengths = [round((packet.end_ns - packet.start_ns) / 1e9, 2) for packet in packets]
    return median(lengths)


def _scripted(event: str, seed: int) -> Source:
    from simulator.scripted import compute_scripted

    scenario = read_scenario(event)
    if isinstance(scenario, RecordedScenario):
        return _laid_over(scenario, seed)
    made = compute_scripted(scenario, seed)
    return Source(
        recording=made.recording,
        title=scenario.title,
        sites=scenario.sites,
        country=scenario.country,
        languages=scenario.languages,
        is_computed=True,
        script=made.script,
        zero=scenario.zero,
    )


def _laid_over(scenario: RecordedScenario, seed: int) -> Source:
    from eew.ingest import read_quake_folder
    from simulator.scripted import lay_over

    recording = read_quake_folder(scenario.recorded)
    made = lay_over(scenario, recording, seed)
    return Source(
        recording=made.recording,
        title=scenario.title,
        sites=tuple(
            replace(site, country=site.country or country_of(site.lat, site.lon))
            for site in scenario.sites
        ),
        country=scenario.country,
        languages=scenario.languages,
        script=made.script,
        zero=Zero.of(recording),
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
    names = known_names()
    near = difflib.get_close_matches(event, runnable_names(), n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return ConfigError(
        "EVENT",
        f"no folder and no built-in event is called {event!r}",
        hint=f"{hint}eew events list shows all {len(names)}; or give the path of a folder",
    )
