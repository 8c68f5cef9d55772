"""What ``eew replay`` shows at its end: verdict, places, two screens, where the seconds went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eew.cli.terminal import INDENT, SCALE_SHORT
from eew.model.alert import Level
from eew.report.result import MODELLED, RunResult, TargetResult
from eew.report.statistics import quantiles

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from eew.app.session import Outcome

PLACES_SHOWN = 15
WIDE = 98
_OUTCOME_WORDS = {"late": "late (blind zone)", "not_needed": "not needed"}
_OUTCOME_STYLE = {
    "timely": "green",
    "late": "red",
    "missed": "magenta",
    "false": "magenta",
    "precautionary": "cyan",
}
_LEVEL_WORDS = {Level.NONE: "-", Level.BE_AWARE: "be aware", Level.TAKE_ACTION: "take action"}
_MODELLED_ORDER = ("packet", "link", "detect", "decide", "update")
_MEASURED_ORDER = ("compute", "encode", "publish", "deliver", "show")


def print_closing(out: Console, outcome: Outcome, *, n_picks: int, updates_left_out: int) -> None:
    """Print everything after the timeline."""
    result = outcome.result
    counted = [f"{n_picks} picks in all" if n_picks else "no picks"]
    if updates_left_out:
        plural = "s" if updates_left_out > 1 else ""
        counted.append(f"{updates_left_out} smaller update{plural}")
    where = " (all in timeline.jsonl)" if n_picks else ""
    out.print(f"{INDENT}{', '.join(counted)}{where}", style="dim")
    if not result.info.complete:
        out.print("\nSTOPPED before the end of the data: what follows is partial", style="bold red")
    out.print()
    for line in verdict_lines(result):
        out.print(line)
    for line in expectation_lines(result):
        out.print(line, style="" if line.endswith("met") and "NOT" not in line else "bold red")
    # without truth and alert there is no quake that a place could be told of
    if any(row.distance_km is not None for row in result.targets):
        out.print()
        out.print(places_table(result, wide=out.width >= WIDE))
        if len(result.targets) > PLACES_SHOWN:
            out.print(f"{len(result.targets) - PLACES_SHOWN} more in targets.csv", style="dim")
    _print_screens(out, result)
    out.print()
    out.print(delay_table(result))
    out.print()
    for line in end_lines(outcome):
        out.print(line, overflow="fold")


def verdict_lines(result: RunResult) -> list[str]:
    """Return what the detector made of it, in a few lines."""
    found, truth = result.detection, result.recording.truth
    if not result.messages:
        line = "no alert"
        if truth is not None:
            line += f"; the catalogue has M{truth.magnitude:.1f}"
        return [line]
    lines = []
    if found.first_alert_s is not None:
        after = "origin" if result.zero_is == "origin" else "the first pick"
        line = f"first alert  {found.first_alert_s:.1f} s after {after}"
        if len(found.nth_p_floor_s) >= 4:
            line += f"; the 4th P reached a station at {found.nth_p_floor_s[3]:.1f} s"
        lines.append(line)
    epicentre, magnitude = found.epicentre_error_km, found.magnitude_error
    if epicentre.first is not None and epicentre.final is not None:
        lines.append(
            f"epicentre    off by {epicentre.first:.1f} km at first, {epicentre.final:.1f} km at "
            "the end"
        )
    if magnitude.first is not None and magnitude.final is not None:
        # + 0.0: no "-0.0"
        first, final = (round(one, 1) + 0.0 for one in (magnitude.first, magnitude.final))
        lines.append(f"magnitude    off by {first:+.1f} at first, {final:+.1f} at the end")
    if found.blind_zone_km is not None:
        lines.append(f"blind zone   {found.blind_zone_km:.0f} km around the epicentre")
    if found.events > 1 or found.false_alerts:
        words = f"events       {found.events} alerted"
        if found.false_alerts:
            words += f", {found.false_alerts} without a match in the catalogue (counted as false)"
        if found.splits:
            words += f", {found.splits} a split of the true one"
        lines.append(words)
    if truth is not None and not found.detected:
        lines.append(f"the true M{truth.magnitude:.1f} was not alerted")
    return lines


def expectation_lines(result: RunResult) -> list[str]:
    """Return what the scenario expects, what came, and whether that meets it."""
    return [
        f"{'expected' if n == 0 else '':<12} {one.asked}: {one.found}, "
        f"{'met' if one.met else 'NOT met'}"
        for n, one in enumerate(result.expectations)
    ]


def places_table(result: RunResult, *, wide: bool = True) -> Table:
    """Return the table of places, nearest first; a narrow one goes without the level."""
    from rich.table import Table
    from rich.text import Text

    scale = SCALE_SHORT.get(result.targets[0].scale, result.targets[0].scale)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("place", overflow="ellipsis", no_wrap=True, max_width=24)
    told = "told (model)" if result.info.channel_latency == MODELLED else "told at"
    for name in ("dist km", f"{scale} pred/obs", "S arrives", told, "lead time"):
        table.add_column(name, justify="right", no_wrap=True)
    if wide:
        table.add_column("level", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for row in result.targets[:PLACES_SHOWN]:
        table.add_row(
            row.site.name,
            _number(row.distance_km, ".0f"),
            " / ".join(
                _number(value, ".1f") for value in (row.predicted_intensity, row.observed_intensity)
            ),
            _number(row.s_arrival_s, "+.1f", " s"),
            _number(row.told_s, "+.1f", " s"),
            _number(row.lead_time_s, "+.1f", " s"),
            *((_LEVEL_WORDS[row.level],) if wide else ()),
            Text(outcome_words(row), style=_OUTCOME_STYLE.get(row.outcome, "")),
        )
    return table


def outcome_words(row: TargetResult) -> str:
    """Return the outcome of a place as the table shows it."""
    return _OUTCOME_WORDS.get(row.outcome, row.outcome)


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def _print_screens(out: Console, result: RunResult) -> None:
    from eew.report.times import utc_clock

    for screen in result.screens:
        since = f"{result.since_zero_s(screen.at_ns):+.1f} s"
        name = "TV" if screen.kind == "tv" else "phone"
        out.print()
        out.print(f"{name}, {screen.site}, {utc_clock(screen.at_ns)} ({since})", style="dim")
        for line in screen.text.splitlines():
            out.print(line, no_wrap=True, overflow="crop", soft_wrap=True)


def delay_table(result: RunResult) -> Table:
    """Return the delay budget: modelled stages in data time, measured ones on this machine."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("delay budget", no_wrap=True)
    for name in ("p50", "p95", "max"):
        table.add_column(name, justify="right", no_wrap=True, min_width=9)
    table.add_column("of what", no_wrap=True, overflow="ellipsis")
    rows: list[tuple[str, str, Any, str]] = []
    for stage in _MODELLED_ORDER:
        if stage in result.stages_s:
            rows.append(("modelled", stage, result.stages_s[stage], _STAGE_WORDS[stage]))
    for stage in _MEASURED_ORDER:
        if stage in result.measured.stages_s:
            samples = result.measured.stages_s[stage]
            rows.append(("measured", stage, samples, _STAGE_WORDS[stage]))
    before = ""
    for kind, stage, samples, words in rows:
        if before and kind != before:
            table.add_section()
        before = kind
        quantile = quantiles(samples, digits=6)
        table.add_row(
            f"{kind} {stage}",
            *(_duration(quantile[name], kind) for name in ("p50", "p95", "max")),
            words,
            style="" if kind == "modelled" else "cyan",
        )
    return table


