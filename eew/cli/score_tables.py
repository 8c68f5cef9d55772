"""What ``eew score`` prints: a line per quake, the totals, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eew.report.score_result import FolderScore, Snapshot
from eew.report.score_time_plots import settings_words
from eew.report.statistics import bias_and_sigma

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from eew.app.score_run import ScoreRun
    from eew.report.score_compare import Comparison

NAME_WIDTH = 24
_SHOWN_CHANGES = 40


def print_score(out: Console, run: ScoreRun, folder: Path | None) -> None:
    """Print tables and totals of a score."""
    quakes = [one for one in run.scores if one.expected]
    others = [one for one in run.scores if not one.expected]
    out.print(f"SIMULATION   score of {len(run.scores)} folders; {settings_words(run.settings)}")
    if quakes:
        out.print()
        out.print(time_table(quakes))
        out.print()
        out.print(error_table(quakes))
    if others:
        out.print()
        out.print(noise_table(others))
    for one in run.scores:
        for phantom in one.phantoms:
            when = "after the quake" if phantom.after_quake else "without a quake"
            out.print(
                f"{one.name}: event {phantom.event_id} (M{phantom.magnitude:.1f}, "
                f"{phantom.n_stations} stations) is not in the catalogue, {when}"
            )
    out.print()
    if quakes:
        out.print(group_table(run.document["totals"]))
        out.print()
        out.print(site_table(run.document["totals"]["sites"]))
        out.print()
    for line in total_lines(run.document["totals"], run.settings.damage_to_action):
        out.print(line)
    if run.comparison is not None:
        out.print()
        print_comparison(out, run.comparison)
    if folder is not None:
        out.print(f"\nscore saved in {folder}", overflow="fold")


def time_table(quakes: Sequence[FolderScore]) -> Table:
    """Return detection and times; floors are subtracted from the alert."""
    detectors = sorted({line.detector for one in quakes for line in one.published})
    names = ("M", "net", "events", "1st P", "alert", "-P1", "-P4", "-P4 obs", *detectors)
    table = _table("times, s", names)
    for one in quakes:
        theirs = {line.detector: line.t_s for line in one.published}
        assert one.truth is not None
        table.add_row(
            one.name,
            f"{one.truth.magnitude:.1f}",
            "in" if one.network is not None and one.network.in_network else "edge",
            _events(one),
            _cell(min(one.observed_floor_s, default=None), ".1f"),
            _cell(one.first_alert_s, ".1f") if one.detected else "missed",
            _cell(_at(one.minus_floor_s(), 1), "+.1f"),
            _cell(_at(one.minus_floor_s(), 4), "+.1f"),
            _cell(_at(one.minus_observed_floor_s(), 4), "+.1f"),
            *(_cell(theirs.get(name), ".1f") for name in detectors),
        )
    return table


def error_table(quakes: Sequence[FolderScore]) -> Table:
    """Return errors at the first alert, later and at the end; "best" is the best location."""
    names = ("km 1st", "final", "best 1st", "final", "t s", "dM 1st", "+2", "+5", "final")
    table = _table("errors", (*names, "I bias", "sigma", "n"))
    for one in quakes:
        at = one.snapshots
        first, plus_2, plus_5, final = (at.get(m) for m in ("first", "+2", "+5", "final"))
        compared = [
            station.predicted - station.observed
            for station in one.stations
            if station.compared and station.predicted is not None and station.observed is not None
        ]
        bias, sigma = bias_and_sigma(compared)
        table.add_row(
            one.name,
            _of(first, "epicentre_km", ".1f"),
            _of(final, "epicentre_km", ".1f"),
            _of(first, "best_epicentre_km", ".1f"),
            _of(final, "best_epicentre_km", ".1f"),
            _of(final, "origin_time_s", "+.1f"),
            *(_of(snapshot, "magnitude", "+.2f") for snapshot in (first, plus_2, plus_5, final)),
            _cell(bias, "+.2f"),
            _cell(sigma, ".2f"),
            str(len(compared)),
        )
    return table


def noise_table(others: Sequence[FolderScore]) -> Table:
    """Return the folders in which nothing may be alerted."""
    table = _table("nothing to alert", ("minutes", "alerted"))
    for one in others:
        table.add_row(one.name, f"{one.quiet_s / 60.0:.1f}", str(one.events.alerted))
    return table


def site_table(sites: dict[str, Any]) -> Table:
    """Return how many places got which word at each threshold."""
    words = ("timely", "late", "missed", "false", "precautionary", "not_needed")
    table = _table("stations as places", (*(w.replace("_", " ") for w in words), "warning", "Q"))
    for threshold, row in sites.items():
        table.add_row(
            f"intensity {threshold}",
            *(str(row[word]) for word in words),
            _cell(row["warning_s"]["p50"], ".1f", " s"),
            _cell(row["q"], ".2f"),
        )
    return table


def group_table(totals: dict[str, Any]) -> Table:
    """Return medians and tails of quakes in the network, at its edge, and below M7."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("quakes", no_wrap=True)
    groups = [totals[key] for key in _GROUPS]
    for words in _GROUPS.values():
        for name in (f"{words} p50", "p75", "p95"):
            table.add_column(name, justify="right", no_wrap=True)
    table.add_row(
        "detected",
        *(
            cell
            for group in groups
            for cell in (f"{group['detected']} of {group['quakes']}", "", "")
        ),
    )
    for words, path, form in _GROUP_ROWS:
        cells = []
        for group in groups:
            found: Any = group
            for key in path:
                found = found[key]
            cells += [_cell(found[quantile], form) for quantile in ("p50", "p75", "p95")]
        table.add_row(words, *cells)
    return table


