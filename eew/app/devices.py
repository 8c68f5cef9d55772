"""Tells a crowd of devices, waits for their answers, and keeps what they showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from clients.device import Device
from clients.events import DeviceEvent, Shown
from clients.fleet import BaseFleet
from clients.phone import Phone
from clients.subscriber import Device as HasId
from eew.app.channel import ModelledChannel
from eew.app.places import DevicePlace
from eew.app.screens import ScreenKeeper
from eew.clock import NS_PER_S
from eew.egress.receipt import PublishReceipt
from eew.interrupt import StopRequest, unless_stopped
from eew.messages.topics import area_alert_topic
from eew.model.alert import AlertMessage, Level
from eew.model.place import Site
from eew.mqtt_link import BrokerAddress
from eew.report.result import Delivery, Screen, Told

ANSWER_TIMEOUT_S = 5.0
_ADVANCE_EVERY_NS = NS_PER_S  # of data time, once there was an alert


class Publisher(Protocol):
    """Sends alert messages, through a broker or in the process."""

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Send one message, as far as it leaves at once; wait for nobody."""
        ...

    async def until_taken(self, receipt: PublishReceipt) -> None:
        """Wait until the broker has taken a message; a PublishError if it does not in time."""
        ...


class Crowd:
    """All devices of a run.

    Parameters
    ----------
    broker : str
        What is between publisher and devices: ``mosquitto``, ``embedded``, a URL, or ``none``.
    devices, places : mapping
        By identity.
    watchers : sequence of (Site, Phone)
        One phone for each site that has no device at its centre: outside the fleet, it gets
        each message without delay, so that the site can be scored.
    channel : ModelledChannel, optional
        Delays every device and watcher by what it draws; nothing is measured then.

    Attributes
    ----------
    address : BrokerAddress or None
        Of the broker; None without one.
    now_ns : int
        Data time for publisher and devices; it stands still while a message is under way.
    told : list of Told
        What each device showed first, and when it rose to a higher level, in order.
    told_at : dict
        The same by name of a site, of the devices at its centre.
    """

    def __init__(
        self,
        broker: str,
        devices: Mapping[str, Device],
        places: Mapping[str, DevicePlace],
        watchers: Sequence[tuple[Site, Phone]],
        *,
        address: BrokerAddress | None = None,
        channel: ModelledChannel | None = None,
    ) -> None:
        self.broker = broker
        self.address = address
        self.now_ns = 0
        self.told: list[Told] = []
        self.told_at: dict[str, list[Told]] = {}
        self._devices = devices
        self._places = places
        self._watchers = watchers
        self._channel = channel
        self._not_told = 0  # pairs of message and device that the channel lost
        self._fleet: BaseFleet | None = None
        self._publisher: Publisher | None = None
        self._shown: dict[tuple[str, str], Shown] = {}  # by device and event, not booked yet
        self._under_way: Counter[str] = Counter()  # messages whose answers are awaited, by event
        self._highest: dict[tuple[str, str], Level] = {}
        self._screens = ScreenKeeper()
        self._advanced_ns: int | None = None
        self._publish_s: list[float] = []
        self._deliver_s: list[float] = []
        self._show_s: list[float] = []

    def attach(self, fleet: BaseFleet, publisher: Publisher) -> None:
        """Connect the crowd with what carries its messages."""
        self._fleet, self._publisher = fleet, publisher

    def saw(self, device: HasId, events: Sequence[DeviceEvent], data_ns: int) -> None:
        """Take what a device did, from the fleet."""
        for event in events:
            if isinstance(event, Shown) and event.level is not Level.NONE:
                self._shown[device.id, event.event_id] = event

    # ------------------------------------------------------------------ told by the run

    async def deliver(self, message: AlertMessage, stop: StopRequest) -> list[Told]:
        """Hand a message over and wait for the answers; see :meth:`answers`.

        Raises
        ------
        WireError, PublishError
            As :meth:`submit` and :meth:`answers`.
        """
        return await self.answers(message, self.submit(message), stop)

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over and wait for nobody; :meth:`answers` says what came of it.

        Raises
        ------
        WireError
            If the message may not be encoded.
        """
        assert self._fleet is not None
        assert self._publisher is not None
        self.now_ns = max(self.now_ns, message.issued_ns)  # live, time has gone on meanwhile
        self._advanced_ns = self._advanced_ns or message.issued_ns
        if not self._under_way:
            self._shown.clear()
        self._under_way[message.event_id] += 1
        receipt = self._publisher.submit(message)
        if self.broker != "none":
            self._fleet.sent(message.event_id, message.serial, receipt.sent_ns)
        return receipt

    async def answers(
        self, message: AlertMessage, receipt: PublishReceipt, stop: StopRequest
    ) -> list[Told]:
        """Wait for the answers to a message; return who shows something new, from when.

        With a broker, the measured time from the hand-over to the screen is added to the data
        time of the message. Several messages may be awaited at the same time.

        Raises
        ------
        PublishError
            If the broker has not taken the message in time.
        """
        assert self._fleet is not None
        assert self._publisher is not None
        try:
            await self._publisher.until_taken(receipt)
            if self.broker != "none" and receipt.taken_ns is not None:
                self._publish_s.append((receipt.taken_ns - receipt.sent_ns) / NS_PER_S)
            overtaken = frozenset(receipt.overtaken)  # who listens there hears something newer
            expected = self._fleet.listeners(t for t in receipt.topics if t not in overtaken)
            delay_ns = await self._answers(message, expected, stop)
        finally:
            self._under_way -= Counter((message.event_id,))
        news: list[Told] = []
        if self._channel is not None:
            self._not_told += sum(self._told_ns(one, message) is None for one in expected)
        for key, shown in list(self._shown.items()):
            # a screen may have gone back to another event, whose own message is over
            if shown.event_id not in self._under_way or shown.event_id == message.event_id:
                del self._shown[key]
                at_ns = self._told_ns(key[0], message)
                if at_ns is not None:
                    news += self._note(key[0], shown, at_ns + delay_ns.get(key[0], 0))
        self._watch(message, receipt)
        self.told += news
        return news

    def _told_ns(self, device_id: str, message: AlertMessage) -> int | None:
        """Return the data time at which a message is there; None if not, or not in its lifetime."""
        if self._channel is None:
            return message.issued_ns
        delay_ns = self._channel.delay_ns(device_id, message.event_id)
        if delay_ns is None or message.issued_ns + delay_ns >= message.expires_ns:
            return None
        return message.issued_ns + delay_ns

    async def _answers(
        self, message: AlertMessage, expected: Sequence[str], stop: StopRequest
    ) -> dict[str, int]:
        """Wait for the devices; return per device how long its screen took, ns."""
        assert self._fleet is not None
        report = await unless_stopped(
            self._fleet.wait_answers(
                message.event_id, message.serial, expected, timeout_s=ANSWER_TIMEOUT_S
            ),
            stop,
        )
        if report is None or report.sent_ns is None:
            return {}
        delay_ns: dict[str, int] = {}
        for name, answer in report.answers.items():
            self._deliver_s.append((answer.received_ns - report.sent_ns) / NS_PER_S)
            if answer.shown_ns is not None:
                self._show_s.append((answer.shown_ns - answer.received_ns) / NS_PER_S)
                delay_ns[name] = answer.shown_ns - report.sent_ns
        return delay_ns

    def _note(self, device_id: str, shown: Shown, at_ns: int) -> list[Told]:
        """Keep what is new: an event's first level on a device, or a higher one."""
        key = (device_id, shown.event_id)
        if shown.level.rank <= self._highest.get(key, Level.NONE).rank:
            return []
        self._highest[key] = shown.level
        device, place = self._devices[device_id], self._places[device_id]
        told = _told(device, place.site, shown, at_ns)
        if place.at_centre:
            self.told_at.setdefault(place.site.name, []).append(told)
        self._screens.consider(device, place, shown, at_ns)
        return [told]

    def _watch(self, message: AlertMessage, receipt: PublishReceipt) -> None:
        for site, phone in self._watchers:
            topic = area_alert_topic(phone.cell, tree=phone.tree)
            at_ns = self._told_ns(phone.id, message)
            if topic not in receipt.topics or at_ns is None:
                continue
            for event in phone.receive(topic, receipt.payload, message.issued_ns):
                if isinstance(event, Shown) and event.level is not Level.NONE:
                    told = _told(phone, site, event, at_ns)
                    self.told_at.setdefault(site.name, []).append(told)

    def advance(self, now_ns: int) -> None:
        """Let data time pass; devices with nothing on their screen need not know."""
        self.now_ns = now_ns
        if self._advanced_ns is None or now_ns - self._advanced_ns < _ADVANCE_EVERY_NS:
            return
        self._advanced_ns = now_ns
        if self._fleet is not None:
            self._fleet.advance(now_ns)

    # ------------------------------------------------------------------ what came out

    @property
    def n_connected(self) -> int:
        """How many devices can be reached now."""
        return 0 if self._fleet is None else self._fleet.n_connected

    def delivery(self) -> Delivery:
        """Return the counts so far."""
        assert self._fleet is not None
        counts = self._fleet.summary()
        return Delivery(
            devices=counts.n_devices,
            expected=counts.expected,
            delivered=counts.delivered - self._not_told,
            lost=counts.lost + self._not_told,
            duplicates=counts.duplicates,
        )

    def screens(self) -> tuple[Screen, ...]:
        """Return what one phone and one TV showed."""
        return self._screens.screens()

    def measured_s(self) -> dict[str, tuple[float, ...]]:
        """Return samples of the measured stages; none without a broker."""
        stages = {"publish": self._publish_s, "deliver": self._deliver_s, "show": self._show_s}
        return {name: tuple(values) for name, values in stages.items() if values}


def _told(device: Device, site: Site, shown: Shown, at_ns: int) -> Told:
    return Told(
        device=device.id,
        kind=device.kind,
        site=site.name,
        event_id=shown.event_id,
        serial=shown.serial,
        level=shown.level,
        at_ns=at_ns,
    )


Progress = Callable[[int, int], None]
