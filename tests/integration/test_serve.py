"""``eew serve`` as its users start it: a process of its own, real brokers, real signals."""

from __future__ import annotations

import json
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # has no types; comes with amqtt
import pytest

from eew.clock import SystemClock
from tests.integration.eew_program import Eew

pytestmark = pytest.mark.broker

TIMEOUT_S = 60.0
CLOCK = SystemClock()


class Service:
    """A running ``eew serve``, its output, and its HTTP address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        words = self.wait_line("readyz")
        found = re.search(r"http://[\d.:]+", words)
        assert found, words
        self.url = found.group()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_line(self, part: str) -> str:
        """Return the first line, from here on, that contains ``part``."""
        while True:
            line = self._queue.get(timeout=TIMEOUT_S)
            assert line is not None, f"ended before {part!r}: {self.lines}"
            self.lines.append(line)
            if part in line:
                return line

    def close(self) -> None:
        """Read what is left; ends once no process holds the other end of the pipe."""
        self._reader.join(TIMEOUT_S)
        assert not self._reader.is_alive(), "a process of the service has outlived it"
        assert self.process.stdout is not None
        self.process.stdout.close()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10.0)

    def json(self, path: str) -> Any:
        return self.get(path).json()

    def until(self, holds: Callable[[], bool]) -> None:
        deadline_ns = CLOCK.monotonic_ns() + round(TIMEOUT_S * 1e9)
        while not holds():
            assert CLOCK.monotonic_ns() < deadline_ns, self.json("/api/v1/status")
            threading.Event().wait(0.05)

    def children(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def serve(env: dict[str, str], *args: str) -> Iterator[Service]:
    process = subprocess.Popen(
        [sys.executable, "-m", "eew", "serve", "--port", "0", *args],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    service: Service | None = None
    try:
        service = Service(process)
        yield service
    finally:
        process.kill()
        process.wait(TIMEOUT_S)
        if service is not None:
            service.close()


@pytest.fixture
def small(tmp_path: Path) -> str:
    """Return a scenario file: the built-in quake with fewer stations and less time."""
    text = (resources.files("simulator") / "scenarios" / "luding-2022.toml").read_text("utf-8")
    for key, value in (("radius_km", "60.0"), ("before_s", "12.0"), ("after_s", "60.0")):
        text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        assert count == 1, key
    path = tmp_path / "small-luding.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=5.0)
    return not alive


@pytest.mark.mosquitto
def test_a_replay_is_served_from_ready_to_the_end_and_leaves_no_broker_behind(
    clean_env: dict[str, str], small: str
) -> None:
    args = ("--replay", small, "--speed", "20", "--phones", "5", "--tvs", "2")
    with serve(clean_env, *args, "--broker", "mosquitto") as service:
        first = service.get("/readyz")
        assert first.status_code == 503
        assert first.json()["reasons"]
        assert service.get("/healthz").status_code == 200
        service.until(lambda: service.get("/readyz").status_code == 200)

        status = service.json("/api/v1/status")
        assert status["broker"]["kind"] == "mosquitto"
        broker = (status["broker"]["host"], status["broker"]["port"])
        socket.create_connection(broker, timeout=5).close()
        assert status["devices"]["connected"] == 7

        service.until(lambda: service.json("/api/v1/events")["total"] > 0)
        during = service.json("/api/v1/status")
        assert during["source_state"] == "running"
        assert during["events"].get("open") or during["events"].get("candidate")

        service.wait_line("the replay has ended")
        (event,) = service.json("/api/v1/events")["events"]
        assert event["state"] == "final"
        assert abs(event["source"]["magnitude"] - 6.8) < 1.0
        detail = service.json(f"/api/v1/events/{event['event_id']}")
        serials = [message["serial"] for message in detail["messages"]]
        assert serials == list(range(1, len(serials) + 1))
        assert {message["status"] for message in detail["messages"]} == {"exercise"}
        after = service.json("/api/v1/status")
        assert after["source_state"] == "ended"
        assert after["devices"]["told"]["phone"] >= 1
        assert after["counts"]["published"] == len(serials)
        assert service.get("/readyz").status_code == 200
        live = [one for one in service.json("/api/v1/stations")["stations"] if one["n_picks"]]
        assert len(live) > 10
        metrics = service.get("/metrics").text
        assert f'eew_messages_total{{msg_type="final"}} {1.0}' in metrics
        assert re.search(r"^eew_lead_time_seconds_count [1-9]", metrics, re.MULTILINE)

        children = service.children()
        (mosquitto,) = [child for child in children if child.name() == "mosquitto"]
        mosquitto.kill()
        service.until(lambda: service.get("/readyz").status_code == 503)
        assert service.json("/readyz")["reasons"] == ["broker: 0 of 7 devices connected"]
        assert service.stop(signal.SIGINT) == 0
        assert gone(children)


def test_it_stops_in_mid_replay_with_everything_it_started(
    clean_env: dict[str, str], small: str
) -> None:
    args = ("--replay", small, "--speed", "1", "--phones", "3", "--tvs", "1")
    with serve(clean_env, *args) as service:
        service.until(lambda: service.get("/readyz").status_code == 200)
        children = service.children()
        assert service.stop(signal.SIGTERM) == 0
        assert gone(children)
        assert service.wait_line("ended") == "ended: SIGTERM"


@pytest.mark.mosquitto
def test_it_outlives_a_broker_that_hangs_for_a_while(clean_env: dict[str, str], small: str) -> None:
    args = ("--replay", small, "--speed", "5", "--phones", "5", "--tvs", "1")
    with serve(clean_env, *args, "--broker", "mosquitto") as service:
        service.until(lambda: service.get("/readyz").status_code == 200)
        (mosquitto,) = [child for child in service.children() if child.name() == "mosquitto"]
        mosquitto.suspend()
        try:
            service.until(lambda: "publish_failures" in service.json("/api/v1/status")["counts"])
            assert service.get("/readyz").status_code == 503
            assert service.json("/api/v1/status")["devices"]["told"] == {}
        finally:
            mosquitto.resume()
        service.until(lambda: service.get("/readyz").status_code == 200)
        service.wait_line("the replay has ended")
        # what could not be said at the first alert is said as soon as it can be
        assert service.json("/api/v1/status")["devices"]["told"].get("phone", 0) > 0
        assert service.stop(signal.SIGINT) == 0


def test_a_second_signal_ends_it_at_once(clean_env: dict[str, str], small: str) -> None:
    args = ("--replay", small, "--phones", "3", "--tvs", "1")
    with serve(clean_env, *args) as service:
        service.until(lambda: service.get("/readyz").status_code == 200)
        children = service.children()
        # frozen, it cannot handle the first before the second has come
        service.process.send_signal(signal.SIGSTOP)
        service.process.send_signal(signal.SIGINT)
        service.process.send_signal(signal.SIGTERM)
        assert service.stop(signal.SIGCONT) == 130
        assert gone(children)


def test_once_ends_with_the_replay(clean_env: dict[str, str], small: str) -> None:
    args = ("--replay", small, "--speed", "0", "--phones", "2", "--tvs", "1")
    with serve(clean_env, *args, "--broker", "embedded", "--once") as service:
        service.wait_line("the replay has ended")
        assert service.process.wait(TIMEOUT_S) == 0
        assert service.wait_line("ended: ") == "ended: the replay has ended"


@pytest.fixture
def eew(tmp_path: Path, project_root: Path) -> Eew:
    return Eew(tmp_path, project_root)


def test_a_port_in_use_is_one_line_and_nothing_is_started(eew: Eew) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = eew.process("serve", "--replay", "luding-2022", "--port", port)
    assert done.returncode == 4
    assert done.stderr == (
        f"eew: 127.0.0.1:{port}: cannot listen: address already in use"
        " (another --port, or --port 0 for a free one)\n"
    )


def test_a_broker_that_is_not_there_is_one_line(eew: Eew, small: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]  # closed again: nobody listens
    url = f"mqtt://127.0.0.1:{port}"
    done = eew("serve", "--replay", small, "--port", "0", "--broker", url)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert url in done.stderr


def test_wrong_words_and_wrong_data_have_their_own_exit_codes(eew: Eew, tmp_path: Path) -> None:
    done = eew("serve", "--replay", "ludding-2022", "--port", "0")
    assert done.returncode == 2
    assert "did you mean luding-2022" in done.stderr
    done = eew("serve", "--replay", "luding-2022", "--broker", "mqqt://x")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    done = eew("serve", "--replay", str(tmp_path), "--port", "0")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path) in done.stderr


@pytest.mark.quakes
def test_a_recorded_quake_is_served_too(clean_env: dict[str, str], quakes_dir: Path) -> None:
    folder = quakes_dir / "us20190706_m71_ridgecrest"
    args = (
        "--replay",
        str(folder),
        "--speed",
        "0",
        "--broker",
        "none",
        "--phones",
        "2",
        "--tvs",
        "0",
    )
    with serve(clean_env, *args) as service:
        service.wait_line("the replay has ended")
        events = service.json("/api/v1/events")["events"]
        assert any(abs(one["source"]["magnitude"] - 7.1) < 1.0 for one in events)
        stations = service.json("/api/v1/stations")["stations"]
        assert len(stations) == 12
        assert json.dumps(stations, allow_nan=False)
        assert service.json("/api/v1/status")["broker"] == {
            "kind": "none",
            "host": None,
            "port": None,
        }
        assert service.stop(signal.SIGINT) == 0
