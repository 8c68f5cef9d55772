"""What ``eew replay`` shows while it works: the timeline, live, and progress on stderr."""

from __future__ import annotations

import math
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from eew.cli.console import progress_console, result_console
from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage, Level, MsgType
from eew.model.event import EventClosed, Pick
from eew.report.result import MODELLED
from eew.report.times import utc_clock

if TYPE_CHECKING:
    from rich.progress import Progress

    from eew.core.pipeline import CoreEvent
    from eew.model.waveform import Recording
    from eew.report.result import RunInfo, Told

INDENT = " " * 22  # as wide as the two columns of time
PICKS_SHOWN = 4  # before an alert: a dense network makes a hundred
MAGNITUDE_STEP = 0.3  # further updates with a smaller change are counted, not shown
SCALE_SHORT = {"mmi": "MMI", "csi": "CSI", "jma": "JMA"}


class JsonView:
    """Shows progress only; use as a context manager."""

    def __init__(self) -> None:
        self._console = progress_console()
        self._progress: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._console is not None:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task("reading", total=None)
            self._progress.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def begin(self, info: RunInfo, recording: Recording, zero_ns: int | None) -> None:
        """Show nothing."""

    def connecting(self, connected: int, devices: int) -> None:
        """Show how many devices are there."""
        if self._progress is not None and devices:
            self._progress.update(
                self._task, description="connecting", completed=connected, total=devices
            )

    def progress(self, done_s: float, total_s: float) -> None:
        """Move the bar."""
        if self._progress is not None:
            self._progress.update(
                self._task, description="replaying", completed=done_s, total=total_s
            )

    def happened(self, event: CoreEvent) -> None:
        """Show nothing."""

    def told(self, message: AlertMessage, news: list[Told]) -> None:
        """Show nothing."""

    def part(self, name: str) -> None:
        """Name the part of the work that goes on."""
        if self._progress is not None:
            self._progress.update(self._task, description=name, completed=None, total=None)

    def pause(self) -> None:
        """Take the bar away, so that a line can be printed."""
        if self._progress is not None:
            self._progress.stop()

    def resume(self) -> None:
        """Show the bar again."""
        if self._progress is not None:
            self._progress.start()


