"""amqtt as a broker inside this process: nothing to install, MQTT 3.1.1, up to about 1,000 devices.

The listening socket is ours (port 0: no race for a free port) and hands its connections to
amqtt. Imports amqtt at the top: import this module only when it is wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from eew.egress.probe import probe
from eew.errors import ConnectError
from eew.mqtt_link import MQTT_3_1_1, BrokerAddress, allow_open_files

_LOOPBACK = "127.0.0.1"
_BACKLOG = 1024
_STOP_S = 3.0
_LOGGERS = ("amqtt", "transitions")


class _LeanBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt with one fault of 0.12.1 put right, and an end that is certain.

    On each connection it offers the retained messages of *every* subscription of *every* client
    to the newcomer: foreign help packs for each phone, and a changed-during-iteration error in a
    rush of connections.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Any
    ) -> None:
        own = self.subscriptions.get(subscription[0], ())
        if any(subscriber is session for subscriber, _ in own):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def end(self) -> None:
        """Shut down in bounded time; clients must be gone by now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await self.shutdown()
        await _cancel([self._broadcast_task, self._session_monitor_task])


@contextlib.asynccontextmanager
async def embedded_broker(
    *, port: int = 0, max_connections: int = 2000
) -> AsyncIterator[BrokerAddress]:
    """Run amqtt on the loopback interface for the length of the context.

    Raises
    ------
    ConnectError
        If ``port`` cannot be had.
    """
    allow_open_files(2 * max_connections + 200)  # both ends of each connection are in here
    with _quiet():
        broker = _LeanBroker(
            BrokerConfig(
                listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL)},
                plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
            )
        )
        await broker.start()
        connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is None or len(connections) >= max_connections:
                writer.close()
                return
            connections[task] = writer
            try:
                await broker.external_connected(
                    StreamReaderAdapter(reader), StreamWriterAdapter(writer), "default"
                )
            except (OSError, asyncio.IncompleteReadError):
                pass  # a client that went in the middle of a packet
            finally:
                del connections[task]
                writer.close()

        try:
            try:
                # start_serving=False: cancelled in its last moment, it would leak the socket
                server = await asyncio.start_server(
                    serve, _LOOPBACK, port, backlog=_BACKLOG, start_serving=False
                )
            except OSError as error:
                raise ConnectError(
                    f"{_LOOPBACK}:{port}", f"cannot listen: {error.strerror or error}"
                ) from error
            try:
                await server.start_serving()
                address = BrokerAddress(
                    kind="embedded",
                    host=_LOOPBACK,
                    port=server.sockets[0].getsockname()[1],
                    protocol=MQTT_3_1_1,
                )
                yield await probe(address)
            finally:
                server.close()
        finally:
            await _hang_up(connections)
            await broker.end()


async def _hang_up(connections: dict[asyncio.Task[None], asyncio.StreamWriter]) -> None:
    """End all connections from our side: amqtt, asked to, may wait for a reader for ever."""
    tasks = list(connections)
    for writer in connections.values():
        writer.transport.abort()
    if tasks:
        await asyncio.wait(tasks, timeout=_STOP_S)
    await _cancel(tasks)


async def _cancel(tasks: Sequence[asyncio.Task[Any] | None]) -> None:
    left = [task for task in tasks if task is not None and not task.done()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence amqtt's loggers: each lost client is a warning to it, and usual to us."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
