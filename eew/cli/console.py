"""Where words go: results to stdout, progress to stderr and only where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

MIN_WIDTH, PIPE_WIDTH, MAX_WIDTH = 60, 100, 120


def result_console() -> Console:
    """Return the console for results: no colour and a fixed width where it is not a terminal."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
    if console.is_terminal:
        console.width = max(MIN_WIDTH, min(MAX_WIDTH, console.width))
    else:
        console.width = PIPE_WIDTH
    return console


def progress_console() -> Console | None:
    """Return the console for progress on stderr, or None where nobody watches."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    return Console(stderr=True, highlight=False)


@contextmanager
def progress_line(words: str) -> Iterator[None]:
    """Show that something goes on, on stderr, if that is a terminal."""
    console = progress_console()
    if console is None:
        yield
        return
    with console.status(words, spinner="line"):
        yield


@contextmanager
def progress_counter(things: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show on stderr, where somebody watches, how many things are done of how many."""
    console = progress_console()
    if console is None:
        yield lambda name, done, total: None
        return
    with console.status(f"{things}: the first one", spinner="line") as status:
        yield lambda name, done, total: status.update(
            f"{done} of {total} {things} done, last {name}"
        )