class TerminalView(JsonView):
    """Prints the timeline as it happens in data time."""

    def __init__(self) -> None:
        super().__init__()
        self.out = result_console()
        self.n_picks = 0
        self.updates_left_out = 0
        self._zero_ns: int | None = None
        self._origin: tuple[int, str] | None = None  # until data time has come to it
        self._picks_shown = 0
        self._on_screen = "on screen"
        self._magnitude: dict[str, float] = {}  # last shown, by event

    def begin(self, info: RunInfo, recording: Recording, zero_ns: int | None) -> None:
        """Print the header."""
        self._zero_ns = zero_ns
        truth = recording.truth
        n_channels = sum(len(station.channels) for station in recording.stations)
        quake = info.event if truth is None else f"M{truth.magnitude:.1f} {info.event}"
        self._line(
            f"SIMULATION  {quake}   {len(recording.stations)} stations, {n_channels} channels   "
            f"seed {info.seed}   eew {info.version}",
            style="bold",
        )
        self._line(
            f"packets {info.packet_s:g} s   link {info.link}   broker {info.broker}   "
            f"messages say {info.status}",
            style="dim",
        )
        if info.channel_latency == MODELLED:
            self._line(
                f"MODELLED   told by {info.channel}: delays drawn from published figures, nothing "
                "measured",
                style="bold yellow",
            )
            self._on_screen = f"on screen (modelled {info.channel})"
        self._line("")
        since = "since P1" if truth is None else "since OT"
        self._line(f"{'UTC':>11} {since}  what", style="dim")
        if truth is not None:
            words = f"{position_words(truth.lat, truth.lon)}  {truth.depth_km:.0f} km deep"
            self._origin = (truth.origin_time_ns, f"origin (catalogue)  {words}")

    def happened(self, event: CoreEvent) -> None:
        """Print the first picks of a quake, and every message that changes something."""
        if isinstance(event, Pick):
            self._pick(event)
        elif isinstance(event, AlertMessage):
            self._message(event)
        elif isinstance(event, EventClosed) and event.withdrawn:
            self._row(event.at_ns, f"{event.event_id} withdrawn: {event.reason}", style="dim")

    def _pick(self, pick: Pick) -> None:
        self.n_picks += 1
        if self._zero_ns is None:
            self._zero_ns = pick.time_ns
        before = self._origin is not None and pick.time_ns < self._origin[0]
        if before or self._magnitude or self._picks_shown > PICKS_SHOWN:
            return
        self._picks_shown += 1
        if self._picks_shown > PICKS_SHOWN:
            self._line(f"{INDENT}further picks ...", style="dim")
            return
        after_s = (pick.known_ns - pick.time_ns) / NS_PER_S
        self._row(
            pick.known_ns,
            f"pick {pick.phase.value}  {pick.station:<9} snr {pick.snr:>4.0f}  "
            f"±{pick.uncertainty_s:.2f} s   known {after_s:.2f} s after its onset",
            style="dim",
        )

    def told(self, message: AlertMessage, news: list[Told]) -> None:
        """Say how many screens changed, and how."""
        words = []
        for level in (Level.TAKE_ACTION, Level.BE_AWARE):
            who = []
            for kind, plural in (("phone", "phones"), ("tv", "TVs")):
                n = sum(1 for one in news if one.kind == kind and one.level is level)
                if n:
                    who.append(f"{n} {plural if n > 1 else plural[:-1]}")
            if who:
                words.append(f"{level.value.replace('_', ' ').upper()} {', '.join(who)}")
        if words:
            first_ns = min(one.at_ns for one in news)
            self._row(first_ns, f"  {self._on_screen}: " + "; ".join(words), style="green")

    def _message(self, message: AlertMessage) -> None:
        last = self._magnitude.get(message.event_id)
        magnitude = message.magnitude.value
        is_update = message.msg_type is MsgType.UPDATE
        if is_update and last is not None and abs(magnitude - last) < MAGNITUDE_STEP:
            self.updates_left_out += 1
            return
        self._magnitude[message.event_id] = magnitude
        self._row(message.issued_ns, message_words(message), style=_STYLES[message.msg_type])

    def _row(self, at_ns: int, words: str, style: str = "") -> None:
        if self._origin is not None and at_ns >= self._origin[0]:
            (origin_ns, origin_words), self._origin = self._origin, None
            self._row(origin_ns, origin_words)
        since = "" if self._zero_ns is None else f"{(at_ns - self._zero_ns) / NS_PER_S:+.1f}"
        self._line(f"{utc_clock(at_ns)} {since:>8}  {words}", style=style)

    def _line(self, words: str, style: str = "") -> None:
        self.pause()
        self.out.print(words, style=style or None, overflow="ellipsis", no_wrap=True)
        self.resume()

    def closing(self, outcome: Any) -> None:
        """Print what came out: places, screens, delays, where it is saved."""
        from eew.cli.closing import print_closing

        if self._origin is not None:  # nothing came after it
            self._row(self._origin[0], "")
        print_closing(
            self.out, outcome, n_picks=self.n_picks, updates_left_out=self.updates_left_out
        )


_STYLES = {
    MsgType.ALERT: "bold red",
    MsgType.UPDATE: "yellow",
    MsgType.FINAL: "bold",
    MsgType.CANCEL: "bold magenta",
}


def message_words(message: AlertMessage) -> str:
    """Return one line for a message: kind, serial, magnitude, stations, reach of shaking."""
    kind = f"{message.msg_type.value.upper():<6} {message.serial:>2}"
    if message.msg_type is MsgType.CANCEL:
        reason = message.cancel_reason.value.replace("_", " ") if message.cancel_reason else ""
        return f"{kind}  {reason}"
    origin, magnitude = message.origin, message.magnitude
    bound = "≥" if magnitude.lower_bound else " "
    scale = SCALE_SHORT.get(message.prediction.scale, message.prediction.scale)
    # how far the strongest class up to 5 reaches
    reached = [one for one in message.prediction.radii_km if one <= 5]
    felt = f"{scale} 3 nowhere"
    if reached:
        felt = f"{scale} {max(reached)} to {message.prediction.radii_km[max(reached)]:>3.0f} km"
    return (
        f"{kind}  M{bound}{magnitude.value:.1f} ±{magnitude.sigma:.1f}  "
        f"{message.quality.n_stations:>3} stations  {felt:<15}  "
        f"{position_words(origin.lat, origin.lon)}  {origin.depth_km:.0f} km"
    )


def position_words(lat: float, lon: float) -> str:
    """Return a position as people read it.

    >>> position_words(35.77, -117.599)
    '35.77 N 117.60 W'
    """
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return "position unknown"
    return f"{abs(lat):.2f} {'N' if lat >= 0 else 'S'} {abs(lon):.2f} {'E' if lon >= 0 else 'W'}"
