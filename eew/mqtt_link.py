"""One MQTT connection of a device or a source. The only module that knows aiomqtt.

aiomqtt runs paho's blocking ``connect`` in a thread and forgets the socket when it is cancelled
meanwhile, and it waits for a PUBACK on a dead connection until its timeout. Both are handled
here, so that callers see three things only: a link, messages, and :class:`ConnectError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from eew.errors import ConnectError, PublishError

_T = TypeVar("_T")

MQTT_5 = 5
MQTT_3_1_1 = 4
CONNECT_TIMEOUT_S = 5.0
_FAREWELL_S = 1.0  # longest wait for a DISCONNECT to leave on a connection that may be dead
_REFUSED = 0x80  # SUBACK codes from here on are refusals

# paho reports through this logger what we already turn into errors
_QUIET = logging.getLogger("eew.mqtt_link.paho")
_QUIET.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker listens and how to talk to it.

    Attributes
    ----------
    kind : str
        ``mosquitto`` (private, started by us), ``embedded`` or ``remote``.
    protocol : int
        5, or 4 for MQTT 3.1.1: found out by the probe of ``eew.egress.broker``.
    receive_maximum : int
        How many unacknowledged messages the broker takes from one client.
    password : str or None
        Never part of ``repr`` or ``str``.
    ca_file : pathlib.Path or None
        Certificates to trust for TLS instead of the system's.
    cert_file, key_file : pathlib.Path or None
        The client's own certificate and its private key, for TLS.
    """

    kind: str
    host: str
    port: int
    protocol: int = MQTT_5
    receive_maximum: int = 20
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __str__(self) -> str:
        user = f"{self.username}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{user}{host}:{self.port}"


def tls_context(address: BrokerAddress) -> ssl.SSLContext | None:
    """Return a verifying TLS context for ``address``, or None where it is plain TCP.

    Raises
    ------
    ConnectError
        If a file of certificates, or the private key, cannot be used.
    """
    if not address.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectError(
            str(address), f"cannot read the certificates in {address.ca_file}: {_reason(error)}"
        ) from error
    if address.cert_file is not None:
        key_file = address.key_file or address.cert_file
        try:
            # a key with a password would ask for it on the terminal: take it for unreadable
            context.load_cert_chain(address.cert_file, key_file, password=lambda: "")
        except OSError as error:
            raise ConnectError(
                str(address),
                f"cannot use the certificate in {address.cert_file} with the key in {key_file}: "
                f"{_reason(error)}",
            ) from error
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        words = (error.reason or "").replace("_", " ").lower()
        return words if words and "no start line" not in words else "not PEM"
    return error.strerror or str(error)


def allow_open_files(wanted: int) -> int:
    """Raise the soft limit of open files towards ``wanted``; return the limit then in force.

    A process with 1,000 device connections needs more than the customary 1,024. Child processes
    (the private broker) inherit the limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft if soft != resource.RLIM_INFINITY else wanted
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised


@lru_cache(maxsize=64)
def _properties(expiry_s: int | None, schema: str) -> Properties:
    # paho takes 0.1 ms to build these, and an alert has the same ones on every topic
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's is untyped
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    if schema:
        properties.UserProperty = ("schema", schema)
    return properties


def _look_at(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()


class _Client(aiomqtt.Client):
    """An aiomqtt client that can be ended in any state, without a word on standard error."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # why a connection ended is told to whoever uses it; where nobody does, nobody is missing it
        self._disconnected.add_done_callback(_look_at)
        self._refused: dict[int, str] = {}  # packet identifier -> why

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Fail at once if the broker closes before its CONNACK; aiomqtt would wait in vain."""
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("closed by the broker"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self,
        client: paho.Client,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        """Keep a refusal of MQTT 5 for whoever waits; aiomqtt takes any PUBACK for a yes."""
        if reason_code.value >= _REFUSED:
            self._refused[mid] = str(reason_code).lower()
        super()._on_publish(client, userdata, mid, reason_code, properties)

    @contextlib.contextmanager
    def _pending_call(self, mid: int, value: Any, pending_dict: dict[int, Any]) -> Iterator[None]:
        with super()._pending_call(mid, value, pending_dict):
            yield
        if (why := self._refused.pop(mid, None)) is not None:
            raise aiomqtt.MqttError(f"refused, {why}")

    async def abort(self) -> None:
        """Close the socket without a DISCONNECT; paho then tidies up from its read callback."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):  # no socket, or closed already: nothing to do
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            for _ in range(3):  # let the loop see the end of file and the cancelled keeper task
                await asyncio.sleep(0)


