"""The broker is killed in the middle of an alert: who comes back, when, and what they are told."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from eew.model.alert import MsgType
from tests.integration.brokers import alert, publisher_of, until
from tests.integration.weather_cases import CLOCK, Door, devices_near, fleet_of, mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

N_DEVICES = 150
DOWN_S = 3.0


@pytest.mark.slow
async def test_after_a_kill_of_the_broker_all_are_told_at_their_next_try_and_none_stampedes(
    rng: np.random.Generator,
) -> None:
    devices = devices_near(N_DEVICES, rng)
    async with mosquitto() as broker:
        publisher = await publisher_of(broker.address, hand_over_s=1.0).__aenter__()
        door = Door(broker.address)
        async with door as address:
            fleet = fleet_of(devices, address)
            await fleet.start()
            try:
                first = await publisher.publish_alert(alert(1, radius_km=150.0))
                everybody = fleet.listeners(first.topics)
                assert len(everybody) == N_DEVICES
                told = await fleet.wait_answers("ev1", 1, everybody)
                assert told.n_shown == N_DEVICES

                await broker.kill()
                killed_ns = CLOCK.monotonic_ns()
                await until(lambda: fleet.n_connected == 0)
                publisher.submit(alert(2, radius_km=150.0))  # decided while nobody can be told
                await asyncio.sleep(DOWN_S)
                await broker.start()
                back_ns = CLOCK.monotonic_ns()
                told = await fleet.wait_answers("ev1", 2, everybody, timeout_s=60.0)
                assert told.missing == ()
                assert told.n_shown == N_DEVICES
                # no try is in vain, and none waits for more than CAP_S (tests/unit): that is when
                assert sum(at_ns > back_ns for at_ns in door.knocks_ns) <= N_DEVICES

                # a stampede would be all of them: they share the first 2 s evenly, 7.5 each 0.1 s;
                # a machine that stands still for a second lets 75 wait for it
                assert door.most_knocks(killed_ns) < N_DEVICES / 2
                await publisher.publish_alert(alert(3, msg_type=MsgType.CANCEL))
                assert (await fleet.wait_answers("ev1", 3, everybody)).n_shown == N_DEVICES
                await until(lambda: publisher.n_waiting == 0)
                summary = fleet.summary()
                assert (summary.lost, summary.duplicates) == (0, 0)
            finally:
                await fleet.stop()
                await publisher.__aexit__(None, None, None)
