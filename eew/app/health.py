"""What a run needs of this machine, checked one by one."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import socket
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from eew import __version__

MIN_PYTHON = (3, 11)
# name, oldest version that works: as in pyproject.toml
LIBRARIES = (
    ("numpy", (2, 0)),
    ("scipy", (1, 14)),
    ("numba", (0, 61)),
    ("obspy", (1, 5, 1)),
    ("h3", (4, 2)),
    ("msgspec", (0, 19)),
    ("aiomqtt", (2, 5, 1)),
    ("amqtt", (0, 12, 1)),
    ("fastapi", (0, 115)),
    ("uvicorn", (0, 34)),
    ("typer", (0, 16)),
    ("rich", (14,)),
    ("matplotlib", (3, 10)),
)
DEFAULT_QUAKES = Path("..") / "shared" / "quakes"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: ``state`` is ``ok``, ``note`` (works without, less well) or ``bad``."""

    name: str
    state: str
    found: str


def checks() -> list[Check]:
    """Run all checks; none of them changes anything."""
    return [
        Check("eew-simulator", "ok", __version__),
        _python(),
        *(_library(name, oldest) for name, oldest in LIBRARIES),
        _mosquitto(),
        _loopback(),
        _kernels(),
        _quakes(),
        _output(),
    ]


def _python() -> Check:
    version = platform.python_version()
    good = tuple(int(part) for part in platform.python_version_tuple()[:2]) >= MIN_PYTHON
    return Check("python", "ok" if good else "bad", version if good else f"{version}, 3.11 needed")


def _library(name: str, oldest: tuple[int, ...]) -> Check:
    wanted = ".".join(str(part) for part in oldest)
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "bad", f"not installed, {wanted} or newer needed")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[: len(oldest)])
    if numbers < oldest:
        return Check(name, "bad", f"{version}, {wanted} or newer needed")
    return Check(name, "ok", version)


def _mosquitto() -> Check:
    from eew.egress.mosquitto import find_mosquitto

    program = find_mosquitto()
    if program is None:
        return Check("mosquitto", "note", "not found: --broker auto uses the embedded broker")
    return Check("mosquitto", "ok", str(program))


def _loopback() -> Check:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Check("loopback", "bad", f"no port can be opened on 127.0.0.1: {error.strerror}")
    return Check("loopback", "ok", "ports can be opened on 127.0.0.1")


def _kernels() -> Check:
    """Say whether numba's compiled kernels are kept, and are there."""
    kept = os.environ.get("NUMBA_CACHE_DIR")
    package = Path(str(resources.files("eew")))
    folder = Path(kept) if kept else package
    count = sum(1 for _ in folder.rglob("*.nbi"))
    if count:
        return Check("kernels", "ok", f"{count} compiled, in {folder}")
    place = folder if folder.is_dir() else folder.parent
    if not os.access(place, os.W_OK):
        return Check(
            "kernels",
            "note",
            f"{place} cannot be written: each run compiles anew (set NUMBA_CACHE_DIR)",
        )
    return Check("kernels", "note", "not compiled yet: the first run takes longer")


def _quakes() -> Check:
    folder = Path(os.environ.get("EEW_QUAKES") or DEFAULT_QUAKES)
    if not folder.is_dir():
        return Check("quakes", "note", f"no recorded quakes at {folder} (set EEW_QUAKES)")
    count = sum(1 for entry in folder.iterdir() if (entry / "waveforms.mseed").is_file())
    return Check("quakes", "ok" if count else "note", f"{count} recorded quakes in {folder}")


def _output() -> Check:
    here = Path.cwd()
    if os.access(here, os.W_OK):
        return Check("output", "ok", f"runs are saved in {here / 'runs'}")
    return Check("output", "note", f"{here} cannot be written: give --out")
