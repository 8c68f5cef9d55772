"""The calibration report: verdicts, page, document, figures, and the way they are written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eew.app.calibration import calibrate
from eew.cli.calibration_tables import print_calibration
from eew.errors import ConfigError, DataError
from eew.model.calibration import (
    Calibration,
    Check,
    Pair,
    QuakeComparison,
    RegionCalibration,
    SpectrumComparison,
)
from eew.report.calibration_document import calibration_document, calibration_page
from eew.report.calibration_folder import check_calibration_folder, write_calibration
from eew.report.calibration_plots import envelopes_png
from simulator.calibration.checks import checks_of_quake, checks_of_region
from simulator.calibration.grid import columns, residuals_of

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

MAGNITUDES, DISTANCES_KM = (4.0, 6.0, 7.0), (10.0, 50.0)


def made(off: float = 0.0) -> Calibration:
    """A report on residuals drawn with the scatter that is wanted, ``off`` too large."""
    draw = np.random.default_rng(5)
    keys = [(m, km) for m in MAGNITUDES for km in DISTANCES_KM for _ in range(60)]
    count = len(columns("california"))
    sigma = np.array([0.37, 0.25, 0.25, 0.2, *[0.2] * (count - 4)])
    noise = draw.standard_normal((len(keys), count))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0) * sigma
    noise[:, 1] += off
    rows = np.column_stack((np.array(keys), noise))
    hz = np.array([0.5, 2.0, 8.0])
    spectrum = SpectrumComparison(
        magnitude=4.0, distance_km=15.0, frequency_hz=hz, computed=1.1 * hz, target=hz
    )
    region = RegionCalibration(
        region="california", residuals=residuals_of("california", rows), spectra=(spectrum,)
    )
    quake = recorded()
    return Calibration(
        seed=1,
        repeats=60,
        regions=(region,),
        quakes=(quake,),
        missing=("tw20210418_ml58_hualien",),
        checks=(*checks_of_region(region), *checks_of_quake(quake)),
    )


def recorded() -> QuakeComparison:
    peaks = np.array([2.0, 1.0, 0.5])
    wave = np.sin(np.arange(4_000) / 7.0)
    pair = Pair(
        station="CI.AAA",
        distance_km=3.0,
        recorded_start_s=-5.0,
        recorded_rate_hz=200.0,
        recorded=wave,
        computed_start_s=-5.0,
        computed_rate_hz=100.0,
        computed=wave[:2_000],
    )
    return QuakeComparison(
        name="us20190706_m71_ridgecrest",
        title="Ridgecrest",
        magnitude=7.1,
        source="somebody (2020)",
        stations=("CI.AAA", "CI.BBB", "CI.CCC"),
        distance_km=np.array([3.0, 10.0, 30.0]),
        vs30_mps=np.full(3, 450.0),
        recorded_pga=peaks,
        computed_pga=1.2 * peaks,
        model_pga=peaks,
        recorded_pgv=0.1 * peaks,
        computed_pgv=0.3 * peaks,
        model_pgv=0.1 * peaks,
        model="BSSA14",
        pairs=(pair,),
        left_out=("CI.DDD: known as bad",),
    )


def by(found: Calibration, measure: str, statistic: str, where: str = "") -> Check:
    (one,) = [
        c
        for c in found.checks
        if (c.measure, c.statistic, c.where) == (measure, statistic, where)
        and c.group == "california"
    ]
    return one


def test_figures_within_their_bounds_pass_and_others_do_not() -> None:
    good, bad = made(), made(off=0.2)
    assert by(good, "PGA", "median").passed
    assert by(good, "PGA", "sigma").value == pytest.approx(0.25, abs=0.001)
    assert not by(bad, "PGA", "median").passed
    assert by(bad, "PGA", "median").value == pytest.approx(0.2, abs=0.04)
    assert by(bad, "PGV", "median").passed
    assert {one.measure for one in bad.failed if one.group == "california"} == {"PGA"}


def test_every_magnitude_and_every_distance_is_a_bin() -> None:
    found = [c.where for c in made().checks if c.measure == "magnitude from Pd" and c.where]
    assert found == ["M 4", "M 6", "M 7", "10 km", "50 km"]


def test_a_figure_that_is_no_number_is_no_pass() -> None:
    assert not replace(by(made(), "PGA", "median"), value=float("nan")).passed


def test_a_figure_just_beyond_its_bound_shows_it() -> None:
    sigma = replace(by(made(), "magnitude from Pd", "sigma"), value=0.4512)
    assert not sigma.passed
    assert sigma.shown() == "0.451"
    assert replace(sigma, value=0.4488).shown() == "0.45"
    assert replace(by(made(), "PGA", "median"), value=-0.1).shown() == "-0.10"


def test_recorded_quakes_are_judged_by_the_median_of_their_stations() -> None:
    found = {(c.measure, c.statistic): c for c in checks_of_quake(recorded())}
    assert found[("PGA", "median")].value == pytest.approx(np.log10(1.2))
    assert found[("PGA", "median")].passed
    assert found[("PGV", "median")].value == pytest.approx(np.log10(3.0))
    assert not found[("PGV", "median")].passed


def test_the_document_says_everything_in_json() -> None:
    found = made(off=0.2)
    document = json.loads(json.dumps(calibration_document(found, "1.2.3")))
    assert document["schema"] == "eew.calibration/1"
    assert document["simulation"] is True
    assert document["passed"] is False
    assert document["checks_failed"] == len(found.failed)
    assert len(document["checks"]) == len(found.checks)
    assert document["missing"] == ["tw20210418_ml58_hualien"]
    assert document["quakes"][0]["stations"][1]["computed_pga_mps2"] == 1.2


def test_what_was_not_there_is_no_pass() -> None:
    found = replace(made(), checks=(by(made(), "PGA", "median"),))
    assert calibration_document(found, "1")["passed"] is False
    assert calibration_document(replace(found, missing=()), "1")["passed"] is True


def test_the_page_has_every_figure_and_marks_what_is_beyond() -> None:
    page = calibration_page(made(off=0.5), "eew simulate --calibration")
    assert "SIMULATION" in page
    assert "eew simulate --calibration" in page
    assert "| PGA | BSSA14 | 360 | **+0." in page
    assert "Not there, so not compared: tw20210418_ml58_hualien." in page
    assert "| by magnitude | 4 | 6 | 7 |" in page
    assert "| by distance, km | 10 | 50 |" in page


def test_the_page_shows_the_figures_that_are_written_beside_it(tmp_path: Path) -> None:
    found = made()
    write_calibration(found, tmp_path, "eew simulate")
    images = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.png")}
    assert len(images) == 4
    page = (tmp_path / "calibration.md").read_text(encoding="utf-8")
    assert all(f"({path.as_posix()})" in page for path in images)
    check_calibration_folder(tmp_path)  # ours may be written over
    again = envelopes_png(found, found.regions[0])
    assert again == images[Path("images/calibration/california-envelopes.png")]


def test_a_page_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "calibration.md").write_text("mine")
    with pytest.raises(ConfigError, match="not written by a calibration"):
        check_calibration_folder(tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        check_calibration_folder(tmp_path / "file")


def test_the_printed_tables_name_the_bins_that_are_beyond(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.console import Console

    print_calibration(Console(width=140), made(off=0.5), Path("docs"))
    printed = capsys.readouterr().out
    assert "SIMULATION" in printed
    assert "M 4 +0.5" in printed or "M 4 +0.4" in printed
    assert "not there, so not compared: tw20210418_ml58_hualien" in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"region": "atlantis"}, "no region 'atlantis'"),
        ({"jobs": 0}, "--jobs"),
        ({"repeats": 0}, "--repeats"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        calibrate(**{"region": None, "seed": 1, **options})  # type: ignore[arg-type]


def test_a_recorded_quake_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "us20190706_m71_ridgecrest"
    folder.mkdir()
    (folder / "waveforms.mseed").write_bytes(b"not seismograms")
    with pytest.raises(DataError, match="us20190706_m71_ridgecrest"):
        calibrate("california", seed=1, repeats=1, quakes=tmp_path)
