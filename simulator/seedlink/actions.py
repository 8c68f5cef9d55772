"""What a conversation asks its shell to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from simulator.seedlink.refusal import ErrorCode
from simulator.seedlink.selection import Selection

__all__ = ["Action", "AskInfo", "Close", "Phase", "Send", "StartTransfer"]


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AskInfo:
    """Answer an ``INFO``; ``station`` and ``stream`` are patterns (version 4)."""

    version: int
    level: str
    station: str = "*"
    stream: str = "*"
    error: tuple[ErrorCode, str] | None = None


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """The handshake is over: send what is selected."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection when everything before has been sent."""


Action = Send | AskInfo | StartTransfer | Close


class Phase(Enum):
    """Where a conversation is."""

    HANDSHAKE = "handshake"
    TRANSFER = "transfer"
    ENDED = "ended"  # END has been sent, or the client has said BYE