_STAGE_WORDS = {
    "packet": "P onset to the end of its packet",
    "link": "end of the packet to its arrival",
    "detect": "arrival to pick known (it waits for samples)",
    "decide": "first pick known to first alert (further picks)",
    "update": "age of the newest data behind a message",
    "compute": "detector, one step of data",
    "encode": "message to bytes",
    "publish": "hand-over to broker until acknowledged",
    "deliver": "publish to receipt on a device",
    "show": "receipt to words on the screen",
}


def _duration(seconds: float | None, kind: str) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if kind == "modelled" else f"{seconds * 1e3:.2f} ms"


def end_lines(outcome: Outcome) -> list[str]:
    """Return delivery, data problems, time taken and where everything is."""
    result = outcome.result
    delivery, wall_s = result.delivery, result.measured.wall_s
    lines = []
    if delivery.devices:
        latency = quantiles(result.measured.delivery_ms)
        words = (
            f"delivery     {delivery.devices} devices, {delivery.delivered} of "
            f"{delivery.expected} messages, {delivery.lost} lost, {delivery.duplicates} twice on "
            "a screen"
        )
        if result.info.channel_latency == MODELLED:
            words += f" (MODELLED {result.info.channel})"
        lines.append(words)
        if latency["p50"] is not None:
            times = ", ".join(f"{latency[name]:.1f} ({name})" for name in ("p50", "p99", "max"))
            lines.append(f"             ms from publishing to receipt: {times}")
    if result.problems:
        counts: dict[str, int] = {}
        for problem in result.problems:
            counts[problem.kind] = counts.get(problem.kind, 0) + problem.count
        words = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        lines.append(f"data         set aside or mended: {words}")
    speed = result.measured.real_time_factor
    times = f", {speed:.0f} times real time" if speed else ""
    lines.append(
        f"time         {wall_s.get('total', 0.0):.1f} s, of which replay "
        f"{wall_s.get('replay', 0.0):.1f} s{times}"
    )
    lines.append(f"run saved    {outcome.folder}   (map.png, section.png, summary.json)")
    return lines
