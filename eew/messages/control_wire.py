"""The small messages round the alerts: heartbeat, service status, a device's answer.

The service signs its own. A device has no key: its answer is believed by nobody, only counted. It
says what was received and shown, and when; the shape has no room for where the device is, nor for
whose it is. Fields may be added without another schema: those not known are ignored.
"""

from __future__ import annotations

from typing import Annotated, TypeVar, cast

import msgspec
from msgspec import Meta

from eew.messages.seal import Signer, seal
from eew.messages.topics import ID_PATTERN
from eew.messages.validation import check_schema, refuse

__all__ = [
    "ACK_SCHEMA",
    "HEARTBEAT_SCHEMA",
    "STATUS_SCHEMA",
    "Ack",
    "Heartbeat",
    "ServiceStatus",
    "decode_ack",
    "decode_heartbeat",
    "decode_status",
    "encode_ack",
    "encode_control",
]

HEARTBEAT_SCHEMA = "eew.heartbeat/1"
STATUS_SCHEMA = "eew.status/1"
ACK_SCHEMA = "eew.ack/1"
_Ns = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Id = Annotated[str, Meta(pattern=ID_PATTERN)]


class Heartbeat(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag=HEARTBEAT_SCHEMA
):
    """Time and number, each second; ``sent_ns`` is on the time scale of ``issued_ns``."""

    sequence: Annotated[int, Meta(ge=0)]
    sent_ns: _Ns


class ServiceStatus(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="schema",
    tag=STATUS_SCHEMA,
):
    """Whether a service is there; ``online`` false is also its last will."""

    service_id: _Id
    online: bool
    version: str = ""
    at_ns: _Ns | None = None  # a last will is written before the time it will be sent


class Ack(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="schema",
    tag=ACK_SCHEMA,
):
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


_Control = TypeVar("_Control", Heartbeat, ServiceStatus, Ack)
_ENCODER = msgspec.json.Encoder()
# of a single type msgspec would not ask for the schema
_DECODER = msgspec.json.Decoder(Heartbeat | ServiceStatus | Ack)


def encode_control(message: Heartbeat | ServiceStatus, *, signer: Signer | None) -> bytes:
    """Write a message of the service as UTF-8 JSON, signed.

    ``signer`` None gives the bare body, which no device accepts.
    """
    body = _ENCODER.encode(message)
    return body if signer is None else seal(body, signer)


def encode_ack(ack: Ack) -> bytes:
    """Write a device's answer as UTF-8 JSON, unsigned."""
    return _ENCODER.encode(ack)


def decode_heartbeat(payload: bytes) -> Heartbeat:
    """Read a heartbeat.

    Raises
    ------
    WireError
        If it is none; field and value found are named.
    """
    return _decode("heartbeat", Heartbeat, payload)


def decode_status(payload: bytes) -> ServiceStatus:
    """Read a service's status; raises as :func:`decode_heartbeat`."""
    return _decode("status", ServiceStatus, payload)


def decode_ack(payload: bytes) -> Ack:
    """Read a device's answer; raises as :func:`decode_heartbeat`."""
    return _decode("ack", Ack, payload)


def _decode(what: str, kind: type[_Control], payload: bytes) -> _Control:
    try:
        message = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(what, payload, error) from error
    if not isinstance(message, kind):
        check_schema(what, str(kind.__struct_config__.tag), message.__struct_config__.tag)
    return cast(_Control, message)
