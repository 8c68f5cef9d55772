"""``manifest.json``: what a run was made from, and whether it came to its end.

The manifest also marks a folder as ours: only a folder that holds one may be replaced.
"""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from eew.report.result import RunResult
from eew.report.times import utc

MANIFEST_SCHEMA = "eew.manifest/1"
MANIFEST_NAME = "manifest.json"

# the libraries that decide numbers, or the bytes of a file
LIBRARIES = ("numpy", "scipy", "numba", "obspy", "h3", "msgspec", "aiomqtt", "amqtt", "matplotlib")


def library_versions() -> dict[str, str]:
    """Return the installed version of each library that takes part in a run."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def manifest(result: RunResult, *, written_ns: int, files: dict[str, str]) -> dict[str, Any]:
    """Return the manifest of a run.

    Parameters
    ----------
    written_ns : int
        UTC of writing, ns: the one date of the folder, so it is in no other file but
        ``measured.json``.
    files : dict
        SHA-256 of each file of the folder, by name.
    """
    return {
        "schema": MANIFEST_SCHEMA,
        "run": result.info.run_id,
        "complete": result.info.complete,
        "written": utc(written_ns, digits=0),
        "seed": result.info.seed,
        "versions": {
            "eew-simulator": result.info.version,
            "python": platform.python_version(),
            **library_versions(),
        },
        "config": dict(result.info.config),
        "inputs_sha256": dict(sorted(result.recording.input_sha256.items())),
        "files_sha256": dict(sorted(files.items())),
    }
