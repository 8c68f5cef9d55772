"""What is known of a live source at one moment: the connection and the data of each station."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFeed:
    """The data of one station as they come in.

    Attributes
    ----------
    code : str
        ``NET.STA``.
    state : str
        ``waiting`` (nothing yet), ``live``, or ``silent`` (the watch-dog misses it).
    n_packets : int
        Packets so far.
    last_end_ns : int or None
        End of the newest sample, UTC ns of the data.
    last_arrival_ns : int or None
        When the newest packet came, UTC ns of this machine.
    silences : int
        How often the watch-dog has missed it.
    """

    code: str
    state: str
    n_packets: int = 0
    last_end_ns: int | None = None
    last_arrival_ns: int | None = None
    silences: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """A live source at one moment.

    Attributes
    ----------
    name : str
        Its address, never with a password.
    connected : bool
        Whether a connection stands.
    reason : str
        One line for people: what it is connected to, or why it is not.
    reconnects : int
        How often the connection has been made anew.
    restarts : int
        How often the watch-dog has broken off a connection on which nothing came.
    n_packets : int
        Packets handed on.
    dropped : mapping
        What was set aside, by reason; never silent.
    stations : tuple of StationFeed
        By code.
    last_arrival_ns : int or None
        When the newest packet of any station came, UTC ns of this machine.
    """

    name: str
    connected: bool
    reason: str
    reconnects: int = 0
    restarts: int = 0
    n_packets: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    stations: tuple[StationFeed, ...] = ()
    last_arrival_ns: int | None = None

    @property
    def n_silent(self) -> int:
        """Stations that the watch-dog misses now."""
        return sum(station.state == "silent" for station in self.stations)

    @property
    def n_silences(self) -> int:
        """How often the watch-dog has missed a station so far."""
        return sum(station.silences for station in self.stations)
