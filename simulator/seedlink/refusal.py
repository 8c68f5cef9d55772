"""Why a command is answered with ERROR."""

from __future__ import annotations

from typing import Literal

__all__ = ["ErrorCode", "RefusedError"]

# of SeedLink 4.0; version 3 says only ERROR
ErrorCode = Literal["UNSUPPORTED", "UNEXPECTED", "LIMIT", "ARGUMENTS"]


class RefusedError(Exception):
    """A command that is answered with ERROR; ``words`` are for people, ASCII, one line."""

    def __init__(self, code: ErrorCode, words: str) -> None:
        super().__init__(words)
        self.code: ErrorCode = code
        self.words = words
