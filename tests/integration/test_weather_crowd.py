"""The crowd's phones that sleep while an alert is on, on real connections: as single ones do."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.crowd_bench import TREE, bench_alert, bench_places
from clients.crowd.engine import Batch, Engine, EngineSettings
from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.crowd.sockets import Endpoint
from eew.app.development_key import development_key, development_keyring
from eew.clock import NS_PER_S
from tests.integration.brokers import publisher_of
from tests.integration.weather_cases import CLOCK, mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

N = 200
AWAKE, FLIGHT, DOZE, PATIENT = (range(k, N, 4) for k in range(4))
SLEEPERS = (*FLIGHT, *DOZE, *PATIENT)


class Phones:
    """Devices of a crowd, and how often each has taken or shown the alert."""

    def __init__(self, port: int, seed: int) -> None:
        logic = CrowdLogic(bench_places(N, seed), development_keyring(1), follow_heartbeat=False)
        self.engine = Engine(
            logic,
            Endpoint(host="127.0.0.1", port=port),
            clock=CLOCK,
            rng=np.random.default_rng(seed),
            token=b"weather",
            settings=EngineSettings(settle_per_s=1e9),
            patient=PATIENT,
            on_batch=self._take,
        )
        self.taken = np.zeros(N, dtype=np.int64)
        self.shown = np.zeros(N, dtype=np.int64)
        self.expired = np.zeros(N, dtype=np.int64)

    def _take(self, batch: Batch) -> None:
        for count, chosen in (
            (self.taken, batch.outcome <= Outcome.RECEIVED),
            (self.shown, batch.outcome == Outcome.SHOWN),
            (self.expired, batch.outcome == Outcome.EXPIRED),
        ):
            np.add.at(count, batch.device[chosen], 1)

    async def go_on(self, for_s: float) -> None:
        """Let ``for_s`` pass beside the publisher, which lives in this process, too."""

        def run() -> None:
            end_ns = CLOCK.monotonic_ns() + round(for_s * NS_PER_S)
            while CLOCK.monotonic_ns() < end_ns:
                self.engine.poll(0.02)

        await asyncio.to_thread(run)


@pytest.mark.parametrize("in_time", [True, False], ids=["in-time", "too-late"])
async def test_who_wakes_in_time_is_told_once_and_who_does_not_stays_silent(
    seed: int, in_time: bool
) -> None:
    lifetime_s = 60.0 if in_time else 2.0
    async with (
        mosquitto() as broker,
        publisher_of(
            broker.address, now_ns=CLOCK.utc_ns, signer=development_key(1, TREE), heartbeat_s=None
        ) as publisher,
    ):
        phones = Phones(broker.address.port, seed)
        with phones.engine as engine:
            engine.connect(range(N))
            while engine.n_up < N:
                await phones.go_on(0.1)
            await phones.go_on(1.0)
            for device in FLIGHT:
                engine.switch_off(device, farewell=True)
            for device in (*DOZE, *PATIENT):
                engine.set_radio(device, on=False)
            await phones.go_on(0.2)

            message = bench_alert(1)
            expires_ns = message.issued_ns + round(lifetime_s * NS_PER_S)
            publisher.submit(replace(message, expires_ns=expires_ns))
            await phones.go_on(1.0 if in_time else lifetime_s + 1.2)
            assert phones.taken[list(AWAKE)].tolist() == [1] * len(AWAKE)
            assert not phones.taken[list(SLEEPERS)].any()

            for device in (*DOZE, *PATIENT):
                engine.set_radio(device, on=True)
            engine.connect(FLIGHT)
            await phones.go_on(2.0)
            assert engine.n_up == N
    if in_time:
        assert phones.taken.tolist() == [1] * N
        assert phones.shown.sum() > 0.9 * N  # a few stand where it is not felt
    else:
        assert not phones.taken[list(SLEEPERS)].any()
        # what was under way to those who dozed was refused by themselves
        assert phones.expired[[*DOZE, *PATIENT]].tolist() == [1] * (len(DOZE) + len(PATIENT))
