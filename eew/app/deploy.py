"""``eew deploy mosquitto``: everything a broker, or a tree of brokers, needs, as files."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eew.app.deploy_access import (
    TREES,
    access_document,
    device_clients,
    leaf_clients,
    receipts_acl,
    service_clients,
)
from eew.app.deploy_accounts import (
    SECRET_BYTES,
    device_account,
    hash_password,
    leaf_account,
    password_of,
    service_account,
)
from eew.app.deploy_certificates import Authority, Issued
from eew.app.deploy_mosquitto import bridge, broker_configuration
from eew.app.deploy_plan import Broker, Deployment
from eew.app.deploy_readme import readme
from eew.clock import Clock
from eew.entropy import fresh_bytes
from eew.errors import ConfigError, DataError
from eew.model.alert import Status

__all__ = ["File", "deployment_files", "find_plugin", "write_deployment"]

_PLUGIN = "mosquitto_dynamic_security.so"
_LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/arm-linux-gnueabihf",
    "/usr/lib64", "/usr/lib", "/usr/local/lib", "/opt/homebrew/lib",
)  # fmt: skip
_SECRET, _CA_CRT, _CA_KEY = "credentials/deployment.secret", "ca/ca.crt", "ca/ca.key"
_OPEN, _CLOSED = 0o644, 0o600


@dataclass(frozen=True, slots=True)
class File:
    """One file to write: its path in the folder, and whether others may read it."""

    path: str
    content: bytes
    mode: int = _OPEN


def find_plugin() -> str:
    """Return where the dynamic security plugin lies here, else where Debian would have it."""
    for folder in _LIBRARY_FOLDERS:
        if (found := Path(folder) / _PLUGIN).is_file():
            return str(found)
    return f"{_LIBRARY_FOLDERS[0]}/{_PLUGIN}"


def deployment_files(
    deployment: Deployment,
    cells: Sequence[str],
    *,
    secret: bytes,
    authority: Authority,
    days: int,
    plugin: str,
    user: str,
) -> list[File]:
    """Return all files of a deployment; nothing is read or written."""
    made = [
        File("README.txt", readme(deployment, n_cells=len(cells), days=days).encode()),
        File(_CA_CRT, authority.pem.certificate),
        File(_CA_KEY, authority.pem.key, _CLOSED),
        File(_SECRET, secret.hex().encode() + b"\n", _CLOSED),
    ]
    maker = _Maker(deployment, tuple(cells), secret, authority, plugin, user)
    for number, broker in enumerate(deployment.brokers, start=1 - len(deployment.hubs)):
        made += maker.broker(broker, number)
    for tree in TREES:
        made += maker.service(tree)
        made.append(maker.devices(tree))
    return made


@dataclass(frozen=True, slots=True)
class _Maker:
    deployment: Deployment
    cells: tuple[str, ...]
    secret: bytes
    authority: Authority
    plugin: str
    user: str

    @property
    def certificates(self) -> bool:
        return self.deployment.auth == "certificates"

    def broker(self, broker: Broker, leaf_number: int) -> list[File]:
        """Return the folder of one broker; ``leaf_number`` counts leaves from 1."""
        own = self.authority.server(broker.name, [broker.host])
        account = leaf_account(leaf_number)
        files = [
            File("ca.crt", self.authority.pem.certificate),
            File("server.crt", own.certificate),
            File("server.key", own.key, _CLOSED),
            File("receipts.acl", receipts_acl().encode(), _CLOSED),
            File("access.json", _json(self._access(broker), indent=None), _CLOSED),
        ]
        bridges = []
        if broker.role == "leaf":
            password = None if self.certificates else password_of(self.secret, account)
            bridges = [
                bridge(
                    hub,
                    account=account,
                    password=password,
                    local_id=password_of(self.secret, f"feed of {account} from {hub.name}"),
                )
                for hub in self.deployment.hubs
            ]
            if self.certificates:
                issued = self.authority.client(account)
                files += [
                    File("bridge.crt", issued.certificate),
                    File("bridge.key", issued.key, _CLOSED),
                ]
        text = broker_configuration(
            broker,
            certificates=self.certificates,
            plugin=self.plugin,
            user=self.user,
            bridges=bridges,
        )
        files.append(File("mosquitto.conf", text.encode(), _CLOSED))
        return [File(f"{broker.name}/{one.path}", one.content, one.mode) for one in files]

    def service(self, tree: Status) -> list[File]:
        """Return what a service of a tree needs, as an environment for ``eew``."""
        account = service_account(tree)
        lines = ["# SIMULATION. Read it with: set -a; . FILE; set +a   (in the folder above)"]
        files = []
        if self.certificates:
            issued = self.authority.client(account)
            files += [
                File(f"credentials/{account}.crt", issued.certificate),
                File(f"credentials/{account}.key", issued.key, _CLOSED),
            ]
            lines += [
                f"EEW_MQTT_CERT_FILE=credentials/{account}.crt",
                f"EEW_MQTT_KEY_FILE=credentials/{account}.key",
            ]
        else:
            lines += [
                f"EEW_MQTT_USERNAME={account}",
                f"EEW_MQTT_PASSWORD={password_of(self.secret, account)}",
            ]
        lines += [f"EEW_MQTT_CA_FILE={_CA_CRT}", ""]
        return [*files, File(f"credentials/{account}.env", "\n".join(lines).encode(), _CLOSED)]

    def devices(self, tree: Status) -> File:
        """Return what a provisioning server hands out to the devices of a tree, area by area."""
        accounts: dict[str, Any] = {}
        for cell in self.cells:
            account = device_account(tree, cell)
            if self.certificates:
                issued = self.authority.client(account)
                accounts[cell] = {
                    "account": account,
                    "certificate": issued.certificate.decode(),
                    "key": issued.key.decode(),
                }
            else:
                password = password_of(self.secret, account)
                accounts[cell] = {"account": account, "password": password}
        document = {
            "simulation": True,
            "tree": tree.value,
            "brokers": [one.url for one in self.deployment.for_devices],
            "ca": self.authority.pem.certificate.decode(),
            "accounts": accounts,
        }
        return File(f"credentials/devices-{tree.value}.json", _json(document), _CLOSED)

    def _access(self, broker: Broker) -> dict[str, Any]:
        roles: list[dict[str, Any]] = []
        clients: list[dict[str, Any]] = []
        rows = []
        has_devices = broker in self.deployment.for_devices
        if broker.role != "leaf":
            hashes = self._hashes([service_account(tree) for tree in TREES])
            rows.append(service_clients(hashes))
        if broker.role == "hub":
            n_leaves = len(self.deployment.leaves)
            hashes = self._hashes([leaf_account(n) for n in range(1, n_leaves + 1)])
            rows.append(leaf_clients(n_leaves, hashes))
        if has_devices:
            hashes = self._hashes([device_account(t, cell) for t in TREES for cell in self.cells])
            rows.append(device_clients(self.cells, hashes))
        for more_roles, more_clients in rows:
            roles += more_roles
            clients += more_clients
        return access_document(roles, clients)

    def _hashes(self, accounts: Sequence[str]) -> dict[str, Any]:
        if self.certificates:
            return {}
        return {
            account: hash_password(self.secret, account, password_of(self.secret, account))
            for account in accounts
        }


def write_deployment(
    out: Path,
    deployment: Deployment,
    cells: Sequence[str],
    *,
    clock: Clock,
    days: int,
    plugin: str | None = None,
    user: str | None = None,
    force: bool = False,
) -> list[File]:
    """Make and write the files of a deployment; return them.

    With ``force`` the files there are replaced, but the secret and the authority are used again.

    Raises
    ------
    ConfigError
        If something is there already, or the secret or authority there cannot be used.
    DataError
        If the folder cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError("--out", f"{out} is not a folder")
    if not force and out.is_dir() and any(out.iterdir()):
        raise ConfigError("--out", f"{out} is not empty", hint="--force replaces what is there")
    secret, pem = _kept(out) if force else (None, None)
    files = deployment_files(
        deployment,
        cells,
        secret=secret or fresh_bytes(SECRET_BYTES),
        authority=Authority(now_ns=clock.utc_ns(), days=days, pem=pem),
        days=days,
        plugin=plugin or find_plugin(),
        user=user or getpass.getuser(),
    )
    try:
        for file in files:
            _write(out / file.path, file)
    except OSError as error:
        raise DataError(str(error.filename or out), f"cannot write: {error.strerror}") from error
    return files


def _kept(out: Path) -> tuple[bytes | None, Issued | None]:
    """Return the secret and the authority of a deployment made before, where there are any."""
    secret = pem = None
    try:
        if (out / _SECRET).exists():
            secret = bytes.fromhex((out / _SECRET).read_text(encoding="ascii").strip())
        if (out / _CA_KEY).exists():
            pem = Issued((out / _CA_CRT).read_bytes(), (out / _CA_KEY).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError("--out", f"cannot use what is in {out}: {error}") from error
    if secret is not None and len(secret) != SECRET_BYTES:
        raise ConfigError("--out", f"{out / _SECRET}: {SECRET_BYTES} bytes in hexadecimal expected")
    return secret, pem


def _write(path: Path, file: File) -> None:
    """Write a file with its mode from the first byte on: a key is never readable for a moment."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.content)


def _json(document: dict[str, Any], indent: int | None = 1) -> bytes:
    return json.dumps(document, indent=indent).encode() + b"\n"
