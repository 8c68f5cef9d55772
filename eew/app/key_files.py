"""Key files: made, handed on, listed and loaded.

A folder of keys holds ``keys.json`` (public: goes to every device), ``KEY_ID.private.json`` (mode
0600: stays with the one service that signs) and ``rotations-TREE.jsonl`` (signed statements, one
per line, oldest first: go to the publisher). Nothing secret is ever overwritten, printed or put
into an error.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from eew.clock import NS_PER_S, Clock
from eew.entropy import fresh_bytes
from eew.errors import ConfigError, DataError, WireError
from eew.messages.key_wire import (
    Rotation,
    decode_key_set,
    decode_private_key,
    encode_key_set,
    encode_private_key,
    encode_rotation,
    split_statements,
)
from eew.messages.seal import KeyPair, Keyring, PublicKey
from eew.model.alert import Status

__all__ = [
    "KEY_SET_NAME",
    "MadeKey",
    "load_keyring",
    "load_keys",
    "load_signer",
    "load_statements",
    "new_key",
    "rotate_key",
    "statements_beside",
]

KEY_SET_NAME = "keys.json"
_PRIVATE_ENDING = ".private.json"
_DAY_NS = 86_400 * NS_PER_S
_MOST_DAYS = 3_660


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A key that was made, and the files that were written."""

    key: PublicKey
    private_file: Path
    key_set_file: Path
    statement_file: Path | None = None
    previous: PublicKey | None = None


def new_key(
    folder: Path, tree: Status, *, clock: Clock, days: int = 400, key_id: str = ""
) -> MadeKey:
    """Make a first key for a tree.

    Parameters
    ----------
    folder : pathlib.Path
        Made where it is missing; a ``keys.json`` in it is added to.
    days : int
        How long the key counts, from now.
    key_id : str
        Its name; two letters of the tree and five digits of the fingerprint by default.

    Raises
    ------
    ConfigError
        If a setting cannot be used, or a file of that name is there.
    DataError
        If ``keys.json`` cannot be read.
    """
    now_ns = _now_ns(clock)
    key_set = folder / KEY_SET_NAME
    held = load_keys(key_set) if key_set.exists() else ()
    key, seed = _make(tree, now_ns, days, key_id, held)
    _make_folder(folder)
    private = _write_private(folder, key, seed)
    _write(key_set, encode_key_set([*held, key]))
    return MadeKey(key=key, private_file=private, key_set_file=key_set)


def rotate_key(
    private_file: Path, *, clock: Clock, days: int = 400, overlap_days: int = 30, key_id: str = ""
) -> MadeKey:
    """Make the key that follows one, and the statement by which that one says so.

    Parameters
    ----------
    private_file : pathlib.Path
        The old key; the new one, the statement and ``keys.json`` are written beside it.
    overlap_days : int
        How long the old key still counts, at most to its own end: devices that are away meanwhile
        must come back within it to follow.

    Raises
    ------
    ConfigError, DataError
        If a setting or a file cannot be used, or the old key counts no more.
    """
    now_ns = _now_ns(clock)
    old = _read_private(private_file)
    if old.public.is_over(now_ns):
        raise ConfigError(
            "--key", f"key {old.key_id} counts no more", hint="make a new one: eew keys new"
        )
    if not 0 <= overlap_days <= _MOST_DAYS:
        raise ConfigError("--overlap-days", f"must be 0 to {_MOST_DAYS}, was {overlap_days}")
    folder = private_file.parent
    key_set = folder / KEY_SET_NAME
    held = load_keys(key_set) if key_set.exists() else (old.public,)
    key, seed = _make(old.tree, now_ns, days, key_id, held)
    until_ns = max(now_ns + overlap_days * _DAY_NS, old.public.from_ns + 1)
    if old.public.until_ns is not None:
        until_ns = min(until_ns, old.public.until_ns)
    ended = replace(old.public, until_ns=until_ns)
    statement = encode_rotation(Rotation(key=key, previous_until_ns=until_ns), old)
    private = _write_private(folder, key, seed)
    statements = statements_beside(private_file, old.tree)
    before = statements.read_bytes() if statements.exists() else b""
    _write(statements, before + statement + b"\n")
    others = [one for one in held if one.key_id != old.key_id]
    _write(key_set, encode_key_set([*others, ended, key]))
    return MadeKey(
        key=key,
        private_file=private,
        key_set_file=key_set,
        statement_file=statements,
        previous=ended,
    )


