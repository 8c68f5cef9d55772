"""What ``eew msg decode`` and ``verify`` do: one payload as rows, its bytes by field, its truth."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from eew.clock import NS_PER_S
from eew.errors import DataError, WireError
from eew.messages import control_wire, help_wire, key_wire, wire
from eew.messages.seal import Keyring, PublicKey, SealError, key_of
from eew.messages.validation import schema_of
from eew.messages.wire_schema import GROUPS
from eew.model.alert import Status

__all__ = ["Check", "Row", "check_payload", "kind_of", "read_payloads", "rows_of", "sizes_of"]

_NS_PER_MS = 1_000_000
_FUTURE_NS = 2 * NS_PER_S  # what a device lets pass
_MAX_BYTES = 64_000_000
_SHOWN = 96

_DECODERS: dict[str, Callable[[bytes], object]] = {
    "alert": wire.decode,
    "help": help_wire.decode,
    "rotation": key_wire.decode_rotation,
    "status": control_wire.decode_status,
    "heartbeat": control_wire.decode_heartbeat,
    "ack": control_wire.decode_ack,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field: where it stands, what is there, and what that means; empty where it is plain."""

    field: str
    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a device asks before it believes a message."""

    name: str
    holds: bool
    found: str


def read_payloads(source: str, line: int | None = None) -> list[bytes]:
    """Return the payloads of a file, or of stdin (``-``): one, or one per line.

    Raises
    ------
    DataError
        If there is nothing to read, or no such line.
    """
    try:
        data = sys.stdin.buffer.read(_MAX_BYTES) if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise DataError(source, f"cannot be read: {error.strerror or error}") from error
    stripped = data.strip()
    if help_wire.is_deflated(data):
        found = [data]
    elif b"\n" in stripped and not _is_json(stripped):
        found = [one.strip() for one in stripped.split(b"\n") if one.strip()]
    else:
        found = [stripped] if stripped else []
    if not found:
        raise DataError(source, "holds no payload")
    if line is None:
        return found
    if not 1 <= line <= len(found):
        raise DataError(source, f"has {len(found)} payloads, no line {line}")
    return [found[line - 1]]


def kind_of(payload: bytes) -> str:
    """Return ``alert``, ``help``, ``rotation``, ``status``, ``heartbeat`` or ``ack``.

    Raises
    ------
    WireError
        If the payload says that it is something else, or nothing at all.
    """
    schema = schema_of(help_wire.inflated(payload))
    word = schema.removeprefix("eew.").partition("/")[0] if isinstance(schema, str) else ""
    if word not in _DECODERS:
        known = ", ".join(f"eew.{name}" for name in _DECODERS)
        raise WireError(f"payload: schema must be one of {known}, was {schema!r}")
    return word


def rows_of(payload: bytes) -> list[Row]:
    """Return every field of a payload, with names for the elements of arrays.

    Raises
    ------
    WireError
        If a device would not be able to read it.
    """
    kind = kind_of(payload)
    _DECODERS[kind](payload)
    document = json.loads(help_wire.inflated(payload))
    rows = []
    for field, value in document.items():
        if kind == "alert" and field in GROUPS:
            elements = zip(GROUPS[field], value, strict=False)
            rows += [Row(f"{field}.{name}", _text(one)) for name, one in elements]
        else:
            rows.append(Row(field, _text(value)))
    meanings = _alert_meanings(payload) if kind == "alert" else _times(document)
    return [Row(row.field, row.value, meanings.get(row.field, "")) for row in rows]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def _times(document: dict[str, Any]) -> dict[str, str]:
    return {
        name: _utc(value)
        for name, value in document.items()
        if name.endswith("_ns") and isinstance(value, int)
    }


def _alert_meanings(payload: bytes) -> dict[str, str]:
    alert = wire.decode(payload)
    message, prediction = alert.message, alert.message.prediction
    radii = [f"{k}: {km:g} km" for k, km in prediction.radii_km.items()]
    seen = [f"{one.lat:g},{one.lon:g}: {one.intensity:g}" for one in prediction.observed]
    meanings = {
        "issued_ns": _utc(message.issued_ns),
        "expires_ms": _utc(message.expires_ns),
        "origin.time_ms": _utc(message.origin.time_ns),
        "trace_ms.first_pick": _utc(message.first_pick_ns),
        "trace_ms.sent": _utc(alert.sent_ns),
        "radii_km": ", ".join(radii),
        "observed": "; ".join(seen),
    }
    if prediction.line is not None:
        lat1, lon1, lat2, lon2 = prediction.line
        meanings["line"] = f"{lat1:g},{lon1:g} to {lat2:g},{lon2:g}"
    return meanings


def _utc(time_ns: int) -> str:
    try:
        at = datetime.fromtimestamp(time_ns // NS_PER_S, UTC)
    except (OverflowError, ValueError, OSError):
        return "beyond the calendar"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % NS_PER_S // _NS_PER_MS:03d}Z"


def sizes_of(payload: bytes) -> list[tuple[str, int]]:
    """Return the bytes that each member takes, name, quotes and comma counted, in their order.

    The sum is that of the plain JSON; its braces stand under ``{}``.

    Raises
    ------
    WireError
        If it is no JSON object.
    """
    plain = help_wire.inflated(payload)
    try:
        members = msgspec.json.decode(plain, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"payload: no JSON object: {error}") from error
    sizes = [
        (name, len(json.dumps(name).encode()) + 1 + len(bytes(raw)) + 1)
        for name, raw in members.items()
    ]
    return [*sizes, ("{}", len(plain) - sum(n for _, n in sizes))]


def check_payload(
    payload: bytes, keyring: Keyring, *, tree: Status | None, at_ns: int | None
) -> list[Check]:
    """Return what a device would ask of a payload, in its order, up to what ends the matter.

    Parameters
    ----------
    tree : Status, optional
        That of the topic it came by; what the payload says of itself by default, or where it
        says nothing that of its key.
    at_ns : int, optional
        UTC ns at which it is judged; the time of its issue by default.
    """
    return list(_checks(payload, keyring, tree, at_ns))


def _checks(
    payload: bytes, keyring: Keyring, tree: Status | None, at_ns: int | None
) -> Iterator[Check]:
    try:
        plain = help_wire.inflated(payload)
        kind = kind_of(payload)
        if kind == "ack":
            control_wire.decode_ack(payload)
            yield Check("content", True, "a valid ack")
            yield Check("signature", False, "no receipt has one: it is counted, not believed")
            return
        held = keyring.get(key_of(plain))
        said = _tree_said(json.loads(plain))
        own = held.tree if held is not None else Status.EXERCISE
        key = keyring.verify(plain, tree or said or own)
    except SealError as error:
        yield Check("signature", False, str(error).removeprefix("signature: "))
        return
    except WireError as error:
        yield Check("content", False, str(error))
        return
    yield Check("signature", True, f"by {key.key_id}, a key for {key.tree.value}")
    try:
        decoded = _DECODERS[kind](payload)
    except WireError as error:
        yield Check("content", False, str(error))
        return
    yield Check("content", True, f"a valid {kind}")
    if not isinstance(decoded, wire.ReceivedAlert):
        if at_ns is not None:
            yield _key_check(key, at_ns)
        return
    message = decoded.message
    yield Check(
        "tree",
        message.status is key.tree,
        f"status {message.status.value}, key for {key.tree.value}",
    )
    now_ns = message.issued_ns if at_ns is None else at_ns
    yield _key_check(key, now_ns)
    ahead_ns = message.issued_ns - now_ns
    yield Check(
        "expiry",
        now_ns < message.expires_ns and ahead_ns <= _FUTURE_NS,
        f"issued {ahead_ns / NS_PER_S:.3f} s ahead of {_utc(now_ns)}"
        if ahead_ns > _FUTURE_NS
        else f"expires {_utc(message.expires_ns)}, judged at {_utc(now_ns)}",
    )


def _tree_said(document: dict[str, Any]) -> Status | None:
    said = document.get("status", document.get("tree"))
    return next((tree for tree in Status if tree.value == said), None)


def _key_check(key: PublicKey, now_ns: int) -> Check:
    early, over = key.is_early(now_ns), key.is_over(now_ns)
    word = "not yet valid" if early else "valid no more" if over else "valid"
    return Check("key", not (early or over), f"{word} at {_utc(now_ns)}")


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
