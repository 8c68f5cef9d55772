"""The publisher against real brokers: what arrives, what stays, what survives a broken broker."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from eew.egress.mosquitto import free_port
from eew.errors import ConnectError, PublishError
from eew.messages import help_wire, wire
from eew.messages.control_wire import decode_heartbeat, decode_status
from eew.messages.topics import area_alert_topic, cell_of, cells_to_tell, event_current_filter
from eew.model.alert import MsgType
from eew.mqtt_link import BrokerAddress
from tests.integration.brokers import (
    BOTH,
    EPICENTRE,
    NOW_NS,
    Forwarder,
    Recorder,
    alert,
    broker_of,
    pack_of,
    publisher_of,
    recording,
    until,
)

HERE = cell_of(*EPICENTRE)


@BOTH
async def test_an_alert_goes_to_the_national_topic_and_to_every_cell_once(kind: str) -> None:
    message = alert()
    cells = cells_to_tell(message)
    assert len(cells) > 1
    async with broker_of(kind) as address, recording(address, "eew/v1/#") as all_topics:
        async with publisher_of(address) as publisher:
            receipt = await publisher.publish_alert(message)
            await until(lambda: publisher.n_waiting == 0)
        expected = ["eew/v1/alert", *(area_alert_topic(cell) for cell in cells)]
        assert receipt.topics[0] == expected[0]
        assert sorted(receipt.topics) == sorted(expected)
        assert receipt.taken_ns is not None
        assert receipt.taken_ns > receipt.sent_ns
        await until(lambda: len(all_topics.on("/test")) == 2)  # online, offline
    got = [topic for topic, _ in all_topics.got if topic.endswith("/alert")]
    assert sorted(got) == sorted(expected)
    current = [topic for topic, _ in all_topics.got if topic.endswith("/current")]
    assert current == ["eew/v1/event/ev1/current"]
    order = [topic for topic, _ in all_topics.got if topic.endswith(("/alert", "/current"))]
    assert order[0] == current[0]  # who joins in between must find it retained
    assert {payload for topic, payload in all_topics.got if "/area/" in topic} == {receipt.payload}
    decoded = wire.decode(receipt.payload)
    assert (decoded.message.event_id, decoded.message.serial) == ("ev1", 1)
    assert (decoded.run_id, decoded.seed, decoded.sent_ns) == ("run", 1, NOW_NS)


@BOTH
async def test_retained_help_packs_and_the_current_alert_reach_a_later_subscriber(
    kind: str,
) -> None:
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        await publisher.publish_help_packs([pack_of("country:CN"), pack_of(HERE)])
        await publisher.publish_help(pack_of(HERE, version=2))
        receipt = await publisher.publish_alert(alert())
        await until(lambda: publisher.n_waiting == 0)
        filters = ("eew/v1/help/#", event_current_filter(), area_alert_topic(HERE))
        async with recording(address, *filters) as late:
            await until(lambda: len(late.got) >= 3)
            await asyncio.sleep(0.1)
    packs = {topic: help_wire.decode(data) for topic, data in late.got if "/help/" in topic}
    assert sorted(packs) == [f"eew/v1/help/{HERE}", "eew/v1/help/country/CN"]
    assert packs[f"eew/v1/help/{HERE}"].version == 2
    assert [topic for topic, _ in late.got if "/area/" in topic] == []
    assert late.on("/current") == [receipt.payload]


@BOTH
async def test_a_current_alert_that_has_expired_reaches_nobody(kind: str) -> None:
    everywhere = event_current_filter()
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        async with recording(address, everywhere) as early:
            await publisher.publish_alert(alert(lifetime_s=1.0))
            await until(lambda: publisher.n_waiting == 0)
            await until(lambda: len(early.got) == 1)
        await asyncio.sleep(2.6)  # 1 s of life, up to 1 s until it is noticed
        async with recording(address, everywhere) as late:
            await asyncio.sleep(0.3)
    assert late.got == []


@BOTH
async def test_the_cancel_stays_current_for_those_who_were_away(kind: str) -> None:
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        await publisher.publish_alert(alert(1))
        await publisher.publish_alert(alert(2, msg_type=MsgType.CANCEL))
        await until(lambda: publisher.n_waiting == 0)
        async with recording(address, event_current_filter()) as late:
            await until(lambda: len(late.got) == 1)
    assert wire.decode(late.got[0][1]).message.msg_type is MsgType.CANCEL


@BOTH
async def test_an_update_for_fewer_places_still_reaches_all_that_were_told(kind: str) -> None:
    wide, narrow = alert(1, radius_km=120.0), alert(2, radius_km=30.0)
    assert len(cells_to_tell(narrow)) < len(cells_to_tell(wide))
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        first = await publisher.publish_alert(wide)
        second = await publisher.publish_alert(narrow)
    assert second.topics == first.topics


@BOTH
async def test_status_and_heartbeat_are_heard_and_a_clean_end_says_offline(kind: str) -> None:
    async with broker_of(kind) as address:
        async with recording(address, "eew/v1/status/+", "eew/v1/heartbeat") as recorder:
            async with publisher_of(address):
                await until(lambda: len(recorder.on("/heartbeat")) >= 2)
            await until(lambda: len(recorder.on("/test")) == 2)
        async with recording(address, "eew/v1/status/+") as late:
            await until(lambda: len(late.got) == 1)
    beats = [decode_heartbeat(payload) for payload in recorder.on("/heartbeat")]
    assert [beat.sequence for beat in beats[:2]] == [1, 2]
    assert beats[0].sent_ns == NOW_NS
    assert [decode_status(payload).online for payload in recorder.on("/test")] == [True, False]
    assert decode_status(late.got[0][1]).online is False


@BOTH
async def test_a_publisher_that_dies_is_called_offline_by_its_last_will(kind: str) -> None:
    async with broker_of(kind) as address, recording(address, "eew/v1/status/+") as recorder:
        network = Forwarder(address)
        async with network as far, publisher_of(far) as publisher:
            await until(lambda: _online(recorder) == [True])
            network.cut()
            await until(lambda: _online(recorder)[:2] == [True, False])
            # and it comes back by itself
            await until(lambda: _online(recorder)[2:] == [True])
            assert publisher.n_reconnects == 1


def _online(recorder: Recorder) -> list[bool]:
    return [decode_status(payload).online for _, payload in recorder.got]


@BOTH
async def test_after_a_restart_of_the_broker_everything_true_is_said_again(kind: str) -> None:
    port = free_port()
    async with broker_of(kind, port=port) as address:
        publisher = publisher_of(address)
        await publisher.__aenter__()
        await publisher.publish_help(pack_of(HERE))
        receipt = await publisher.publish_alert(alert())
        await publisher.publish_alert(alert(1, event_id="short", lifetime_s=1.0))
    await asyncio.sleep(1.0)
    async with broker_of(kind, port=port) as address:
        filters = (event_current_filter(), "eew/v1/help/#", "eew/v1/status/+")
        await until(lambda: publisher.is_connected and publisher.n_waiting == 0)
        async with recording(address, *filters) as recorder:
            await until(lambda: len(recorder.on("/current")) == 1)
            await until(lambda: len(recorder.on("help/" + HERE)) == 1)
            await until(lambda: len(recorder.on("/test")) == 1)
        assert recorder.on("/current") == [receipt.payload]  # and not the expired event
        assert publisher.n_reconnects == 1
        await publisher.__aexit__(None, None, None)


@BOTH
async def test_a_dead_broker_costs_the_caller_a_stated_time_and_the_newest_state_is_kept(
    kind: str,
) -> None:
    port = free_port()
    async with broker_of(kind, port=port) as address:
        publisher = publisher_of(address, hand_over_s=0.3)
        await publisher.__aenter__()
        await publisher.publish_alert(alert(1))
    for serial in (2, 3):
        with pytest.raises(PublishError, match=rf"ev1 serial {serial} not taken within 0\.3 s"):
            async with asyncio.timeout(3.0):  # ten times what was stated, for a busy machine
                await publisher.publish_alert(alert(serial))
    assert publisher.submit(alert(4)).ticket.n_waiting > 0  # back before there is a broker
    async with broker_of(kind, port=port) as address:
        async with recording(address, "eew/v1/alert") as live:
            await until(lambda: publisher.is_connected and publisher.n_waiting == 0)
            await asyncio.sleep(0.1)
        async with recording(address, event_current_filter()) as late:
            await until(lambda: len(late.got) == 1)
        await publisher.__aexit__(None, None, None)
    assert wire.decode(late.got[0][1]).message.serial == 4
    # serials 2 and 3 were overtaken: whoever hears anything hears the newest
    assert {wire.decode(payload).message.serial for _, payload in live.got} <= {4}


async def test_entering_without_a_broker_is_an_error_and_leaves_nothing() -> None:
    address = BrokerAddress(kind="remote", host="127.0.0.1", port=free_port())
    with pytest.raises(ConnectError, match=f"127.0.0.1:{address.port}: cannot connect"):
        async with publisher_of(address):
            pass


@BOTH
async def test_on_a_shared_broker_only_the_offline_status_stays_behind(kind: str) -> None:
    async with broker_of(kind) as address:
        shared = replace(address, kind="remote")
        async with publisher_of(shared) as publisher:
            await publisher.publish_help(pack_of(HERE))
            await publisher.publish_alert(alert())
        async with recording(address, "eew/v1/#") as late:
            await until(lambda: len(late.got) == 1)
            await asyncio.sleep(0.1)
    assert [topic for topic, _ in late.got] == ["eew/v1/status/test"]


@BOTH
async def test_cancelling_the_user_of_a_publisher_leaves_no_task(kind: str) -> None:
    async with broker_of(kind) as address:
        others = asyncio.all_tasks()

        async def use() -> None:
            async with publisher_of(address) as publisher:
                for serial in range(1, 1000):
                    await publisher.publish_alert(alert(serial))

        for delay_s in (0.0, 0.002, 0.01, 0.05, 0.2):
            task = asyncio.create_task(use())
            await asyncio.sleep(delay_s)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.05)
            if kind == "mosquitto":  # amqtt's own tasks come and go in this process
                assert asyncio.all_tasks() == others
