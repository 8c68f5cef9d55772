"""The TCP shell of the SeedLink server: listens, wakes clients when records come, drops slow ones.

One thread, one event loop. :meth:`SeedLinkServer.put` encodes a packet once, puts the records
into the ring and asks for one round over all clients, however many packets come in the same turn
of the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from types import TracebackType

from eew.clock import NS_PER_S, Clock
from eew.errors import DataError
from eew.model.waveform import Packet, StreamId
from eew.ports import address_of, take_port
from simulator.seedlink.actions import AskInfo
from simulator.seedlink.batches import Groups
from simulator.seedlink.client import ClientConnection
from simulator.seedlink.info import ServerFacts, answer
from simulator.seedlink.limits import Counters, ServerLimits
from simulator.seedlink.records import RecordEncoder
from simulator.seedlink.ring import RecordRing

__all__ = ["SeedLinkServer"]

Say = Callable[[str], None]
_LOOK_EVERY_S = 0.25
_DRAIN_S = 0.001
_BACKLOG = 512


class SeedLinkServer:
    """Serves a ring over TCP, as an async context manager.

    Parameters
    ----------
    ring : RecordRing
        Outlives the server: open another one on it to go on after a break.
    encoder : RecordEncoder
        Makes the records of what is put in.
    bind, port : str, int
        IP address to listen on; port 0 takes a free one (see :attr:`port`).
    sock : socket.socket, optional
        From :func:`eew.ports.take_port`, to be listened on instead.
    inventory : bytes, optional
        StationXML for ``INFO INVENTORY``, an extension of ours.
    software, organization : str
        What HELLO says.
    say : callable
        Takes a line of log for each client that comes, goes or is dropped.

    Raises
    ------
    TransportError
        On entering, if the port cannot be taken.
    """

    def __init__(
        self,
        ring: RecordRing,
        encoder: RecordEncoder,
        *,
        clock: Clock,
        bind: str = "127.0.0.1",
        port: int = 18000,
        sock: socket.socket | None = None,
        inventory: bytes | None = None,
        limits: ServerLimits | None = None,
        software: str = "eew-simulator",
        organization: str = "SIMULATION",
        say: Say = lambda _words: None,
    ) -> None:
        self.ring, self.clock = ring, clock
        self.software, self.organization = software, organization
        self.groups = Groups(ring)
        self.counters = Counters()
        self._encoder = encoder
        self._bind, self._wanted_port, self._sock = bind, port, sock
        self._inventory = inventory
        self._limits = ServerLimits() if limits is None else limits
        self._say = say
        self._clients: dict[ClientConnection, None] = {}
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self._wake: asyncio.Handle | None = None
        self._changed = asyncio.Event()
        self._left_out: set[StreamId] = set()
        self._started_ns = 0
        self.round_ns = 0  # what the last round over all clients took

    async def __aenter__(self) -> SeedLinkServer:
        sock = self._sock or take_port(self._bind, self._wanted_port)
        self._started_ns = self.clock.utc_ns()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ClientConnection(self), sock=sock, backlog=_BACKLOG
        )
        self.ring.listeners.append(self.wake)
        self._watch = asyncio.create_task(self._look(), name="seedlink-watch")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.wake in self.ring.listeners:
            self.ring.listeners.remove(self.wake)
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._server is not None:
            self._server.close()
            for client in list(self._clients):
                client.close()
            await self._gone()
            await self._server.wait_closed()

    # ------------------------------------------------------------ for whoever feeds it
    @property
    def port(self) -> int:
        """The port listened on."""
        if self._server is None:
            return self._wanted_port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def address(self) -> str:
        """``host:port`` for a client."""
        if self._server is None:
            return f"{self._bind}:{self._wanted_port}"
        return address_of(self._server.sockets[0])

    @property
    def n_clients(self) -> int:
        """Connections that are open."""
        return len(self._clients)

    @property
    def n_following(self) -> int:
        """Connections that are sent records."""
        return sum(client.is_following for client in self._clients)

    def put(self, packets: Iterable[Packet], *, shift_ns: int = 0) -> None:
        """Encode packets and hand them to all clients; times are moved by ``shift_ns``.

        What no record can hold is left out, counted, and said once per stream.
        """
        for packet in packets:
            try:
                records = self._encoder.encode(packet, shift_ns=shift_ns)
            except DataError as error:
                self._leave_out(packet, error)
                continue
            for record in records:
                self.ring.append(record)
            self.counters.records_in += len(records)
        self.ring.changed()

    def complete(self) -> None:
        """Say that nothing more will come."""
        self.ring.changed(is_complete=True)  # windows of time may be over now

    async def until_following(self, n_clients: int) -> None:
        """Wait until so many clients have started a transfer."""
        while self.n_following < n_clients:
            self._changed.clear()
            await self._changed.wait()

    async def drained(self) -> None:
        """Wait until all clients have taken all there is, or have gone."""
        while True:
            if all(client.has_all for client in self._clients):
                return
            await asyncio.sleep(_DRAIN_S)  # no transport says when it has sent the last byte

    # ------------------------------------------------------------ for the connections
    def joined(self, client: ClientConnection) -> None:
        """Note a new connection, or refuse it."""
        self._clients[client] = None
        self.counters.clients += 1
        if len(self._clients) > self._limits.max_clients:
            self.counters.refused_clients += 1
            self._say(f"client {_name(client)} refused: {self._limits.max_clients} are enough")
            client.close()

    def started(self, client: ClientConnection) -> None:
        """Note that a client wants records, and begin."""
        facts = client.facts()
        who = f" ({facts.user_agent})" if facts.user_agent else ""
        self._say(f"client {_name(client)} follows, SeedLink {facts.version}{who}")
        self._changed.set()
        self.wake()

    def left(self, client: ClientConnection) -> None:
        """Forget a connection."""
        self._clients.pop(client, None)
        self._changed.set()

    def dropped(self, client: ClientConnection, reason: str) -> None:
        """Note that a client was too slow."""
        self.counters.dropped_clients += 1
        self._say(f"client {_name(client)} dropped: {reason}")

    def answer(self, asked: AskInfo) -> bytes:
        """Return the packets that answer an INFO."""
        facts = ServerFacts(
            software=self.software,
            organization=self.organization,
            started_ns=self._started_ns,
            now_ns=self.clock.utc_ns(),
            ring=self.ring,
            connections=[client.facts() for client in self._clients],
            inventory=self._inventory,
        )
        return answer(asked, facts)

    def wake(self) -> None:
        """Ask for a round over the clients, in this turn of the loop or the next."""
        if self._wake is None and self._server is not None:
            self._wake = asyncio.get_running_loop().call_soon(self._round)

    # ------------------------------------------------------------ parts
    def _leave_out(self, packet: Packet, error: DataError) -> None:
        self.counters.packets_left_out += 1
        if packet.stream_id not in self._left_out:
            self._left_out.add(packet.stream_id)
            self._say(f"left out: {error}")

    def _round(self) -> None:
        self._wake = None
        has_more = False
        begin_ns = self.clock.monotonic_ns()
        for client in list(self._clients):
            has_more |= client.pump()
        self.round_ns = self.clock.monotonic_ns() - begin_ns
        if has_more:
            self.wake()

    async def _look(self) -> None:
        stall_ns = round(self._limits.stall_s * NS_PER_S)
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now_ns = self.clock.monotonic_ns()
            for client in list(self._clients):
                client.look(now_ns, stall_ns)

    async def _gone(self, within_s: float = 2.0) -> None:
        """Let the last bytes go out; who does not take them is cut off."""
        try:
            async with asyncio.timeout(within_s):
                while self._clients:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            for client in list(self._clients):
                client.drop("has not read the end")
            await asyncio.sleep(0)


def _name(client: ClientConnection) -> str:
    host, port = client.peer
    return f"{host}:{port}"