async def _whole(operation: Awaitable[_T]) -> _T:
    """Await an operation of aiomqtt without losing a cancellation.

    aiomqtt uses ``asyncio.wait_for``, which before Python 3.12 forgets a cancellation that comes
    in the same turn as the result (bpo-37658): the task would live on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    result = await operation
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return result


class MqttLink:
    """A connection that stands. Made by :func:`open_link`."""

    def __init__(self, client: _Client, address: BrokerAddress) -> None:
        self._client = client
        self.address = address

    async def subscribe(self, filters: Mapping[str, int]) -> None:
        """Subscribe to topic filters, each with its QoS, and wait for the broker's word.

        Raises
        ------
        ConnectError
            If the connection is lost, or one filter is refused.
        """
        if not filters:
            return
        try:
            codes = await _whole(self._client.subscribe(list(filters.items())))
        except aiomqtt.MqttError as error:
            raise ConnectError(str(self.address), f"subscribing failed: {error}") from error
        for name, code in zip(filters, codes, strict=True):
            value: object = code.value if isinstance(code, ReasonCode) else code
            if isinstance(value, int) and value >= _REFUSED:
                raise ConnectError(str(self.address), f"refused the subscription to {name}")

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """End subscriptions and wait for the broker's word.

        Raises
        ------
        ConnectError
            If the connection is lost.
        """
        if not filters:
            return
        try:
            await _whole(self._client.unsubscribe(list(filters)))
        except aiomqtt.MqttError as error:
            raise ConnectError(str(self.address), f"unsubscribing failed: {error}") from error

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool = False,
        expiry_s: int | None = None,
        schema: str = "",
        timeout_s: float = 2.0,
    ) -> None:
        """Publish; with ``qos`` 1 return when the broker has taken the message.

        ``expiry_s`` and ``schema`` travel as MQTT 5 properties and are dropped with 3.1.1: the
        payload carries both.

        Raises
        ------
        PublishError
            If the broker did not take it within ``timeout_s``, refused it (MQTT 5), or the
            connection is gone.
        """
        properties = None
        if self.address.protocol == MQTT_5:
            properties = _properties(expiry_s, schema)
        try:
            await _whole(
                self._client.publish(
                    topic, payload, qos, retain, properties=properties, timeout=timeout_s
                )
            )
        except aiomqtt.MqttError as error:
            raise PublishError(str(self.address), f"{topic} was not taken: {error}") from error

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield ``(topic, payload)`` as they come.

        Raises
        ------
        ConnectError
            When the connection ends; it never ends otherwise.
        """
        try:
            async for message in self._client.messages:
                payload: object = message.payload  # aiomqtt's type is what may be *sent*
                yield message.topic.value, payload if isinstance(payload, bytes) else b""
        except aiomqtt.MqttError as error:
            raise ConnectError(str(self.address), f"connection lost: {error}") from error


@contextlib.asynccontextmanager
async def open_link(
    address: BrokerAddress,
    *,
    client_id: str = "",
    keepalive_s: int = 30,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> AsyncIterator[MqttLink]:
    """Connect with a clean session; disconnect at the end.

    A clean session on purpose: what a device missed reaches it as retained *current* state, not
    as a queue of stale alerts. Without ``client_id`` the broker makes one up; a device that sends
    receipts names itself as in their topic, since a broker with access rules takes no others.

    Raises
    ------
    ConnectError
        If the broker is not there within ``timeout_s``, or refuses.
    """
    v5 = address.protocol == MQTT_5
    client = _Client(
        address.host,
        address.port,
        identifier=client_id or None,
        username=address.username,
        password=address.password,
        protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
        clean_session=None if v5 else True,
        keepalive=keepalive_s,
        timeout=timeout_s,
        max_inflight_messages=address.receive_maximum,
        tls_context=tls_context(address),
        logger=_QUIET,
        # small packets must not wait for the acknowledgement of the one before (Nagle)
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = address.receive_maximum
    await _enter(client, address)
    try:
        yield MqttLink(client, address)
    finally:
        await _leave(client)


async def _leave(client: _Client) -> None:
    client.timeout = _FAREWELL_S
    try:
        await _whole(client.__aexit__(None, None, None))
    except (aiomqtt.MqttError, OSError):
        await client.abort()


async def _enter(client: _Client, address: BrokerAddress) -> None:
    """Connect; on failure or cancellation leave neither socket nor task behind."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        # the thread inside cannot be stopped: wait for it (bounded by its timeouts), then close
        try:
            await entering
        except (aiomqtt.MqttError, OSError):
            await client.abort()
        else:
            await _leave(client)
        raise
    except (aiomqtt.MqttError, OSError) as error:
        await client.abort()
        raise ConnectError(str(address), f"cannot connect: {error}") from error
