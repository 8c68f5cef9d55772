"""Every error this package raises on purpose.

* EewError                      base; ``except EewError`` catches what we meant to raise (exit 1)
  - ConfigError                 bad or missing setting, unknown name, bad scenario (exit 2)
    + FieldError               fields of a file, each with its line
  - DataError                   input that cannot be used (exit 3)
    + MetadataError             no response, coordinates or units
  - TransportError              network or broker (exit 4)
    + ConnectError              nobody there, or refused
    + PublishError              accepted the connection, not the message
  - WireError                   a message that may not be decoded (exit 3)
  - AcceptanceError             a check the user asked for does not hold (exit 5)
  - AlertProtocolError          our own bug: a message out of order

An interrupted run (Ctrl-C) exits with 130. Messages name file, field and the value found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EewError(Exception):
    """Base class of every error raised on purpose; may cross from one process to another."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # by its words and fields: pickle would call __init__ with the words alone
        return _again, (type(self), self.args, dict(self.__dict__))


class ConfigError(EewError):
    """A setting, argument or scenario field that cannot be used."""

    exit_code = 2

    def __init__(self, key: str, problem: str, *, hint: str = "") -> None:
        self.key, self.problem, self.hint = key, problem, hint
        super().__init__(f"{key}: {problem}" + (f" ({hint})" if hint else ""))


class FieldError(ConfigError):
    """Fields of a file that cannot be used, all that were found; ``lines`` has one for each."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__(file, f"{len(self.lines)} wrong")
        self.args = ("; ".join(self.lines),)


class DataError(EewError):
    """Input data that cannot be used; ``where`` is a file or a stream."""

    exit_code = 3

    def __init__(self, where: str, problem: str, *, hint: str = "") -> None:
        self.where, self.problem, self.hint = where, problem, hint
        super().__init__(f"{where}: {problem}" + (f" ({hint})" if hint else ""))


class MetadataError(DataError):
    """No response, coordinates or units for a stream."""


class TransportError(EewError):
    """Network or broker trouble; ``peer`` is the address."""

    exit_code = 4

    def __init__(self, peer: str, problem: str, *, hint: str = "") -> None:
        self.peer, self.problem, self.hint = peer, problem, hint
        super().__init__(f"{peer}: {problem}" + (f" ({hint})" if hint else ""))


class ConnectError(TransportError):
    """Nobody listens there, or the other side refused."""


class PublishError(TransportError):
    """The connection stands, the message was not taken."""


class WireError(EewError):
    """A received message that may not be decoded or acted on."""

    exit_code = 3


class AcceptanceError(EewError):
    """A check the user asked for does not hold."""

    exit_code = 5


class AlertProtocolError(EewError):
    """A bug of ours: an alert message out of order."""


def _again(kind: type[EewError], args: tuple[Any, ...], fields: dict[str, Any]) -> EewError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error
