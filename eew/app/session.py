"""What ``eew replay`` does, without the words: load, run, draw, write."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eew.app.expectation import compared
from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.app.source import Source, event_name, load_source, packet_length_s, with_arrivals
from eew.app.view import RunView
from eew.clock import NS_PER_S, Clock
from eew.interrupt import stop_on_signals
from eew.report.folder import check_output_folder, write_run
from eew.report.result import RunResult
from eew.report.summary import measured, merged

INTERRUPTED = 130
RUNS = Path("runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run that is over: its result, the merged summary, where it is saved, how to exit."""

    result: RunResult
    document: dict[str, Any]
    folder: Path
    exit_code: int


def replay_event(
    event: str, options: RunOptions, *, out: Path | None, view: RunView, clock: Clock
) -> Outcome:
    """Replay what ``event`` names and save the run.

    A first Ctrl-C while the data are played ends the run early: what there is by then is
    written and marked, and the exit code is 130.

    Raises
    ------
    EewError
        If event, options, data, output folder or broker cannot be used.
    """
    watch = _Watch(clock)
    folder = out or RUNS / f"{event_name(event)}-{options.seed}"
    check_output_folder(folder)
    check_broker(options.carrier)
    view.part("reading")
    source = load_source(event, seed=options.seed)
    if options.arrivals == "recorded":
        source = with_arrivals(event, source)
        options = replace(options, packet_s=packet_length_s(source))
    watch.done("compute" if source.is_computed else "read")
    options = options.with_script(source.script, source.zero)
    result = asyncio.run(_interruptible(source, options, view, clock))
    result = replace(result, expectations=compared(source.script.expect, result))
    watch.parts |= result.measured.wall_s
    watch.skip()
    view.part("drawing")
    extra = _drawn(result, watch)
    view.part("writing")

    def machine() -> dict[str, Any]:
        watch.done("write")
        now = replace(result, measured=replace(result.measured, wall_s=watch.total()))
        return measured(now)

    document, here = write_run(
        result, folder, written_ns=clock.utc_ns(), extra=extra, machine=machine
    )
    return Outcome(
        result=replace(result, measured=replace(result.measured, wall_s=watch.total())),
        document=merged(document, here),
        folder=folder,
        exit_code=0 if result.info.complete else INTERRUPTED,
    )


def check_broker(spec: str) -> None:
    """Refuse a broker that cannot be understood, before the data are read.

    Raises
    ------
    ConfigError
        Naming ``--broker`` and the value found.
    """
    if spec != "none":
        from eew.egress.broker import open_broker

        open_broker(spec)  # says what is wrong at once; nothing is opened before it is entered


async def _interruptible(
    source: Source, options: RunOptions, view: RunView, clock: Clock
) -> RunResult:
    with stop_on_signals() as stop:
        return await run_replay(
            source.recording,
            options,
            sites=source.sites,
            languages=source.languages,
            arrivals=source.arrivals,
            view=view,
            clock=clock,
            stop=stop,
        )


def _drawn(result: RunResult, watch: _Watch) -> dict[str, bytes]:
    from eew.report.map_plot import map_png
    from eew.report.quakeml import quakeml_bytes
    from eew.report.section_plot import section_png

    extra = {"map.png": map_png(result), "section.png": section_png(result)}
    watch.done("plots")
    extra["event.quakeml.xml"] = quakeml_bytes(result)
    watch.done("quakeml")
    return extra


class _Watch:
    """Seconds of wall time per part of the program."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ns = self._last_ns = clock.monotonic_ns()
        self.parts: dict[str, float] = {}

    def done(self, name: str) -> None:
        """Book the time since the last call under ``name``."""
        now_ns = self._clock.monotonic_ns()
        self.parts[name] = (now_ns - self._last_ns) / NS_PER_S
        self._last_ns = now_ns

    def skip(self) -> None:
        """Start the next part now; the time before is booked elsewhere."""
        self._last_ns = self._clock.monotonic_ns()

    def total(self) -> dict[str, float]:
        """Return all parts and their total."""
        total_s = (self._clock.monotonic_ns() - self._began_ns) / NS_PER_S
        return {**self.parts, "total": total_s}
