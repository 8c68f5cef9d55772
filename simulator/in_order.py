"""The same function over many items in a few processes, results in order and few at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

__all__ = ["in_order"]

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 8  # items in hand for each process: bounds what waits for a slow reader

_task: Any = None  # in a worker: what all items share, sent once


def in_order(
    function: Callable[[Shared, Item], Result],
    shared: Shared,
    items: Sequence[Item],
    *,
    jobs: int = 1,
) -> Iterator[Result]:
    """Apply a function of the module level to each item.

    Parameters
    ----------
    shared : object
        First argument of every call.
    jobs : int
        Processes; with one the work is done here. Results do not depend on it as long as the
        function's do not.
    """
    if jobs <= 1 or len(items) <= 1:
        for item in items:
            yield function(shared, item)
        return
    # Not forked: the caller may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(shared,)
    ) as pool:
        step = jobs * _AHEAD
        for begin in range(0, len(items), step):
            batch = items[begin : begin + step]
            yield from pool.map(_apply, [function] * len(batch), batch)


def _begin(shared: object) -> None:
    global _task
    _task = shared


def _apply(function: Callable[[Any, Item], Result], item: Item) -> Result:
    return function(_task, item)
