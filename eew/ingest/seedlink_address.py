"""Where a SeedLink server is: ``slink://host:port``, with TLS ``slinks://``."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from eew.errors import ConfigError

__all__ = ["SCHEMES", "SeedLinkAddress"]

SCHEMES = ("slink", "slinks", "seedlink")
_PORT, _TLS_PORT = 18000, 18500
_FORM = "for example slink://127.0.0.1:18000, slinks://host for TLS, slink://host?protocol=3"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLinkAddress:
    """A server, and how to talk to it.

    Attributes
    ----------
    protocol : int or None
        3 or 4; None takes the newest that the server has.
    username, password : str or None
        For version 4; never part of ``str`` or ``repr``.
    """

    host: str
    port: int
    tls: bool = False
    protocol: int | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'slinks' if self.tls else 'slink'}://{host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> SeedLinkAddress:
        """Read a URL.

        Raises
        ------
        ConfigError
            Naming ``--source`` and what is wrong with it.
        """

        def wrong(problem: str) -> ConfigError:
            return ConfigError("--source", problem, hint=_FORM)

        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise wrong(f"{_shown(url)!r}: {error}") from None
        if parts.scheme not in SCHEMES:
            raise wrong(f"{_shown(url)!r} begins with none of {', '.join(SCHEMES)}")
        if not parts.hostname:
            raise wrong(f"{_shown(url)!r} names no host")
        if parts.path not in ("", "/"):
            raise wrong(f"{parts.path!r} after the port: streams are chosen with --select")
        protocol = None
        for key, values in parse_qs(parts.query, keep_blank_values=True).items():
            if key != "protocol" or values[-1] not in ("3", "4"):
                raise wrong(f"{key}={values[-1]}: only protocol=3 and protocol=4 are known")
            protocol = int(values[-1])
        tls = parts.scheme == "slinks"
        if port == 0:
            raise wrong("port 0: a port from 1 to 65535 is needed")
        return cls(
            host=parts.hostname,
            port=port or (_TLS_PORT if tls else _PORT),
            tls=tls,
            protocol=protocol,
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )


def _shown(url: str) -> str:
    """Return the URL without user and password."""
    before, sign, rest = url.partition("://")
    return f"{before}{sign}{rest.rpartition('@')[2]}"
