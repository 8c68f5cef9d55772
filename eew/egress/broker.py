"""Where the alerts go: a broker of our own, or one with an address.

``open_broker`` takes what the user said (``--broker``) and gives an address that has answered a
real CONNECT:

========== =====================================================================================
auto       ``mosquitto`` where the program is found and starts, else ``embedded``
mosquitto  a private mosquitto on a free loopback port (MQTT 5)
embedded   amqtt inside this process (MQTT 3.1.1)
URL        ``mqtt://[user@]host[:1883]`` or ``mqtts://[user@]host[:8883]``: MQTT 5 where the
           broker has it, else 3.1.1
========== =====================================================================================

The password comes from ``EEW_MQTT_PASSWORD`` or the file named by ``EEW_MQTT_PASSWORD_FILE``,
the user from the URL or ``EEW_MQTT_USERNAME``; a password in the URL works and is never shown.
``EEW_MQTT_CA_FILE`` names certificates to trust for ``mqtts``, ``EEW_MQTT_CERT_FILE`` and
``EEW_MQTT_KEY_FILE`` the client's own certificate and its private key.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from eew.egress.mosquitto import find_mosquitto, mosquitto_broker
from eew.egress.probe import probe
from eew.errors import ConfigError, ConnectError
from eew.mqtt_link import BrokerAddress

__all__ = ["BrokerAddress", "open_broker", "parse_url"]

_log = logging.getLogger(__name__)
_KEY = "--broker"
_CHOICES = "auto, embedded, mosquitto, mqtt://host:port or mqtts://host:port"
_DEFAULT_PORT = {"mqtt": 1883, "mqtts": 8883}


def open_broker(
    spec: str, *, workdir: Path | None = None, environ: Mapping[str, str] | None = None
) -> AbstractAsyncContextManager[BrokerAddress]:
    """Return a context manager that opens the broker ``spec`` stands for.

    Parameters
    ----------
    spec : str
        See the module's text. ``none`` is not for here: without a broker nothing is opened.
    workdir : pathlib.Path, optional
        Where a private mosquitto keeps its configuration and log.
    environ : mapping, optional
        Instead of ``os.environ``, for user name and password.

    Raises
    ------
    ConfigError
        At once, if ``spec`` cannot be understood, or asks for a program that is not there.
    ConnectError
        On entering, if the broker does not start, or does not take us, within about 5 s.
    """
    if spec in ("auto", "mosquitto"):
        program = find_mosquitto()
        if spec == "auto":
            return _auto(program, workdir)
        if program is None:
            raise ConfigError(
                _KEY,
                "the mosquitto program was not found on PATH",
                hint="install it, or use --broker embedded",
            )
        return mosquitto_broker(program, workdir=workdir)
    if spec == "embedded":
        return _embedded()
    return _remote(parse_url(spec, os.environ if environ is None else environ))


def _embedded() -> AbstractAsyncContextManager[BrokerAddress]:
    from eew.egress.embedded import embedded_broker  # amqtt takes 0.3 s to import

    return embedded_broker()


@asynccontextmanager
async def _auto(program: str | None, workdir: Path | None) -> AsyncIterator[BrokerAddress]:
    async with AsyncExitStack() as stack:
        if program is not None:
            try:
                broker = mosquitto_broker(program, workdir=workdir)
                address = await stack.enter_async_context(broker)
            except ConnectError as error:
                _log.warning("%s; using the embedded broker", error)
            else:
                yield address
                return
        yield await stack.enter_async_context(_embedded())


@asynccontextmanager
async def _remote(address: BrokerAddress) -> AsyncIterator[BrokerAddress]:
    yield await probe(address)


def parse_url(url: str, environ: Mapping[str, str]) -> BrokerAddress:
    """Turn a URL and the environment into an address, not yet probed.

    Raises
    ------
    ConfigError
        Naming what is wrong; a password in the URL is masked.
    """
    shown = mask_password(url)
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise ConfigError(_KEY, f"unknown broker {shown!r}", hint=f"one of {_CHOICES}")
    if scheme not in _DEFAULT_PORT:
        raise ConfigError(_KEY, f"{shown}: unknown scheme {scheme!r}", hint="mqtt or mqtts")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError as error:
        raise ConfigError(_KEY, f"{shown}: {mask_password(str(error))}") from None
    if not host:
        raise ConfigError(_KEY, f"{shown}: no host")
    if port == 0:
        raise ConfigError(_KEY, f"{shown}: port 0 cannot be connected to")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(_KEY, f"{shown}: nothing may follow the port")
    username = unquote(parts.username) if parts.username else environ.get("EEW_MQTT_USERNAME")
    password = unquote(parts.password) if parts.password else _password(environ)
    if password is not None and not username:
        raise ConfigError(_KEY, f"{shown}: a password without a user", hint="EEW_MQTT_USERNAME")
    ca_file, cert_file, key_file = _tls_files(environ)
    return BrokerAddress(
        kind="remote",
        host=host,
        port=port or _DEFAULT_PORT[scheme],
        username=username or None,
        password=password,
        tls=scheme == "mqtts",
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )


def _tls_files(environ: Mapping[str, str]) -> tuple[Path | None, Path | None, Path | None]:
    """Return the files of certificates to trust, of the own certificate, and of its key."""
    names = ("EEW_MQTT_CA_FILE", "EEW_MQTT_CERT_FILE", "EEW_MQTT_KEY_FILE")
    trusted, cert, key = (Path(value) if (value := environ.get(n)) else None for n in names)
    if key is not None and cert is None:
        raise ConfigError(names[2], "a private key without a certificate", hint=names[1])
    return trusted, cert, key


def mask_password(text: str) -> str:
    """Return ``text`` with the password of any URL in it replaced by ``***``."""
    return re.sub(r"(://[^:/@\s]*):.*@", r"\1:***@", text)


def _password(environ: Mapping[str, str]) -> str | None:
    if (password := environ.get("EEW_MQTT_PASSWORD")) is not None:
        return password
    if not (name := environ.get("EEW_MQTT_PASSWORD_FILE")):
        return None
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError("EEW_MQTT_PASSWORD_FILE", f"cannot read {name}: {reason}") from error
