"""Ask an address for an MQTT connection and say plainly what came back.

A hand-written CONNECT over asyncio streams, because it can be cancelled and timed at every step
(resolving, TCP, TLS, CONNACK), which a blocking client library cannot; so a refusing broker is
told apart from a closed port, an unknown host, a failed TLS handshake and a server that is no
broker at all. MQTT 5 is tried first, then 3.1.1 (OASIS standards, section 3.1 and 3.2).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from dataclasses import replace

from eew.errors import ConnectError
from eew.mqtt_link import MQTT_3_1_1, MQTT_5, BrokerAddress, tls_context

PROBE_TIMEOUT_S = 4.0
_CONNACK = 0x20
_DISCONNECT = b"\xe0\x00"
_CLEAN = 0x02
_UNSUPPORTED = (0x01, 0x84)  # unacceptable protocol version, in 3.1.1 and in 5
_RECEIVE_MAXIMUM = 0x21
_MOST_INFLIGHT = 4096  # more unacknowledged messages at once bring nothing on one connection
_OWN_FILES = "EEW_MQTT_CERT_FILE and EEW_MQTT_KEY_FILE"
_REASONS = {
    0x00: "has ended the connection",
    0x01: "does not speak this version of MQTT",
    0x02: "refused the client identifier",
    0x03: "is not available at the moment",
    0x04: "refused the user name or password",
    0x05: "refused: not authorised (user name or password)",
    0x80: "refused without a reason",
    0x81: "called our CONNECT malformed",
    0x84: "does not speak this version of MQTT",
    0x85: "refused the client identifier",
    0x86: "refused the user name or password",
    0x87: "refused: not authorised (user name or password)",
    0x88: "is not available at the moment",
    0x89: "is busy",
    0x8B: "is shutting down",
    0x8D: "has heard nothing from us for too long",
    0x8A: "has banned this client",
    0x8C: "wants another method of authentication",
    0x97: "refused: quota exceeded",
    0x9C: "asks for another server to be used",
    0x9D: "has moved",
    0x9F: "refused: too many connections",
}
# size in bytes of the CONNACK properties of MQTT 5; None: length-prefixed, "pair": two of those
_PROPERTY_SIZE: dict[int, int] = {
    0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXT_PROPERTIES = (0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F)


class _NoAnswerError(Exception):
    """The peer closed, or said something that is not a CONNACK."""


async def probe(address: BrokerAddress, *, timeout_s: float = PROBE_TIMEOUT_S) -> BrokerAddress:
    """Connect once and return ``address`` with the protocol version and limits found.

    Raises
    ------
    ConnectError
        Naming the address and the reason, within ``timeout_s``.
    """
    context = tls_context(address)
    try:
        async with asyncio.timeout(timeout_s):
            return await _probe(address, context)
    except TimeoutError:
        raise ConnectError(str(address), f"no answer within {timeout_s:g} s") from None
    except socket.gaierror as error:
        raise ConnectError(
            str(address), f"unknown host {address.host!r}: {error.strerror}"
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise ConnectError(
            str(address),
            f"TLS: the certificate was not accepted: {error.verify_message}",
            hint="EEW_MQTT_CA_FILE names a file with other certificates to trust",
        ) from error
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        asked = "alert" in reason and ("certificate" in reason or "unknown ca" in reason)
        raise ConnectError(
            str(address),
            f"TLS handshake failed: {reason}",
            hint=f"{_OWN_FILES} name our own certificate and its key" if asked else "",
        ) from error
    except ConnectionRefusedError as error:
        raise ConnectError(str(address), "connection refused: nobody listens there") from error
    except OSError as error:
        raise ConnectError(str(address), f"cannot connect: {error.strerror or error}") from error


def reason_text(code: int) -> str:
    """Return what a broker means by a reason code, to be read after "the broker"."""
    return _REASONS.get(code, f"said {code:#x}")


async def _probe(address: BrokerAddress, context: ssl.SSLContext | None) -> BrokerAddress:
    silent = False
    for protocol in (MQTT_5, MQTT_3_1_1):
        try:
            code, receive_maximum = await _ask(address, context, protocol)
        except _NoAnswerError:
            silent = True  # some 3.1.1 brokers just close on a CONNECT of MQTT 5
            continue
        if code == 0:
            return replace(address, protocol=protocol, receive_maximum=receive_maximum)
        if code not in _UNSUPPORTED:
            raise ConnectError(str(address), f"the broker {reason_text(code)}")
    problem = "closed the connection without an answer" if silent else "speaks no MQTT 3.1.1 or 5"
    hint = "is it an MQTT broker, with this TLS setting?"
    if address.tls and silent:
        hint += f" It may want another certificate of ours: {_OWN_FILES}"
    raise ConnectError(str(address), problem, hint=hint)


async def _ask(
    address: BrokerAddress, context: ssl.SSLContext | None, protocol: int
) -> tuple[int, int]:
    reader, writer = await _connect(address, context)
    try:
        writer.write(connect_packet(address, protocol))
        await writer.drain()
        answer = await _read_connack(reader, protocol)
        if answer[0] == 0:
            writer.write(_DISCONNECT)
        return answer
    except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError) as error:
        raise _NoAnswerError from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _connect(
    address: BrokerAddress, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Try the host's addresses in turn; the last failure is the one that counts."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the host has no address")
    for *_, peer in found:
        try:
            return await asyncio.open_connection(
                str(peer[0]),
                address.port,
                ssl=context,
                server_hostname=address.host if context else None,
            )
        except ssl.SSLError:
            raise
        except OSError as error:
            failure = error
    raise failure


def connect_packet(address: BrokerAddress, protocol: int) -> bytes:
    """Return a CONNECT with a clean session, no identifier, and the address's credentials."""
    flags = _CLEAN
    payload = _text("")
    if address.username is not None:
        flags |= 0x80
        payload += _text(address.username)
        if address.password is not None:
            flags |= 0x40
            payload += _text(address.password)
    properties = b"\x00" if protocol == MQTT_5 else b""
    body = _text("MQTT") + struct.pack("!BBH", protocol, flags, 10) + properties + payload
    return b"\x10" + _varint(len(body)) + body


async def _read_connack(reader: asyncio.StreamReader, protocol: int) -> tuple[int, int]:
    if (await reader.readexactly(1))[0] != _CONNACK:
        raise _NoAnswerError
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 21:
            break
    if not 2 <= length <= 4096:
        raise _NoAnswerError
    body = await reader.readexactly(length)
    if protocol != MQTT_5 or body[1] != 0:
        return body[1], 20
    # absent means 65,535 by the standard
    return 0, min(_MOST_INFLIGHT, _receive_maximum(body[2:]) or _MOST_INFLIGHT)


def _receive_maximum(properties: bytes) -> int | None:
    """Find the receive maximum among CONNACK properties; None where it is not stated."""
    at = 0
    while at < len(properties) and properties[at] & 0x80:  # skip the length, a varint
        at += 1
    at += 1
    while at < len(properties):
        kind = properties[at]
        at += 1
        if kind == _RECEIVE_MAXIMUM:
            return int.from_bytes(properties[at : at + 2], "big") or None
        if kind in _PROPERTY_SIZE:
            at += _PROPERTY_SIZE[kind]
        elif kind in _TEXT_PROPERTIES:
            at += 2 + int.from_bytes(properties[at : at + 2], "big")
        elif kind == 0x26:  # user property: two texts
            for _ in range(2):
                at += 2 + int.from_bytes(properties[at : at + 2], "big")
        else:
            return None
    return None


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
