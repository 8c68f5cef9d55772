"""Sockets for a crowd: where they connect, from which address, and how many a process may have."""

from __future__ import annotations

import contextlib
import hashlib
import resource
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clients.crowd.accounts import Account, CrowdAccounts
from clients.leaves import leaf_orders
from eew.errors import ConfigError, ConnectError

if TYPE_CHECKING:
    from clients.crowd.secured import Credentials, SecuredSocket

__all__ = ["RECEIPT", "Endpoint", "Identities", "SocketFactory", "check_files", "most_devices"]

RECEIPT = "receipt"  # purpose of the name under which a device sends receipts
_FILES_BESIDE = 100  # epoll, pipes, libraries
_SOURCES = 200  # addresses of 127.0.0.0/8: one address has 28,000 ports, and TIME_WAIT holds them
_BIND_LATER = 24  # IP_BIND_ADDRESS_NO_PORT of Linux: the port is chosen by connect()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A broker, and how to talk to it. The password is never part of ``repr``."""

    host: str
    port: int
    version: int = 5
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None

    @property
    def account(self) -> Account:
        """As whom devices connect that have no account of their own."""
        return Account(username=self.username, password=self.password)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


class SocketFactory:
    """Makes connections that do not wait, to the broker that is a device's turn.

    Parameters
    ----------
    endpoints : sequence of Endpoint
        Brokers that hold the same; each device has an order of its own (``clients.leaves``).
    rng : numpy.random.Generator
        Draws the orders; with one broker nothing is drawn.

    Raises
    ------
    ConfigError
        If the brokers do not speak the same, or there is none.
    ConnectError
        If none of the hosts is known, or the certificates cannot be read.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], accounts: CrowdAccounts, rng: np.random.Generator
    ) -> None:
        if len({(one.version, one.tls) for one in endpoints}) != 1:
            raise ConfigError("--broker", "the brokers must all speak the same MQTT, or all TLS")
        self._endpoints = tuple(endpoints)
        self._order = leaf_orders(accounts.of_device.size, len(endpoints), rng)
        self._turn = bytearray(accounts.of_device.size)
        self._peers = [_peer(endpoint) for endpoint in endpoints]
        known = [peer for peer in self._peers if not isinstance(peer, ConnectError)]
        if not known:
            assert isinstance(self._peers[0], ConnectError)
            raise self._peers[0]
        self._credentials = _credentials(endpoints[0], accounts)

    def leaf(self, device: int) -> int:
        """Return which of the brokers it is a device's turn to try, by number from 0."""
        return int(self._order[device, self._turn[device]])

    def go_on(self, device: int) -> None:
        """Let a device that lost its broker, or found it wanting, try the next one."""
        self._turn[device] = (self._turn[device] + 1) % len(self._endpoints)

    def connect(self, device: int) -> socket.socket:
        """Return a socket that is connecting.

        Raises
        ------
        OSError
            If it has failed already.
        """
        peer = self._peers[self.leaf(device)]
        if isinstance(peer, ConnectError):
            raise OSError(peer.problem)
        made = socket.socket(peer.family, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if peer.is_loopback:
                made.setsockopt(socket.IPPROTO_IP, _BIND_LATER, 1)
                made.bind((f"127.0.1.{1 + device % _SOURCES}", 0))
            with contextlib.suppress(BlockingIOError):
                made.connect(peer.address)
        except BaseException:
            made.close()
            raise
        return made

    def secure(self, plain: socket.socket, device: int) -> SecuredSocket:
        """Return the socket of a device with TLS round it, its handshake still to be done."""
        assert self._credentials is not None
        return self._credentials.wrap(plain, device, self._endpoints[self.leaf(device)].host)


def _credentials(endpoint: Endpoint, accounts: CrowdAccounts) -> Credentials | None:
    if not endpoint.tls:
        return None
    from clients.crowd.secured import Credentials  # with OpenSSL: only where it is needed

    return Credentials(endpoint, accounts)


@dataclass(frozen=True, slots=True)
class _Peer:
    family: int
    address: tuple[Any, ...]

    @property
    def is_loopback(self) -> bool:
        return self.family == socket.AF_INET and str(self.address[0]).startswith("127.")


def _peer(endpoint: Endpoint) -> _Peer | ConnectError:
    host = endpoint.host
    try:
        found = socket.getaddrinfo(
            # a str is encoded as an international name: tables for all of Unicode, 0.3 MB
            host.encode() if host.isascii() else host,
            endpoint.port,
            type=socket.SOCK_STREAM,
        )
    except OSError as error:
        return ConnectError(str(endpoint), f"unknown host: {error.strerror}")
    return _Peer(found[0][0], found[0][4])


class Identities:
    """Names of connections that last as long as this start of the program, and no longer.

    Parameters
    ----------
    token : bytes
        Chance of the system, not of the seed (``eew.entropy``): the same run must not give a
        device the same name twice, or a broker could follow it from one day to the next.
    """

    def __init__(self, token: bytes) -> None:
        self._token = token

    def of(self, device: int, purpose: str) -> str:
        """Return the name of a device for a purpose; those of two purposes say nothing together."""
        data = f"{purpose}:{device}".encode()
        return hashlib.blake2s(data, key=self._token, digest_size=11).hexdigest()


def most_devices(wanted: int) -> int:
    """Raise the limit of open files for ``wanted`` connections; return how many then fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES_BESIDE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    if hard == resource.RLIM_INFINITY or hard > soft:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(wanted, soft - _FILES_BESIDE)


def check_files(devices: int) -> None:
    """Make room for so many connections in this process.

    Raises
    ------
    ConfigError
        If the system allows fewer open files; the hint says how many processes would do.
    """
    fit = most_devices(devices)
    if fit < devices:
        raise ConfigError(
            "--procs",
            f"{devices} connections in one process, but the limit of open files allows {fit}",
            hint=f"more processes (each has a limit of its own), or raise `ulimit -n` above "
            f"{devices + _FILES_BESIDE}",
        )
