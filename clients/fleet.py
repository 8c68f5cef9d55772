"""Many devices in one process and one event loop, each a real connection of its own.

Good for about 1,000 devices (aiomqtt: 28 KiB and one task each). All receipts share the loop: a
device's latency includes the work of those served before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np

from clients.answers import Answer, AnswerBook, AnswerReport, DeliverySummary
from clients.events import DeviceEvent, ack_for
from clients.subscriber import Device, Receipt, is_for_joining, run_device
from eew.clock import Clock
from eew.errors import ConfigError, ConnectError, TransportError
from eew.messages.control_wire import Ack
from eew.mqtt_link import BrokerAddress, allow_open_files

__all__ = ["BaseFleet", "Fleet", "matches"]

_MOST_CONNECTING = 64  # awaiting SUBACK at once; mosquitto's listen backlog is 100
_FILES_BESIDE = 200


class BaseFleet:
    """Devices and the book of their answers; how messages come is the subclass's business.

    Parameters
    ----------
    devices : sequence of Device
        With identities that differ.
    on_events : callable, optional
        Told what each device did: the device, its events, and the data time.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        on_events: Callable[[Device, Sequence[DeviceEvent], int], None] | None = None,
    ) -> None:
        self._devices = {device.id: device for device in devices}
        if len(self._devices) != len(devices):
            raise ConfigError("devices", "two devices have the same identity")
        self._on_events = on_events
        self._book = AnswerBook()
        self._place = {name: place for place, name in enumerate(self._devices)}
        self._exact: dict[str, list[str]] = {}  # topic -> identities
        self._wild: dict[str, list[str]] = {}  # filter with wildcards -> identities
        for device in devices:
            for name in device.subscriptions():
                if not is_for_joining(name):
                    kind = self._wild if "+" in name or "#" in name else self._exact
                    kind.setdefault(name, []).append(device.id)

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices, in order."""
        return tuple(self._devices.values())

    @property
    def n_connected(self) -> int:
        """How many can be reached now."""
        return len(self._devices)

    def is_connected(self, device_id: str) -> bool:
        """Tell whether a device can be reached now."""
        return device_id in self._devices

    def listeners(self, topics: Iterable[str]) -> tuple[str, ...]:
        """Return the connected devices that a message on ``topics`` reaches, in order."""
        reached: dict[str, None] = {}
        for topic in topics:
            reached.update(dict.fromkeys(self._exact.get(topic, ())))
            for name, listeners in self._wild.items():
                if matches(name, topic):
                    reached.update(dict.fromkeys(listeners))
        in_order = sorted(reached, key=self._place.__getitem__)
        return tuple(name for name in in_order if self.is_connected(name))

    def sent(self, event_id: str, serial: int, sent_ns: int) -> None:
        """Note when a message was handed over, for latencies: monotonic ns of this process."""
        self._book.sent(event_id, serial, sent_ns)

    async def wait_answers(
        self,
        event_id: str,
        serial: int,
        expected_device_ids: Collection[str],
        timeout_s: float = 5.0,
    ) -> AnswerReport:
        """Wait until all of these devices have answered, or ``timeout_s`` have gone."""
        return await self._book.wait(event_id, serial, expected_device_ids, timeout_s)

    def advance(self, now_ns: int) -> None:
        """Let data time pass on every device."""
        for device in self._devices.values():
            events = device.advance(now_ns)
            if events:
                acks = [ack for event in events if (ack := ack_for(device.id, event)) is not None]
                at_ns = self._monotonic_ns()
                self._take(device, events, acks, (at_ns, at_ns), now_ns)

    def _monotonic_ns(self) -> int:
        return 0

    def summary(self) -> DeliverySummary:
        """Return the counts so far."""
        return self._book.summary(len(self._devices))

    def _take(
        self,
        device: Device,
        events: Sequence[DeviceEvent],
        acks: Sequence[Ack],
        times_ns: tuple[int, int],
        data_ns: int,
    ) -> None:
        """Book what a device did between two times, monotonic ns."""
        received_ns, done_ns = times_ns
        for ack in acks:
            answer = Answer(
                device_id=device.id,
                received_ns=received_ns,
                shown_ns=done_ns if ack.outcome == "shown" else None,
                data_ns=data_ns,
                outcome=ack.outcome,
                reason=ack.reason,
            )
            self._book.answered(ack.event_id, ack.serial, answer)
        if self._on_events is not None and events:
            self._on_events(device, events, data_ns)


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether an MQTT filter (``+``, ``#``) takes a topic."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for i, level in enumerate(wanted):
        if level == "#":
            return True
        if i >= len(levels) or level not in ("+", levels[i]):
            return False
    return len(wanted) == len(levels)


class Fleet(BaseFleet):
    """Devices on a broker. Use it as an async context manager, or ``start`` and ``stop`` it.

    Parameters
    ----------
    address : BrokerAddress or sequence of BrokerAddress
        Where they connect; leaves to choose from where there are several.
    clock : Clock
        Measures latencies (monotonic).
    now_ns : callable, optional
        Data time for the devices; UTC of ``clock`` by default.
    seed : int
        Draws the jitter of reconnects, a stream of its own for each device.
    heartbeats : bool
        Whether the devices follow the service's heartbeat.
    acks : bool
        Publish the devices' answers; not needed where they are counted in this process.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        address: BrokerAddress | Sequence[BrokerAddress],
        clock: Clock,
        *,
        seed: int,
        now_ns: Callable[[], int] | None = None,
        heartbeats: bool = True,
        acks: bool = False,
        on_events: Callable[[Device, Sequence[DeviceEvent], int], None] | None = None,
    ) -> None:
        super().__init__(devices, on_events=on_events)
        self._address = address
        self._clock = clock
        self._seed = seed
        self._now_ns = now_ns or clock.utc_ns
        self._heartbeats = heartbeats
        self._acks = acks
        self._tasks: list[asyncio.Task[None]] = []
        self._up: set[str] = set()
        self._changed = asyncio.Event()
        self._last_failure: TransportError | None = None
        self._bug: BaseException | None = None
        self.n_connections = 0

    @property
    def n_connected(self) -> int:
        """How many are connected and subscribed now."""
        return len(self._up)

    def is_connected(self, device_id: str) -> bool:
        """Tell whether a device is connected and subscribed now."""
        return device_id in self._up

    def _monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(
        self, *, timeout_s: float = 60.0, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Connect all devices; return when every one is subscribed.

        Parameters
        ----------
        progress : callable, optional
            Called with how many are connected, and how many there are.

        Raises
        ------
        ConnectError
            If some are not after ``timeout_s``; nothing is left running then.
        """
        allow_open_files(len(self._devices) + _FILES_BESIDE)
        gate = asyncio.Semaphore(_MOST_CONNECTING)
        streams = np.random.default_rng(self._seed).spawn(len(self._devices))
        for device, rng in zip(self._devices.values(), streams, strict=True):
            task = asyncio.create_task(
                run_device(
                    device,
                    self._address,
                    clock=self._clock,
                    rng=rng,
                    now_ns=self._now_ns,
                    heartbeats=self._heartbeats,
                    acks=self._acks,
                    gate=gate,
                    on_receipt=self._on_receipt,
                    on_link=partial(self._on_link, device.id),
                ),
                name=f"device.{device.id}",
            )
            task.add_done_callback(self._on_end)
            self._tasks.append(task)
        try:
            async with asyncio.timeout(timeout_s):
                await self.wait_connected(progress=progress)
        except TimeoutError:
            connected = self.n_connected
            await self.stop()
            raise ConnectError(
                self._where(),
                f"{connected} of {len(self._devices)} devices connected within {timeout_s:g} s"
                + (f"; last: {self._last_failure.problem}" if self._last_failure else ""),
            ) from None
        except BaseException:
            await self.stop()
            raise

    def _where(self) -> str:
        leaves = self._address
        return str(leaves) if isinstance(leaves, BrokerAddress) else ", ".join(map(str, leaves))

    async def wait_connected(self, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Wait until every device is connected and subscribed."""
        while True:
            if self._bug is not None:
                raise self._bug
            if progress is not None:
                progress(len(self._up), len(self._devices))
            if len(self._up) == len(self._devices):
                return
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """Disconnect all devices and wait for the end of their tasks."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._up.clear()

    def _on_receipt(self, receipt: Receipt) -> None:
        times_ns = (receipt.received_ns, receipt.done_ns)
        self._take(receipt.device, receipt.events, receipt.acks, times_ns, receipt.data_ns)

    def _on_link(self, device_id: str, failure: TransportError | None) -> None:
        if failure is None:
            self._up.add(device_id)
            self.n_connections += 1
        else:
            self._up.discard(device_id)
            self._last_failure = failure
        self._changed.set()

    def _on_end(self, task: asyncio.Task[None]) -> None:
        """Pass a bug in a device on to whoever waits."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._bug = self._bug or error
            self._book.fail(error)
            self._changed.set()
