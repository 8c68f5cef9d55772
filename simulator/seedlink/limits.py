"""What the server puts up with, and what has happened so far."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Counters", "ServerLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What the server puts up with.

    Attributes
    ----------
    max_clients : int
        Connections at once; more are closed at once.
    stall_s : float
        A client that takes no byte for this long, while some wait for it, is dropped. One that
        reads too slowly is dropped when the ring has passed it.
    """

    max_clients: int = 1000
    stall_s: float = 10.0


@dataclass(slots=True)
class Counters:
    """What has happened so far."""

    records_in: int = 0
    packets_left_out: int = 0
    records_sent: int = 0
    clients: int = 0
    refused_clients: int = 0
    dropped_clients: int = 0
    refused_commands: int = 0
