"""Keys for runs that are given none: derived from the seed, so that a replay gives the same bytes.

They protect nothing, since whoever knows the seed has them: their names begin with ``dev-``. A
service that people listen to is given keys made by ``eew keys new``.

HKDF with SHA-256 (RFC 5869).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from eew.messages.seal import KeyPair, Keyring
from eew.model.alert import Status

__all__ = ["development_key", "development_keyring"]

_SALT = b"eew development key, not a secret"
_SEED_BYTES = 32
_NAME_BYTES = 2


def development_key(seed: int, tree: Status = Status.EXERCISE) -> KeyPair:
    """Return the key of a run for one tree, named ``dev-`` and four hexadecimal digits."""
    derive = HKDF(
        algorithm=SHA256(),
        length=_SEED_BYTES + _NAME_BYTES,
        salt=_SALT,
        info=tree.value.encode(),
    )
    made = derive.derive(str(seed).encode())
    return KeyPair(f"dev-{made[_SEED_BYTES:].hex()}", tree, made[:_SEED_BYTES])


def development_keyring(seed: int) -> Keyring:
    """Return what the devices of a run trust: its keys for all trees."""
    return Keyring(development_key(seed, tree).public for tree in Status)
