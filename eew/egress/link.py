"""The publisher's connection: MQTT written by hand, on the event loop.

aiomqtt costs 0.25 ms per cell; here a thousand cells leave in one write, as soon as they are handed
over, and what the broker says is read in as few pieces as it comes in. Only publishing is possible:
whoever wants to receive uses ``eew.mqtt_link``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from eew.clock import NS_PER_S, Clock
from eew.egress.outbox import Parcel, Piece
from eew.egress.probe import reason_text
from eew.errors import ConnectError, PublishError, WireError
from eew.mqtt_link import CONNECT_TIMEOUT_S, MQTT_5, BrokerAddress, tls_context
from eew.mqtt_packets import (
    CONNACK,
    DISCONNECT,
    PUBACK,
    PUBLISH,
    Connack,
    Properties,
    connect,
    disconnect,
    next_frame,
    parse_connack,
    pingreq,
    publish,
    publish_copies,
)

__all__ = ["PublisherLink", "Will", "open_publisher_link"]

_KEEPALIVE_S = 30
_QUIET_S = 5.0  # without a word from the broker for so long: ask for one
_ANSWER_S = 5.0  # an answer that does not come for so long: the connection counts as lost
_FAREWELL_S = 1.0  # longest wait for a DISCONNECT to leave on a connection that may be dead
_MOST_IDS = 65_535
_MOST_UNDER_WAY = 4_096  # some 4 MB in the socket, where the broker sets no limit of its own
_FEW = 64  # copies under way; with more, answers are read together, each 2 ms
_TOGETHER_S = 0.002
_MOST_UNPARSED = 65_536  # no answer to a publisher is so long
_REFUSED = 0x80  # reason codes from here on are refusals

Answered = Callable[[Parcel, int, bool, int], None]


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes (QoS 1, retained) when the client goes without a word."""

    topic: str
    payload: bytes


