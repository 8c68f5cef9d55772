"""The SeedLink connection: seedlink-client's, with a reading loop of our own.

The library's loop makes a task for each packet and goes no further than a damaged record.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

from seedlink_client import AsyncSeedLink, SeedLinkError, SeedLinkTimeout
from seedlink_client.mseed import detect_record_length
from seedlink_client.protocol import (
    FORMAT_MSEED2,
    HEADSIZE_V3,
    MIN_PAYLOAD_DETECT,
    SeedLinkPacket,
    SeedLinkResponse,
    _RawFrame,
    decode_frame_v3,
    parse_header_v3,
)

__all__ = ["Connection"]

_RECORD_BYTES = 512  # of every packet of SeedLink 3, by its definition
_SHORT_BYTES = (128, 256)  # which some servers send all the same
_LONGEST_BYTES = 4096
_BREATH = 50
_KEEPALIVE = b"INFO ID\r\n"
_NEXT_HEADER = re.compile(rb"SL(?:[0-9A-F]{6}|INFO)", re.IGNORECASE)


class Connection(AsyncSeedLink):
    """An :class:`AsyncSeedLink` to which a damaged record of version 3 is a packet of its own.

    Version 3 does not say how long a packet is. The library asks the record, and where that cannot
    tell it reads on for up to a megabyte, or breaks the connection off and meets the same record
    again after the reconnect. Here a record that does not state a length has the 512 bytes that
    the protocol defines, or ends where the next packet begins; it is handed on without station and
    sequence number, and whoever decodes it will say what is wrong with it.
    """

    async def data(
        self, *, idle_s: float, keepalive_s: float
    ) -> AsyncGenerator[SeedLinkPacket, None]:
        """Give out packets until the connection ends, and close it; :meth:`negotiate` comes first.

        Does what ``collect(reconnect=False)`` does at half the cost: no task and no timer for each
        packet, one timer for all of them looks after silence.

        Parameters
        ----------
        idle_s : float
            Longest time without a packet of data.
        keepalive_s : float
            A silent server is asked for its name so often.

        Raises
        ------
        SeedLinkTimeout
            If no data have come for ``idle_s``.
        SeedLinkError, OSError, ValueError
            If the connection is lost, or what comes is no SeedLink.
        """
        silence = _Silence(self, idle_s, keepalive_s)
        n = 0
        try:
            silence.begin()
            while (frame := await self._recv_frame()) is not None:
                if isinstance(frame, SeedLinkResponse):
                    raise SeedLinkError(frame.message or "the server has said ERROR", frame.code)
                if self._is_json_error_frame(frame):
                    raise SeedLinkError(self._json_error_message(frame.payload))
                if self._is_info_frame(frame):
                    continue  # the answer to a keepalive: no data
                silence.is_over()
                packet = self._to_packet(frame)
                self._update_stream_state(packet)
                yield packet
                n += 1
                if n % _BREATH == 0:  # what is buffered comes without waiting: let others run
                    await asyncio.sleep(0)
        except SeedLinkError:
            if silence.was_too_long:
                raise SeedLinkTimeout(f"no data for {idle_s:g} s") from None
            raise
        finally:
            silence.end()
            await self.close()

    def ask_for_a_sign(self) -> None:
        """Ask for the server's name, without waiting for it."""
        if self._writer is not None:
            self._writer.write(_KEEPALIVE)

    def break_off(self) -> None:
        """Drop the connection now; whoever reads it gets an error."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _recv_frame_v3(self) -> _RawFrame:
        header = parse_header_v3(await self._read_exact(HEADSIZE_V3))
        length = await self._stated_bytes()
        if length is None:
            return _unknown(await self._read_exact(await self._probable_bytes()))
        payload = await self._read_exact(length)
        try:
            return decode_frame_v3(header, payload)
        except (SeedLinkError, ValueError):
            return _unknown(payload)

    async def _stated_bytes(self) -> int | None:
        """Return the length that the record states; None if it states none that can be."""
        try:
            found = detect_record_length(await self._peek(MIN_PAYLOAD_DETECT))
        except SeedLinkError:
            if not self.is_connected:
                raise
            return None
        if found is None or not MIN_PAYLOAD_DETECT <= found[0] <= _LONGEST_BYTES:
            return None
        return found[0]

    async def _probable_bytes(self) -> int:
        for length in _SHORT_BYTES:
            ahead = await self._peek(length + HEADSIZE_V3)
            if _NEXT_HEADER.match(ahead, length):
                return length
        return _RECORD_BYTES


class _Silence:
    """The timer of a connection: asks after a while, breaks off after a longer one."""

    def __init__(self, connection: Connection, idle_s: float, keepalive_s: float) -> None:
        self._connection = connection
        self._idle_s, self._step_s = idle_s, min(idle_s, keepalive_s)
        self._loop = asyncio.get_running_loop()
        self._since_s = 0.0  # of the loop's clock
        self._timer: asyncio.TimerHandle | None = None
        self.was_too_long = False

    def begin(self) -> None:
        self._since_s = self._loop.time()
        self._timer = self._loop.call_at(self._since_s + self._step_s, self._look)

    def is_over(self) -> None:
        self._since_s = self._loop.time()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        silent_s = self._loop.time() - self._since_s
        if silent_s >= self._idle_s:
            self.was_too_long = True
            self._connection.break_off()
            return
        if silent_s >= self._step_s:
            self._connection.ask_for_a_sign()
        next_s = min(self._step_s, self._idle_s - silent_s)
        self._timer = self._loop.call_later(next_s, self._look)


def _unknown(payload: bytes) -> _RawFrame:
    return _RawFrame(
        station_id="",
        seqnum=None,
        payload_format=FORMAT_MSEED2,
        payload_subformat="D",
        payload=payload,
        info_continues=False,
    )
