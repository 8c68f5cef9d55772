"""The accounts of the areas, as ``eew deploy mosquitto`` hands them to devices.

A device connects with the account of the area it is in. TLS takes its own certificate and the
authority from files only, so they are written into a folder that others cannot read and that
lasts as long as the accounts are open; passwords stay in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from eew.errors import ConfigError, DataError
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress

__all__ = ["DeviceAccounts", "open_accounts"]

_KEY = "--accounts"
_HINT = "credentials/devices-TREE.json of eew deploy mosquitto"


class _Row(msgspec.Struct, frozen=True):
    """An account of the file: with a password, or with certificate and key as PEM."""

    account: str
    password: str | None = None
    certificate: str | None = None
    key: str | None = None


class _Document(msgspec.Struct, frozen=True):
    tree: Status
    brokers: list[str]
    ca: str
    accounts: dict[str, _Row]


class DeviceAccounts:
    """Accounts by area. Made by :func:`open_accounts`."""

    def __init__(self, file: Path, document: _Document, folder: Path) -> None:
        self.file = file
        self._rows: Mapping[str, _Row] = document.accounts
        self._folder = folder
        self.brokers = tuple(document.brokers)
        self._ca_file = self._put("ca.crt", document.ca)

    def __contains__(self, cell: str) -> bool:
        return cell in self._rows

    @property
    def any_cell(self) -> str:
        """An area that has an account: for whoever asks brokers whether they are there."""
        return next(iter(self._rows))

    def check(self, cells: Sequence[str]) -> None:
        """Raise ``ConfigError`` for the first of some areas that has no account."""
        for cell in cells:
            self._row(cell)

    def at(self, address: BrokerAddress, cell: str) -> BrokerAddress:
        """Return the address of a broker with the account of an area.

        Raises
        ------
        ConfigError
            If the area has none; names file and area.
        """
        row = self._row(cell)
        cert_file = key_file = None
        if row.certificate is not None and row.key is not None:
            cert_file = self._put(f"{cell}.crt", row.certificate)
            key_file = self._put(f"{cell}.key", row.key)
        return replace(
            address,
            username=row.account,
            password=row.password,
            ca_file=self._ca_file,
            cert_file=cert_file,
            key_file=key_file,
        )

    def _row(self, cell: str) -> _Row:
        row = self._rows.get(cell)
        if row is None:
            raise ConfigError(
                _KEY,
                f"{self.file} has no account for the area {cell}",
                hint=f"it has {len(self._rows)}; eew deploy mosquitto --force makes others",
            )
        return row

    def _put(self, name: str, text: str) -> Path:
        """Write a file once; it is readable for its owner only from its first byte on."""
        path = self._folder / name
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(text)
        return path


@contextmanager
def open_accounts(file: Path, tree: Status) -> Iterator[DeviceAccounts]:
    """Read a file of accounts; what had to be written of it is removed at the end.

    Raises
    ------
    ConfigError
        If the file is not there, or is for another tree.
    DataError
        If it is no file of accounts; names the field.
    """
    document = _read(file)
    if document.tree is not tree:
        raise ConfigError(
            _KEY,
            f"{file} is for the tree {document.tree.value}, the devices live in {tree.value}",
            hint="--tree",
        )
    with tempfile.TemporaryDirectory(prefix="eew-accounts-") as folder:
        yield DeviceAccounts(file, document, Path(folder))


def _read(file: Path) -> _Document:
    try:
        document = msgspec.json.decode(file.read_bytes(), type=_Document)
    except OSError as error:
        raise ConfigError(_KEY, f"{file} cannot be read: {error.strerror}", hint=_HINT) from error
    except msgspec.DecodeError as error:
        raise DataError(str(file), f"no file of accounts: {error}", hint=_HINT) from error
    if not document.accounts:
        raise DataError(str(file), "accounts: none", hint=_HINT)
    for cell, row in document.accounts.items():
        if not (cell.isascii() and cell.isalnum()):
            raise DataError(str(file), f"accounts: {cell!r} is no area", hint=_HINT)
        if row.password is None and (row.certificate is None or row.key is None):
            raise DataError(
                str(file), f"accounts.{cell}: neither a password nor a certificate with its key"
            )
    if not document.ca.isascii():
        raise DataError(str(file), "ca: no certificate", hint=_HINT)
    return document
