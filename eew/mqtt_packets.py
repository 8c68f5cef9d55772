"""MQTT control packets as bytes, both ways: what a client of 3.1.1 or 5 needs, without any I/O.

For the two places where a client library costs more than the network: a publisher that hands a
thousand cells over, and tens of thousands of devices in one process. Everything else goes through
``eew.mqtt_link``. OASIS, MQTT Version 5.0 (2019) and Version 3.1.1 (2014), section 3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from eew.errors import WireError

__all__ = [
    "CONNACK",
    "DISCONNECT",
    "MQTT_3_1_1",
    "MQTT_5",
    "PINGRESP",
    "PUBACK",
    "PUBLISH",
    "SUBACK",
    "UNSUBACK",
    "Connack",
    "Frame",
    "Properties",
    "Published",
    "connect",
    "disconnect",
    "next_frame",
    "parse_connack",
    "parse_packet_id",
    "parse_publish",
    "parse_suback",
    "pingreq",
    "puback",
    "publish",
    "publish_copies",
    "subscribe",
    "unsubscribe",
]

MQTT_5 = 5
MQTT_3_1_1 = 4

# first byte of a packet without its flags
CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK = 0x20, 0x30, 0x40, 0x90, 0xB0
PINGRESP, DISCONNECT = 0xD0, 0xE0
_CONNECT, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ = 0x10, 0x82, 0xA2, 0xC0

# identifiers of MQTT 5 properties
_EXPIRY, _CONTENT_TYPE, _SESSION_EXPIRY, _RECEIVE_MAXIMUM, _USER = 0x02, 0x03, 0x11, 0x21, 0x26
_ASSIGNED_ID = 0x12
# size in bytes of the values of properties; -1: length-prefixed, -2: two of those, 0: variable int
_SIZES = {
    0x01: 1, 0x02: 4, 0x03: -1, 0x08: -1, 0x09: -1, 0x0B: 0, 0x11: 4, 0x12: -1, 0x13: 2, 0x15: -1,
    0x16: -1, 0x17: 1, 0x18: 4, 0x19: 1, 0x1A: -1, 0x1C: -1, 0x1F: -1, 0x21: 2, 0x22: 2, 0x23: 2,
    0x24: 1, 0x25: 1, 0x26: -2, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_LONGEST = 268_435_455
_TWO = struct.Struct(">H")
_FOUR = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one packet lies in a buffer: its first byte, and the limits of its body."""

    first: int
    start: int
    end: int

    @property
    def kind(self) -> int:
        """The first byte without its flags."""
        return self.first & 0xF0


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What MQTT 5 sends beside a payload; dropped with 3.1.1."""

    expiry_s: int | None = None
    content_type: str = ""
    user: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Connack:
    """The answer to a CONNECT; ``reason`` 0 is a yes."""

    session_present: bool
    reason: int
    receive_maximum: int = 65_535
    assigned_id: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH as received; ``packet_id`` is 0 with QoS 0."""

    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    packet_id: int
    expiry_s: int | None = None
    content_type: str = ""
    user: tuple[tuple[str, str], ...] = ()


# ---------------------------------------------------------------- writing


def connect(
    client_id: str,
    *,
    version: int = MQTT_5,
    keepalive_s: int = 60,
    username: str | None = None,
    password: str | None = None,
    clean: bool = True,
    session_expiry_s: int = 0,
    receive_maximum: int | None = None,
    will: tuple[str, bytes] | None = None,
) -> bytes:
    """Return a CONNECT; a will (topic, payload) is QoS 1 and retained."""
    flags = 0x02 if clean else 0
    body = [_text("MQTT"), bytes([version])]
    tail = [_text(client_id)]
    if will is not None:
        flags |= 0x04 | 0x08 | 0x20
        tail += [b"\0"] if version == MQTT_5 else []
        tail += [_text(will[0]), _blob(will[1])]
    if username is not None:
        flags |= 0x80
        tail.append(_text(username))
    if password is not None:
        flags |= 0x40
        tail.append(_text(password))
    body += [bytes([flags]), _TWO.pack(keepalive_s)]
    if version == MQTT_5:
        properties = bytes([_SESSION_EXPIRY]) + _FOUR.pack(session_expiry_s)
        if receive_maximum is not None:
            properties += bytes([_RECEIVE_MAXIMUM]) + _TWO.pack(receive_maximum)
        body.append(_length(len(properties)) + properties)
    return _packet(_CONNECT, b"".join(body + tail))


