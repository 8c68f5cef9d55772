"""One MQTT connection. The only module that knows aiomqtt: publisher and devices share it.

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
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import aiomqtt
import numpy as np
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

    def __str__(self) -> str:
        user = f"{self.username}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{user}{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes (QoS 1, retained) when the client goes without a word."""

    topic: str
    payload: bytes


def tls_context(address: BrokerAddress) -> ssl.SSLContext | None:
    """Return a verifying TLS context for ``address``, or None where it is plain TCP.

    Raises
    ------
    ConnectError
        If the file of certificates cannot be read.
    """
    if not address.tls:
        return None
    try:
        return ssl.create_default_context(cafile=address.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectError(
            str(address), f"cannot read the certificates in {address.ca_file}: {error}"
        ) from error


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


class Backoff:
    """Growing, jittered waits between attempts to connect, so that a crowd does not stampede.

    The n-th wait is drawn evenly from 50 to 100 % of ``first_s * 2**n``, at most ``most_s``.
    """

    def __init__(
        self, rng: np.random.Generator, *, first_s: float = 0.25, most_s: float = 8.0
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self._most_s = most_s
        self._n = 0

    def next_s(self) -> float:
        """Return the next wait in s."""
        full_s: float = min(self._most_s, self._first_s * 2.0 ** min(self._n, 30))
        self._n += 1
        return full_s * float(self._rng.uniform(0.5, 1.0))

    def reset(self) -> None:
        """Begin again with the shortest wait: the connection stood."""
        self._n = 0


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
            If the broker did not take it within ``timeout_s``, or the connection is gone.
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

    async def until_lost(self) -> None:
        """Wait for the end of the connection, for a user that reads no messages.

        Raises
        ------
        ConnectError
            Always.
        """
        async for _ in self.messages():
            pass


@contextlib.asynccontextmanager
async def open_link(
    address: BrokerAddress,
    *,
    will: Will | None = None,
    keepalive_s: int = 30,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> AsyncIterator[MqttLink]:
    """Connect with a clean session and an identifier chosen by the broker; disconnect at the end.

    A clean session on purpose: what a device missed reaches it as retained *current* state, not
    as a queue of stale alerts; and no identifier follows a phone from one day to the next.

    Raises
    ------
    ConnectError
        If the broker is not there within ``timeout_s``, or refuses.
    """
    v5 = address.protocol == MQTT_5
    client = _Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
        clean_session=None if v5 else True,
        will=aiomqtt.Will(will.topic, will.payload, 1, True) if will else None,
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