_GROUPS = {"in_network": "in network", "edge": "edge", "below_m7": "below M7"}
_GROUP_ROWS = (
    ("alert minus 4th P, catalogue, s", ("alert_minus_floor_s", "truth"), ".1f"),
    ("alert minus 4th P, observed, s", ("alert_minus_floor_s", "observed"), ".1f"),
    ("epicentre, first, km", ("errors", "first", "epicentre_km"), ".1f"),
    ("epicentre, final, km", ("errors", "final", "epicentre_km"), ".1f"),
    ("to best location, first, km", ("errors", "first", "best_epicentre_km"), ".1f"),
    ("to best location, final, km", ("errors", "final", "best_epicentre_km"), ".1f"),
    ("depth, final, km", ("errors", "final", "depth_km"), ".1f"),
    ("origin time, final, s", ("errors", "final", "origin_time_s"), ".1f"),
    ("magnitude, first", ("errors", "first", "magnitude"), ".2f"),
    ("magnitude, +2 s", ("errors", "+2", "magnitude"), ".2f"),
    ("magnitude, final", ("errors", "final", "magnitude"), ".2f"),
)


def total_lines(totals: dict[str, Any], damage_to_action: float) -> list[str]:
    """Return what no table holds, in words."""
    events, noise, shaking = totals["events"], totals["noise"], totals["shaking"]
    detected = (
        f"{totals['detected']} of {totals['quakes']} quakes; {events['split']} split, "
        f"{events['merged']} merged, {events['withdrawn']} withdrawn, {events['phantom']} phantom"
    )
    if events["phantom_after_quake"]:
        detected += f" ({events['phantom_after_quake']} after the quake)"
    watched = f"{noise['false_events']} false events in {noise['hours']:.2f} h"
    if noise["per_hour_95_upper"] is not None:
        watched += f" (with 95 % fewer than {noise['per_hour_95_upper']:.1f} an hour)"
    lines = [f"detected       {detected}", f"noise          {watched}"]
    together = totals["reliability"]["together"]
    for words, prefix in (("catalogue", ""), ("best location", "best_")):
        shares = [
            f"{name.replace('_', ' ')} {100.0 * together[prefix + name]['inside']:.0f} %"
            for name in ("epicentre", "depth", "origin_time", "magnitude")
            if prefix + name in together
        ]
        if shares:
            lines.append(f"one sigma      {words}: {', '.join(shares)} inside")
    if shaking["n"]:
        each = shaking["per_quake"]
        lines.append(
            f"intensity      bias {_cell(shaking['bias'], '+.2f')}, sigma "
            f"{_cell(shaking['sigma'], '.2f')} at {shaking['n']} stations; of the median quake "
            f"{_cell(each['bias_size']['p50'], '.2f')} and {_cell(each['sigma']['p50'], '.2f')}"
        )
    if shaking["left_out"]:
        words = ", ".join(f"{count} {word}" for word, count in shaking["left_out"].items())
        lines.append(f"               left out by their records: {words}")
    for name, row in totals["published"].items():
        lines.append(
            f"{name:<14} we are earlier in {row['earlier']} of {row['folders']} folders, in the "
            f"median by {_cell(row['earlier_s']['p50'], '.1f')} s"
        )
    lines.append(f"Q              cost score with damage = {damage_to_action:g} times an action")
    return lines


def print_comparison(out: Console, comparison: Comparison) -> None:
    """Print what changed against the old score, the worst first."""
    changed = [one for one in comparison.changes if one.verdict != "same"]
    order = {"too much worse": 0, "worse": 1, "better": 2}
    changed.sort(key=lambda one: (order[one.verdict], one.where, one.figure))
    out.print(
        f"compared with the old score: {len(comparison.changes)} figures, "
        + ", ".join(
            f"{sum(one.verdict == verdict for one in changed)} {verdict}" for verdict in order
        )
    )
    for note in comparison.notes:
        out.print(f"note: {note}", overflow="fold")
    if not changed:
        return
    table = _table("where", ("figure", "old", "new", "band", "verdict"))
    for one in changed[:_SHOWN_CHANGES]:
        table.add_row(
            one.where,
            one.figure,
            _cell(one.old, "g"),
            _cell(one.new, "g"),
            f"{one.band:g}",
            one.verdict,
            style={"too much worse": "bold red", "better": "green"}.get(one.verdict, ""),
        )
    out.print(table)
    if len(changed) > _SHOWN_CHANGES:
        out.print(f"{len(changed) - _SHOWN_CHANGES} more in the document (--json)", style="dim")


# ---------------------------------------------------------------------- parts


def _table(first: str, names: Iterable[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(first, overflow="ellipsis", no_wrap=True, max_width=NAME_WIDTH)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _events(score: FolderScore) -> str:
    events = score.events
    words = [
        f"{count} {word}"
        for word in ("split", "merged", "phantom", "withdrawn")
        if (count := getattr(events, word))
    ]
    return f"{events.alerted}" + (f" ({', '.join(words)})" if words else "")


def _at(values: Sequence[float], n: int) -> float | None:
    return values[n - 1] if len(values) >= n else None


def _cell(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def _of(snapshot: Snapshot | None, name: str, form: str) -> str:
    return "-" if snapshot is None else _cell(getattr(snapshot, name), form)
