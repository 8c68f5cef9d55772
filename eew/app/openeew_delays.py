"""What ``eew openeew delays`` finds: the real delays of a folder, and what they do to the alert."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.app.source import Source, load_source, with_arrivals
from eew.clock import NS_PER_S
from eew.errors import ConfigError
from eew.ingest.openeew_archive import PACKETS_FILE, read_archive
from eew.ingest.openeew_delays import DeviceDelays, delays_of

__all__ = ["FirstAlert", "first_alerts", "measure_delays"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAlert:
    """The first alert of one way of arriving.

    Attributes
    ----------
    way : str
        How packets arrive, in words.
    after_s : float or None
        Time of the first alert after the true origin (after the first pick without a truth), s;
        None where there is none.
    magnitude : float or None
        What it said.
    """

    way: str
    after_s: float | None
    magnitude: float | None
    n_stations: int | None


def measure_delays(folder: str) -> list[DeviceDelays]:
    """Measure every device of the folder's recorded packets.

    Raises
    ------
    ConfigError
        If the folder holds no recorded packets.
    DataError
        If they cannot be used.
    """
    path = Path(folder) / PACKETS_FILE
    if not path.is_file():
        raise ConfigError("FOLDER", f"{folder} has no {PACKETS_FILE}")
    return delays_of(read_archive(path)[0])


def first_alerts(folder: str, *, seed: int) -> list[FirstAlert]:
    """Replay the folder with packets as recorded, and with modelled ones of 1 s and 0.5 s.

    Raises
    ------
    EewError
        If the folder cannot be replayed.
    """
    source = with_arrivals(folder, load_source(folder, seed=seed))
    plain = RunOptions(seed=seed, broker="none", phones=0, tvs=0)
    ways = [
        ("recorded packets and arrivals", replace(plain, arrivals="recorded")),
        ("modelled, packets of 1 s", replace(plain, packet_s=1.0)),
        ("modelled, packets of 0.5 s", plain),
    ]
    return [_first(way, options, source) for way, options in ways]


def _first(way: str, options: RunOptions, source: Source) -> FirstAlert:
    result = asyncio.run(
        run_replay(
            source.recording,
            options,
            arrivals=source.arrivals if options.arrivals == "recorded" else (),
        )
    )
    if not result.messages:
        return FirstAlert(way=way, after_s=None, magnitude=None, n_stations=None)
    first = result.messages[0]
    return FirstAlert(
        way=way,
        after_s=(first.issued_ns - result.zero_ns) / NS_PER_S,
        magnitude=first.magnitude.value,
        n_stations=first.quality.n_stations,
    )
