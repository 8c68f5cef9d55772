"""Watches the processes of a crowd: reads what they report, and ends them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from multiprocessing.connection import Connection, wait
from typing import Any

from clients.crowd.share import Share, run_share
from eew.app.crowd_report import CrowdReport, add_up
from eew.app.fresh_process import FreshProcess
from eew.clock import NS_PER_S, Clock
from eew.errors import ConnectError, EewError

__all__ = ["CrowdWatch", "started"]

_STALLED_S = 20.0  # nobody more connected for so long: the broker takes no more
_LAST_WORD_S = 20.0
_TICK_S = 0.25
# Arrays of 8,000 devices and more go back to the system when they are freed (glibc); below the
# default of 128 KiB those of a message would stay, in pieces.
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536"}


@contextmanager
def started(shares: Sequence[Share]) -> Iterator[list[FreshProcess]]:
    """Run a process for each share, as long as the context lasts."""
    with ExitStack() as stack:
        shunned = _openssl_hashes()
        yield [
            stack.enter_context(
                FreshProcess.start(run_share, share, shunned=shunned, environment=_ENVIRONMENT)
            )
            for share in shares
        ]


def _openssl_hashes() -> tuple[str, ...]:
    """Return the module behind ``hashlib`` that brings OpenSSL, where Python has hashes of its own.

    They give the same digests, and each process has 3.6 MB less: 6 % of one with 10,000 devices.
    TLS brings OpenSSL by itself where it is used.
    """
    return ("_hashlib",) if find_spec("_md5") else ()


class CrowdWatch:
    """The processes of a crowd as the command sees them.

    Parameters
    ----------
    brokers : str
        What the devices connect to, in words.
    n_devices, set_aside
        For the report; see there.
    on_report : callable, optional
        Told the figures of all whenever one of the processes has said something.
    """

    def __init__(
        self,
        processes: Sequence[FreshProcess],
        *,
        brokers: str,
        n_devices: int,
        set_aside: dict[str, int],
        clock: Clock,
        on_report: Callable[[CrowdReport], None] | None,
    ) -> None:
        self._processes, self._brokers = processes, brokers
        self._n_devices, self._set_aside = n_devices, set_aside
        self._clock, self._on_report = clock, on_report
        self._latest: list[dict[str, Any] | None] = [None] * len(processes)
        self._start_ns = clock.monotonic_ns()
        self._connect_s: float | None = None

    def until_connected(self) -> None:
        """Wait until every device that should be is connected.

        Raises
        ------
        ConnectError
            If no more of them connect for 20 s.
        """
        most, since_s = -1, self._now_s()
        while True:
            self._read()
            if all(part is not None for part in self._latest):
                report = self.report()
                if report.up > most:
                    most, since_s = report.up, self._now_s()
                if report.up >= report.wanted:
                    self._connect_s = round(self._now_s(), 2)
                    return
                if self._now_s() - since_s > _STALLED_S:
                    raise ConnectError(
                        self._brokers,
                        f"{report.up} of {report.wanted} devices connected, and no more for "
                        f"{_STALLED_S:g} s; last: {report.failure or 'no word'}",
                        hint="does the broker limit connections or open files?",
                    )

    def until_over(self, for_s: float | None) -> None:
        """Wait ``for_s`` from now; without it, for ever."""
        end_s = self._now_s() + for_s if for_s is not None else float("inf")
        while self._now_s() < end_s:
            self._read()

    def last_words(self) -> CrowdReport:
        """Stop all processes and return the sum of their last reports."""
        for number, one in enumerate(self._processes):
            try:
                one.pipe.send("stop")
                deadline_s = self._now_s() + _LAST_WORD_S
                while one.pipe.poll(max(0.0, deadline_s - self._now_s())):
                    part = one.pipe.recv()
                    if "error" not in part:
                        self._latest[number] = part
                    if part.get("last") or "error" in part:
                        break
            except (EOFError, OSError):
                continue
        return self.report()

    def report(self) -> CrowdReport:
        """Return the sum of what the processes said last."""
        return add_up(
            [part for part in self._latest if part is not None],
            n_devices=self._n_devices,
            set_aside=self._set_aside,
            connect_s=self._connect_s,
            ran_s=self._now_s(),
        )

    def _now_s(self) -> float:
        return (self._clock.monotonic_ns() - self._start_ns) / NS_PER_S

    def _read(self) -> None:
        pipes = {one.pipe: number for number, one in enumerate(self._processes)}
        for pipe in wait(list(pipes), _TICK_S):
            assert isinstance(pipe, Connection)
            number = pipes[pipe]
            try:
                part = pipe.recv()
            except EOFError:
                code = self._processes[number].process.poll()
                raise EewError(f"process {number} of the crowd has ended ({code})") from None
            if "error" in part:
                raise part["error"]
            self._latest[number] = part
        if self._on_report is not None and any(part is not None for part in self._latest):
            self._on_report(self.report())
