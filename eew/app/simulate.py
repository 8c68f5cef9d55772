"""A computed quake written as a folder of records."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eew.app.source import load_source
from eew.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What was written."""

    title: str
    n_stations: int
    n_channels: int
    seconds: float

    def as_document(self) -> dict[str, Any]:
        """Return the same as fields of a JSON document."""
        return {
            "simulation": True,
            "title": self.title,
            "stations": self.n_stations,
            "channels": self.n_channels,
            "seconds": self.seconds,
        }


def simulate_to_folder(scenario: str, folder: Path, *, seed: int, jobs: int = 1) -> Simulated:
    """Compute ``scenario`` (a built-in name or a TOML file) and write it as a quake folder.

    Parameters
    ----------
    jobs : int
        Processes to share the work; the files do not depend on it.

    Raises
    ------
    ConfigError
        If the scenario cannot be used, or ``folder`` holds something else.
    """
    from eew.ingest import write_quake_folder
    from simulator.scenario import Scenario, read_scenario
    from simulator.scripted import (
        laid_over_text,
        placed_stations,
        script_text,
        settled,
        without_samples,
    )
    from simulator.synthesise import prepare, source_text

    described = read_scenario(scenario)
    if folder.is_file():  # said before the work, not after it
        raise ConfigError("--out", f"{folder} is a file, a folder is needed")
    if isinstance(described, Scenario) and not described.script.faults:
        # as they are computed: what is held does not grow with the network
        placed = placed_stations(described, seed)
        bare = without_samples(described, placed)
        script = settled(described.script, bare, zero=described.zero, seed=seed)
        plan = prepare(described, described.sources(seed), seed, network=placed)
        recording, zero = plan.outline, described.zero
        segments = itertools.chain(plan.segments(jobs=jobs), plan.gnss_segments())
    else:
        source = load_source(scenario, seed=seed)
        recording, script, zero = source.recording, source.script, source.zero
        segments = itertools.chain(recording.segments, recording.gnss_segments)
    text = (
        source_text(described, seed)
        if isinstance(described, Scenario)
        else laid_over_text(described, seed)
    )
    text += script_text(script, recording, zero=zero, seed=seed)
    write_quake_folder(recording, folder, text, segments=segments)
    stations = (*recording.stations, *recording.gnss)
    return Simulated(
        title=described.title,
        n_stations=len(stations),
        n_channels=sum(len(station.channels) for station in stations),
        seconds=(
            described.record.before_s + described.record.after_s
            if isinstance(described, Scenario)
            else (recording.end_ns - recording.start_ns) / 1e9
        ),
    )
