"""The same work on many things, shared out over processes; the order is that of the things."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from eew.errors import ConfigError

__all__ = ["check_jobs", "map_in_order"]

T = TypeVar("T")
R = TypeVar("R")


def check_jobs(jobs: int) -> None:
    """Refuse a number of processes that cannot be.

    Raises
    ------
    ConfigError
        If ``jobs`` is less than 1.
    """
    if jobs < 1:
        raise ConfigError("--jobs", f"must be 1 or more, was {jobs}")


def map_in_order(
    work: Callable[[T], R],
    things: Sequence[T],
    *,
    jobs: int,
    cost: Callable[[T], float] = lambda _thing: 0.0,
    progress: Callable[[T, int], None] = lambda _thing, _done: None,
) -> list[R]:
    """Do ``work`` on each thing; results stand in the order of ``things``, whatever the number.

    Parameters
    ----------
    work : callable
        Of the top level of a module (or a partial of one), so that it finds its way to a process.
    jobs : int
        Processes at work at once, >= 1; with 1 this process does it all.
    cost : callable
        What is dear is begun first, so that no process is left with a long one at the end.
    progress : callable
        Is told each thing that is done, and how many are.

    Raises
    ------
    EewError
        What ``work`` raised; the rest is not begun any more.
    """
    check_jobs(jobs)
    if jobs == 1 or len(things) < 2:
        results = []
        for done, thing in enumerate(things, start=1):
            results.append(work(thing))
            progress(thing, done)
        return results
    found: dict[int, R] = {}
    by_cost = sorted(range(len(things)), key=lambda index: (-cost(things[index]), index))
    context = multiprocessing.get_context("spawn")  # a fork would copy threads' locks
    pool = ProcessPoolExecutor(min(jobs, len(things)), context, initializer=_die_quietly)
    try:
        waiting = {pool.submit(work, things[index]): index for index in by_cost}
        for future in as_completed(waiting):
            index = waiting[future]
            found[index] = future.result()
            progress(things[index], len(found))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [found[index] for index in range(len(things))]


def _die_quietly() -> None:
    """Let Ctrl-C, which reaches every process, end a worker without a traceback of its own."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