def load_keys(path: Path) -> tuple[PublicKey, ...]:
    """Read the public keys of a file: a key set, or of a private key its public part.

    Raises
    ------
    ConfigError
        If there is no such file.
    DataError
        If it holds neither.
    """
    payload = _read(path)
    try:
        if path.name.endswith(_PRIVATE_ENDING):
            return (decode_private_key(payload).public,)
        return decode_key_set(payload)
    except WireError as error:
        raise DataError(str(path), str(error)) from None


def load_keyring(path: Path) -> Keyring:
    """Read the keys a device is set up with; raises as :func:`load_keys`, and where it is empty."""
    keys = load_keys(path)
    if not keys:
        raise DataError(str(path), "holds no key: a device would believe nobody")
    return Keyring(keys)


def load_signer(path: Path, tree: Status) -> KeyPair:
    """Read the key a service signs with.

    Raises
    ------
    ConfigError
        If there is no such file, others may read it, or the key is for another tree.
    DataError
        If it holds no private key.
    """
    pair = _read_private(path)
    if pair.tree is not tree:
        raise ConfigError(
            "--key", f"{path} is a key for {pair.tree.value}, the messages say {tree.value}"
        )
    return pair


def load_statements(path: Path) -> list[bytes]:
    """Read the rotation statements a publisher keeps on the broker, oldest first."""
    return split_statements(_read(path))


def statements_beside(private_file: Path, tree: Status) -> Path:
    """Return where the rotation statements of a tree stand, beside its keys."""
    return private_file.with_name(f"rotations-{tree.value}.jsonl")


def _now_ns(clock: Clock) -> int:
    """Return the time in whole seconds: validity is for people to read."""
    return clock.utc_ns() // NS_PER_S * NS_PER_S


def _make(
    tree: Status, now_ns: int, days: int, key_id: str, held: tuple[PublicKey, ...]
) -> tuple[PublicKey, bytes]:
    if not 1 <= days <= _MOST_DAYS:
        raise ConfigError("--days", f"must be 1 to {_MOST_DAYS}, was {days}")
    seed = fresh_bytes(32)
    until_ns = now_ns + days * _DAY_NS
    raw = KeyPair("unnamed", tree, seed).public
    name = key_id or f"{tree.value[:2]}-{raw.fingerprint[:5]}"
    if any(key.key_id == name for key in held):
        raise ConfigError("--id", f"there is a key of the name {name!r}")
    try:
        return replace(raw, key_id=name, from_ns=now_ns, until_ns=until_ns), seed
    except WireError as error:
        raise ConfigError("--id", str(error)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None


def _read_private(path: Path) -> KeyPair:
    payload = _read(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(
            str(path), f"others may read this private key (mode {mode:04o})", hint="chmod 600"
        )
    try:
        return decode_private_key(payload)
    except WireError as error:
        raise DataError(str(path), str(error)) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(str(folder), f"cannot be made: {error.strerror}") from None


def _write_private(folder: Path, key: PublicKey, seed: bytes) -> Path:
    path = folder / f"{key.key_id}{_PRIVATE_ENDING}"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(str(path), "is there already, and a key is never overwritten") from None
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(encode_private_key(key, seed))
    return path


def _write(path: Path, content: bytes) -> None:
    """Replace a file at once: who reads meanwhile finds the old one or the new one."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from None
