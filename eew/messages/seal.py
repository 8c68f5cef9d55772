"""Signatures: Ed25519 over the exact bytes of a message, which stays readable JSON.

``{"schema": …}`` leaves as ``{"schema": …,"key":"ex-1","sig":"…"}``. Signed is everything before
``,"sig"``, byte for byte, the name of the key included; nothing is parsed, ordered or normalised
before the signature has been checked. A key belongs to one tree (exercise, drill or test), so a
drill cannot be taken for anything else, whoever moves it.

RFC 8032 (Ed25519). Nothing here reads a clock: a key says from when to when it counts, and the one
who asks judges that by the time it believes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from eew.errors import WireError
from eew.model.alert import Status

__all__ = ["Flaw", "KeyPair", "Keyring", "PublicKey", "SealError", "Signer", "key_of", "seal"]

_SIG = b',"sig":"'
_SIG_CHARS = 86  # 64 bytes in base64 without padding
_TAIL = len(_SIG) + _SIG_CHARS + 2
KEY_ID_PATTERN = r"^[A-Za-z0-9._-]{1,32}\Z"
_KEY = re.compile(rb',"key":"([A-Za-z0-9._-]{1,32})"\Z')
_REMEMBERED = 4096
_REMEMBERED_BAD = 256  # apart, so that a flood of forgeries does not push out what is genuine
_SHORT_BYTES = 4_096  # longer ones (help packs, up to 16 MB) are remembered by their digest


class Flaw(Enum):
    """What is wrong with a signature."""

    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown_key"
    WRONG_TREE = "wrong_tree"
    BAD_SIGNATURE = "bad_signature"


class SealError(WireError):
    """A message that is not from whom it should be; ``flaw`` says why."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        self.flaw = flaw
        super().__init__(f"signature: {detail}")


class Signer(Protocol):
    """Whoever can sign for a tree."""

    @property
    def key_id(self) -> str:
        """Name by which devices know the key."""
        ...

    @property
    def tree(self) -> Status:
        """What the key is for."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """What a device holds of a key: 32 bytes, its name, the tree it is for, and when it counts.

    Attributes
    ----------
    from_ns, until_ns : int, int or None
        UTC ns; it counts from the first to just before the second, None for ever.

    Raises
    ------
    WireError
        If the name, the bytes or the times are none of a key.
    """

    key_id: str
    tree: Status
    raw: bytes
    from_ns: int = 0
    until_ns: int | None = None

    def __post_init__(self) -> None:
        if not re.match(KEY_ID_PATTERN, self.key_id):
            raise WireError(f"key_id must match {KEY_ID_PATTERN}, was {self.key_id!r}")
        if len(self.raw) != 32:
            raise WireError(f"key {self.key_id}: 32 bytes expected, was {len(self.raw)}")
        if self.until_ns is not None and self.until_ns <= self.from_ns:
            raise WireError(
                f"key {self.key_id}: until_ns must be after from_ns ({self.from_ns}), "
                f"was {self.until_ns}"
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the 32 bytes in hexadecimal, for people to compare."""
        return hashlib.sha256(self.raw).hexdigest()

    def is_early(self, now_ns: int) -> bool:
        """Tell whether the key does not count yet."""
        return now_ns < self.from_ns

    def is_over(self, now_ns: int) -> bool:
        """Tell whether the key counts no more."""
        return self.until_ns is not None and now_ns >= self.until_ns


class KeyPair:
    """A key that can sign.

    Parameters
    ----------
    seed : bytes, shape (32,)
        The private key of RFC 8032; never part of ``repr``.
    from_ns, until_ns : int, int or None
        When it counts, as :class:`PublicKey` has it.
    """

    def __init__(
        self,
        key_id: str,
        tree: Status,
        seed: bytes,
        *,
        from_ns: int = 0,
        until_ns: int | None = None,
    ) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(
            key_id=key_id,
            tree=tree,
            raw=self._private.public_key().public_bytes_raw(),
            from_ns=from_ns,
            until_ns=until_ns,
        )

    @property
    def key_id(self) -> str:
        """Name by which devices know the key."""
        return self.public.key_id

    @property
    def tree(self) -> Status:
        """What the key is for."""
        return self.public.tree

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self._private.sign(data)


