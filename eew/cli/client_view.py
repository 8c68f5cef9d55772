"""How ``eew client`` shows a device: a live box in a terminal, boxes in a pipe, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import msgspec
import typer
from rich.live import Live
from rich.text import Text

from clients.events import Ignored
from clients.presentation import Presentation
from clients.session import Link
from clients.textbox import render_text
from eew.app.client_watch import Summary
from eew.app.device_brokers import DeviceBrokers
from eew.cli.console import result_console
from eew.clock import NS_PER_S
from eew.report.times import utc

__all__ = ["JsonView", "TerminalView"]

_STYLES = {"take_action": "bold red", "shaking_now": "bold red", "be_aware": "yellow"}


class TerminalView:
    """Text on standard output; in a terminal the screen is drawn anew in its place.

    In a pipe, a new box comes when the screen says something new; that a number has become less
    is nothing new.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._out = result_console()
        self._live: Live | None = None
        self._said: object = None
        self._box = ""
        self._broker = ""

    def __enter__(self) -> Self:
        if self._out.is_terminal:
            self._live = Live(console=self._out, auto_refresh=False, transient=False)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def opened(self, brokers: DeviceBrokers, words: Sequence[str]) -> None:
        """Say where the device connects."""
        self._broker = str(brokers)
        self._out.print(f"SIMULATION: a device on {brokers}; Ctrl-C ends")
        for line in words:
            self._out.print(line, style="dim")

    def waiting(self, words: str) -> None:
        """Say what the device waits for."""
        self._out.print(words, style="dim")

    def screen(self, shown: Presentation, link: Link, at_ns: int) -> None:
        """Draw the screen."""
        box = render_text(shown)
        if self._live is not None:
            style = _STYLES.get(shown.phase.value, "")
            state = f"{_clock(at_ns)} UTC by its clock, {link.value}, {self._broker}"
            self._live.update(Text.assemble((box, style), "\n", (state, "dim")), refresh=True)
            return
        news = _news(shown, link)
        if news != self._said and box != self._box:
            self._said, self._box = news, box
            typer.echo(f"{_clock(at_ns)} UTC  {link.value}")
            typer.echo(box)

    def link_failed(self, reason: str) -> None:
        """Say why there is no connection."""
        self._out.print(f"no connection: {reason}; trying again", style="magenta")

    def refused(self, event: Ignored) -> None:
        """Say what was not taken."""
        if self._verbose:
            self._out.print(_refusal_words(event), style="dim")

    def ended(self, summary: Summary) -> None:
        """Print the counts."""
        if self._live is not None:
            self._live.stop()
        counts = summary.counts
        refused = {
            name: n for name, n in counts.items() if name not in ("accepted", "vanished") and n
        }
        words = ", ".join(f"{n} {name}" for name, n in refused.items()) or "none"
        self._out.print(
            f"ended: {counts.get('accepted', 0)} alert messages taken, {summary.shown} shown; "
            f"refused: {words}"
        )
        moved = f"; moved {summary.moves} times, {summary.cells} areas" if summary.moves else ""
        self._out.print(
            f"{summary.connections} connections, {summary.failures} failed or lost{moved}"
        )


class JsonView:
    """A JSON object per line: ``screen``, ``refused``, ``link_failed``, at last ``summary``."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def opened(self, brokers: DeviceBrokers, words: Sequence[str]) -> None:
        """Say on standard error what is no change of the screen."""
        for line in (f"SIMULATION: a device on {brokers}", *words):
            typer.echo(line, err=True)

    def waiting(self, words: str) -> None:
        """Say on standard error what the device waits for."""
        typer.echo(words, err=True)

    def screen(self, shown: Presentation, link: Link, at_ns: int) -> None:
        """Write the screen."""
        screen = msgspec.to_builtins(shown)
        _write({"at_ns": at_ns, "link": link.value, "screen": screen})

    def link_failed(self, reason: str) -> None:
        """Write why there is no connection."""
        _write({"link_failed": reason})

    def refused(self, event: Ignored) -> None:
        """Write what was not taken."""
        if self._verbose:
            _write({"refused": asdict(event)})

    def ended(self, summary: Summary) -> None:
        """Write the counts."""
        _write({"summary": asdict(summary)})


def _write(words: dict[str, Any]) -> None:
    typer.echo(json.dumps({"simulation": True, **words}, ensure_ascii=False))


def _news(shown: Presentation, link: Link) -> object:
    """Return what makes a screen worth another box."""
    return (
        link,
        shown.phase,
        shown.event_id,
        shown.serial,
        shown.level,
        shown.layout,
        shown.intensity_label,
        shown.place,
        len(shown.notes),
        shown.help,
    )


def _refusal_words(event: Ignored) -> str:
    what = f"{event.event_id} serial {event.serial}" if event.event_id else event.topic
    detail = f" ({event.detail})" if event.detail else ""
    return f"refused: {what}: {event.reason.replace('_', ' ')}{detail}"


def _clock(at_ns: int) -> str:
    return utc(at_ns // NS_PER_S * NS_PER_S, digits=0)[11:19]
