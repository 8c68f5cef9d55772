"""Alert messages as JSON, schema ``eew.alert/2``: strict both ways, and under 700 bytes sealed.

Unknown fields are ignored, so that a newer minor version can be read; an unknown major version,
a missing or non-finite number, a value out of its range or a status other than ``exercise``,
``drill`` or ``test`` is refused with the field and the value found. There is no ``actual``: this
software cannot say it and does not listen to it. What :func:`encode` writes has been read back
first.

What is rounded on the way is said in ``eew.messages.wire_form``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from eew.errors import WireError
from eew.messages import wire_schema
from eew.messages.seal import Signer, seal
from eew.messages.validation import check_schema, refuse, schema_of
from eew.messages.wire_form import message_of, sent_ns_of, to_wire
from eew.messages.wire_schema import GROUPS
from eew.model.alert import AlertMessage, MsgType

__all__ = ["MAX_PAYLOAD_BYTES", "SCHEMA", "ReceivedAlert", "decode", "encode"]

SCHEMA = "eew.alert/2"
MAX_PAYLOAD_BYTES = 4_096  # an alert is under 1 kB; anything this long is not one


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAlert:
    """A decoded message with what travels beside it.

    Attributes
    ----------
    message : AlertMessage
        Rounded as it was sent.
    sent_ns : int
        When it left the service, UTC ns, to the us.
    shelter_version : int or None
        Newest version of help packs the service holds, where it says so.
    """

    message: AlertMessage
    sent_ns: int
    run_id: str
    seed: int
    shelter_version: int | None


def encode(
    message: AlertMessage,
    *,
    run_id: str,
    seed: int,
    sent_ns: int,
    shelter_version: int | None = None,
    signer: Signer | None,
) -> bytes:
    """Write a message as UTF-8 JSON, signed; the same input gives the same bytes.

    Parameters
    ----------
    signer : Signer or None
        For the tree of ``message.status``. None gives the bare body, which no device accepts: for
        tools that look at sizes, and for tests of the body.

    Raises
    ------
    WireError
        If a value may not be sent (not finite, out of range, unknown status), or the key is for
        another tree.
    """
    if signer is not None and signer.tree is not message.status:
        raise WireError(
            f"alert: status {message.status.value!r} cannot be signed by key {signer.key_id!r}, "
            f"which is for {signer.tree.value!r}"
        )
    alert = to_wire(
        message,
        schema=SCHEMA,
        run_id=run_id,
        seed=seed,
        sent_ns=sent_ns,
        shelter_version=shelter_version,
    )
    body = wire_schema.ENCODER.encode(alert)
    payload = body if signer is None else seal(body, signer)
    decode(payload)
    return payload


@lru_cache(maxsize=256)
def decode(payload: bytes) -> ReceivedAlert:
    """Read a message; the result is shared by all devices of a process that receive it.

    Key and signature are not looked at here: :meth:`eew.messages.seal.Keyring.verify` does that,
    before anything is read.

    Raises
    ------
    WireError
        If it is not a valid ``eew.alert/2`` message; field and value found are named.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError(f"alert: {len(payload)} bytes, more than {MAX_PAYLOAD_BYTES}")
    try:
        alert = wire_schema.DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        schema = schema_of(payload)
        if schema is not None:
            check_schema("alert", SCHEMA, schema)
        raise refuse("alert", payload, error, GROUPS) from error
    check_schema("alert", SCHEMA, alert.schema)
    _check_consistent(alert)
    run_id, seed = alert.run.rsplit("/", 1)
    return ReceivedAlert(
        message=message_of(alert),
        sent_ns=sent_ns_of(alert),
        run_id=run_id,
        seed=int(seed),
        shelter_version=alert.shelter_version,
    )


def _check_consistent(alert: wire_schema.Alert) -> None:
    """Refuse what the types alone let pass."""
    if alert.simulation is not True:
        raise WireError(f"alert: simulation must be true, was {alert.simulation!r}")
    kind = alert.type
    if (kind is MsgType.CANCEL) != (alert.cancel_reason is not None):
        raise WireError(
            f"alert: cancel_reason does not suit {kind.value!r}, was {alert.cancel_reason!r}"
        )
