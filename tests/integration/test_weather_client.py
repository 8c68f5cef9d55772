"""``eew client`` as a user starts it, beside a real broker and a real publisher."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from eew.clock import NS_PER_S
from eew.model.alert import MsgType, Status
from tests.integration.brokers import EPICENTRE, alert, pack_of, publisher_of
from tests.integration.weather_cases import CLOCK, mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

HERE = f"{EPICENTRE[0] + 0.05123:.5f},{EPICENTRE[1] + 0.04567:.5f}"
FAR = "39.90571,116.39127"
_READY_S = 30.0


class Client:
    """A running ``eew client``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []

    @classmethod
    async def start(cls, env: dict[str, str], *words: str) -> Client:
        program = "import sys; from eew.cli import main; sys.exit(main())"
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, "client", *words,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=env,
            )
        )  # fmt: skip

    async def until(self, wanted: Any) -> dict[str, Any]:
        """Read JSON lines until one is wanted; return it."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_READY_S):
            while line := await self._process.stdout.readline():
                self.lines.append(json.loads(line))
                if wanted(self.lines[-1]):
                    return self.lines[-1]
        raise AssertionError(f"ended early: {(await self.end())[1]}")

    async def stop(self) -> tuple[int, dict[str, Any]]:
        """Press Ctrl-C; return the exit code and the summary."""
        self._process.send_signal(signal.SIGINT)
        summary = await self.until(lambda line: "summary" in line)
        return (await self.end())[0], summary["summary"]

    async def end(self) -> tuple[int, str]:
        """Wait for its end; return exit code and what else it said."""
        async with asyncio.timeout(_READY_S):
            out, err = await self._process.communicate()
        return self._process.returncode or 0, (out + err).decode()


def is_live(line: dict[str, Any]) -> bool:
    return line.get("link") == "live"


def shows(phase: str) -> Any:
    return lambda line: line.get("screen", {}).get("phase") == phase


def at(address: object, place: str, *more: str) -> list[str]:
    return ["--broker", str(address), "--at", place, "--json", *more]


async def test_a_phone_shows_alert_and_cancel_and_says_at_the_end_what_it_did(
    clean_env: dict[str, str],
) -> None:
    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
    ):
        await publisher.publish_help(pack_of("country:CN"))
        phone = await Client.start(
            clean_env, "phone", *at(broker.address, HERE, "--language", "zh-CN", "-v")
        )
        line = await phone.until(is_live)
        assert line["screen"]["phase"] == "idle"
        assert line["screen"]["lang"] == "zh"
        assert line["simulation"] is True
        now_ns = CLOCK.utc_ns()
        await publisher.publish_alert(alert(1, issued_ns=now_ns, radius_km=100.0))
        screen = (await phone.until(lambda line: line.get("screen", {}).get("event_id")))["screen"]
        assert (screen["kind"], screen["serial"], screen["level"]) == ("phone", 1, "take_action")
        assert "119" in screen["help"]["emergency"]
        cancel = alert(2, msg_type=MsgType.CANCEL, issued_ns=now_ns + NS_PER_S, radius_km=100.0)
        await publisher.publish_alert(cancel)
        await phone.until(shows("cancelled"))
        code, summary = await phone.stop()
    assert code == 0
    assert summary["shown"] == 2
    assert summary["counts"]["accepted"] == 2
    assert summary["connections"] == 1


async def test_a_tv_of_another_key_or_tree_is_told_nothing_and_says_why(
    clean_env: dict[str, str],
) -> None:
    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
    ):
        tv = await Client.start(clean_env, "tv", *at(broker.address, HERE, "--seed", "2", "-v"))
        line = await tv.until(lambda line: "refused" in line)
        assert line["refused"]["reason"] == "unknown_key"
        await publisher.publish_alert(alert(1, issued_ns=CLOCK.utc_ns(), radius_km=100.0))
        await tv.until(lambda line: line.get("refused", {}).get("topic", "").endswith("/alert"))
        code, summary = await tv.stop()
        assert (code, summary["shown"]) == (0, 0)

        drill = await Client.start(
            clean_env, "tv", *at(broker.address, HERE, "--tree", Status.DRILL.value, "--for", "3s")
        )
        code, said = await drill.end()
    assert code == 0
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {line["link"] for line in lines if "link" in line} == {"connecting"}
    assert lines[-1]["summary"]["shown"] == 0


async def test_a_phone_is_carried_along_a_track_into_an_alert(
    clean_env: dict[str, str], tmp_path: Path
) -> None:
    track = tmp_path / "way.csv"
    track.write_text(f"after_s,lat,lon\n0,{FAR}\n3,{HERE}\n")
    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
    ):
        await publisher.publish_alert(alert(1, issued_ns=CLOCK.utc_ns(), radius_km=100.0))
        phone = await Client.start(
            clean_env, "phone", *at(broker.address, FAR, "--track", str(track))
        )
        line = await phone.until(lambda line: line.get("screen", {}).get("event_id"))
        assert line["screen"]["level"] == "take_action"
        await asyncio.sleep(1.0)  # it goes on listening elsewhere before it says what it showed
        code, summary = await phone.stop()
    assert code == 0
    assert (summary["moves"], summary["cells"], summary["shown"]) == (2, 2, 1)


async def test_the_service_gives_the_time_where_a_replay_keeps_that_of_its_quake(
    clean_env: dict[str, str],
) -> None:
    began_ns = CLOCK.utc_ns()
    quake_ns = 1_662_353_500 * NS_PER_S  # in 2022

    def data_ns() -> int:
        return quake_ns + CLOCK.utc_ns() - began_ns

    async with mosquitto() as broker, publisher_of(broker.address, now_ns=data_ns) as publisher:
        phone = await Client.start(
            clean_env, "phone", *at(broker.address, HERE, "--time", "service", "--language", "en")
        )
        await phone.until(is_live)
        await publisher.publish_alert(alert(1, issued_ns=data_ns(), radius_km=100.0))
        line = await phone.until(lambda line: line.get("screen", {}).get("event_id"))
        assert abs(line["at_ns"] - data_ns()) < 5 * NS_PER_S
        assert not any("synchronised" in note for note in line["screen"]["notes"])
        code, summary = await phone.stop()
    assert (code, summary["shown"]) == (0, 1)


async def test_when_the_broker_goes_it_says_so_and_comes_back_with_it(
    clean_env: dict[str, str],
) -> None:
    async with mosquitto() as broker:
        phone = await Client.start(clean_env, "phone", *at(broker.address, HERE))
        await phone.until(lambda line: line.get("link") == "connecting")
        await asyncio.sleep(1.5)
        await broker.kill()
        line = await phone.until(lambda line: "link_failed" in line)
        assert str(broker.address.port) in line["link_failed"]
        await broker.start()
        async with publisher_of(broker.address, now_ns=CLOCK.utc_ns):
            await phone.until(is_live)
        code, summary = await phone.stop()
    assert code == 0
    assert summary["connections"] == 2
    assert summary["failures"] >= 1
