"""A crowd without a broker: who is told, from when, what the screens keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from eew.app.crowd import RunPlaces, open_crowd
from eew.app.devices import Crowd
from eew.app.help_packs import help_packs, packs_heard
from eew.app.options import RunOptions
from eew.app.places import place_devices
from eew.clock import SystemClock
from eew.errors import DataError
from eew.ingest.help_pack import country_pack, write_help_packs
from eew.interrupt import StopRequest, unless_stopped
from eew.model.alert import AlertMessage, Level, MsgType
from eew.model.place import Site
from eew.physics.shaking import shaking_model
from simulator.delivery_profile import delivery_profile
from tests.unit.run_example import ORIGIN_NS, S, message, pick, recording, solution, truth

NEAR = Site(name="Near", lat=35.6, lon=-117.6, population=30_000, country="US")
FAR = Site(name="Far", lat=34.05, lon=-118.24, population=4_000_000, country="US")
FARTHEST = Site(name="Farthest", lat=43.6, lon=-116.2, population=200_000, country="US")
TOWNS = (NEAR, FAR, FARTHEST)
PICKS = tuple(pick(n, one) for n, one in enumerate(recording().stations, start=1))
MODEL = shaking_model("bssa14")


def alert(serial: int, at_s: float, magnitude: float) -> AlertMessage:
    """Return a message whose predictions belong to its magnitude."""
    found = replace(
        solution(at_s, magnitude, PICKS, 0.0), lat=truth().lat, lon=truth().lon, depth_km=8.0
    )
    made = message(serial, MsgType.ALERT if serial == 1 else MsgType.UPDATE, found)
    assert isinstance(made, AlertMessage)
    prediction = replace(
        made.prediction,
        relation="bssa14",
        scale=MODEL.scale,
        radii_km=MODEL.radii_km(range(3, 10), magnitude, 8.0),
    )
    return replace(made, prediction=prediction)


@asynccontextmanager
async def crowd(
    phones: int = 3, tvs: int = 1, extra: tuple[Site, ...] = (), channel: str = "mqtt"
) -> AsyncIterator[Crowd]:
    options = RunOptions(broker="none", seed=4, channel=channel)
    placed = place_devices(
        TOWNS, phones=phones, tvs=tvs, languages=("en",), seed=options.seed, extra=extra
    )
    places = RunPlaces(towns=TOWNS, own=extra, devices=tuple(placed), country="US")
    async with open_crowd(places, options, run_id="test-4", clock=SystemClock()) as opened:
        yield opened


async def test_who_needs_it_is_told_and_who_does_not_is_not() -> None:
    async with crowd() as devices:
        news = await devices.deliver(alert(1, 6.0, 7.0), StopRequest())

        assert {(one.site, one.kind) for one in news} == {
            ("Near", "phone"),
            ("Far", "phone"),
            ("Far", "tv"),
        }
        assert {one.at_ns for one in news} == {ORIGIN_NS + 6 * S}
        assert "Farthest" not in devices.told_at
        counts = devices.delivery()
        assert counts.devices == 4
        assert counts.delivered == counts.expected == 3
        assert counts.lost == counts.duplicates == 0


async def test_only_a_first_or_a_higher_level_is_news() -> None:
    async with crowd() as devices:
        first = await devices.deliver(alert(1, 6.0, 4.6), StopRequest())
        same = await devices.deliver(alert(2, 7.0, 4.6), StopRequest())
        higher = await devices.deliver(alert(3, 8.0, 7.0), StopRequest())

        assert [(one.site, one.level) for one in first] == [("Near", Level.BE_AWARE)]
        assert same == []
        assert ("Near", Level.TAKE_ACTION) in [(one.site, one.level) for one in higher]
        levels = [one.level for one in devices.told_at["Near"]]
        assert levels == [Level.BE_AWARE, Level.TAKE_ACTION]
        assert devices.told == [*first, *higher]


async def test_a_place_without_a_device_is_watched_outside_the_counts() -> None:
    async with crowd(phones=0, tvs=0) as devices:
        assert await devices.deliver(alert(1, 6.0, 7.0), StopRequest()) == []

        assert [one.level for one in devices.told_at["Near"]] == [Level.TAKE_ACTION]
        assert [one.at_ns for one in devices.told_at["Far"]] == [ORIGIN_NS + 6 * S]
        assert devices.delivery().devices == 0
        assert devices.screens() == ()


async def test_one_phone_and_one_tv_screen_are_kept_with_their_help() -> None:
    async with crowd() as devices:
        await devices.deliver(alert(1, 6.0, 7.0), StopRequest())
        phone, tv = devices.screens()

        assert (phone.kind, tv.kind) == ("phone", "tv")
        assert phone.at_ns == ORIGIN_NS + 6 * S
        assert tv.at_ns > phone.at_ns  # a TV begins with a strip, its panel follows
        for screen in (phone, tv):
            assert "SIMULATION" in screen.text
            assert "911" in screen.text
            assert "generated" in screen.text  # the shelter, from the help pack


async def test_an_own_site_has_a_phone_of_its_own() -> None:
    own = Site(name="My house", lat=35.7, lon=-117.5, country="US")
    async with crowd(phones=2, tvs=0, extra=(own,)) as devices:
        await devices.deliver(alert(1, 6.0, 7.0), StopRequest())

        assert devices.delivery().devices == 3
        assert [one.device for one in devices.told_at["My house"]] == ["phone-00003"]


async def test_data_time_moves_devices_only_after_the_first_alert() -> None:
    async with crowd() as devices:
        devices.advance(ORIGIN_NS)
        await devices.deliver(alert(1, 6.0, 7.0), StopRequest())
        for second in range(7, 400):
            devices.advance(ORIGIN_NS + second * S)

        assert devices.now_ns == ORIGIN_NS + 399 * S
        assert devices.n_connected == 4
        assert devices.address is None


async def test_a_wish_to_stop_ends_any_wait() -> None:
    stop = StopRequest()
    stop.ask("SIGINT")

    assert stop.is_asked
    assert stop.reason == "SIGINT"
    assert await unless_stopped(asyncio.Event().wait(), stop) is None


async def test_a_wait_that_ends_gives_its_result_or_its_error() -> None:
    async def fails() -> None:
        raise ValueError("x")

    assert await unless_stopped(asyncio.sleep(0, "done"), StopRequest()) == "done"
    with pytest.raises(ValueError, match="x"):
        await unless_stopped(fails(), StopRequest())


# ------------------------------------------------------------------ help packs of a run


def test_towns_get_generated_shelters_that_say_so() -> None:
    packs = help_packs((), TOWNS, {"US"}, seed=1)

    national = [pack for pack in packs if pack.area == "country:US"]
    assert len(national) == 1
    with_shelters = [pack for pack in packs if pack.shelters]
    assert with_shelters
    assert all(pack.generated and "not real" in pack.source for pack in with_shelters)
    assert packs == help_packs((), TOWNS, {"US"}, seed=1)
    assert packs != help_packs((), TOWNS, {"US"}, seed=2)


def test_places_that_are_no_towns_get_no_invented_shelters() -> None:
    station = Site(name="CI.A station", lat=35.6, lon=-117.6, country="US")

    assert [pack.area for pack in help_packs((), [station], {"US", ""}, seed=1)] == ["country:US"]


def test_a_file_of_packs_replaces_invented_ones_and_the_newer_version_wins(tmp_path: Path) -> None:
    write_help_packs(tmp_path / "new.json", [country_pack("US", version=9)])
    write_help_packs(tmp_path / "old.json", [country_pack("US", version=8)])
    packs = help_packs([tmp_path / "new.json", tmp_path / "old.json"], TOWNS, {"US"}, seed=1)

    assert [(pack.area, pack.version) for pack in packs] == [("country:US", 9)]


def test_a_missing_file_of_packs_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json"):
        help_packs([tmp_path / "none.json"], TOWNS, {"US"}, seed=1)


def test_only_packs_that_somebody_listens_to_are_published() -> None:
    packs = help_packs((), TOWNS, {"US", "JP"}, seed=1)
    cell = next(pack.area for pack in packs if pack.shelters)

    assert {pack.area for pack in packs_heard(packs, [cell], ["US"])} == {cell, "country:US"}


async def test_a_modelled_channel_delays_each_device_by_its_own_draw() -> None:
    async with crowd(phones=40, tvs=0, channel="vhf") as devices:
        first = await devices.deliver(alert(1, 6.0, 7.0), StopRequest())
        await devices.deliver(alert(2, 9.0, 7.6), StopRequest())
        profile = delivery_profile("vhf")

        assert len({one.at_ns for one in first}) == len(first)  # no two alike
        for one in devices.told:
            delay_s = profile.draw_s(4, one.device, one.event_id)
            assert delay_s is not None
            after_s = {1: 6.0, 2: 9.0}[one.serial] + delay_s  # the same for both messages
            assert (one.at_ns - ORIGIN_NS) / S == pytest.approx(after_s, abs=1e-6)
        counts = devices.delivery()
        event_id = devices.told[0].event_id
        names = [f"phone-{n:05d}" for n in range(1, 41)]
        lost = {name for name in names if profile.draw_s(4, name, event_id) is None}
        assert lost
        assert 0 < counts.lost <= 2 * len(lost)  # of two messages; some are not concerned
        assert counts.lost + counts.delivered == counts.expected
        assert not lost & {one.device for one in devices.told}
        assert devices.measured_s() == {}


async def test_what_a_channel_brings_after_its_lifetime_is_not_shown() -> None:
    short = replace(alert(1, 6.0, 7.0), expires_ns=ORIGIN_NS + 8 * S)  # 2 s; WEA takes 4 at least
    async with crowd(channel="wea") as devices:
        assert await devices.deliver(short, StopRequest()) == []
        assert devices.told == []
        assert devices.delivery().delivered == 0


async def test_a_watcher_is_told_by_the_channel_too() -> None:
    async with crowd(phones=0, tvs=0, channel="cell-broadcast") as devices:
        await devices.deliver(alert(1, 6.0, 7.0), StopRequest())

        for name, told in devices.told_at.items():
            delay_s = delivery_profile("cell-broadcast").draw_s(
                4, f"watch-{name}", told[0].event_id
            )
            assert delay_s is not None
            assert told[0].at_ns == ORIGIN_NS + 6 * S + round(delay_s * S)
        assert devices.told_at
