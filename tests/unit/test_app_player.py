"""A recording played to the detector: all of it, in order, at any speed, until stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.app.view import SilentView
from eew.clock import SystemClock
from eew.core.pipeline import CoreEvent
from eew.interrupt import StopRequest
from eew.messages import wire
from eew.model.alert import AlertMessage
from eew.model.event import Pick
from eew.model.place import Site
from eew.model.waveform import Recording
from eew.report.result import RunInfo, RunResult, Told
from eew.report.summary import summary
from tests.unit.run_example import ORIGIN_NS, S, recording

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

QUAKE = recording(9)
HOUSE = Site(name="House", lat=35.70, lon=-117.60, country="US")


class JumpingClock(SystemClock):
    """Waits take no time: it jumps to the end of each, and adds up how long they would be."""

    def __init__(self) -> None:
        self.now_ns = 1_700_000_000 * S
        self.waited_ns = 0

    def utc_ns(self) -> int:
        return self.now_ns

    async def sleep_until(self, utc_ns: int) -> None:
        if utc_ns > self.now_ns:
            self.waited_ns += utc_ns - self.now_ns
            self.now_ns = utc_ns


class Watching(SilentView):
    """Remembers what it was told; can ask for the end."""

    def __init__(self, stop: StopRequest | None = None, after_s: float = 0.0) -> None:
        self.infos: list[RunInfo] = []
        self.events: list[CoreEvent] = []
        self.done_s: list[float] = []
        self.told_of: list[tuple[AlertMessage, list[Told]]] = []
        self._stop, self._after_s = stop, after_s

    def begin(self, info: RunInfo, recording: Recording, zero_ns: int | None) -> None:
        self.infos.append(info)
        assert zero_ns == ORIGIN_NS

    def progress(self, done_s: float, total_s: float) -> None:
        assert done_s <= total_s + 2.0
        self.done_s.append(done_s)
        if self._stop is not None and done_s >= self._after_s:
            self._stop.ask("test")

    def happened(self, event: CoreEvent) -> None:
        self.events.append(event)

    def told(self, message: AlertMessage, news: list[Told]) -> None:
        self.told_of.append((message, news))


async def played(
    view: Watching | None = None,
    *,
    clock: SystemClock | None = None,
    stop: StopRequest | None = None,
    speed: float = 0.0,
    seed: int = 3,
    until_s: float | None = None,
) -> RunResult:
    options = RunOptions(
        broker="none", seed=seed, speed=speed, sites=(HOUSE,), phones=2, tvs=1, until_s=until_s
    )
    return await run_replay(QUAKE, options, view=view, clock=clock, stop=stop)


_PLAIN: list[RunResult] = []


async def plain() -> RunResult:
    """Return the run with nothing special, played once for all tests."""
    if not _PLAIN:
        _PLAIN.append(await played())
    return _PLAIN[0]


async def test_a_run_collects_what_the_detector_says_in_its_order() -> None:
    view = Watching()
    result = await played(view)

    assert result.info.complete
    assert view.infos[0].broker == "none"
    assert [one for one in view.events if isinstance(one, Pick)] == list(result.picks)
    assert [one for one in view.events if isinstance(one, AlertMessage)] == list(result.messages)
    assert result.detection.detected
    assert result.detection.events == 1
    assert result.messages[0].serial == 1
    assert result.seconds == pytest.approx(80.0, abs=1.5)
    assert view.done_s == sorted(view.done_s)


async def test_each_message_is_told_once_and_written_as_it_was_sent() -> None:
    view = Watching()
    result = await played(view)

    assert [message for message, _ in view.told_of] == list(result.messages)
    assert [one for _, news in view.told_of for one in news] == list(result.told)
    for message, payload in zip(result.messages, result.payloads, strict=True):
        alert = wire.decode(payload)
        assert (alert.message.serial, alert.sent_ns) == (message.serial, message.issued_ns)
        assert alert.run_id == result.info.run_id


async def test_own_sites_replace_automatic_ones_and_are_told() -> None:
    result = await plain()

    assert [row.site.name for row in result.targets] == ["House"]
    assert result.delivery.devices == 4  # two phones and a TV as asked for, and the site's own
    assert result.targets[0].told_s is not None
    assert result.targets[0].told_s >= (result.messages[0].issued_ns - ORIGIN_NS) / S


async def test_two_runs_have_the_same_summary_and_another_seed_has_not() -> None:
    first, second, other = await plain(), await played(), await played(seed=4)

    assert summary(first) == summary(second)
    assert first.payloads == second.payloads
    assert summary(first)["latency_s"] != summary(other)["latency_s"]


@pytest.mark.parametrize("speed", [1.0, 10.0])
async def test_a_paced_run_takes_the_time_of_its_data_and_finds_the_same(speed: float) -> None:
    clock = JumpingClock()
    paced, fast = await played(clock=clock, speed=speed), await plain()

    assert clock.waited_ns / S == pytest.approx(paced.seconds / speed, rel=0.01)
    assert [one.issued_ns for one in paced.messages] == [one.issued_ns for one in fast.messages]
    assert summary(paced)["targets"] == summary(fast)["targets"]


async def test_a_run_as_fast_as_possible_never_waits() -> None:
    clock = JumpingClock()
    await played(clock=clock, until_s=5.0)

    assert clock.waited_ns == 0


async def test_a_stopped_run_keeps_what_it_has_and_says_that_it_is_not_complete() -> None:
    stop = StopRequest()
    result = await played(Watching(stop, after_s=40.0), stop=stop)

    assert not result.info.complete
    assert 39.0 < result.seconds < 42.0
    assert result.picks
    assert summary(result)["run"]["complete"] is False


async def test_a_stop_in_a_wait_of_a_paced_run_does_not_wait_for_its_end() -> None:
    stop = StopRequest()
    # ten minutes of waiting per second of data, had it to be waited for
    asyncio.get_running_loop().call_later(0.5, stop.ask)
    async with asyncio.timeout(20.0):
        result = await played(stop=stop, speed=1 / 600)

    assert not result.info.complete
    assert result.seconds < 2.0


async def test_until_ends_a_run_after_the_origin_not_after_the_first_sample() -> None:
    result = await played(until_s=2.0)

    assert result.info.complete
    assert result.seconds == pytest.approx(22.0, abs=0.6)


async def test_the_measured_parts_of_a_run_are_all_there() -> None:
    result = await plain()

    assert {"connect", "replay", "disconnect"} == set(result.measured.wall_s)
    assert set(result.measured.stages_s) == {"compute", "encode"}
    assert result.measured.delivery_ms == ()
    assert result.measured.real_time_factor is not None
    assert {"packet", "link", "detect", "decide", "update"} == set(result.stages_s)


async def test_a_recording_without_truth_and_without_sites_can_be_run() -> None:
    blind = replace(QUAKE, truth=None)
    result = await run_replay(blind, RunOptions(broker="none", phones=0, tvs=0))

    assert result.zero_is == "first_pick"
    assert len(result.targets) == 8
    assert {row.outcome for row in result.targets} == {"unscored"}
