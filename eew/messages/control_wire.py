"""The small messages round the alerts: heartbeat, service status, a device's answer.

A device's answer says what it received and showed, and when; the shape has no room for where
the device is.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from eew.messages.topics import ID_PATTERN
from eew.messages.validation import refuse

__all__ = [
    "Ack",
    "Heartbeat",
    "ServiceStatus",
    "decode_ack",
    "decode_heartbeat",
    "decode_status",
    "encode_control",
]

_Ns = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Id = Annotated[str, Meta(pattern=ID_PATTERN)]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Time and number, each second; ``sent_ns`` is on the time scale of ``issued_ns``."""

    sequence: Annotated[int, Meta(ge=0)]
    sent_ns: _Ns


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a service is there; ``online`` false is also its last will."""

    service_id: _Id
    online: bool
    version: str = ""
    at_ns: _Ns | None = None  # a last will is written before the time it will be sent


class Ack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one device did with one message.

    Attributes
    ----------
    outcome : str
        ``shown``, ``received`` (below the threshold here, or a worse event rules) or ``ignored``.
    reason : str
        Why not shown, or why ignored; empty where shown.
    shown_ns : int or None
        When it was on the screen.
    """

    id: _Id
    event_id: str
    serial: int
    outcome: Annotated[str, Meta(pattern=r"^(shown|received|ignored)\Z")]
    received_ns: _Ns
    shown_ns: _Ns | None = None
    reason: Annotated[str, Meta(max_length=64)] = ""


_ENCODER = msgspec.json.Encoder()
_HEARTBEAT = msgspec.json.Decoder(Heartbeat)
_STATUS = msgspec.json.Decoder(ServiceStatus)
_ACK = msgspec.json.Decoder(Ack)


def encode_control(message: Heartbeat | ServiceStatus | Ack) -> bytes:
    """Write one of these messages as UTF-8 JSON."""
    return _ENCODER.encode(message)


def decode_heartbeat(payload: bytes) -> Heartbeat:
    """Read a heartbeat.

    Raises
    ------
    WireError
        If it is none; field and value found are named.
    """
    try:
        return _HEARTBEAT.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse("heartbeat", payload, error) from error


def decode_status(payload: bytes) -> ServiceStatus:
    """Read a service's status; raises as :func:`decode_heartbeat`."""
    try:
        return _STATUS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse("status", payload, error) from error


def decode_ack(payload: bytes) -> Ack:
    """Read a device's answer; raises as :func:`decode_heartbeat`."""
    try:
        return _ACK.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse("ack", payload, error) from error