def subscribe(packet_id: int, filters: Sequence[tuple[str, int]], *, version: int) -> bytes:
    """Return a SUBSCRIBE to topic filters, each with its QoS."""
    head = _TWO.pack(packet_id) + (b"\0" if version == MQTT_5 else b"")
    return _packet(_SUBSCRIBE, head + b"".join(_text(name) + bytes([qos]) for name, qos in filters))


def unsubscribe(packet_id: int, filters: Sequence[str], *, version: int) -> bytes:
    """Return an UNSUBSCRIBE."""
    head = _TWO.pack(packet_id) + (b"\0" if version == MQTT_5 else b"")
    return _packet(_UNSUBSCRIBE, head + b"".join(_text(name) for name in filters))


def publish(
    topic: str,
    payload: bytes,
    *,
    version: int,
    qos: int = 0,
    retain: bool = False,
    packet_id: int = 0,
    properties: Properties | None = None,
) -> bytes:
    """Return a PUBLISH; QoS 1 wants a ``packet_id`` from 1 to 65,535.

    Raises
    ------
    ValueError
        If QoS and packet identifier do not go together.
    """
    if qos not in (0, 1) or (qos == 1) != (0 < packet_id < 65_536):
        raise ValueError(f"QoS {qos} with packet identifier {packet_id}")
    parts = [_text(topic)]
    if qos:
        parts.append(_TWO.pack(packet_id))
    if version == MQTT_5:
        written = _properties(properties) if properties is not None else b""
        parts.append(_length(len(written)) + written)
    parts.append(payload)
    return _packet(PUBLISH | qos << 1 | retain, b"".join(parts))


def publish_copies(
    topics: Sequence[str],
    payload: bytes,
    packet_ids: Sequence[int],
    *,
    version: int,
    retain: bool = False,
    properties: Properties | None = None,
) -> bytes:
    """Return one PUBLISH (QoS 1) of the same payload for each topic, joined; 0.5 us per topic.

    Raises
    ------
    ValueError
        If there are not as many packet identifiers, from 1 to 65,535, as topics.
    """
    if packet_ids and not 0 < min(packet_ids) <= max(packet_ids) < 65_536:
        raise ValueError(f"packet identifiers {min(packet_ids)} to {max(packet_ids)}")
    tail = payload
    if version == MQTT_5:
        written = _properties(properties) if properties is not None else b""
        tail = _length(len(written)) + written + payload
    first = bytes([PUBLISH | 1 << 1 | retain])
    heads: dict[int, bytes] = {}  # by the length of the topic: nearly all have the same
    parts: list[bytes] = []
    for topic, packet_id in zip(topics, packet_ids, strict=True):
        name = _topic(topic)
        head = heads.get(len(name))
        if head is None:
            head = heads[len(name)] = first + _length(len(name) + 2 + len(tail))
        parts += (head, name, _TWO.pack(packet_id), tail)
    return b"".join(parts)


def puback(packet_id: int) -> bytes:
    """Return a PUBACK that says yes."""
    return b"\x40\x02" + _TWO.pack(packet_id)


def pingreq() -> bytes:
    """Return a PINGREQ."""
    return b"\xc0\0"


def disconnect() -> bytes:
    """Return a DISCONNECT without a reason: the will is not sent."""
    return b"\xe0\0"


def _properties(properties: Properties) -> bytes:
    written = b""
    if properties.expiry_s is not None:
        written += bytes([_EXPIRY]) + _FOUR.pack(properties.expiry_s)
    if properties.content_type:
        written += bytes([_CONTENT_TYPE]) + _text(properties.content_type)
    for name, value in properties.user:
        written += bytes([_USER]) + _text(name) + _text(value)
    return written


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _length(len(body)) + body


def _length(n: int) -> bytes:
    if n > _LONGEST:
        raise ValueError(f"{n} bytes do not fit into one packet")
    written = bytearray()
    while True:
        n, low = divmod(n, 128)
        written.append(low | 0x80 if n else low)
        if not n:
            return bytes(written)


def _text(value: str) -> bytes:
    return _blob(value.encode())


def _blob(value: bytes) -> bytes:
    return _TWO.pack(len(value)) + value


_topic = lru_cache(maxsize=65_536)(_text)  # a cell is told again and again


# ---------------------------------------------------------------- reading


