"""Devices with the accounts of their areas, on brokers as ``eew deploy mosquitto`` writes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clients.crowd.sockets import RECEIPT
from eew.app.crowd_accounts import admit
from eew.app.crowd_run import endpoint_of
from eew.app.device_accounts import DeviceAccounts, open_accounts
from eew.app.device_brokers import find_brokers, leaf_addresses
from eew.cli import run
from eew.messages.cells import cell_of
from eew.messages.control_wire import decode_ack
from eew.messages.topics import ack_topic, parse_topic
from eew.model.alert import Level, Status
from tests.integration.brokers import alert, publisher_of, recording, until
from tests.integration.crowd_broker import Crowd, live_alert, places
from tests.integration.deployments import Accounts, deployed
from tests.integration.plain_client import PlainClient
from tests.integration.watched_phone import BEIJING, LUDING, Watched, end, phone_at
from tests.integration.weather_cases import CLOCK

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

CELLS = [cell_of(*BEIJING), cell_of(*LUDING)]
NAME_DIGITS = (16, 22)  # of an identifier for receipts: of a phone alone, of one in a crowd
N_CROWD = 60
RECEIPTS = "eew/v1/client/+/ack"


def accounts_file(running: Accounts) -> Path:
    return running.folder / "credentials/devices-exercise.json"


@contextlib.contextmanager
def logging_brokers(folder: Path, cells: list[str], **settings: Any) -> Iterator[Accounts]:
    """Run a deployment whose brokers log who connects."""
    with deployed(folder, cells, start=(), **settings) as running:
        for broker in running.plan.brokers:
            conf = folder / broker.name / "mosquitto.conf"
            text = conf.read_text().replace("connection_messages false", "connection_messages true")
            conf.write_text(text)
            running.start(broker.name)
        yield running


def say(service: PlainClient, crowd: Crowd, payload: bytes) -> None:
    """Publish an alert to the areas of a crowd."""
    for topic in crowd.alert_topics():
        assert service.publish(topic, payload) in (0, 0x10)  # 0x10: nobody there yet


def connected_as(running: Accounts, broker: str) -> list[tuple[str, str]]:
    """Return identifier and account of each connection of a device that a broker has logged."""
    log = (running.folder / broker / "mosquitto.log").read_text()
    lines = [line for line in log.splitlines() if "New client connected" in line]
    found = [
        (line.partition(" as ")[2].split()[0], line.partition("u'")[2].partition("'")[0])
        for line in lines
    ]
    return [one for one in found if one[1].startswith("exercise-")]


def phones_at(running: Accounts, broker: str) -> list[tuple[str, str]]:
    """Return those of them that said who they are, as a device that sends receipts does."""
    return [one for one in connected_as(running, broker) if len(one[0]) in NAME_DIGITS]


@asynccontextmanager
async def carried(
    running: Accounts, rng: np.random.Generator, accounts: DeviceAccounts
) -> AsyncIterator[Watched]:
    """Be a phone in Beijing that has connected with the account of its area."""
    leaves = leaf_addresses((), accounts)
    brokers = await find_brokers(leaves, accounts, CELLS[0])
    watched = Watched(phone_at(BEIJING))
    task = watched.start(brokers, rng)
    try:
        await asyncio.wait_for(watched.connected.wait(), 5.0)
        yield watched
    finally:
        await end(task)


@pytest.mark.parametrize("auth", ["password", "certificates"])
async def test_a_phone_takes_the_account_of_the_area_it_is_carried_into(
    tmp_path: Path, rng: np.random.Generator, auth: str
) -> None:
    with logging_brokers(tmp_path, CELLS, auth=auth) as running:
        service = running.service_address("broker")
        if auth == "certificates":
            own = tmp_path / "credentials/service-exercise"
            service = replace(
                service, cert_file=own.with_suffix(".crt"), key_file=own.with_suffix(".key")
            )
        with open_accounts(accounts_file(running), Status.EXERCISE) as accounts:
            async with (
                publisher_of(service, now_ns=CLOCK.utc_ns) as publisher,
                recording(service, RECEIPTS) as receipts,
                carried(running, rng, accounts) as watched,
            ):
                first = alert(1, radius_km=100.0, issued_ns=CLOCK.utc_ns())
                await publisher.publish_alert(first)
                await asyncio.sleep(0.2)
                assert watched.shown == []
                watched.moves.put_nowait(LUDING)
                await until(lambda: len(watched.shown) == 1)
                assert watched.shown[0].level is Level.TAKE_ACTION
                second = alert(2, radius_km=100.0, issued_ns=CLOCK.utc_ns())
                await publisher.publish_alert(second)
                await until(lambda: len(watched.shown) == 2)
                # told by the topic of the new area, and its receipts are taken
                await until(lambda: len(receipts.got) >= 3)
        phone = phones_at(running, "broker")
    acks = [(parse_topic(topic).key, decode_ack(payload)) for topic, payload in receipts.got]
    assert {ack.serial for _, ack in acks if ack.outcome == "shown"} == {1, 2}
    assert all(name == ack.id for name, ack in acks)
    assert [account for _, account in phone] == [f"exercise-{cell}" for cell in CELLS]
    assert len({name for name, _ in phone}) == 2  # nothing says that both were one phone
    assert phone[1][0] in {ack.id for _, ack in acks}


async def test_a_phone_turns_to_another_leaf_with_the_account_of_its_area(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with (
        logging_brokers(tmp_path, CELLS, n_leaves=2) as running,
        open_accounts(accounts_file(running), Status.EXERCISE) as accounts,
    ):
        async with (
            publisher_of(running.service_address("hub-1"), now_ns=CLOCK.utc_ns) as publisher,
            carried(running, rng, accounts) as watched,
        ):
            leaves = [leaf.name for leaf in running.plan.leaves]
            (on,) = (leaf for leaf in leaves if phones_at(running, leaf))
            (other,) = set(leaves) - {on}
            running.kill(on)
            watched.moves.put_nowait(LUDING)  # while it has no connection
            now_ns = CLOCK.utc_ns()
            await publisher.publish_alert(alert(1, radius_km=100.0, issued_ns=now_ns))
            await until(lambda: len(watched.shown) == 1)
            assert [account for _, account in phones_at(running, other)] == [f"exercise-{CELLS[1]}"]


def test_without_an_account_the_client_names_file_and_area(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployed(tmp_path, CELLS[:1]) as running:
        file = str(accounts_file(running))
        here, there = (f"{lat},{lon}" for lat, lon in (BEIJING, LUDING))
        common = ["client", "phone", "--accounts", file, "--at"]
        assert run([*common, here, "--for", "0.5"]) == 0
        out = capsys.readouterr().out
        assert "SIMULATION: a device on mqtts://127.0.0.1:" in out
        assert "1 connections, 0 failed" in out
        for words in ([there], [here, "--move-to", there]):
            assert run([*common, *words, "--for", "0.5"]) == 2
            err = capsys.readouterr().err
            assert f"{file} has no account for the area {CELLS[1]}" in err
            assert err.count("\n") == 1


def test_a_crowd_on_two_leaves_is_told_with_the_accounts_of_its_areas(tmp_path: Path) -> None:
    who = places(N_CROWD, within_km=150.0)
    cells = sorted({cell_of(*place) for place in zip(who.lat, who.lon, strict=True)})
    assert len(cells) > 2
    without = cells.pop()
    with (
        logging_brokers(tmp_path, cells, n_leaves=2) as running,
        open_accounts(accounts_file(running), Status.EXERCISE) as accounts,
    ):
        leaves = leaf_addresses((), accounts)
        brokers = asyncio.run(find_brokers(leaves, accounts, accounts.any_cell))
        admitted = admit(who, brokers)
        n = len(admitted.crowd)
        assert 0 < n < N_CROWD
        assert admitted.set_aside == {"no account for the area": N_CROWD - n}
        assert admitted.accounts is not None
        assert f"exercise-{without}" not in {row.username for row in admitted.accounts.rows}
        crowd = Crowd(
            admitted.crowd,
            endpoint=[endpoint_of(leaf) for leaf in brokers.leaves],
            accounts=admitted.accounts,
        )
        with crowd as engine, running.service("hub-1") as service:
            engine.connect(range(n))
            crowd.until("settled")
            assert service.subscribe(RECEIPTS) == 1
            say(service, crowd, live_alert(1))
            crowd.until("told")
            at_leaf = [len(phones_at(running, leaf.name)) for leaf in running.plan.leaves]
            assert sum(at_leaf) == n
            assert min(at_leaf) > n / 4  # about half of them
            for device in range(n):
                name = engine.identity(device, RECEIPT)
                assert engine.publish(device, ack_topic(name), b"seen")
            crowd.idle(0.3)
            names = {parse_topic(one.topic.decode()).key for one in service.listen(0.3)}
            assert names == {engine.identity(device, RECEIPT) for device in range(n)}

            running.kill("leaf-1")
            for _ in range(100):
                crowd.idle(0.05)
                if engine.counts["connects"] == n + at_leaf[0]:
                    break
            crowd.idle(0.4)  # no current state is read any more: the alert comes once
            before = len(crowd.told())
            say(service, crowd, live_alert(2))
            crowd.idle(0.5)
            assert sorted(crowd.told()[before:]) == list(range(n))
        assert engine.counts["refused_subscriptions"] == 0
        assert len(phones_at(running, "leaf-2")) == n
