"""What a run tells whoever watches it: the terminal, a service, or nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from eew.core.pipeline import CoreEvent
    from eew.model.alert import AlertMessage
    from eew.model.waveform import Recording
    from eew.report.result import RunInfo, Told


class RunView(Protocol):
    """Called from the run, in order; must return quickly and raise nothing."""

    def begin(self, info: RunInfo, recording: Recording, zero_ns: int | None) -> None:
        """Tell that the replay starts; ``zero_ns`` is the true origin where there is one."""
        ...

    def connecting(self, connected: int, devices: int) -> None:
        """Tell how many of the devices are connected."""
        ...

    def progress(self, done_s: float, total_s: float) -> None:
        """Tell that ``done_s`` of ``total_s`` seconds of data have gone."""
        ...

    def happened(self, event: CoreEvent) -> None:
        """Tell of a pick, solution, alert message or end of an event."""
        ...

    def told(self, message: AlertMessage, news: list[Told]) -> None:
        """Tell which devices showed something new after ``message``."""
        ...

    def part(self, name: str) -> None:
        """Tell that a part of the work after the replay starts, for example ``"writing"``."""
        ...


class SilentView:
    """Shows nothing."""

    def begin(self, info: RunInfo, recording: Recording, zero_ns: int | None) -> None:
        """Show nothing."""

    def connecting(self, connected: int, devices: int) -> None:
        """Show nothing."""

    def progress(self, done_s: float, total_s: float) -> None:
        """Show nothing."""

    def happened(self, event: CoreEvent) -> None:
        """Show nothing."""

    def told(self, message: AlertMessage, news: list[Told]) -> None:
        """Show nothing."""

    def part(self, name: str) -> None:
        """Show nothing."""
