"""Keeps a publisher's connection for as long as it is wanted: connect, watch, connect again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import numpy as np

from eew.backoff import Backoff
from eew.clock import Clock
from eew.egress.dispatch import Dispatch
from eew.egress.link import PublisherLink, Will, open_publisher_link
from eew.egress.plan import Outgoing
from eew.errors import ConnectError, PublishError, TransportError
from eew.mqtt_link import BrokerAddress

__all__ = ["LinkKeeper"]

_HOUSEKEEPING_S = 1.0
_MOST_WAIT_S = 1.0  # between attempts to connect: one client is no herd, and all wait for it
_log = logging.getLogger(__name__)


class LinkKeeper:
    """One task that holds a connection, and gives it to a :class:`Dispatch` while it stands.

    Parameters
    ----------
    dispatch : Dispatch
        Is told when a connection stands and when it is gone.
    seed : int
        Draws the jitter of the reconnects.
    statuses : callable
        What says that the service is online since now, and that it is not. The first is told
        before anything else on a new connection, the second is its will.
    beat : callable
        Says a heartbeat on a connection.
    heartbeat_s : float or None
        Time between heartbeats; None for none.
    """

    def __init__(
        self,
        address: BrokerAddress,
        dispatch: Dispatch,
        clock: Clock,
        *,
        seed: int,
        statuses: Callable[[], tuple[Outgoing, Outgoing]],
        beat: Callable[[PublisherLink], None],
        heartbeat_s: float | None,
    ) -> None:
        self._address = address
        self._dispatch = dispatch
        self._clock = clock
        self._seed = seed
        self._statuses = statuses
        self._beat = beat
        self._heartbeat_s = heartbeat_s
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self.n_reconnects = 0

    async def start(self) -> None:
        """Connect, or raise.

        Raises
        ------
        ConnectError
            If the first attempt fails; later ones are repeated for ever.
        """
        self._opened = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(self._opened), name="publisher")
        try:
            await asyncio.wait((self._opened, self._task), return_when=asyncio.FIRST_COMPLETED)
            if self._opened.done():
                self._opened.result()
            else:
                await self._task  # ended without a word: a bug, which comes out here
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Cancel the task and wait for it; a bug that ended it earlier comes out here."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    raise

    async def _run(self, opened: asyncio.Future[None]) -> None:
        """Keep a connection for ever; only the first failure reaches the caller."""
        backoff = Backoff(np.random.default_rng(self._seed), most_s=_MOST_WAIT_S)
        while True:
            failure: TransportError | None = None
            was_connected = False
            online, offline = self._statuses()
            try:
                async with open_publisher_link(
                    self._address,
                    self._clock,
                    on_answered=self._dispatch.answered,
                    on_room=self._dispatch.pump,
                    will=Will(offline.topics[0], offline.payload),
                ) as link:
                    backoff.reset()
                    was_connected = True
                    self._dispatch.connected(link, online)
                    if not opened.done():
                        opened.set_result(None)
                    else:
                        self.n_reconnects += 1
                        _log.warning("the broker at %s is back", self._address)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(link.until_lost(), name="publisher.watch")
                        tasks.create_task(self._housekeeping(link), name="publisher.heartbeat")
            except* (ConnectError, PublishError) as group:
                failure = _first(group)
            finally:
                self._dispatch.lost()
            if not opened.done():
                opened.set_exception(failure or RuntimeError("ended without a reason"))
                return
            if was_connected:
                _log.warning("lost the broker, trying again: %s", failure)
            await asyncio.sleep(backoff.next_s())

    async def _housekeeping(self, link: PublisherLink) -> None:
        while True:
            if self._heartbeat_s is not None:
                self._beat(link)
            link.watch()
            self._dispatch.forget_expired()
            await asyncio.sleep(self._heartbeat_s or _HOUSEKEEPING_S)


def _first(group: BaseExceptionGroup[TransportError]) -> TransportError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, TransportError)
    return found
