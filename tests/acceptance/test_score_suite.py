"""The recorded suite, scored: no figure may get worse beyond its band.

``suite.json`` holds the figures (no waveforms). What each means, and the bands, stand in
docs/scoring.md and eew/tables/score.toml. After a change that is meant to move figures, write them
anew from the top of the checkout, and look at the difference before committing it:

    .venv/bin/eew score ../shared/quakes --jobs 2 --json > tests/acceptance/suite.json
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eew.app.options import RunOptions
from eew.app.score_run import run_score
from eew.clock import SystemClock
from eew.report.score_compare import SCORE_SCHEMA, read_document
from tests.acceptance.test_quake_folders import EXPECTED

SUITE = Path(__file__).parent / "suite.json"
LARGEST_BYTES = 300_000
LONGEST_LIST = 60  # a magnitude each second, then each ten: no room for a waveform


def lists_in(value: Any) -> Iterator[list[Any]]:
    """Return every list of a document, at any depth."""
    if isinstance(value, list):
        yield value
    for inner in value.values() if isinstance(value, dict) else ():
        yield from lists_in(inner)


def test_the_kept_figures_are_those_of_every_recorded_folder_and_nothing_else() -> None:
    document = read_document(SUITE)

    assert SUITE.stat().st_size < LARGEST_BYTES
    assert list(document) == ["schema", "settings", "folders", "totals"]
    assert document["schema"] == SCORE_SCHEMA
    assert (document["settings"]["packet_s"], document["settings"]["delay_s"]) == (0.5, 0.3)
    assert sorted(document["folders"]) == sorted(EXPECTED)
    assert max(map(len, lists_in(document))) < LONGEST_LIST


@pytest.mark.quakes
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_figure_of_the_recorded_suite_got_worse_beyond_its_band(quakes_dir: Path) -> None:
    settings = read_document(SUITE)["settings"]
    options = RunOptions(
        seed=settings["seed"],
        packet_s=settings["packet_s"],
        delay_s=settings["delay_s"],
        broker="none",
    )

    run = run_score([quakes_dir], options, jobs=2, old=SUITE, clock=SystemClock())

    assert run.comparison is not None
    assert run.comparison.notes == ()  # the same folders, files and settings
    worse = [
        f"{one.where} {one.figure}: {one.old} -> {one.new}, band {one.band} ({one.reason})"
        for one in run.comparison.failed
    ]
    assert not worse, "\n".join(worse)
