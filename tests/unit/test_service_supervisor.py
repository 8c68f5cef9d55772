"""Start and stop order of the service, over a real loopback socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import httpx
import pytest

from eew.clock import SystemClock
from eew.errors import DataError, TransportError
from eew.interrupt import StopRequest, stop_on_signals
from eew.service.api import create_app
from eew.service.server import HttpServer, listen, url_of
from eew.service.state import BrokerInfo, ServiceInfo, ServiceState
from eew.service.supervisor import supervise

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

INFO = ServiceInfo(service_id="sim", version="9.9", source="replay x", speed=1.0, status="exercise")


class Bench:
    """A service whose chain is the test's own, with a log of what happened when."""

    def __init__(self) -> None:
        self.state = ServiceState(INFO, SystemClock())
        self.sock = listen("127.0.0.1", 0)
        self.url = url_of(self.sock)
        self.server = HttpServer(create_app(self.state), self.sock)
        self.stop = StopRequest()
        self.log: list[str] = []

    async def get(self, path: str) -> int:
        async with httpx.AsyncClient(base_url=self.url) as client:
            return (await client.get(path)).status_code

    async def chain(self) -> None:
        """Be ready, run until cancelled, and take a while to close."""
        assert await self.get("/readyz") == 503
        self.state.broker_is(BrokerInfo("embedded", "127.0.0.1", 1), "listening")
        self.state.part("pipeline", ready=True, reason="ok")
        self.state.source_is("running", "ok")
        self.log.append("ready")
        try:
            await asyncio.sleep(60)
        finally:
            assert await self.get("/healthz") == 200  # the API is still there while we close
            assert await self.get("/readyz") == 503
            self.log.append("closed")

    async def until(self, word: str) -> None:
        async with asyncio.timeout(10):
            while word not in self.log:  # noqa: ASYNC110  # the log is what the test looks at
                await asyncio.sleep(0.005)

    def is_down(self) -> bool:
        with socket.socket() as sock:
            host, _, port = self.url.removeprefix("http://").partition(":")
            return sock.connect_ex((host, int(port))) != 0


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_the_api_is_up_before_the_chain_and_down_after_it(bench: Bench) -> None:
    async def ask() -> None:
        await bench.until("ready")
        assert await bench.get("/readyz") == 200
        bench.stop.ask("enough")

    def on_ready() -> None:
        bench.log.append("api")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            supervise(bench.state, bench.server, bench.chain, bench.stop, on_ready=on_ready)
        )
        tasks.create_task(ask())
    assert bench.log == ["api", "ready", "closed"]
    assert bench.state.source_state == "stopped"
    assert bench.is_down()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_it_in_good_order(bench: Bench, number: signal.Signals) -> None:
    async def ask() -> None:
        await bench.until("ready")
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with stop_on_signals() as bench.stop:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(supervise(bench.state, bench.server, bench.chain, bench.stop))
            tasks.create_task(ask())
    assert bench.log == ["ready", "closed"]
    assert bench.stop.reason == number.name
    assert signal.getsignal(number) in (before, signal.SIG_DFL, signal.default_int_handler)


async def test_it_keeps_serving_after_the_chain_has_ended(bench: Bench) -> None:
    async def short() -> None:
        bench.state.source_is("ended", "the replay has ended")
        bench.log.append("ended")

    async def ask() -> None:
        await bench.until("ended")
        await asyncio.sleep(0.05)
        assert await bench.get("/api/v1/status") == 200
        bench.stop.ask("enough")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervise(bench.state, bench.server, short, bench.stop))
        tasks.create_task(ask())
    assert bench.state.source_state == "ended"


async def test_once_ends_with_the_chain(bench: Bench) -> None:
    async def short() -> None:
        bench.state.source_is("ended", "the replay has ended")

    async with asyncio.timeout(10):
        await supervise(bench.state, bench.server, short, bench.stop, once=True)
    assert bench.stop.reason == "the replay has ended"
    assert bench.is_down()


async def test_a_chain_that_fails_ends_the_service_with_its_error(bench: Bench) -> None:
    async def broken() -> None:
        raise DataError("folder", "no usable station")

    async with asyncio.timeout(10):
        with pytest.raises(DataError, match="no usable station"):
            await supervise(bench.state, bench.server, broken, bench.stop)
    assert bench.state.source_state == "failed"
    assert bench.is_down()


async def test_a_bug_in_the_chain_is_not_swallowed(bench: Bench) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("a bug")

    async with asyncio.timeout(10):
        with pytest.raises(ZeroDivisionError, match="a bug"):
            await supervise(bench.state, bench.server, broken, bench.stop)


async def test_a_chain_that_hangs_while_closing_is_broken_off(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stubborn() -> None:
        bench.log.append("ready")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(60)

    async def ask() -> None:
        await bench.until("ready")
        bench.stop.ask("enough")

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(
            supervise(bench.state, bench.server, stubborn, bench.stop, chain_stop_s=0.1)
        )
        tasks.create_task(ask())
    assert "did not close within 0.1 s" in capsys.readouterr().err


async def test_a_client_that_holds_its_connection_does_not_hold_up_the_end(bench: Bench) -> None:
    async def ask() -> None:
        await bench.until("ready")
        host, _, port = bench.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        bench.stop.ask("enough")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervise(bench.state, bench.server, bench.chain, bench.stop))
        tasks.create_task(ask())
    assert bench.is_down()


def test_a_port_in_use_is_one_clear_error() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TransportError) as caught:
            listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"127.0.0.1:{port}: cannot listen: address already in use"
        " (another --port, or --port 0 for a free one)"
    )
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("bind", ["not-an-address", "192.0.2.7"])
def test_an_address_that_is_not_ours_is_one_clear_error(bind: str) -> None:
    with pytest.raises(TransportError, match=bind):
        listen(bind, 0)


def test_the_address_of_an_ipv6_socket_can_be_followed() -> None:
    with listen("::1", 0) as sock:
        assert url_of(sock) == f"http://[::1]:{sock.getsockname()[1]}"
