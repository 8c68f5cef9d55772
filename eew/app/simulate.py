"""A computed quake written as a folder of records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eew.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What was written."""

    title: str
    n_stations: int
    n_channels: int
    seconds: float


def simulate_to_folder(scenario: str, folder: Path, *, seed: int) -> Simulated:
    """Compute ``scenario`` (a built-in name or a TOML file) and write it as a quake folder.

    Raises
    ------
    ConfigError
        If the scenario cannot be used, or ``folder`` holds something else.
    """
    from eew.ingest import write_quake_folder
    from simulator.scenario import load_scenario
    from simulator.synthesise import compute, source_text

    described = load_scenario(scenario)
    if folder.is_file():  # said before the work, not after it
        raise ConfigError("--out", f"{folder} is a file, a folder is needed")
    recording = compute(described, seed)
    write_quake_folder(recording, folder, source_text(described, seed))
    return Simulated(
        title=described.title,
        n_stations=len(recording.stations),
        n_channels=sum(len(station.channels) for station in recording.stations),
        seconds=(recording.end_ns - recording.start_ns) / 1e9,
    )
