"""The crowd on a real mosquitto: told once, told again after a restart, silent when too late."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from clients.crowd.outcome import Outcome
from tests.integration.crowd_broker import (
    CLOCK,
    Crowd,
    Mosquitto,
    Service,
    live_alert,
    mosquitto,
    places,
)

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

EEW = [sys.executable, "-c", "import sys; from eew.cli import main; sys.exit(main())", "crowd"]
PHONES, TVS = 500, 20


def test_every_phone_and_tv_is_told_once_and_shows_it(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        crowd = Crowd(places(PHONES, TVS), broker.port)
        with crowd as engine:
            engine.connect(range(crowd.n))
            crowd.until("up")
            crowd.idle(0.5)  # the current state has been left: the alert comes once
            with Service(broker.port) as service:
                service.publish(crowd.alert_topics(), live_alert())
                crowd.until("told")
                crowd.idle(0.3)
        assert Counter(crowd.told()) == Counter(range(crowd.n))
        assert {outcome for _, outcome in crowd.outcomes} == {Outcome.SHOWN}
        assert engine.counts["deliveries"] == crowd.n
        now_ns = CLOCK.utc_ns()
        for device in (0, PHONES):
            assert crowd.logic.presentation(device, now_ns).event_id == "ev1"


def test_a_broker_killed_in_mid_alert_tells_everybody_after_its_return_and_nobody_twice(
    tmp_path: Path,
) -> None:
    with mosquitto(tmp_path) as broker:
        crowd = Crowd(places(PHONES, TVS), broker.port)
        with crowd as engine:
            engine.connect(range(crowd.n))
            crowd.until("up")
            crowd.idle(0.5)
            payload = live_alert()
            topics = crowd.alert_topics()
            with Service(broker.port) as service:
                service.publish(topics[: len(topics) // 2], payload)  # half of it is out
                crowd.until("some_told")
                broker.kill()
            crowd.until("refused")
            before = set(crowd.told())  # also those whose copy had come and was not read yet
            assert 0 < len(before) < crowd.n
            broker.start()
            with Service(broker.port) as service:
                service.publish_current(payload)  # as the publisher does when it is back
                crowd.until("told")
        told = Counter(crowd.told())
        assert set(told) == set(range(crowd.n))
        assert max(told.values()) == 1
        again = {device for device, outcome in crowd.outcomes if outcome is Outcome.DUPLICATE}
        assert again <= before  # they got it again, and showed it once


@pytest.mark.parametrize(
    ("sleep_s", "lifetime_s", "outcome"),
    [(0.5, 60.0, Outcome.SHOWN), (1.6, 1.0, Outcome.EXPIRED)],
)
def test_a_phone_that_sleeps_shows_what_still_holds_when_it_wakes_and_nothing_else(
    tmp_path: Path, sleep_s: float, lifetime_s: float, outcome: Outcome
) -> None:
    with mosquitto(tmp_path) as broker:
        crowd = Crowd(places(20), broker.port)
        with crowd as engine:
            engine.connect(range(crowd.n))
            crowd.until("settled")
            crowd.idle(0.3)
            for device in range(10):
                engine.set_radio(device, on=False)
            with Service(broker.port) as service:
                service.publish(crowd.alert_topics(), live_alert(lifetime_s=lifetime_s))
                crowd.idle(sleep_s)
            assert sorted(crowd.told()) == list(range(10, 20))
            for device in range(10):
                engine.set_radio(device, on=True)
            crowd.idle(0.4)
        asleep = [one for one in crowd.outcomes if one[0] < 10]
        assert asleep == [(device, outcome) for device, _ in asleep]
        assert len(asleep) == 10


def _crowd_process(
    broker: Mosquitto, clean_env: dict[str, str], root: Path, *more: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*EEW, "--broker", f"mqtt://127.0.0.1:{broker.port}", "--at", "29.6,102.1",
         "--within", "80", "--profile-shares", "wifi=1,tv_on=1", "--json", *more],
        cwd=root, env=clean_env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def _tell_until(broker: Mosquitto, done: threading.Event) -> None:
    """Publish an alert to the areas of the crowd, a new serial each half second."""
    crowd = Crowd(places(400, within_km=120.0), broker.port)
    with crowd:
        topics = crowd.alert_topics()
    with Service(broker.port) as service:
        for serial in range(1, 60):
            service.publish(topics, live_alert(serial))
            if done.wait(0.5):
                break


def test_the_command_counts_what_its_devices_saw(
    tmp_path: Path, project_root: Path, clean_env: dict[str, str]
) -> None:
    with mosquitto(tmp_path) as broker:
        done = threading.Event()
        teller = threading.Thread(target=_tell_until, args=(broker, done))
        process = _crowd_process(
            broker, clean_env, project_root,
            "--phones", "1950", "--tvs", "50", "--receipts", "0.1", "--for", "3s",
        )  # fmt: skip
        teller.start()
        out, err = process.communicate(timeout=60)
        done.set()
        teller.join()
    assert process.returncode == 0, err
    assert "SIMULATION" in err
    report = json.loads(out)
    assert report["simulation"] is True
    assert report["connected"] == report["devices"] == 2000
    assert report["told"] == report["shown"] == 2000
    assert report["receipts_sent"] > 0
    latency = report["received"]
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] <= latency["max_ms"] < 10_000
    wifi = report["profiles"]["wifi"]
    assert (wifi["devices"], wifi["told"]) == (1950, 1950)
    assert wifi["modelled_one_way_ms"] == 10.0
    (memory,) = report["memory"]
    assert memory["devices"] == 2000
    assert 0 < memory["added_kib_per_device"] < memory["kib_per_device"]


def test_a_phone_of_ten_thousand_that_were_told_takes_about_six_kib_its_process_included(
    tmp_path: Path, project_root: Path, clean_env: dict[str, str]
) -> None:
    """At two sizes that fit a test: what is fixed, and what each phone adds.

    Beyond them a phone adds at most 0.9 KiB; ``benchmarks.bench_crowd_memory`` measures all 10,000
    (decision 0054: 6.01 KiB).
    """
    few, many = 500, 2500
    rss_kib = {n: _resident_kib(tmp_path, clean_env, project_root, n) for n in (few, many)}
    assert 0.0 < (rss_kib[many] - rss_kib[few]) / (many - few) < 2.5
    assert (rss_kib[many] + (10_000 - many) * 0.9) / 10_000 <= 6.6


def _resident_kib(folder: Path, env: dict[str, str], root: Path, n: int) -> float:
    """Return the memory of the process that holds ``n`` phones, all told."""
    with mosquitto(folder) as broker:
        done = threading.Event()
        teller = threading.Thread(target=_tell_until, args=(broker, done))
        process = _crowd_process(broker, env, root, "--phones", str(n), "--tvs", "0", "--for", "3s")
        teller.start()
        out, err = process.communicate(timeout=60)
        done.set()
        teller.join()
    assert process.returncode == 0, err
    report = json.loads(out)
    assert report["told"] == n
    (memory,) = report["memory"]
    return float(memory["rss_bytes"]) / 1024


def test_ctrl_c_ends_the_command_with_its_summary_and_130(
    tmp_path: Path, project_root: Path, clean_env: dict[str, str]
) -> None:
    with mosquitto(tmp_path) as broker:
        process = _crowd_process(
            broker, clean_env, project_root,
            "--phones", "40", "--tvs", "2", "--procs", "2",
        )  # fmt: skip
        assert process.stderr is not None
        assert any("all 42 connected" in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert json.loads(out)["connected"] == 42
    assert "Traceback" not in err


def test_a_closed_port_is_said_in_one_line(project_root: Path, clean_env: dict[str, str]) -> None:
    done = subprocess.run(
        [*EEW, "--broker", "mqtt://127.0.0.1:1"], cwd=project_root, env=clean_env,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "127.0.0.1:1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_too_few_open_files_are_said_before_anything_is_connected(
    tmp_path: Path, project_root: Path, clean_env: dict[str, str]
) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    with mosquitto(tmp_path) as broker:
        done = subprocess.run(
            [*EEW, "--broker", f"mqtt://127.0.0.1:{broker.port}", "--phones", "1000"],
            cwd=project_root, env=clean_env, capture_output=True, text=True, timeout=30,
            check=False, preexec_fn=limited,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "open files" in done.stderr
    assert "--procs" in done.stderr
