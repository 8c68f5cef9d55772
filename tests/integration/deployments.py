"""Plain connections to the brokers of a deployment, as its accounts."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.deployed import Running
from benchmarks.deployed import deployed as brokers_of
from eew.model.alert import Status
from tests.integration.plain_client import PlainClient


class Accounts(Running):
    """A running deployment, and connections to it that show what the broker answers."""

    def service(self, name: str, tree: Status = Status.EXERCISE, **settings: Any) -> PlainClient:
        """Return a connection of a service to a broker."""
        account = f"service-{tree.value}"
        usual = {
            "client_id": account,
            "username": account,
            "password": self.service_password(tree),
            "context": self.context(account),
        }
        return PlainClient(self.broker(name).port, **(usual | settings))

    def device(
        self, name: str, cell: str, tree: Status = Status.EXERCISE, **settings: Any
    ) -> PlainClient:
        """Return a connection of a device to a broker."""
        row = self.devices(tree)["accounts"][cell]
        usual = {
            "client_id": "mine",
            "username": row["account"],
            "password": row.get("password"),
            "context": self.context(row["account"], row),
        }
        return PlainClient(self.broker(name).port, **(usual | settings))

    def context(self, account: str = "", row: dict[str, str] | None = None) -> ssl.SSLContext:
        """Return TLS that trusts this deployment, with an account's certificate if it has one."""
        made = ssl.create_default_context(cafile=self.folder / "ca/ca.crt")
        if account and self.plan.auth == "certificates":
            folder = self.folder / ("credentials" if row is None else "handed-out")
            crt, key = (folder / f"{account}.{kind}" for kind in ("crt", "key"))
            if row is not None:
                folder.mkdir(exist_ok=True)
                crt.write_text(row["certificate"])
                key.write_text(row["key"])
            made.load_cert_chain(crt, key)
        return made


@contextlib.contextmanager
def deployed(folder: Path, cells: list[str], **settings: Any) -> Iterator[Accounts]:
    """Write a deployment and run its brokers; see ``benchmarks.deployed``."""
    with brokers_of(folder, cells, **settings) as running:
        yield Accounts(running.folder, running.plan, running.processes)