def next_frame(buffer: bytes | bytearray | memoryview, start: int = 0) -> Frame | None:
    """Return the packet that begins at ``start``; None while it is not all there.

    Raises
    ------
    WireError
        If its length is malformed: the connection is of no more use.
    """
    length, shift, at = 0, 0, start + 1
    while True:
        if at >= len(buffer):
            return None
        low = buffer[at]
        at += 1
        length |= (low & 0x7F) << shift
        if low < 0x80:
            break
        shift += 7
        if shift > 21:
            raise WireError("MQTT: malformed packet length")
    if at + length > len(buffer):
        return None
    return Frame(buffer[start], at, at + length)


def parse_connack(body: bytes, *, version: int) -> Connack:
    """Read the body of a CONNACK.

    Raises
    ------
    WireError
        If it is malformed; so with the other ``parse_`` functions.
    """
    try:
        flags, reason = body[0], body[1]
        if version != MQTT_5 or len(body) < 3:
            return Connack(bool(flags & 1), reason)
        found, _ = _read_properties(body, 2)
        return Connack(
            bool(flags & 1),
            reason,
            int(found.get(_RECEIVE_MAXIMUM, 65_535)),
            str(found.get(_ASSIGNED_ID, "")),
        )
    except (IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise WireError(f"MQTT: malformed CONNACK: {error}") from error


def parse_publish(first: int, body: bytes, *, version: int) -> Published:
    """Read the body of a PUBLISH whose packet began with ``first``."""
    try:
        qos = first >> 1 & 3
        at = 2 + _TWO.unpack_from(body)[0]
        topic = body[2:at]
        packet_id = 0
        if qos:
            packet_id = _TWO.unpack_from(body, at)[0]
            at += 2
        found: dict[int, int | str] = {}
        user: list[tuple[str, str]] = []
        if version == MQTT_5:
            found, at = _read_properties(body, at, user)
        expiry = found.get(_EXPIRY)
        return Published(
            topic=topic,
            payload=body[at:],
            qos=qos,
            retain=bool(first & 1),
            packet_id=packet_id,
            expiry_s=int(expiry) if expiry is not None else None,
            content_type=str(found.get(_CONTENT_TYPE, "")),
            user=tuple(user),
        )
    except (IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise WireError(f"MQTT: malformed PUBLISH: {error}") from error


def parse_packet_id(body: bytes) -> int:
    """Read the packet identifier of a PUBACK, SUBACK or UNSUBACK."""
    if len(body) < 2:
        raise WireError("MQTT: an acknowledgement without its packet identifier")
    found: int = _TWO.unpack_from(body)[0]
    return found


def parse_suback(body: bytes, *, version: int) -> tuple[int, tuple[int, ...]]:
    """Return the packet identifier of a SUBACK and a code for each filter (0x80 up: refused)."""
    packet_id = parse_packet_id(body)
    try:
        at = _read_properties(body, 2)[1] if version == MQTT_5 else 2
    except (IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise WireError(f"MQTT: malformed SUBACK: {error}") from error
    return packet_id, tuple(body[at:])


def _read_properties(
    body: bytes, at: int, user: list[tuple[str, str]] | None = None
) -> tuple[dict[int, int | str], int]:
    """Return the properties that begin at ``at``, and where they end."""
    length, at = _read_length(body, at)
    end = at + length
    found: dict[int, int | str] = {}
    while at < end:
        name = body[at]
        size = _SIZES.get(name)
        at += 1
        if size is None:
            raise ValueError(f"unknown property {name:#x}")
        if size == -2:
            key, at = _read_text(body, at)
            value, at = _read_text(body, at)
            if user is not None:
                user.append((key, value))
        elif size == -1:
            found[name], at = _read_text(body, at)
        elif size == 0:
            found[name], at = _read_length(body, at)
        else:
            found[name] = int.from_bytes(body[at : at + size], "big")
            at += size
    if at != end or end > len(body):
        raise ValueError("properties longer than said")
    return found, at


def _read_text(body: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + int(_TWO.unpack_from(body, at)[0])
    return body[at + 2 : end].decode(errors="replace"), end


def _read_length(body: bytes, at: int) -> tuple[int, int]:
    length, shift = 0, 0
    while True:
        low = body[at]
        at += 1
        length |= (low & 0x7F) << shift
        if low < 0x80:
            return length, at
        shift += 7
        if shift > 21:
            raise ValueError("malformed length")
