"""Which brokers a deployment has, and where: hubs that are told, leaves that tell the devices.

No leaves: one broker does everything. With leaves, the service tells every hub, every leaf
listens to every hub, and devices connect to leaves only. Messages flow from hub to leaf and
receipts from leaf to hub, on topics that never meet, so nothing runs in a circle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eew.errors import ConfigError

__all__ = ["Broker", "Deployment", "plan_deployment"]

MOST_HUBS, MOST_LEAVES = 2, 1000
_HOST = re.compile(r"^[A-Za-z0-9._:-]{1,253}\Z")
AUTH = ("password", "certificates")


@dataclass(frozen=True, slots=True)
class Broker:
    """One mosquitto: ``role`` is ``broker``, ``hub`` or ``leaf``."""

    name: str
    role: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """What a client connects to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtts://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """All brokers, hubs first; ``auth`` is ``password`` or ``certificates``."""

    brokers: tuple[Broker, ...]
    auth: str

    @property
    def hubs(self) -> tuple[Broker, ...]:
        """Where services connect: the hubs, or the only broker."""
        return tuple(one for one in self.brokers if one.role != "leaf")

    @property
    def leaves(self) -> tuple[Broker, ...]:
        """Brokers that are fed by hubs."""
        return tuple(one for one in self.brokers if one.role == "leaf")

    @property
    def for_devices(self) -> tuple[Broker, ...]:
        """Where devices connect: the leaves, or the only broker."""
        return self.leaves or self.brokers


def plan_deployment(
    *, n_leaves: int, n_hubs: int, hosts: Sequence[str], base_port: int, auth: str
) -> Deployment:
    """Say which brokers there are.

    Parameters
    ----------
    hosts : sequence of str
        One for all brokers, which then take a port each from ``base_port`` up; or one for each,
        hubs first, all on ``base_port``.

    Raises
    ------
    ConfigError
        Naming the option.
    """
    if not 0 <= n_leaves <= MOST_LEAVES:
        raise ConfigError("--leaves", f"0 to {MOST_LEAVES}, was {n_leaves}")
    if not 1 <= n_hubs <= MOST_HUBS:
        raise ConfigError("--hubs", f"1 or {MOST_HUBS}, was {n_hubs}")
    if n_leaves == 0 and n_hubs != 1:
        raise ConfigError("--hubs", "hubs feed leaves", hint="add --leaves 3")
    if auth not in AUTH:
        raise ConfigError("--auth", f"one of {', '.join(AUTH)}, was {auth!r}")
    for host in hosts:
        if not _HOST.match(host):
            raise ConfigError(
                "--host", f"a name or an address, was {host!r}", hint="other letters as xn--..."
            )
    roles = ["broker"]
    if n_leaves:
        roles = [*["hub"] * n_hubs, *["leaf"] * n_leaves]
    if len(hosts) not in (1, len(roles)):
        raise ConfigError("--host", f"one for all, or one for each of {len(roles)} brokers")
    apart = len(hosts) > 1 and len(set(hosts)) == len(hosts)
    last_port = base_port if apart else base_port + len(roles) - 1
    if not 1 <= base_port <= last_port <= 65_535:
        raise ConfigError("--base-port", f"1 to 65535, would be {base_port} to {last_port}")
    brokers = []
    for place, role in enumerate(roles):
        number = roles[: place + 1].count(role)
        brokers.append(
            Broker(
                name=role if role == "broker" else f"{role}-{number}",
                role=role,
                host=hosts[place if len(hosts) > 1 else 0],
                port=base_port if apart else base_port + place,
            )
        )
    return Deployment(tuple(brokers), auth)
