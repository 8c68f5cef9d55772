"""A run's folder: written beside its place under a passing name, then put there as a whole.

A reader never sees half a folder, a stopped run leaves either its partial output (marked in
``manifest.json``) or nothing, and a folder that is not ours is never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eew.errors import ConfigError
from eew.report.manifest import MANIFEST_NAME, MANIFEST_SCHEMA, manifest
from eew.report.result import RunResult
from eew.report.summary import measured, summary
from eew.report.tables import picks_csv, solutions_csv, targets_csv
from eew.report.timeline import messages_jsonl, timeline_jsonl

# files that say what was measured, or when: not the same in two runs
NOT_REPRODUCIBLE = (MANIFEST_NAME, "measured.json")


def check_output_folder(folder: Path) -> None:
    """Refuse a place for output that is taken by something else, before any work is done.

    Raises
    ------
    ConfigError
        If ``folder`` is a file, or holds files but no manifest of ours, or cannot be made.
    """
    if folder.is_file():
        raise ConfigError("--out", f"{folder} is a file, a folder is needed")
    if folder.is_dir():
        foreign = _foreign_entry(folder)
        if foreign:
            raise ConfigError(
                "--out",
                f"{folder} holds {foreign}, which no run has written, and is left alone",
                hint="name another folder, or move it away yourself",
            )
        return
    parent = _existing_parent(folder)
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ConfigError("--out", f"cannot make {folder}: {parent} is no writable folder")


def write_run(
    result: RunResult,
    folder: Path,
    *,
    written_ns: int,
    extra: Mapping[str, bytes],
    machine: Callable[[], dict[str, Any]] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write all files of a run and put the folder in its place.

    Parameters
    ----------
    extra : mapping
        Further files by name: plots and QuakeML, made by whoever wants them.
    machine : callable, optional
        Gives ``measured.json``, asked last so that it can hold the time that making the files
        took.

    Returns
    -------
    tuple of dict
        ``summary.json`` and ``measured.json`` as written.
    """
    folder = folder.resolve()  # a link keeps pointing at its folder
    check_output_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    document = summary(result)
    files = {
        "summary.json": json_bytes(document),
        "timeline.jsonl": timeline_jsonl(result).encode(),
        "picks.csv": picks_csv(result).encode(),
        "solutions.csv": solutions_csv(result).encode(),
        "targets.csv": targets_csv(result).encode(),
        "messages.jsonl": messages_jsonl(result).encode(),
        **extra,
    }
    here = machine() if machine is not None else measured(result)
    files["measured.json"] = json_bytes(here)
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[MANIFEST_NAME] = json_bytes(manifest(result, written_ns=written_ns, files=sums))
    put_folder(files, folder)
    return document, here


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Return indented UTF-8 JSON with a final newline; NaN is refused."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def put_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Put files by name into a folder as a whole, in place of what was there."""
    passing = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, data in files.items():
            (passing / name).write_bytes(data)
        passing.chmod(0o755)
        if folder.is_dir():
            shutil.rmtree(folder)
        passing.rename(folder)
    except BaseException:
        shutil.rmtree(passing, ignore_errors=True)
        raise


def _foreign_entry(folder: Path) -> str | None:
    """Name something in ``folder`` that its manifest does not list, or None."""
    entries = sorted(entry.name for entry in folder.iterdir())
    try:
        document = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict) or document.get("schema") != MANIFEST_SCHEMA:
        return entries[0] if entries else None
    ours = {MANIFEST_NAME, *document.get("files_sha256", {})}
    return next((name for name in entries if name not in ours), None)


def _existing_parent(folder: Path) -> Path:
    for parent in folder.absolute().parents:
        if parent.exists():
            return parent
    return Path(folder.anchor)
