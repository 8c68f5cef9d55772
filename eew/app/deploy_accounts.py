"""Accounts of a deployment: their names, and passwords that follow from one secret.

A device has no account of its own. It uses that of its tree and area, like everybody there: the
broker learns the area, which it would from the subscription, and nothing that tells one phone
from another. A server that provisions devices needs the secret only, and no list of people.

Passwords are HMAC-SHA256 (RFC 2104) of the account's name under the deployment's secret; what the
broker keeps is PBKDF2-HMAC-SHA512 (RFC 8018), as ``mosquitto_passwd`` makes it (``$7$``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from eew.model.alert import Status

__all__ = [
    "SECRET_BYTES",
    "PasswordHash",
    "device_account",
    "hash_password",
    "leaf_account",
    "password_of",
    "service_account",
]

SECRET_BYTES = 32
# As mosquitto_passwd 2.0: enough, since the passwords are 192 random bits and cannot be guessed,
# and a broker that takes thousands of connections a second pays it for each of them.
ITERATIONS = 101
_SALT_BYTES = 12
_PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What a broker keeps of a password; ``salt`` and ``digest`` in base64."""

    salt: str
    digest: str
    iterations: int

    def __str__(self) -> str:
        return f"$7${self.iterations}${self.salt}${self.digest}"


def device_account(tree: Status, cell: str) -> str:
    """Return the account that all devices of an area share in a tree."""
    return f"{tree.value}-{cell}"


def service_account(tree: Status) -> str:
    """Return the account that publishes in a tree."""
    return f"service-{tree.value}"


def leaf_account(number: int) -> str:
    """Return the account by which a leaf is fed, counted from 1."""
    return f"leaf-{number}"


def password_of(secret: bytes, account: str) -> str:
    """Return the password of an account: 192 bits in 32 characters safe in URLs."""
    digest = _derived(secret, "password", account)
    return base64.urlsafe_b64encode(digest[:_PASSWORD_BYTES]).decode()


def hash_password(
    secret: bytes, account: str, password: str, *, iterations: int = ITERATIONS
) -> PasswordHash:
    """Return what the broker keeps; the salt follows from the secret, so a file is repeatable."""
    return salted_hash(password, _derived(secret, "salt", account)[:_SALT_BYTES], iterations)


def salted_hash(password: str, salt: bytes, iterations: int) -> PasswordHash:
    """Return the hash of a password with a given salt."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    return PasswordHash(
        base64.b64encode(salt).decode(), base64.b64encode(digest).decode(), iterations
    )


def _derived(secret: bytes, purpose: str, account: str) -> bytes:
    return hmac.new(secret, f"eew {purpose} {account}".encode(), hashlib.sha256).digest()