class PublisherLink(asyncio.Protocol):
    """One connection that stands. Made by :func:`open_publisher_link`.

    Parameters
    ----------
    on_answered : callable
        Told of each copy the broker has acknowledged: its parcel, its index there, whether it
        was refused, and when that was heard, monotonic ns.
    on_room : callable
        Called when more copies may leave.
    """

    def __init__(
        self,
        address: BrokerAddress,
        clock: Clock,
        *,
        on_answered: Answered,
        on_room: Callable[[], None],
    ) -> None:
        self.address = address
        self._clock = clock
        self._on_answered = on_answered
        self._on_room = on_room
        self._transport: asyncio.Transport | None = None
        self._connack: asyncio.Future[Connack] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._unparsed = b""
        self._under_way: dict[int, tuple[Parcel, int]] = {}
        self._last_id = 0
        self._window = address.receive_maximum
        self._heard_ns = clock.monotonic_ns()
        self._owed_since_ns: int | None = None  # since when an answer is due

    # ------------------------------------------------------------------ sending

    @property
    def room(self) -> int:
        """How many more copies the broker takes before it has answered others."""
        return 0 if self._lost.done() else self._window - len(self._under_way)

    def send(self, pieces: list[Piece], expiry_s: Callable[[Parcel], int | None]) -> None:
        """Write copies of parcels in one go; at most as many as there is :attr:`room`.

        What the socket does not take at once leaves from the event loop.
        """
        written = []
        for parcel, start, stop in pieces:
            out = parcel.outgoing
            properties = Properties(
                expiry_s=expiry_s(parcel),
                content_type=out.properties.content_type,
                user=out.properties.user,
            )
            ids = self._new_ids(stop - start)
            for at, packet_id in enumerate(ids, start):
                self._under_way[packet_id] = (parcel, at)
            kept = min(max(out.n_retained, start), stop)
            for first, last, retain in ((start, kept, True), (kept, stop, False)):
                if first < last:
                    written.append(
                        publish_copies(
                            out.topics[first:last],
                            out.payload,
                            ids[first - start : last - start],
                            version=self.address.protocol,
                            retain=retain,
                            properties=properties,
                        )
                    )
        self._write(b"".join(written))
        if self._owed_since_ns is None:
            self._owed_since_ns = self._clock.monotonic_ns()

    def send_passing(self, topic: str, payload: bytes, properties: Properties) -> None:
        """Write something with QoS 0 that is worth nothing later; not at all if it had to wait."""
        if self._transport is not None and not self._transport.get_write_buffer_size():
            self._write(
                publish(topic, payload, version=self.address.protocol, properties=properties)
            )

    def _new_ids(self, n: int) -> list[int]:
        ids: list[int] = []
        while len(ids) < n:
            self._last_id = self._last_id % _MOST_IDS + 1
            if self._last_id not in self._under_way:
                ids.append(self._last_id)
        return ids

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._lost.done():
            self._transport.write(data)

    # ------------------------------------------------------------------ life

    def watch(self) -> None:
        """Ask for a sign of life after silence, and give up where none comes; once a second."""
        now_ns = self._clock.monotonic_ns()
        if self._owed_since_ns is not None:
            if now_ns - self._owed_since_ns > _ANSWER_S * NS_PER_S:
                self._give_up(f"no answer for {_ANSWER_S:g} s")
        elif now_ns - self._heard_ns > _QUIET_S * NS_PER_S:
            self._write(pingreq())
            self._owed_since_ns = now_ns

    async def until_lost(self) -> None:
        """Wait for the end of the connection.

        Raises
        ------
        PublishError
            Always.
        """
        why = await asyncio.shield(self._lost)
        raise PublishError(str(self.address), f"connection lost: {why}")

    async def greet(self, will: Will | None) -> None:
        """Say CONNECT and wait for the answer.

        Raises
        ------
        ConnectError
            If the broker refuses, or closes.
        """
        self._write(
            connect(
                "",
                version=self.address.protocol,
                keepalive_s=_KEEPALIVE_S,
                username=self.address.username,
                password=self.address.password,
                will=None if will is None else (will.topic, will.payload),
            )
        )
        await asyncio.wait((self._connack, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if not self._connack.done():
            raise ConnectError(str(self.address), f"cannot connect: {self._lost.result()}")
        connack = self._connack.result()
        if connack.reason:
            raise ConnectError(str(self.address), f"the broker {reason_text(connack.reason)}")
        if self.address.protocol == MQTT_5:
            self._window = min(_MOST_UNDER_WAY, connack.receive_maximum or 1)

    async def leave(self) -> None:
        """Say goodbye, so that the will is not sent, and close; bounded in time."""
        if self._transport is None:
            return
        self._write(disconnect())
        self._transport.close()
        await asyncio.wait((self._lost,), timeout=_FAREWELL_S)
        if not self._lost.done():  # a TLS transport that is gone has nothing left to abort
            self._transport.abort()

    def _give_up(self, why: str) -> None:
        if self._lost.done():
            return
        self._lost.set_result(why)
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Take that the connection is gone."""
        reason = "closed by the broker" if exc is None else str(exc)
        if not self._lost.done():
            self._lost.set_result(reason)

    def data_received(self, data: bytes) -> None:
        """Take what the broker says."""
        if self._lost.done():
            return
        self._heard_ns = self._clock.monotonic_ns()
        data = self._unparsed + data
        try:
            at = self._parse(data)
        except WireError as error:
            self._give_up(str(error))
            return
        self._unparsed = data[at:]
        if len(self._unparsed) > _MOST_UNPARSED:
            self._give_up("the broker sent what no publisher asks for")
        self._owed_since_ns = self._heard_ns if self._under_way else None
        self._on_room()
        if len(self._under_way) > _FEW and self._transport is not None:
            # mosquitto writes each of a thousand answers by itself: waking for every one would
            # take from it, and from the detector, the processor they need
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(_TOGETHER_S, self._read_on)

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _parse(self, data: bytes) -> int:
        """Take whole packets; return where the first that is not whole begins."""
        at, end = 0, len(data)
        while at + 4 <= end:
            if data[at] == PUBACK and data[at + 1] < 0x80:  # nearly always, so without ceremony
                stop = at + 2 + data[at + 1]
                if stop > end:
                    break
                reason = data[at + 4] if stop > at + 4 else 0
                self._acknowledged(data[at + 2] << 8 | data[at + 3], reason)
                at = stop
                continue
            frame = next_frame(data, at)
            if frame is None:
                break
            self._take(frame.kind, data[frame.start : frame.end])
            at = frame.end
        else:
            frame = next_frame(data, at) if at < end else None  # a PINGRESP has two bytes
            if frame is not None:
                self._take(frame.kind, data[frame.start : frame.end])
                at = frame.end
        return at

    def _acknowledged(self, packet_id: int, reason: int) -> None:
        found = self._under_way.pop(packet_id, None)
        if found is not None:
            self._on_answered(found[0], found[1], reason >= _REFUSED, self._heard_ns)

    def _take(self, kind: int, body: bytes) -> None:
        if kind == CONNACK and not self._connack.done():
            self._connack.set_result(parse_connack(body, version=self.address.protocol))
        elif kind == DISCONNECT:
            self._give_up(f"the broker {reason_text(body[0] if body else 0)}")
        elif kind == PUBLISH:
            raise WireError("MQTT: a message to a client that has subscribed to nothing")


@contextlib.asynccontextmanager
async def open_publisher_link(
    address: BrokerAddress,
    clock: Clock,
    *,
    on_answered: Answered,
    on_room: Callable[[], None],
    will: Will | None = None,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> AsyncIterator[PublisherLink]:
    """Connect with a clean session and an identifier chosen by the broker; disconnect at the end.

    Raises
    ------
    ConnectError
        If the broker is not there within ``timeout_s``, or refuses.
    """
    loop = asyncio.get_running_loop()
    context = tls_context(address)
    link = PublisherLink(address, clock, on_answered=on_answered, on_room=on_room)
    try:
        try:
            async with asyncio.timeout(timeout_s):
                await loop.create_connection(
                    lambda: link,
                    address.host,
                    address.port,
                    ssl=context,
                    server_hostname=address.host if context else None,
                )
                await link.greet(will)
        except TimeoutError:
            raise ConnectError(
                str(address), f"cannot connect: no answer within {timeout_s:g} s"
            ) from None
        except OSError as error:
            raise ConnectError(
                str(address), f"cannot connect: {error.strerror or error}"
            ) from error
        yield link
    finally:
        await link.leave()
