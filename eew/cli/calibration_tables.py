"""What ``eew simulate --calibration`` prints: a table for each region, one for recorded quakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eew.model.calibration import Calibration, Check

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NAME_WIDTH = 26


def print_calibration(out: Console, found: Calibration, folder: Path | None) -> None:
    """Print figures with bounds and verdicts."""
    out.print(
        f"SIMULATION   computed motion against models and recordings, seed {found.seed}, "
        f"{found.repeats} quakes of each magnitude"
    )
    for region in found.regions:
        out.print()
        out.print(region_table(found, region.region))
    if found.quakes:
        out.print()
        out.print(quake_table(found))
    out.print()
    if found.missing:
        out.print(f"not there, so not compared: {', '.join(found.missing)}")
    failed = len(found.failed)
    out.print(
        f"{len(found.checks) - failed} of {len(found.checks)} figures within their bounds, "
        f"{failed} beyond"
    )
    if folder is not None:
        out.print(f"saved {folder / 'calibration.md'}", overflow="fold")


def region_table(found: Calibration, region: str) -> Table:
    """Return one line for each measure; bins beyond their bounds are named."""
    table = _table(region, ("against", "n", "bias", "bound", "sigma", "bound", "bins beyond"))
    checks = [one for one in found.checks if one.group == region]
    by_measure: dict[str, list[Check]] = {}
    for one in checks:
        by_measure.setdefault(one.measure, []).append(one)
    for measure, group in by_measure.items():
        overall = [one for one in group if not one.where]
        beyond = [one for one in group if one.where and not one.passed]
        if not overall:  # spectra: by magnitude and distance only
            worst = max(group, key=lambda one: abs(one.value))
            table.add_row(
                measure, worst.against, str(worst.n), _value(worst), _span(worst), "", "",
                _words(beyond),
            )  # fmt: skip
            continue
        middle = overall[0]
        sigma = next((one for one in overall if one.statistic == "sigma"), None)
        table.add_row(
            measure,
            middle.against,
            str(middle.n),
            _value(middle),
            _span(middle),
            "" if sigma is None else _value(sigma),
            "" if sigma is None else _span(sigma),
            _words(beyond),
        )
    return table


def quake_table(found: Calibration) -> Table:
    """Return computed over recorded peaks, log10."""
    table = _table(
        "recorded quakes, log10 of computed over recorded",
        ("stations", "PGA", "PGV", "bound", "scatter", "scatter", "bound"),
    )
    for quake in found.quakes:
        by = {(c.measure, c.statistic): c for c in found.checks if c.group == quake.name}
        table.add_row(
            quake.name,
            str(len(quake.stations)),
            _value(by[("PGA", "median")]),
            _value(by[("PGV", "median")]),
            _span(by[("PGA", "median")]),
            _value(by[("PGA", "sigma")]),
            _value(by[("PGV", "sigma")]),
            _span(by[("PGA", "sigma")]),
        )
    return table


def _table(title: str, names: tuple[str, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    table.add_column("", width=_NAME_WIDTH, no_wrap=True)
    for name in names:
        table.add_column(name, justify="left" if name in ("against", "bins beyond") else "right")
    return table


def _value(check: Check) -> str:
    text = check.shown()
    return text if check.passed else f"{text} !"


def _span(check: Check) -> str:
    if check.low == -check.high:
        return f"±{check.high:g}"
    return f"{check.low:g}..{check.high:g}"


def _words(beyond: list[Check]) -> str:
    return "; ".join(f"{one.where} {one.shown()}" for one in beyond)
