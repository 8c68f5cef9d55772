"""Where the calibration report is put: a page and its figures, beside other documents."""

from __future__ import annotations

from pathlib import Path

from eew.errors import ConfigError
from eew.model.calibration import Calibration
from eew.report.calibration_document import IMAGES, MARK, calibration_page, has_envelopes
from eew.report.calibration_plots import (
    envelopes_png,
    quake_png,
    residuals_png,
    spectra_png,
)

__all__ = ["PAGE", "check_calibration_folder", "write_calibration"]

PAGE = "calibration.md"


def check_calibration_folder(folder: Path) -> None:
    """Refuse a place where something else would be written over, before any work is done.

    Raises
    ------
    ConfigError
        If ``folder`` is a file, or holds a page of that name that is not ours.
    """
    if folder.is_file():
        raise ConfigError("--out", f"{folder} is a file, a folder is needed")
    page = folder / PAGE
    if page.exists() and not page.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise ConfigError("--out", f"{page} was not written by a calibration and is left alone")


def write_calibration(found: Calibration, folder: Path, command: str) -> None:
    """Write page and figures; the same report gives the same bytes.

    Raises
    ------
    ConfigError
        If the place is taken by something that is not ours, or cannot be written.
    """
    check_calibration_folder(folder)
    images = folder / IMAGES
    files = {folder / PAGE: calibration_page(found, command).encode()}
    for region in found.regions:
        files[images / f"{region.region}-residuals.png"] = residuals_png(found, region)
        if has_envelopes(region):
            files[images / f"{region.region}-envelopes.png"] = envelopes_png(found, region)
    files[images / "spectra.png"] = spectra_png(found)
    for quake in found.quakes:
        files[images / f"{quake.name}.png"] = quake_png(found, quake)
    try:
        images.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            path.write_bytes(data)
    except OSError as error:
        raise ConfigError("--out", f"{folder} cannot be written: {error.strerror}") from error
