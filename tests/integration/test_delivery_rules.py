"""What the publisher puts on the wire is what ``eew.messages.delivery`` and AsyncAPI say of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from eew.app.development_key import development_key
from eew.messages import key_wire
from eew.messages.delivery import DELIVERY
from eew.messages.help_wire import inflated
from eew.messages.topics import TopicKind, cell_of, parse_topic
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress
from eew.mqtt_packets import (
    MQTT_5,
    PUBLISH,
    Published,
    connect,
    next_frame,
    parse_publish,
    subscribe,
)
from tests.integration.brokers import EPICENTRE, alert, broker_of, pack_of, publisher_of, until

pytestmark = pytest.mark.mosquitto  # MQTT 5


async def listen(address: BrokerAddress, found: list[Published]) -> None:
    """Note every PUBLISH as the broker hands it on."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(connect("", version=MQTT_5))
        writer.write(subscribe(1, [("eew/v1/#", 1)], version=MQTT_5))
        buffer = b""
        while data := await reader.read(65_536):
            buffer += data
            while (frame := next_frame(buffer)) is not None:
                if frame.kind == PUBLISH:
                    body = buffer[frame.start : frame.end]
                    found.append(parse_publish(frame.first, body, version=MQTT_5))
                buffer = buffer[frame.end :]
    finally:
        writer.close()


@asynccontextmanager
async def hearing(address: BrokerAddress) -> AsyncIterator[list[Published]]:
    found: list[Published] = []
    task = asyncio.create_task(listen(address, found))
    await asyncio.sleep(0.3)
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def kinds(found: list[Published]) -> set[TopicKind]:
    return {parse_topic(one.topic.decode()).kind for one in found}


async def test_qos_retention_expiry_and_properties_are_those_documented() -> None:
    key = development_key(1)
    statement = key_wire.encode_rotation(
        key_wire.Rotation(key=development_key(2).public, previous_until_ns=5), key
    )
    packs = [pack_of("country:CN"), pack_of(cell_of(*EPICENTRE))]
    told = {kind for kind, rule in DELIVERY.items() if rule.from_service}
    kept = {kind for kind, rule in DELIVERY.items() if rule.retained}
    async with broker_of("mosquitto") as address, hearing(address) as found:
        async with publisher_of(
            address, signer=key, key_statements=[statement], heartbeat_s=0.2
        ) as publisher:
            await publisher.publish_help_packs(packs)
            await publisher.publish_alert(alert())
            await until(lambda: kinds(found) >= told)
            async with hearing(address) as late:
                await until(lambda: kinds([one for one in late if one.retain]) >= kept)
                await asyncio.sleep(0.3)  # more would come now
        await asyncio.sleep(0.3)
    by_kind = {parse_topic(one.topic.decode()).kind: one for one in found}

    assert set(by_kind) == told
    assert kinds([one for one in late if one.retain]) == kept
    for kind, one in by_kind.items():
        rule = DELIVERY[kind]
        assert one.qos == rule.qos, kind
        assert (one.expiry_s is not None) == rule.expires, kind
        assert parse_topic(one.topic.decode()).tree is Status.EXERCISE
        user = dict(one.user)
        first_line = inflated(one.payload).split(b"\n")[0]
        assert user["schema"] == json.loads(first_line)["schema"], kind
        assert one.content_type.startswith("application/"), kind
        assert ("traceparent" in user) == (
            kind in (TopicKind.ALERT, TopicKind.AREA_ALERT, TopicKind.EVENT_CURRENT)
        ), kind
