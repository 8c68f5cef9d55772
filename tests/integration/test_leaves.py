"""A tree of mosquittos: two hubs, three leaves, and brokers that die in the middle of an alert."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from clients.fleet import Fleet
from clients.locality import SharedEstimator
from clients.phone import Phone
from clients.subscriber import Device
from eew.app.development_key import development_keyring
from eew.clock import SystemClock
from eew.egress.mqtt import AlertPublisher
from eew.messages import topics
from eew.messages.cells import cell_of
from eew.model.alert import AlertMessage, Status
from tests.integration.brokers import EPICENTRE, NOW_NS, alert, pack_of, publisher_of, until
from tests.integration.deployments import Accounts, deployed

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto, pytest.mark.slow]

CLOCK = SystemClock()
HOME = cell_of(*EPICENTRE)
N_PHONES = 150
TOLD_WITHIN_S = 10.0


def phones(n: int, rng: np.random.Generator) -> list[Device]:
    """Return phones round the epicentre, all in its area."""
    estimator, keyring = SharedEstimator(), development_keyring(1)
    made: list[Device] = []
    while len(made) < n:
        lat, lon = (centre + rng.uniform(-0.05, 0.05) for centre in EPICENTRE)
        if cell_of(lat, lon) == HOME:
            made.append(
                Phone(
                    id=f"d{len(made):03d}",
                    lat=lat,
                    lon=lon,
                    country="CN",
                    estimator=estimator,
                    follow_heartbeat=False,
                    keyring=keyring,
                )
            )
    return made


class Crowd:
    """Phones on the leaves, and a publisher at each hub that lives."""

    def __init__(
        self, running: Accounts, fleet: Fleet, publishers: Sequence[AlertPublisher]
    ) -> None:
        self.running = running
        self.fleet = fleet
        self.publishers = publishers
        self.everybody = [device.id for device in fleet.devices]

    def submit(self, message: AlertMessage) -> None:
        """Hand an alert to every hub."""
        for publisher in self.publishers:
            receipt = publisher.submit(message)
        self.fleet.sent(message.event_id, message.serial, receipt.sent_ns)

    async def told(self, serial: int) -> float:
        """Return after how many seconds the last phone has shown an alert; all must."""
        started_ns = CLOCK.monotonic_ns()
        report = await self.fleet.wait_answers("ev1", serial, self.everybody, TOLD_WITHIN_S)
        assert report.missing == ()
        assert report.n_shown == len(self.everybody)
        return (CLOCK.monotonic_ns() - started_ns) / 1e9


@asynccontextmanager
async def crowd(running: Accounts, n: int, rng: np.random.Generator) -> AsyncIterator[Crowd]:
    hubs = [hub.name for hub in running.plan.hubs]
    async with AsyncExitStack() as stack:
        publishers = [
            await stack.enter_async_context(publisher_of(running.service_address(hub)))
            for hub in hubs
        ]
        leaves = running.device_addresses(HOME)
        fleet = Fleet(
            phones(n, rng), leaves, CLOCK, seed=1, now_ns=lambda: NOW_NS, heartbeats=False
        )
        await stack.enter_async_context(fleet)
        yield Crowd(running, fleet, publishers)


async def test_retained_state_reaches_a_leaf_that_starts_later(tmp_path: Path) -> None:
    names = ("hub-1", "leaf-1")
    with deployed(tmp_path, [HOME], n_leaves=2, start=names) as running:
        async with publisher_of(running.service_address("hub-1")) as publisher:
            await publisher.publish_help(pack_of("country:CN"))
            await publisher.publish_alert(alert(1))
            await publisher.publish_alert(alert(2))
            await until(lambda: publisher.n_waiting == 0)
            running.start("leaf-2")
            await asyncio.sleep(1.0)

            def look() -> dict[str, tuple[int | None, bool]]:
                with running.device("leaf-2", HOME) as device:
                    for name in (topics.event_current_filter(), topics.help_country_topic("CN")):
                        assert device.subscribe(name) == 1
                    got = device.listen(0.2)
                return {one.topic.decode(): (one.expiry_s, one.retain) for one in got}

            found = await asyncio.to_thread(look)
    assert set(found) == {topics.event_current_topic("ev1"), topics.help_country_topic("CN")}
    expiry_s, retained = found[topics.event_current_topic("ev1")]
    assert expiry_s is not None  # it ends on the leaf as well
    assert 60 < expiry_s <= 120
    assert retained


async def test_a_receipt_goes_up_from_a_leaf_to_the_hubs_and_nowhere_else(tmp_path: Path) -> None:
    with deployed(tmp_path, [HOME], n_leaves=2, n_hubs=2) as running:
        await asyncio.sleep(0.5)

        def send() -> tuple[list[bytes], list[bytes], list[bytes]]:
            receipts = f"{topics.tree_prefix(Status.EXERCISE)}/client/+/ack"
            with (
                running.service("hub-1") as one,
                running.service("hub-2") as two,
                running.device("leaf-1", HOME) as device,
                running.device("leaf-2", HOME, client_id="other") as other,
            ):
                assert one.subscribe(receipts) == two.subscribe(receipts) == 1
                assert other.subscribe(topics.alert_topic()) == 1
                for _ in range(50):  # until the bridges stand
                    assert device.publish(topics.ack_topic("mine"), b"seen") in (0, 0x10)
                    if one.listen(0.1) and two.listen(0.1):
                        break
                # what a hub is not allowed to be told does not get there by a leaf either
                assert device.publish(topics.alert_topic(), b"forged") == 0x87
                return (
                    [x.payload for x in one.listen(0.2)],
                    [x.payload for x in two.listen(0.2)],
                    [x.payload for x in other.listen(0.1)],
                )

        at_one, at_two, at_other = await asyncio.to_thread(send)
    assert set(at_one) == set(at_two) == {b"seen"}
    assert at_other == []


async def test_a_leaf_and_a_hub_are_killed_in_the_middle_of_an_alert(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with deployed(tmp_path, [HOME], n_leaves=3, n_hubs=2) as running:
        async with crowd(running, N_PHONES, rng) as all_of_them:
            fleet = all_of_them.fleet
            all_of_them.submit(alert(1))
            await all_of_them.told(1)
            at_first = fleet.n_connections

            before = fleet.summary().delivered
            all_of_them.submit(alert(2))
            telling = asyncio.create_task(all_of_them.told(2))
            await until(lambda: fleet.summary().delivered > before)  # some have been told
            running.kill("leaf-1")
            await telling
            await until(lambda: fleet.n_connected == N_PHONES)
            all_of_them.submit(alert(3))
            await all_of_them.told(3)
            moved = fleet.n_connections - at_first
            assert N_PHONES / 5 < moved < N_PHONES / 2  # those of one leaf in three

            all_of_them.submit(alert(4))
            running.kill("hub-1")
            await all_of_them.told(4)
            assert fleet.n_connections == at_first + moved  # nobody had to move for a hub

            all_of_them.submit(alert(5))
            running.kill("leaf-2")  # nobody there has been told: all find it on the last leaf
            await all_of_them.told(5)
            await until(lambda: fleet.n_connected == N_PHONES)
            summary = fleet.summary()
    assert summary.lost == 0
    assert summary.duplicates == 0  # nothing was shown twice, though it came from two hubs
