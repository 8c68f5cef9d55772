"""One connection: bytes to the conversation and back, records from the ring at its own pace.

Nothing is queued for a client but what the socket did not take of its last piece: while that
waits, the client's cursor stays where it is, and the ring is its queue.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, cast

from simulator.seedlink import frames
from simulator.seedlink.actions import Action, AskInfo, Close, Phase, Send, StartTransfer
from simulator.seedlink.info import ConnectionFacts
from simulator.seedlink.protocol import Conversation

if TYPE_CHECKING:
    from simulator.seedlink.batches import Group
    from simulator.seedlink.selection import Selection
    from simulator.seedlink.server import SeedLinkServer

__all__ = ["ClientConnection"]

_RECORDS_AT_ONCE = 512  # then others have their turn
_UNSENT_BYTES = 65536  # of the last piece; more than this and the client waits
_SEND_BUFFER_BYTES = 1 << 18  # in the kernel, which doubles it: what a broken connection loses


class ClientConnection(asyncio.Protocol):
    """The server's end of a connection."""

    def __init__(self, server: SeedLinkServer) -> None:
        self._server = server
        self._talk = Conversation(server.software, server.organization, server.ring.station_ids)
        self._transport: asyncio.Transport | None = None
        self._selection: Selection | None = None
        self._group: Group | None = None
        self._begin_seqs: tuple[int, ...] = ()
        self._cursor = 0
        self._is_waiting = False  # for the socket to take what it has
        self._connected_ns = server.clock.utc_ns()
        self._unsent_bytes, self._progress_ns = 0, 0  # of the last look
        self._records_sent = self._bytes_sent = 0
        self._answer = bytearray()
        self.peer = ("?", 0)

    # ------------------------------------------------------------ asyncio
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_UNSENT_BYTES)
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        peer: Any = self._transport.get_extra_info("peername") or ("?", 0)
        self.peer = (str(peer[0]), int(peer[1]))
        self._server.joined(self)

    def data_received(self, data: bytes) -> None:
        """Answer what the client says."""
        before = self._talk.errors
        for action in self._talk.receive(data):
            self._do(action)
        self._flush()
        self._server.counters.refused_commands += self._talk.errors - before

    def pause_writing(self) -> None:
        """Stop: the socket is full. Neither records nor answers until it has room."""
        self._is_waiting = True
        self._progress_ns = self._server.clock.monotonic_ns()
        self._unsent_bytes = self._unsent()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on from the cursor."""
        self._is_waiting = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._server.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._leave_group()
        self._transport = None
        self._server.left(self)

    # ------------------------------------------------------------ transfer
    @property
    def is_following(self) -> bool:
        """Whether it is sent records."""
        return self._group is not None and self._talk.phase is Phase.TRANSFER

    @property
    def has_all(self) -> bool:
        """Whether the socket has taken all that is in the ring."""
        if self._transport is None or not self.is_following:
            return True
        return self._cursor == self._server.ring.next_seq and self._unsent() == 0

    def pump(self) -> bool:
        """Send the next piece; return whether there is more for it at once."""
        group, transport, ring = self._group, self._transport, self._server.ring
        if group is None or transport is None or self._is_waiting or not self.is_following:
            return False
        if self._cursor < ring.begin_seq:
            self.drop(f"{ring.begin_seq - self._cursor} records behind the ring")
            return False
        end = min(ring.next_seq, self._cursor + _RECORDS_AT_ONCE)
        if end > self._cursor:
            batch = group.batch(self._cursor, end, self._begin_seqs)
            self._cursor = end
            if batch.n_records:
                self._records_sent += batch.n_records
                self._write(batch.data)
                self._server.counters.records_sent += batch.n_records
        if end < ring.next_seq:
            return not self._is_waiting
        if group.is_over() or (self._selection is not None and self._selection.is_dialup):
            self._write(frames.END)
            self._talk.phase = Phase.ENDED
        return False

    def look(self, now_ns: int, stall_ns: int) -> None:
        """Drop it if it has not taken a byte for ``stall_ns``, or the ring has passed it."""
        if not self._is_waiting or self._transport is None:
            return
        unsent = self._unsent()
        if unsent != self._unsent_bytes:
            self._unsent_bytes, self._progress_ns = unsent, now_ns
        ring = self._server.ring
        if now_ns - self._progress_ns > stall_ns:
            self.drop(f"has not read for {stall_ns / 1e9:g} s")
        elif self.is_following and self._cursor < ring.begin_seq:
            self.drop(f"{ring.begin_seq - self._cursor} records behind the ring")

    def drop(self, reason: str) -> None:
        """Break the connection off."""
        if self._transport is not None:
            self._server.dropped(self, reason)
            self._transport.abort()
            self._leave_group()

    def close(self) -> None:
        """Close when all that was written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def facts(self) -> ConnectionFacts:
        """Return what INFO CONNECTIONS says of it."""
        return ConnectionFacts(
            host=self.peer[0],
            port=self.peer[1],
            connected_ns=self._connected_ns,
            version=self._talk.version,
            user_agent=self._talk.user_agent,
            seq=self._cursor if self.is_following else None,
            records_sent=self._records_sent,
            bytes_sent=self._bytes_sent,
            is_dialup=self._selection is not None and self._selection.is_dialup,
        )

    # ------------------------------------------------------------ parts
    def _do(self, action: Action) -> None:
        match action:
            case Send(data):
                self._answer += data  # what belongs together goes in one piece
            case AskInfo():
                self._answer += self._server.answer(action)
            case StartTransfer(selection):
                self._flush()
                ring = self._server.ring
                self._selection = selection
                self._group = self._server.groups.join(selection)
                self._begin_seqs = selection.begin_seqs(ring)
                self._cursor = min(self._begin_seqs)
                self._server.started(self)
            case Close():
                self._flush()
                self.close()

    def _flush(self) -> None:
        if self._answer:
            self._write(bytes(self._answer))
            self._answer.clear()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._bytes_sent += len(data)
            self._transport.write(data)

    def _unsent(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def _leave_group(self) -> None:
        if self._selection is not None and self._group is not None:
            self._server.groups.leave(self._selection)
            self._group = None
