"""TLS round the sockets of a crowd; a crowd without TLS never loads this.

A secured socket says as any other does that it has to wait, so nothing else here knows of TLS but
the handshake.
"""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING

from clients.crowd.accounts import Account, CrowdAccounts
from eew.errors import ConnectError

if TYPE_CHECKING:
    from clients.crowd.sockets import Endpoint

__all__ = ["Credentials", "SecuredSocket"]


class SecuredSocket(ssl.SSLSocket):
    """A socket that does not wait, with TLS round it; made by :class:`Credentials`."""

    def agree(self) -> int:
        """Go on with the handshake; return what epoll has to wait for, 0 when it is done.

        Raises
        ------
        OSError
            If it has failed.
        """
        try:
            self.do_handshake()
        except ssl.SSLWantReadError:
            return select.EPOLLIN
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        except ssl.SSLCertVerificationError as error:
            raise ConnectionError(f"certificate: {error.verify_message}") from error
        return 0

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return what has come; BlockingIOError where there is nothing."""
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]  # bytes only
        """Send, and return how much of it; BlockingIOError where there is no room."""
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None


class Credentials:
    """What devices trust and show: one context for all with the same account.

    Raises
    ------
    ConnectError
        If certificates cannot be read; those of accounts when the first device needs them.
    """

    def __init__(self, endpoint: Endpoint, accounts: CrowdAccounts) -> None:
        self._endpoint, self._accounts = endpoint, accounts
        self._contexts: dict[int, ssl.SSLContext] = {}
        if accounts.of_device.size:
            self._context(0)  # now, not at the first connection

    def wrap(self, plain: socket.socket, device: int, host: str) -> SecuredSocket:
        """Return the socket of a device with TLS round it, its handshake still to be done."""
        made = self._context(device).wrap_socket(
            plain, server_hostname=host, do_handshake_on_connect=False
        )
        assert isinstance(made, SecuredSocket)
        return made

    def _context(self, device: int) -> ssl.SSLContext:
        row = int(self._accounts.of_device[device])
        account = self._accounts.rows[row]
        if account.cert_file is None:
            row = -1  # they all show nothing
        found = self._contexts.get(row)
        if found is None:
            found = self._contexts[row] = _context(self._endpoint, account)
        return found


def _context(endpoint: Endpoint, account: Account) -> ssl.SSLContext:
    ca_file = account.ca_file or endpoint.ca_file
    try:
        made = ssl.create_default_context(cafile=ca_file)
        if account.cert_file is not None:
            # a key with a password would ask for it on the terminal: take it for unreadable
            made.load_cert_chain(account.cert_file, account.key_file, password=lambda: "")
    except OSError as error:
        where = f"{ca_file}" if account.cert_file is None else f"{ca_file}, {account.cert_file}"
        raise ConnectError(
            str(endpoint), f"cannot read the certificates in {where}: {error}"
        ) from error
    made.sslsocket_class = SecuredSocket
    return made
