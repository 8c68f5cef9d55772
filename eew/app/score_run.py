"""``eew score``: folders through the detector, shared out over processes.

Folders are independent of each other; the results are in the order of the folders' names and the
same for any number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from eew import __version__
from eew.app.options import RunOptions
from eew.app.parallel import check_jobs, map_in_order
from eew.app.score_document import score_document
from eew.app.score_recording import score_recording
from eew.clock import Clock
from eew.errors import ConfigError
from eew.ingest import read_quake_folder
from eew.report.folder import check_output_folder
from eew.report.score_compare import Comparison, compare, read_document
from eew.report.score_folder import write_score
from eew.report.score_published import read_published
from eew.report.score_result import FolderScore, ScoreSettings
from simulator.score_rules import ScoreRules

WAVEFORMS = "*.mseed"
PUBLISHED = Path("../shared/published")  # taken where it is there and nothing else is named


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRun:
    """A finished score; ``comparison`` is None where there is nothing to compare with."""

    scores: tuple[FolderScore, ...]
    settings: ScoreSettings
    document: dict[str, Any]
    comparison: Comparison | None


def run_score(
    given: Sequence[Path],
    options: RunOptions,
    *,
    jobs: int = 1,
    published: Path | None = None,
    old: Path | None = None,
    out: Path | None = None,
    clock: Clock,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> ScoreRun:
    """Score folders, set them beside what is published, compare with an old score, and write.

    Parameters
    ----------
    published : Path, optional
        Folder with figures of other detectors; by default ``../shared/published`` if it is there.
    old : Path, optional
        Document of an earlier score.
    out : Path, optional
        Folder to write document, table of stations and plots to.
    progress : callable
        Is told the name of each folder that is done, how many are, and of how many.

    Raises
    ------
    ConfigError, DataError
        If an option or a folder cannot be used; options and old figures are looked at before
        anything is computed.
    """
    check_jobs(jobs)
    folders = find_folders(given)
    if published is None and PUBLISHED.is_dir():
        published = PUBLISHED
    others = {} if published is None else read_published(published)
    before = None if old is None else read_document(old)
    if out is not None:
        check_output_folder(out)
    settings = score_settings(options)
    scores = tuple(
        replace(one, published=others.get(one.name, ()))
        for one in score_folders(
            folders,
            options,
            jobs=jobs,
            progress=lambda name, done: progress(name, done, len(folders)),
        )
    )
    document = score_document(scores, settings)
    comparison = None if before is None else compare(before, document)
    if comparison is not None:
        document["comparison"] = comparison.as_document()
    if out is not None:
        write_score(scores, settings, document, out, written_ns=clock.utc_ns())
    return ScoreRun(scores=scores, settings=settings, document=document, comparison=comparison)


def score_settings(options: RunOptions) -> ScoreSettings:
    """Return what a score is made with, for its document."""
    rules = ScoreRules.load()
    return ScoreSettings(
        packet_s=options.profile.packet_s,
        delay_s=0.0 if options.delay_s is None else options.delay_s,
        seed=options.seed,
        version=__version__,
        damage_to_action=rules.damage_to_action,
        thresholds=rules.thresholds,
    )


def find_folders(given: Sequence[Path]) -> list[Path]:
    """Return the quake folders that the user means, sorted by name.

    A folder without waveforms stands for the folders with waveforms inside it.

    Raises
    ------
    ConfigError
        If a folder is not there or holds nothing, or two have the same name.
    """
    found: dict[str, Path] = {}
    for path in given:
        if not path.is_dir():
            raise ConfigError("FOLDER", f"no such folder: {path}")
        inside = [path] if any(path.glob(WAVEFORMS)) else sorted(path.iterdir())
        quakes = [one for one in inside if one.is_dir() and any(one.glob(WAVEFORMS))]
        if not quakes:
            raise ConfigError("FOLDER", f"no {WAVEFORMS} in {path}, nor in a folder inside it")
        for one in quakes:
            name = one.resolve().name
            if found.setdefault(name, one.resolve()) != one.resolve():
                raise ConfigError("FOLDER", f"two folders are called {name!r}")
    return [found[name] for name in sorted(found)]


def score_folders(
    folders: Sequence[Path],
    options: RunOptions,
    *,
    jobs: int = 1,
    progress: Callable[[str, int], None] = lambda name, done: None,
) -> list[FolderScore]:
    """Score each folder; the results are in the order of ``folders``.

    Parameters
    ----------
    jobs : int
        Processes at work at once, >= 1; with 1 this process does it all.
    progress : callable
        Is told the name of each folder that is done, and how many are.

    Raises
    ------
    DataError
        If a folder cannot be used; the message names it.
    """
    return map_in_order(
        partial(_score_folder, options=options),
        folders,
        jobs=jobs,
        cost=_size,
        progress=lambda folder, done: progress(folder.name, done),
    )


# ---------------------------------------------------------------------- parts


def _size(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.glob(WAVEFORMS))


def _score_folder(folder: Path, options: RunOptions) -> FolderScore:
    return score_recording(read_quake_folder(folder), options)
