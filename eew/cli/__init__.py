"""The ``eew`` command: parsing, exit codes and the one line an error gets.

Nothing heavy is imported here or at the top of any module of this package: ``eew --help`` has to
answer at once. Commands import what they need when they run.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

from eew.errors import EewError, FieldError

INTERRUPTED = 130
_UNEXPECTED = 1
_USAGE = 2


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.excepthook = _unexpected
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Errors raised on purpose end in one line on stderr and their own code; anything else is a
    bug, propagates, and is shown by the hook that :func:`main` sets.
    """
    import typer

    from eew.cli.application import command

    # click's base class of wrong usage; typer 0.29 carries click inside itself, older ones do
    # not, so it has no import path that is right for both
    wrong_usage = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    assert issubclass(wrong_usage, Exception)
    try:
        code = command()(args=args, prog_name="eew", standalone_mode=False)
    except FieldError as error:
        for line in error.lines:  # each wrong field on a line of its own
            _complain(line, error.exit_code)
        return error.exit_code
    except EewError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except typer.Abort:
        return _complain("aborted", _UNEXPECTED)
    except BrokenPipeError:
        # the reader (head, less) has gone: that is its right, and no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except wrong_usage as error:
        return _complain(_usage_words(error), _USAGE)
    if code == INTERRUPTED:
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _complain(message: str, code: int) -> int:
    if os.environ.get("EEW_DEBUG") and sys.exc_info()[0] is not None:
        traceback.print_exc()
    one_line = " ".join(message.split())
    sys.stderr.write(f"eew: {one_line}\n")
    return code


def _usage_words(error: BaseException) -> str:
    words = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "eew"
    return f"{words.rstrip('.')} (see {where} --help)"


def _unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Show a bug of ours in one line, or with its traceback where that is wanted."""
    if os.environ.get("EEW_DEBUG"):
        sys.__excepthook__(kind, error, trace)
        return
    words = " ".join(str(error).split())
    sys.stderr.write(
        f"eew: unexpected {kind.__name__}: {words} (a bug; eew -v shows where it happened)\n"
    )
