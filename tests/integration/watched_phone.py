"""One phone on a broker of the test's own, its clock and its place as the test wants them."""

from __future__ import annotations

import asyncio

import numpy as np

from clients.events import Shown
from clients.leaves import LeavesOf
from clients.phone import Phone
from clients.subscriber import Place, Receipt, run_device
from eew.app.development_key import development_keyring
from eew.clock import NS_PER_S
from eew.mqtt_link import BrokerAddress
from tests.integration.brokers import EPICENTRE
from tests.integration.weather_cases import CLOCK

BEIJING = (39.90571, 116.39127)
LUDING = (EPICENTRE[0] + 0.05123, EPICENTRE[1] + 0.04567)


def phone_at(place: Place) -> Phone:
    return Phone(
        id="anna", lat=place[0], lon=place[1], country="CN", keyring=development_keyring(1)
    )


class Watched:
    """One phone on a broker, and what it showed."""

    def __init__(self, phone: Phone, offset_s: float = 0.0) -> None:
        self.phone = phone
        self.receipts: list[Receipt] = []
        self.connected = asyncio.Event()
        self.moves: asyncio.Queue[Place] = asyncio.Queue()
        self._offset_ns = round(offset_s * NS_PER_S)

    def now_ns(self) -> int:
        return CLOCK.utc_ns() + self._offset_ns

    @property
    def shown(self) -> list[Shown]:
        events = [event for receipt in self.receipts for event in receipt.events]
        return [event for event in events if isinstance(event, Shown)]

    def notes(self) -> str:
        return " ".join(self.phone.presentation(self.now_ns()).notes)

    def start(
        self, address: BrokerAddress | LeavesOf, rng: np.random.Generator
    ) -> asyncio.Task[None]:
        return asyncio.create_task(
            run_device(
                self.phone,
                address,
                clock=CLOCK,
                rng=rng,
                now_ns=self.now_ns,
                on_receipt=self.receipts.append,
                on_link=lambda failure: self.connected.set() if failure is None else None,
                moves=self.moves,
            )
        )


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
