"""What a live source is, whatever wire it comes over, and the account it keeps of its data.

A source decodes what comes over its wire into packets and stamps each with its time of arrival.
It owns the connection: it makes it anew by itself, waits longer after each failure, and breaks it
off when nothing comes any more. Whoever drives it asks for packets and looks at :class:`Health`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Protocol

from eew.model.feed import FeedReport, StationFeed
from eew.model.waveform import DataProblem, Packet, Station

__all__ = ["Health", "LiveNetwork", "LiveSource"]

NS = 1_000_000_000
_MAX_PLACES = 1000  # streams that are remembered by name among the problems; the rest is summed up


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNetwork:
    """What the detector needs to know before the first packet.

    ``gnss`` are receivers of displacement, as in a recording; ``problems`` say which streams
    cannot be used and why.
    """

    stations: tuple[Station, ...]
    gnss: tuple[Station, ...] = ()
    problems: tuple[DataProblem, ...] = ()


class LiveSource(Protocol):
    """Packets as they come, over any wire.

    The life of a source is ``open``, ``packets``, ``close``, each called once.

    Attributes
    ----------
    name : str
        Its address for headers, status and errors, without a password.
    health : Health
        Kept up to date by the source; read by whoever drives it.
    """

    name: str
    health: Health

    async def open(self) -> LiveNetwork:
        """Connect and find out which stations there are.

        The stations stay the same as long as the source is open. A source that is not there at
        the start is an error; one that goes away later is not.

        Raises
        ------
        ConfigError
            If the address or the selection cannot be used, or the stations are not known.
        TransportError
            If nobody is there, or the other side refuses.
        DataError
            If there is no usable station.
        """
        ...

    def packets(self) -> AsyncGenerator[tuple[Packet, int], None]:
        """Give out packets with their time of arrival, UTC ns of this machine's clock.

        In the order in which they came; each once, also over a lost connection if the wire can
        say where to go on. Samples are the packet's own (not a view into a buffer of the wire).
        What cannot be decoded goes to ``health.set_aside``; a lost connection is made anew
        in here and raises nothing. Ends only if the source is over for good. Has to be closed
        (``aclose``) or cancelled before :meth:`close`.
        """
        ...

    async def close(self) -> None:
        """Give back all that is held, and save what is needed to go on later."""
        ...


@dataclass(slots=True)
class _Feed:
    n_packets: int = 0
    last_end_ns: int | None = None
    last_arrival_ns: int | None = None
    silences: int = 0
    is_silent: bool = False


class Health:
    """The account of a source: its connection, its stations, and what it set aside.

    The source says :meth:`connected`, :meth:`lost`, :meth:`received` and :meth:`set_aside`; its
    driver calls :meth:`watch` about once a second and shows :meth:`report`.

    Parameters
    ----------
    name : str
        Address of the source, without a password.
    silent_after_s : float
        A station from which nothing has come for so long is missed.
    """

    def __init__(self, name: str, *, silent_after_s: float = 10.0) -> None:
        self.name = name
        self.is_connected = False
        self.reason = "not connected yet"
        self.reconnects = 0
        self.restarts = 0
        self.n_packets = 0
        self.last_arrival_ns: int | None = None
        self.dropped: Counter[str] = Counter()
        self._silent_after_ns = round(silent_after_s * NS)
        self._since_ns: int | None = None  # first look of the watch-dog
        self._stations: dict[str, _Feed] = {}
        self._problems: dict[tuple[str, str], tuple[str, int]] = {}  # newest detail, count

    # ------------------------------------------------------------------ told by the source
    def expect(self, stations: Iterable[Station]) -> None:
        """Say from which stations data should come."""
        for station in stations:
            self._stations.setdefault(station.code, _Feed())

    def connected(self, reason: str) -> None:
        """Say that a connection stands."""
        self.is_connected, self.reason = True, reason

    def lost(self, reason: str) -> None:
        """Say that there is no connection, and why."""
        self.is_connected, self.reason = False, reason

    def received(self, packet: Packet, arrival_ns: int) -> None:
        """Count a packet that is handed on."""
        self.n_packets += 1
        self.last_arrival_ns = arrival_ns
        feed = self._stations.setdefault(packet.stream_id.station_code, _Feed())
        feed.n_packets += 1
        feed.last_arrival_ns = arrival_ns
        feed.is_silent = False
        if feed.last_end_ns is None or packet.end_ns > feed.last_end_ns:
            feed.last_end_ns = packet.end_ns

    def set_aside(self, kind: str, where: str, detail: str, count: int = 1) -> None:
        """Count what is not handed on; kinds as of :class:`DataProblem`, also ``overflow``."""
        self.dropped[kind] += count
        key = (kind, where)
        if key not in self._problems and len(self._problems) >= _MAX_PLACES:
            key = (kind, "elsewhere")
        self._problems[key] = (detail, self._problems.get(key, ("", 0))[1] + count)

    # ------------------------------------------------------------------ asked by its driver
    def watch(self, now_ns: int) -> list[str]:
        """Look for stations that have gone silent by ``now_ns``; return those that just have.

        While there is no connection no station is blamed: they are all given their time again
        from when it stands.
        """
        if self._since_ns is None or not self.is_connected:
            self._since_ns = now_ns
        missed = []
        for code, feed in self._stations.items():
            heard_ns = max(self._since_ns, feed.last_arrival_ns or self._since_ns)
            if not feed.is_silent and now_ns - heard_ns > self._silent_after_ns:
                feed.is_silent = True
                feed.silences += 1
                missed.append(code)
        return sorted(missed)

    def problems(self) -> list[DataProblem]:
        """Return everything set aside so far, by kind and place."""
        return [
            DataProblem(kind=kind, where=where, detail=detail, count=count)
            for (kind, where), (detail, count) in sorted(self._problems.items())
        ]

    def report(self) -> FeedReport:
        """Return how things stand."""
        return FeedReport(
            name=self.name,
            connected=self.is_connected,
            reason=self.reason,
            reconnects=self.reconnects,
            restarts=self.restarts,
            n_packets=self.n_packets,
            dropped=dict(sorted(self.dropped.items())),
            stations=tuple(
                StationFeed(
                    code=code,
                    state=_state(feed),
                    n_packets=feed.n_packets,
                    last_end_ns=feed.last_end_ns,
                    last_arrival_ns=feed.last_arrival_ns,
                    silences=feed.silences,
                )
                for code, feed in sorted(self._stations.items())
            ),
            last_arrival_ns=self.last_arrival_ns,
        )


def _state(feed: _Feed) -> str:
    if feed.is_silent:
        return "silent"
    return "live" if feed.n_packets else "waiting"
