"""``eew simulate --calibration``: the generator against models and recordings, shared out.

The pieces of work are independent of each other; what comes out is in their order and the same for
any number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eew.app.parallel import check_jobs, map_in_order
from eew.errors import ConfigError
from eew.ingest import read_quake_folder
from eew.model.calibration import (
    Calibration,
    Check,
    QuakeComparison,
    RegionCalibration,
    SpectrumComparison,
)
from eew.tables import load_table
from simulator.calibration.checks import checks_of_quake, checks_of_region
from simulator.calibration.grid import quake_rows, region_names, region_row, residuals_of
from simulator.calibration.quakes import compare_quake, quake_names
from simulator.calibration.spectra import compare_spectra

__all__ = ["REPEATS", "Progress", "calibrate", "quakes_folder"]

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

REPEATS = 9
_SPECTRUM_RECORDS = 5  # times the repeats: their mean is wanted, not their scatter
_WAVEFORMS = "waveforms.mseed"
_DEFAULT_QUAKES = Path("../shared/quakes")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One piece of work: quakes of one magnitude, spectra of a region, or a recorded quake."""

    kind: str
    name: str
    seed: int
    repeats: int
    magnitude: float = 0.0
    folder: Path | None = None

    @property
    def words(self) -> str:
        """What progress calls it."""
        return f"{self.name} M{self.magnitude:g}" if self.kind == "grid" else self.name


_Made = Floats | tuple[SpectrumComparison, ...] | QuakeComparison


def quakes_folder() -> Path:
    """Return where recorded quakes are looked for: ``EEW_QUAKES``, or beside the project."""
    return Path(os.environ.get("EEW_QUAKES", "") or _DEFAULT_QUAKES)


def calibrate(
    region: str | None,
    *,
    seed: int,
    repeats: int = REPEATS,
    jobs: int = 1,
    quakes: Path | None = None,
    progress: Progress = lambda name, done, total: None,
) -> Calibration:
    """Compute, measure and judge.

    Parameters
    ----------
    region : str or None
        One of ``calibration.toml``, with the recorded quakes of that region; None takes all.
    repeats : int
        Quakes of each magnitude, each seen at all distances.
    quakes : Path, optional
        Folder that holds the recorded quakes; those that are not there are named as missing.

    Raises
    ------
    ConfigError
        If an option cannot be used.
    DataError
        If a recorded quake cannot be used.
    """
    check_jobs(jobs)
    if repeats < 1:
        raise ConfigError("--repeats", f"must be 1 or more, was {repeats}")
    if region is not None:
        region_row(region)
    regions = region_names() if region is None else (region,)
    there, missing = _recorded(region, quakes_folder() if quakes is None else quakes)
    magnitudes: list[float] = load_table("calibration")["grid"]["magnitudes"]
    pieces = [_Piece(kind="quake", name=f.name, seed=seed, repeats=1, folder=f) for f in there]
    for name in regions:
        pieces.append(_Piece(kind="spectra", name=name, seed=seed, repeats=repeats))
        # large quakes first: they take longest
        pieces += [
            _Piece(kind="grid", name=name, seed=seed, repeats=repeats, magnitude=magnitude)
            for magnitude in sorted(magnitudes, reverse=True)
        ]

    def done(piece: _Piece, count: int) -> None:
        progress(piece.words, count, len(pieces))

    made = dict(zip(pieces, map_in_order(_do, pieces, jobs=jobs, progress=done), strict=True))
    found = tuple(_region(name, made) for name in regions)
    compared = tuple(one for one in made.values() if isinstance(one, QuakeComparison))
    checks: list[Check] = []
    for one in found:
        checks += checks_of_region(one)
    for quake in compared:
        checks += checks_of_quake(quake)
    return Calibration(
        seed=seed,
        repeats=repeats,
        regions=found,
        quakes=compared,
        missing=missing,
        checks=tuple(checks),
    )


def _recorded(region: str | None, folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Find the folders of the recorded quakes; also name those that are not there."""
    table = load_table("calibration_quakes")
    wanted = [n for n in quake_names() if region is None or table[n]["region"] == region]
    there = [name for name in wanted if (folder / name / _WAVEFORMS).is_file()]
    return [folder / name for name in there], tuple(n for n in wanted if n not in there)


def _region(name: str, made: dict[_Piece, _Made]) -> RegionCalibration:
    """Put the pieces of a region together, small magnitudes first."""
    rows = {
        piece.magnitude: one
        for piece, one in made.items()
        if piece.kind == "grid" and piece.name == name and isinstance(one, np.ndarray)
    }
    spectra = next(
        one
        for piece, one in made.items()
        if piece.kind == "spectra" and piece.name == name and isinstance(one, tuple)
    )
    together = np.concatenate([rows[magnitude] for magnitude in sorted(rows)])
    return RegionCalibration(region=name, residuals=residuals_of(name, together), spectra=spectra)


def _do(piece: _Piece) -> _Made:
    if piece.folder is not None:
        return compare_quake(piece.name, read_quake_folder(piece.folder), piece.seed)
    if piece.kind == "spectra":
        return compare_spectra(piece.name, piece.seed, _SPECTRUM_RECORDS * piece.repeats)
    distances_km = load_table("calibration")["grid"]["distances_km"]
    return np.concatenate(
        [
            quake_rows(piece.name, piece.magnitude, number, piece.seed, distances_km)
            for number in range(piece.repeats)
        ]
    )
