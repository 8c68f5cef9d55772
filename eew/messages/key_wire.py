"""Keys as JSON: the set a device pins, the private file of a service, and the rotation statement.

* ``eew.keys/1``: public keys with tree and validity. It is not signed: a device holds it from the
  day it was set up, and trusts it for where it came from.
* ``eew.private-key/1``: one private key, for the service that signs with it and for nobody else.
* ``eew.rotation/1``: one key names the next of its tree, sealed by the old one. The retained topic
  ``keys`` carries one statement per line, oldest first, so that a device which was away for two
  rotations follows both; each line is signed on its own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from eew.errors import WireError
from eew.messages.seal import KEY_ID_PATTERN, KeyPair, PublicKey, Signer, seal
from eew.messages.validation import check_schema, refuse
from eew.model.alert import Status

__all__ = [
    "MAX_STATEMENTS_BYTES",
    "ROTATION_SCHEMA",
    "Rotation",
    "Statement",
    "decode_key_set",
    "decode_private_key",
    "decode_rotation",
    "encode_key_set",
    "encode_private_key",
    "encode_rotation",
    "join_statements",
    "split_statements",
]

KEYS_SCHEMA = "eew.keys/1"
PRIVATE_SCHEMA = "eew.private-key/1"
ROTATION_SCHEMA = "eew.rotation/1"
MAX_STATEMENTS_BYTES = 32_768  # some 60 rotations

_Ns = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Id = Annotated[str, Meta(pattern=KEY_ID_PATTERN)]
_Raw = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z")]  # 32 bytes in base64url, no padding


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    key_id: _Id
    tree: Status
    public: _Raw
    from_ns: _Ns
    until_ns: _Ns | None


class _KeySet(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    keys: Annotated[list[_Key], Meta(max_length=256)]


class _PrivateKey(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    key_id: _Id
    tree: Status
    private: _Raw
    from_ns: _Ns
    until_ns: _Ns | None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A rotation as it travels."""

    schema: str
    tree: Status
    next: _Key
    previous_until_ns: _Ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What the old key says: who follows it, and until when it counts itself."""

    key: PublicKey
    previous_until_ns: int


_T = TypeVar("_T")
_ENCODER = msgspec.json.Encoder()


def encode_key_set(keys: Iterable[PublicKey]) -> bytes:
    """Write a key set, one key per line, by tree and beginning."""
    ordered = sorted(keys, key=lambda key: (key.tree.value, key.from_ns, key.key_id))
    document = _KeySet(schema=KEYS_SCHEMA, keys=[_to_wire(key) for key in ordered])
    return msgspec.json.format(_ENCODER.encode(document), indent=2) + b"\n"


def decode_key_set(payload: bytes) -> tuple[PublicKey, ...]:
    """Read a key set.

    Raises
    ------
    WireError
        If it is none, or two keys have one name.
    """
    document = _decode("keys", payload, _KeySet)
    check_schema("keys", KEYS_SCHEMA, document.schema)
    keys = tuple(_from_wire(key) for key in document.keys)
    names = [key.key_id for key in keys]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WireError(f"keys: key_id {twice[0]!r} stands there twice")
    return keys


def encode_private_key(key: PublicKey, seed: bytes) -> bytes:
    """Write a private key (``seed``: the 32 bytes of RFC 8032) with what its public part says."""
    document = _PrivateKey(
        schema=PRIVATE_SCHEMA,
        key_id=key.key_id,
        tree=key.tree,
        private=_text(seed),
        from_ns=key.from_ns,
        until_ns=key.until_ns,
    )
    return msgspec.json.format(_ENCODER.encode(document), indent=2) + b"\n"


def decode_private_key(payload: bytes) -> KeyPair:
    """Read a private key; what is wrong is said without a value, which may be secret.

    Raises
    ------
    WireError
        If it is none.
    """
    try:
        document = msgspec.json.decode(payload, type=_PrivateKey)
        check_schema("private key", PRIVATE_SCHEMA, document.schema)
        return KeyPair(
            document.key_id,
            document.tree,
            _bytes(document.private),
            from_ns=document.from_ns,
            until_ns=document.until_ns,
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"private key: {error}") from None


def encode_rotation(rotation: Rotation, signer: Signer) -> bytes:
    """Write and sign a statement.

    Raises
    ------
    WireError
        If the next key is for another tree than the one that signs.
    """
    if rotation.key.tree is not signer.tree:
        raise WireError(
            f"rotation: a key for {signer.tree.value} cannot name one for {rotation.key.tree.value}"
        )
    document = Statement(
        schema=ROTATION_SCHEMA,
        tree=signer.tree,
        next=_to_wire(rotation.key),
        previous_until_ns=rotation.previous_until_ns,
    )
    return seal(_ENCODER.encode(document), signer)


def decode_rotation(payload: bytes) -> Rotation:
    """Read a statement; who signed it is for :meth:`eew.messages.seal.Keyring.verify`.

    Raises
    ------
    WireError
        If it is none, or names a key for another tree.
    """
    document = _decode("rotation", payload, Statement)
    check_schema("rotation", ROTATION_SCHEMA, document.schema)
    if document.next.tree is not document.tree:
        raise WireError(
            f"rotation: next.tree must be {document.tree.value!r}, was {document.next.tree.value!r}"
        )
    return Rotation(key=_from_wire(document.next), previous_until_ns=document.previous_until_ns)


def join_statements(statements: Sequence[bytes]) -> bytes:
    """Return the payload of the ``keys`` topic: one statement per line, oldest first."""
    return b"\n".join(statements)


def split_statements(payload: bytes) -> list[bytes]:
    """Return the statements in a payload of the ``keys`` topic."""
    return [line for line in payload.split(b"\n") if line]


def _to_wire(key: PublicKey) -> _Key:
    return _Key(
        key_id=key.key_id,
        tree=key.tree,
        public=_text(key.raw),
        from_ns=key.from_ns,
        until_ns=key.until_ns,
    )


def _from_wire(key: _Key) -> PublicKey:
    return PublicKey(
        key_id=key.key_id,
        tree=key.tree,
        raw=_bytes(key.public),
        from_ns=key.from_ns,
        until_ns=key.until_ns,
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise WireError("key: not base64url") from error


def _decode(what: str, payload: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(what, payload, error) from error
