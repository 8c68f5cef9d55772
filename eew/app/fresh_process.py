"""Processes that begin with nothing but what they are asked to do.

``multiprocessing`` would import the command's own main module again in each of them, and keep one
more process beside them for resources that none of them has: together 15 MB. Here a process gets a
function and its arguments over a pipe, imports the function's module, and calls it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Self, TypeVar

from eew.errors import EewError

__all__ = ["FreshProcess", "call_apart", "main"]

_END_S = 5.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FreshProcess:
    """A process under way, and our end of the pipe to it; the process ends with the context."""

    process: subprocess.Popen[bytes]
    pipe: Connection

    @classmethod
    def start(
        cls,
        function: Callable[..., None],
        *args: Any,
        shunned: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Call ``function(*args, pipe)`` in a process of its own.

        Parameters
        ----------
        function : callable
            Of the top level of a module; that module is what the process imports. Its last
            argument is the other end of the pipe.
        shunned : sequence of str
            Modules that the process is to take for missing.
        environment : mapping, optional
            Set beside what our own environment has.
        """
        ours, theirs = Pipe()
        fd = theirs.fileno()
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"sys.modules.update(dict.fromkeys({tuple(shunned)!r})); "  # None: not to be found
            f"from {__name__} import main; main({fd})"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            pass_fds=[fd],
            env={**os.environ, **(environment or {})},
        )
        theirs.close()  # so that the end of the process is the end of the pipe
        ours.send((function, args))
        return cls(process, ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.pipe.close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def call_apart(function: Callable[..., _T], *args: Any) -> _T:
    """Return what a function returns, and leave the memory it needed to a process of its own.

    Raises
    ------
    EewError
        Those of the function; and where its process ended without a word.
    """
    with FreshProcess.start(_answer, function, args) as apart:
        try:
            found, error = apart.pipe.recv()
        except EOFError:
            raise EewError(f"the process of {function.__name__} has ended") from None
    if error is not None:
        raise error
    result: _T = found
    return result


def _answer(function: Callable[..., object], args: tuple[Any, ...], pipe: Connection) -> None:
    try:
        pipe.send((function(*args), None))
    except EewError as error:
        pipe.send((None, error))


def main(fd: int) -> None:
    """Be a fresh process; ``fd`` is its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us, in order
    pipe = Connection(fd)
    function, args = pipe.recv()
    function(*args, pipe)
