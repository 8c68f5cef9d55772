"""The conversation of a SeedLink server with one client, without any I/O.

:meth:`Conversation.receive` takes bytes as they come and gives back what to do: bytes to send,
and at most one of each: an INFO to answer, a transfer to start, the connection to close. The
shell does these things in order; it keeps sockets, clocks and records. Whatever the bytes are,
nothing is raised: what cannot be understood is answered with ``ERROR`` and counted.

Version 3 (``SLPROTO:3.1``) is spoken until the client says ``SLPROTO 4.0``.

References
----------
FDSN SeedLink 4.0: https://docs.fdsn.org/projects/seedlink/en/latest/protocol.html. For version 3
there is no norm; the manual of SeisComP and what its clients send stand for one.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from simulator.seedlink.actions import Action, AskInfo, Close, Phase, Send, StartTransfer
from simulator.seedlink.patterns import StreamPattern, matches, station_pattern
from simulator.seedlink.refusal import RefusedError
from simulator.seedlink.selection import Request, Selection, Start
from simulator.seedlink.starts import start_v3, start_v4, time_window

__all__ = ["Action", "AskInfo", "Close", "Conversation", "Phase", "Send", "StartTransfer"]

CAPABILITIES = "SLPROTO:4.0 SLPROTO:3.1 CAP EXTREPLY NSWILDCARD BATCH TIME INFO:INVENTORY"
INFO_LEVELS = ("ID", "STATIONS", "STREAMS", "GAPS", "CONNECTIONS", "INVENTORY", "FORMATS")
_V3_INFO_LEVELS = (*INFO_LEVELS, "CAPABILITIES", "ALL")
_MAX_LINE = 1024  # the norm says 255; some clients write longer user agents
_MAX_STATIONS = 20_000
_MAX_SELECTORS = 256  # per station


@dataclass(slots=True)
class _Station:
    """A STATION being described."""

    pattern: str
    selectors: list[StreamPattern] = field(default_factory=list)
    start: Start | None = None
    is_dialup: bool = False


class Conversation:
    """One client from its first byte to its last.

    Parameters
    ----------
    software, organization : str
        What ``HELLO`` says; ASCII without line ends.
    station_ids : callable
        Gives ``NET_STA`` of all stations there are, for STATION and CAT.

    Attributes
    ----------
    version : int
        3, or 4 once the client has asked for it.
    phase : Phase
        Set to ENDED by the shell when it has sent END.
    user_agent : str
        What the client says it is; empty if nothing.
    commands, errors : int
        Lines taken, and those among them that were refused.
    """

    def __init__(
        self, software: str, organization: str, station_ids: Callable[[], Set[str]]
    ) -> None:
        self._software = software
        self._organization = organization
        self._station_ids = station_ids
        self._buffer = bytearray()
        self._skipping = False  # the rest of a line that was too long
        self.version = 3
        self.phase = Phase.HANDSHAKE
        self.user_agent = ""
        self.commands = 0
        self.errors = 0
        self._is_fixed = False  # a command was given that SLPROTO may not follow
        self._is_batch = False
        self._has_long_replies = False
        self._stations: dict[str, _Station] = {}
        self._is_multi = False
        self._uni = _Station("*")
        self._active: _Station | None = None  # what SELECT and DATA are about

    def receive(self, data: bytes) -> list[Action]:
        """Take bytes from the client; return what to do, in order."""
        actions: list[Action] = []
        self._buffer += data
        while self.phase is not Phase.ENDED:
            line = self._next_line()
            if line is None:
                break
            if line:
                self.commands += 1
                actions += self._answer(line)
        if self.phase is Phase.ENDED:
            actions += self._only_bye()
        return actions

    # ------------------------------------------------------------ lines
    def _next_line(self) -> bytes | None:
        """Cut a line off the buffer; CR, LF or both end it. None while it is not complete."""
        ends = [at for at in (self._buffer.find(b"\r"), self._buffer.find(b"\n")) if at >= 0]
        if not ends:
            if len(self._buffer) > _MAX_LINE:
                self._skipping = True
                self._buffer.clear()
            return None
        end = min(ends)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if self._skipping:
            self._skipping = False
            return b"?" * (_MAX_LINE + 1)
        return line.strip(b" \t")

    def _only_bye(self) -> list[Action]:
        while (line := self._next_line()) is not None:
            if line.upper() == b"BYE":
                return [Close()]
        return []

    def _answer(self, line: bytes) -> list[Action]:
        word = ""
        try:
            if len(line) > _MAX_LINE:
                raise RefusedError("LIMIT", f"a line has at most {_MAX_LINE} bytes")
            if not line.isascii():
                raise RefusedError("ARGUMENTS", "a command is ASCII")
            word, *arguments = line.decode("ascii").split() or [""]
            word = word.upper()
            if self.phase is Phase.TRANSFER and word not in ("INFO", "BYE"):
                raise RefusedError("UNEXPECTED", "only INFO and BYE during the transfer")
            return self._command(word, arguments)
        except RefusedError as refused:
            self.errors += 1
            return self._refuse(word, refused)

    def _refuse(self, word: str, refused: RefusedError) -> list[Action]:
        if word == "INFO" or (self.phase is Phase.TRANSFER and self.version == 4):
            # between packets only a packet can be told from the rest
            return [AskInfo(self.version, "ERROR", error=(refused.code, refused.words))]
        if self.version == 4:
            return [_lines(f"ERROR {refused.code} {refused.words}")]
        if self._is_batch and word in ("STATION", "SELECT", "DATA", "FETCH", "TIME"):
            return []
        return [_lines(f"ERROR\r{refused.words}" if self._has_long_replies else "ERROR")]

    def _ok(self) -> list[Action]:
        return [] if self._is_batch else [_lines("OK")]

    # ------------------------------------------------------------ commands
    def _command(self, word: str, arguments: list[str]) -> list[Action]:
        common: dict[str, Callable[[list[str]], list[Action]]] = {
            "HELLO": self._hello,
            "SLPROTO": self._slproto,
            "USERAGENT": self._useragent,
            "GETCAPABILITIES": self._getcapabilities,
            "STATION": self._station,
            "SELECT": self._select,
            "DATA": self._data,
            "END": self._end,
            "INFO": self._info,
            "BYE": self._bye,
        }
        own: dict[str, Callable[[list[str]], list[Action]]] = (
            {"ENDFETCH": self._endfetch}
            if self.version == 4
            else {
                "FETCH": self._fetch,
                "TIME": self._time,
                "CAT": self._cat,
                "BATCH": self._batch,
                "CAPABILITIES": self._capabilities,
                "ENABLE": self._capabilities,
            }
        )
        handler = common.get(word) or own.get(word)
        if handler is None:
            raise RefusedError(
                "UNSUPPORTED", f"no command in version {self.version}: {word[:32]!r}"
            )
        if word not in ("HELLO", "SLPROTO"):
            self._is_fixed = True
        return handler(arguments)

    def _hello(self, _arguments: list[str]) -> list[Action]:
        # clients take the version from " vX.Y " and the name from what stands before it
        first = f"SeedLink v4.0 ({self._software}) :: {CAPABILITIES}"
        # in one piece: some clients take what the first read gives for the whole answer
        return [_lines(first, self._organization)]

    def _slproto(self, arguments: list[str]) -> list[Action]:
        if self._is_fixed:
            raise RefusedError("UNEXPECTED", "SLPROTO comes before all but HELLO")
        if len(arguments) != 1:
            raise RefusedError("ARGUMENTS", "SLPROTO major.minor")
        if arguments[0] not in ("4.0", "3.0", "3.1"):
            raise RefusedError("UNSUPPORTED", f"versions are 3.1 and 4.0, was {arguments[0]!r}")
        self.version = int(arguments[0][0])
        self._is_fixed = True
        return [_lines("OK")]

    def _useragent(self, arguments: list[str]) -> list[Action]:
        if not arguments:
            raise RefusedError("ARGUMENTS", "USERAGENT name/version ...")
        self.user_agent = " ".join(arguments)
        return [_lines("OK")]

    def _getcapabilities(self, _arguments: list[str]) -> list[Action]:
        return [_lines(CAPABILITIES)]

    def _capabilities(self, arguments: list[str]) -> list[Action]:
        wanted = {argument.upper() for argument in arguments}
        if not wanted or not wanted <= set(CAPABILITIES.split()):
            raise RefusedError("UNSUPPORTED", f"there are {CAPABILITIES}")
        self._has_long_replies |= "EXTREPLY" in wanted
        return [_lines("OK")]

    def _batch(self, _arguments: list[str]) -> list[Action]:
        self._is_batch = True
        return [_lines("OK")]

    def _cat(self, _arguments: list[str]) -> list[Action]:
        lines = [" ".join(station.split("_", 1)) for station in sorted(self._station_ids())]
        return [Send(_lines(*lines).data + b"END")]

    def _bye(self, _arguments: list[str]) -> list[Action]:
        self.phase = Phase.ENDED
        return [Close()]

    def _info(self, arguments: list[str]) -> list[Action]:
        levels = _V3_INFO_LEVELS if self.version == 3 else INFO_LEVELS
        level = arguments[0].upper() if arguments else ""
        if level not in levels:
            raise RefusedError("ARGUMENTS", f"INFO {'|'.join(levels)}")
        if len(arguments) > (1 if self.version == 3 else 3):
            raise RefusedError("ARGUMENTS", "too many arguments")
        station = station_pattern(arguments[1]) if len(arguments) > 1 else "*"
        stream = StreamPattern.parse(arguments[2], 4).stream if len(arguments) > 2 else "*"
        return [AskInfo(self.version, level, station, stream)]

    # ------------------------------------------------------------ selection
    def _station(self, arguments: list[str]) -> list[Action]:
        self._is_multi, self._active = True, None  # None if it is refused
        pattern = self._read_station(arguments)
        known = self._stations.get(pattern)  # said again: what follows adds to it
        if known is None:
            if len(self._stations) >= _MAX_STATIONS:
                raise RefusedError("LIMIT", f"at most {_MAX_STATIONS} stations")
            stations = self._station_ids()
            if pattern not in stations and not any(matches(pattern, one) for one in stations):
                # nothing will ever be added: better said now than waited for
                raise RefusedError("ARGUMENTS", f"there is no station {pattern}")
            known = self._stations[pattern] = _Station(pattern)
        self._active = known
        return self._ok()

    def _read_station(self, arguments: list[str]) -> str:
        if self.version == 4:
            if len(arguments) != 1:
                raise RefusedError("ARGUMENTS", "STATION NET_STA")
            return station_pattern(arguments[0])
        if not 1 <= len(arguments) <= 2:
            raise RefusedError("ARGUMENTS", "STATION station [network]")
        station, network = arguments[0], arguments[1] if len(arguments) == 2 else "*"
        return f"{station_pattern(network)}_{station_pattern(station)}"

    def _current(self) -> _Station:
        if self._active is not None:
            return self._active
        if self._is_multi:
            raise RefusedError("UNEXPECTED", "its STATION was refused")
        if self.version == 4:
            raise RefusedError("UNEXPECTED", "a STATION comes first")
        return self._uni

    def _select(self, arguments: list[str]) -> list[Action]:
        station = self._current()
        if not arguments and self.version == 3:
            station.selectors.clear()
            return self._ok()
        if len(arguments) != 1:
            raise RefusedError("ARGUMENTS", "SELECT with one selector")
        if len(station.selectors) >= _MAX_SELECTORS:
            raise RefusedError("LIMIT", f"at most {_MAX_SELECTORS} selectors per station")
        station.selectors.append(StreamPattern.parse(arguments[0], self.version))
        return self._ok()

    def _data(self, arguments: list[str]) -> list[Action]:
        if self.version == 4:
            return self._begin(start_v4(arguments))
        return self._begin(start_v3(arguments))

    def _fetch(self, arguments: list[str]) -> list[Action]:
        return self._begin(start_v3(arguments), is_dialup=True)

    def _time(self, arguments: list[str]) -> list[Action]:
        return self._begin(time_window(arguments))

    def _begin(self, start: Start, *, is_dialup: bool = False) -> list[Action]:
        station = self._current()
        station.start, station.is_dialup = start, is_dialup
        if station is self._uni:  # no STATION: the transfer starts at once, without an OK
            return self._transfer([station], is_dialup=is_dialup)
        return self._ok()

    def _end(self, _arguments: list[str], *, is_dialup: bool = False) -> list[Action]:
        ready = [one for one in self._stations.values() if one.start is not None]
        if not ready:
            raise RefusedError("UNEXPECTED", "nothing was asked for")
        return self._transfer(ready, is_dialup=is_dialup or all(one.is_dialup for one in ready))

    def _endfetch(self, arguments: list[str]) -> list[Action]:
        return self._end(arguments, is_dialup=True)

    def _transfer(self, stations: list[_Station], *, is_dialup: bool) -> list[Action]:
        if self.version == 3:  # what is named goes before what a wildcard covers
            stations = sorted(stations, key=lambda one: "*" in one.pattern or "?" in one.pattern)
        requests = tuple(
            Request(station.pattern, tuple(station.selectors), station.start)
            for station in stations
            if station.start is not None
        )
        self.phase = Phase.TRANSFER
        return [StartTransfer(Selection(self.version, requests, is_dialup))]


def _lines(*texts: str) -> Send:
    return Send(b"".join(text.encode("ascii", "replace") + b"\r\n" for text in texts))
