"""Brokers as ``eew deploy mosquitto`` writes them, running on loopback ports of their own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eew.app.deploy import write_deployment
from eew.app.deploy_plan import Broker, Deployment, plan_deployment
from eew.clock import SystemClock
from eew.egress.mosquitto import find_mosquitto
from eew.errors import ConfigError, ConnectError
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress

__all__ = ["Running", "deployed"]

_LOOPBACK = "127.0.0.1"
_PAUSE = threading.Event()  # never set


@dataclass
class Running:
    """A written deployment and those of its brokers that run."""

    folder: Path
    plan: Deployment
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, configuration: str = "mosquitto.conf", port: int = 0) -> None:
        """Start a broker in its folder and wait until it listens on its port, or on ``port``."""
        program = find_mosquitto()
        if program is None:
            raise ConfigError("mosquitto", "the program was not found on PATH")
        home = self.folder / name
        log_file = home / "mosquitto.log"
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                [program, "-c", configuration],
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes[name] = process
        for _ in range(500):
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection((_LOOPBACK, port or self.broker(name).port), 0.5).close()
                return
            _PAUSE.wait(0.02)
        raise ConnectError(name, f"does not listen: {log_file.read_text(errors='replace')}")

    def kill(self, name: str) -> None:
        """End a broker without a word (SIGKILL)."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def broker(self, name: str) -> Broker:
        """Return a broker by its name."""
        return next(one for one in self.plan.brokers if one.name == name)

    def devices(self, tree: Status) -> dict[str, Any]:
        """Return what a provisioning server hands out."""
        text = (self.folder / f"credentials/devices-{tree.value}.json").read_text()
        document: dict[str, Any] = json.loads(text)
        return document

    def service_password(self, tree: Status) -> str | None:
        """Return the password of a service, None with certificates."""
        lines = (self.folder / f"credentials/service-{tree.value}.env").read_text().splitlines()
        named = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
        return named.get("EEW_MQTT_PASSWORD")

    def device_addresses(self, cell: str, tree: Status = Status.EXERCISE) -> list[BrokerAddress]:
        """Return where a device of an area connects."""
        row = self.devices(tree)["accounts"][cell]
        where = self.plan.for_devices
        return [self._address(one, row["account"], row["password"]) for one in where]

    def service_address(self, name: str, tree: Status = Status.EXERCISE) -> BrokerAddress:
        """Return where a service connects."""
        account = f"service-{tree.value}"
        return self._address(self.broker(name), account, self.service_password(tree))

    def _address(self, broker: Broker, account: str, password: str | None) -> BrokerAddress:
        return BrokerAddress(
            kind="mosquitto",
            host=_LOOPBACK,
            port=broker.port,
            username=account,
            password=password,
            tls=True,
            ca_file=self.folder / "ca/ca.crt",
        )


@contextlib.contextmanager
def deployed(
    folder: Path,
    cells: Sequence[str],
    *,
    n_leaves: int = 0,
    n_hubs: int = 1,
    auth: str = "password",
    start: Sequence[str] | None = None,
) -> Iterator[Running]:
    """Write a deployment and run its brokers, or those named; end them all afterwards."""
    plan = plan_deployment(
        n_leaves=n_leaves,
        n_hubs=n_hubs,
        hosts=[_LOOPBACK],
        base_port=free_base_port(n_hubs + n_leaves),
        auth=auth,
    )
    write_deployment(folder, plan, cells, clock=SystemClock(), days=2)
    running = Running(folder, plan)
    try:
        for broker in plan.brokers:
            if start is None or broker.name in start:
                running.start(broker.name)
        yield running
    finally:
        for process in running.processes.values():
            process.kill()
            process.wait()


def free_base_port(n: int) -> int:
    """Return a port from which on ``n`` ports were free a moment ago.

    Below the range that outgoing connections are given theirs from, since bridges make some while
    the next broker starts.
    """
    first = 10_000 + os.getpid() * 16 % 20_000
    for base in range(first, first + 2_000, 16):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + n):
                    stack.enter_context(socket.socket()).bind(("", port))
            except OSError:
                continue
            return base
    raise ConnectError(_LOOPBACK, f"no {n} free ports side by side")