def seal(body: bytes, signer: Signer) -> bytes:
    """Return a JSON object with the name of the key and the signature at its end.

    Raises
    ------
    ValueError
        If ``body`` is not a JSON object with at least one member, written without a last space.
    """
    if len(body) < 3 or body[:1] != b"{" or body[-1:] != b"}":
        raise ValueError("only a JSON object with a member can be signed")
    signed = body[:-1] + b',"key":"' + signer.key_id.encode() + b'"'
    signature = base64.urlsafe_b64encode(signer.sign(signed))[:_SIG_CHARS]
    return signed + _SIG + signature + b'"}'


def key_of(payload: bytes) -> str:
    """Return the name of the key a payload says it is signed with; empty where it is unsigned."""
    found = _KEY.search(payload[:-_TAIL]) if _has_tail(payload) else None
    return found[1].decode() if found else ""


def _has_tail(payload: bytes) -> bool:
    return (
        len(payload) > _TAIL
        and payload[-_TAIL : -_TAIL + len(_SIG)] == _SIG
        and payload[-2:] == b'"}'
    )


class Keyring:
    """The keys a device trusts: a pinned set, and what those have handed on.

    What was verified, or refused, is remembered: many devices of one process pay once for each
    distinct payload.
    """

    def __init__(self, keys: Iterable[PublicKey] = ()) -> None:
        self._keys: dict[str, tuple[PublicKey, Ed25519PublicKey]] = {}
        self._good: dict[bytes, PublicKey] = {}
        self._bad: dict[bytes, tuple[Flaw, str]] = {}
        for key in keys:
            self.add(key)

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """All keys trusted now, by name."""
        return tuple(self._keys[name][0] for name in sorted(self._keys))

    def get(self, key_id: str) -> PublicKey | None:
        """Return the key of that name; None where none is trusted."""
        known = self._keys.get(key_id)
        return None if known is None else known[0]

    def add(self, key: PublicKey) -> None:
        """Trust a key; one of the same name is replaced."""
        self._keys[key.key_id] = (key, Ed25519PublicKey.from_public_bytes(key.raw))
        self._forget()

    def remove(self, key_id: str) -> None:
        """Trust a key no more."""
        self._keys.pop(key_id, None)
        self._forget()

    def _forget(self) -> None:
        self._good.clear()
        self._bad.clear()

    def verify(self, payload: bytes, tree: Status) -> PublicKey:
        """Return the key for ``tree`` by which ``payload`` is signed, byte for byte.

        Whether the key counts at this time is for the caller to judge.

        Raises
        ------
        SealError
            Saying what is wrong.
        """
        name = payload if len(payload) <= _SHORT_BYTES else hashlib.sha256(payload).digest()
        key = self._good.get(name)
        if key is None:
            key = self._verify(payload, name)
        if key.tree is not tree:
            raise SealError(
                Flaw.WRONG_TREE,
                f"key {key.key_id!r} is for {key.tree.value}, the topic for {tree.value}",
            )
        return key

    def _verify(self, payload: bytes, remembered_as: bytes) -> PublicKey:
        known = self._bad.get(remembered_as)
        if known is not None:
            raise SealError(*known)
        name = key_of(payload)
        if not name:
            raise SealError(Flaw.UNSIGNED, "there is none")
        if name not in self._keys:
            raise SealError(Flaw.UNKNOWN_KEY, f"key {name!r} is not trusted")
        key, public = self._keys[name]
        text = payload[-_SIG_CHARS - 2 : -2]
        try:
            signature = base64.b64decode(text + b"==", altchars=b"-_", validate=True)
            if base64.urlsafe_b64encode(signature)[:_SIG_CHARS] != text:
                raise ValueError("one signature must have one spelling")
            public.verify(signature, payload[:-_TAIL])
        except (InvalidSignature, binascii.Error, ValueError) as error:
            flaw = (Flaw.BAD_SIGNATURE, f"does not fit key {name!r}")
            if len(self._bad) >= _REMEMBERED_BAD:
                self._bad.clear()
            self._bad[remembered_as] = flaw  # the other flaws cost nothing to find again
            raise SealError(*flaw) from error
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[remembered_as] = key
        return key
