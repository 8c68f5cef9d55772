"""A SeedLink server as a live source; the protocol itself is seedlink-client's.

What is added to it: stations and channels are asked for one by one, so that each goes on behind a
lost connection at a sequence number of its own; waits between attempts grow, with jitter; a
connection on which nothing comes is broken off; what cannot be decoded is set aside; and what
comes a second time after a reconnect is not handed on again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
from seedlink_client import Protocol, SeedLinkError

from eew.backoff import Backoff
from eew.clock import NS_PER_S, Clock
from eew.errors import ConfigError, ConnectError, DataError
from eew.ingest.inventory import Metadata, read_stationxml
from eew.ingest.live import Health, LiveNetwork
from eew.ingest.live_network import OfferedStream, live_network
from eew.ingest.records import packet_from_record
from eew.ingest.seedlink_address import SeedLinkAddress
from eew.ingest.seedlink_info import Offer, read_inventory, read_streams
from eew.ingest.seedlink_wire import Connection
from eew.ingest.selection import Selection
from eew.model.waveform import Channel, Packet, StreamId

__all__ = ["SeedLinkSource"]

_CONNECT_TIMEOUT_S = 10.0
_ASK_TIMEOUT_S = 60.0  # a public server lists 100,000 streams
_PER_STATION_S = 0.5  # of negotiation: three commands that wait for an answer each
_KEEPALIVE_S = 10.0
_SAVE_EVERY_NS = NS_PER_S
_NO_INVENTORY = (
    "--inventory FILE, FOLDER, EVENT or URL says where the stations are and what a count means"
)


class SeedLinkSource:
    """A :class:`~eew.ingest.live.LiveSource` over SeedLink 3 or 4.

    Parameters
    ----------
    address : SeedLinkAddress
        The server.
    clock : Clock
        UTC for arrivals, monotonic time for the state file.
    selection : Selection
        The streams that are wanted.
    metadata : callable, optional
        Reads the metadata (in a thread). Without it the server is asked for them, which only
        ``eew seedlink`` can answer.
    state : pathlib.Path, optional
        Where the last sequence number of each station is kept, so that a restart goes on there.
        The format is libslink's.
    idle_s : float
        A connection on which no data come for so long is broken off and made anew.
    silent_after_s : float
        A station without data for so long is missed (see :class:`Health`).
    seed : int
        Draws the jitter of the waits between attempts to connect.
    """

    def __init__(
        self,
        address: SeedLinkAddress,
        *,
        clock: Clock,
        selection: Selection | None = None,
        metadata: Callable[[], Metadata] | None = None,
        state: Path | None = None,
        idle_s: float = 30.0,
        silent_after_s: float = 30.0,
        seed: int = 0,
    ) -> None:
        self.name = str(address)
        self.health = Health(self.name, silent_after_s=silent_after_s)
        self._address = address
        self._clock = clock
        self._selection = selection or Selection()
        self._load_metadata = metadata
        self._state = state
        self._idle_s = idle_s
        self._backoff = Backoff(np.random.default_rng(seed))
        self._connection: Connection | None = None
        self._used: frozenset[StreamId] = frozenset()
        self._known: frozenset[StreamId] = frozenset()
        self._end_at_start: dict[str, int] = {}  # station -> sequence number
        self._last_sequence: dict[str, int] = {}
        self._last_end_ns: dict[StreamId, int] = {}
        self._saved_ns: int | None = None

    # ------------------------------------------------------------------ open and close

    async def open(self) -> LiveNetwork:
        """See :class:`~eew.ingest.live.LiveSource`."""
        offer = await self._offer()
        metadata = await self._metadata()
        network = live_network(
            metadata,
            None if offer is None else self._offered(offer, metadata),
            self._selection,
            now_ns=self._clock.utc_ns(),
            name=self.name,
        )
        everything = (*network.stations, *network.gnss)
        self._used = frozenset(c.stream_id for s in everything for c in s.channels)
        self._known = frozenset(metadata.streams())
        self._end_at_start = {} if offer is None else offer.end_sequence
        self._connection = self._new_connection(
            timeout_s=_CONNECT_TIMEOUT_S + _PER_STATION_S * len(everything)
        )
        by_station: dict[str, list[Channel]] = {}
        for station in everything:
            by_station.setdefault(station.code, []).extend(station.channels)
        for code, channels in sorted(by_station.items()):
            self._connection.add_stream(code.replace(".", "_", 1), _selectors(channels))
        self._recover(self._connection)
        self.health.expect(network.stations)
        return network

    async def close(self) -> None:
        """See :class:`~eew.ingest.live.LiveSource`."""
        if self._connection is not None:
            await self._connection.close()
            self._save()
            self.health.lost("closed")

    def _new_connection(self, *, timeout_s: float) -> Connection:
        address = self._address
        auth = None if address.username is None else (address.username, address.password or "")
        return Connection(
            address.host,
            address.port,
            timeout=timeout_s,
            tls=address.tls,
            protocol={None: None, 3: Protocol.V3, 4: Protocol.V4}[address.protocol],
            batch=True,
            clientname="eew",
            auth=auth,
        )

    # ------------------------------------------------------------------ what the server says

    async def _offer(self) -> Offer | None:
        """Ask which streams there are; None where the server does not tell.

        Raises
        ------
        ConnectError
            If nobody is there.
        """
        text = await self._ask("STREAMS")
        return None if text is None else read_streams(text, name=self.name)

    def _offered(self, offer: Offer, metadata: Metadata) -> list[OfferedStream]:
        """Add the streams that will come from stations which have sent nothing yet.

        A server whose own metadata are used has all of them; of another one only stations
        without any stream are filled in.
        """
        listed = {one.stream_id for one in offer.streams}
        speaking = {stream_id.station_code for stream_id in listed}
        own = self._load_metadata is None
        silent = (
            stream_id
            for stream_id in metadata.streams()
            if stream_id not in listed
            and (own or stream_id.station_code in offer.stations - speaking)
        )
        return [*offer.streams, *(OfferedStream(stream_id) for stream_id in silent)]

    async def _metadata(self) -> Metadata:
        if self._load_metadata is not None:
            return await asyncio.to_thread(self._load_metadata)
        text = await self._ask("INVENTORY")
        data = None if text is None else read_inventory(text)
        if data is None:
            raise ConfigError(
                "--inventory",
                f"needed: {self.name} has no metadata of its stations",
                hint=_NO_INVENTORY,
            )

        def read() -> Metadata:
            inventory, problems = read_stationxml(data, name=f"{self.name} INVENTORY")
            for problem in problems:
                self.health.set_aside(problem.kind, problem.where, problem.detail)
            return Metadata([inventory])

        return await asyncio.to_thread(read)

    async def _ask(self, level: str) -> str | None:
        """Return the answer to INFO, None if it is refused; on a connection of its own."""
        connection = self._new_connection(timeout_s=_ASK_TIMEOUT_S)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await connection.connect()
        except (SeedLinkError, OSError, ValueError) as error:  # TimeoutError is an OSError
            words = _words(error) or f"no SeedLink answer within {_CONNECT_TIMEOUT_S:g} s"
            raise ConnectError(self.name, words) from error
        try:
            answer: str = await connection.info(level)
        except (SeedLinkError, OSError, ValueError):
            return None
        finally:
            await connection.close()
        return answer

    # ------------------------------------------------------------------ data

    async def packets(self) -> AsyncGenerator[tuple[Packet, int], None]:
        """See :class:`~eew.ingest.live.LiveSource`."""
        connection = self._connection
        if connection is None:
            raise RuntimeError("packets() before open()")
        first = True
        while True:
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    await connection.connect()
                await connection.negotiate()
                self.health.reconnects += not first
                first = False
                self.health.connected(_identity(connection))
                data = connection.data(idle_s=self._idle_s, keepalive_s=_KEEPALIVE_S)
                async with aclosing(data) as stream:
                    async for came in stream:
                        self._backoff.reset()
                        arrival_ns = self._clock.utc_ns()
                        packet = self._decoded(came)
                        if packet is not None:
                            self.health.received(packet, arrival_ns)
                            yield packet, arrival_ns
                        self._save(not_before_ns=_SAVE_EVERY_NS)
                reason = "the server has ended the connection"
            except (SeedLinkError, OSError, ValueError) as error:
                is_late = isinstance(error, TimeoutError)
                self.health.restarts += is_late and self.health.is_connected
                reason = _words(error) or "no SeedLink answer"
            await connection.close()
            self.health.lost(f"{reason}; trying again")
            self._save()
            self._resume_everywhere(connection)
            await asyncio.sleep(self._backoff.next_s())

    def _decoded(self, came: Any) -> Packet | None:
        """Return the packet, or None if it is set aside or not needed."""
        where = came.station_id or self.name
        if came.payload_format not in ("2", "3"):
            self.health.set_aside("unreadable", where, f"payload format {came.payload_format!r}")
            return None
        try:
            packet = packet_from_record(came.payload, where=where)
        except DataError as error:
            self.health.set_aside("unreadable", where, error.problem)
            return None
        stream_id = packet.stream_id
        if stream_id not in self._used:
            if stream_id not in self._known:  # what is known and not used was left out on purpose
                self.health.set_aside("no_metadata", str(stream_id), "not in the metadata")
            return None
        if self._is_second(came, packet):
            self.health.set_aside("duplicate", str(stream_id), f"sequence {came.seqnum} again")
            return None
        return packet

    def _is_second(self, came: Any, packet: Packet) -> bool:
        """Tell whether a packet has been handed on before the connection was lost.

        Numbers of one station rise. Where they do not, the server sends again what we had, or
        has begun to count anew: then the data are newer.
        """
        if came.seqnum is None:
            return False
        last = self._last_sequence.get(came.station_id)
        seen_ns = self._last_end_ns.get(packet.stream_id)
        again = last is not None and came.seqnum <= last
        if again and seen_ns is not None and packet.end_ns <= seen_ns:
            return True
        self._last_sequence[came.station_id] = came.seqnum
        self._last_end_ns[packet.stream_id] = max(packet.end_ns, seen_ns or packet.end_ns)
        return False

    # ------------------------------------------------------------------ going on where it stopped

    def _resume_everywhere(self, connection: Connection) -> None:
        """Let stations that have sent nothing yet go on at what was their newest at the start.

        One packet from before that may come with it; that does no harm, one too few would.
        """
        for stream in connection.streams:
            end = self._end_at_start.get(stream.station_id)
            if stream.seqnum is None and end is not None:
                stream.seqnum = max(0, end - 2)  # the next one is asked for

    def _recover(self, connection: Connection) -> None:
        """Take the sequence numbers of the state file, and see that it can be written."""
        if self._state is None:
            return
        try:
            if self._state.exists():
                connection.recover_state(str(self._state))
            connection.save_state(str(self._state))
        except (OSError, ValueError) as error:
            raise ConfigError("--state", f"{self._state}: {_words(error)}") from error

    def _save(self, not_before_ns: int = 0) -> None:
        """Write the state file, if the last time is ``not_before_ns`` ago."""
        if self._state is None or self._connection is None:
            return
        now_ns = self._clock.monotonic_ns()
        if self._saved_ns is not None and now_ns - self._saved_ns < not_before_ns:
            return
        self._saved_ns = now_ns
        try:
            self._connection.save_state(str(self._state))
        except OSError as error:
            self.health.set_aside("state_file", str(self._state), _words(error))


def _selectors(channels: Iterable[Channel]) -> list[str]:
    """Return one selector for each sensor; none where the codes are no SEED codes."""
    selectors = set()
    for channel in channels:
        stream_id = channel.stream_id
        if len(stream_id.channel) != 3:
            return []
        code = stream_id.channel
        selectors.add(f"{stream_id.location}_{code[0]}_{code[1]}_?")
    return sorted(selectors)


def _identity(connection: Connection) -> str:
    version = "?" if connection.protocol is None else connection.protocol.value
    return f"{connection.server_id or 'a server'}, SeedLink {version}"


def _words(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno is not None:
        error = cause
    if isinstance(error, OSError) and error.errno is not None:
        # asyncio puts the address into strerror; names that do not resolve have numbers below 0
        known = error.errno > 0
        return (os.strerror(error.errno) if known else str(error.strerror)).lower()
    return " ".join(str(error).split())
