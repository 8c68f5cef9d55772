"""``eew msg send`` to a real broker: a device's own checks believe what arrives."""

from __future__ import annotations

import asyncio

import pytest

from eew.app.development_key import development_key, development_keyring
from eew.app.msg_read import check_payload
from eew.app.msg_send import KINDS, Quake, make, publish
from eew.cli import run
from eew.clock import SystemClock
from eew.errors import ConnectError
from eew.messages.topics import parse_topic
from eew.model.alert import MsgType, Status
from tests.integration.brokers import BOTH, broker_of, recording, until

QUAKE = Quake(lat=29.6, lon=102.1, magnitude=6.8)


@BOTH
async def test_what_is_sent_arrives_and_is_believed(kind: str) -> None:
    key = development_key(3, Status.DRILL)
    kinds = [one for one in KINDS if one not in ("help", "rotation")]  # made of a file each
    async with broker_of(kind) as address, recording(address, "eew/v1/#") as found:
        sent = []
        for one in kinds:
            is_alert = one in [word.value for word in MsgType]
            quake = QUAKE if is_alert else None
            sent += make(one, key, SystemClock(), quake=quake, event_id="one")
        await publish(sent, f"mqtt://{address.host}:{address.port}")
        await until(lambda: len(found.got) == len(sent))

    assert sorted(topic for topic, _ in found.got) == sorted(one.topic for one in sent)
    now_ns = SystemClock().utc_ns()
    for topic, payload in found.got:
        tree = parse_topic(topic).tree
        checks = check_payload(payload, development_keyring(3), tree=tree, at_ns=now_ns)
        doubted = [check.name for check in checks if not check.holds]
        assert doubted == (["signature"] if topic.endswith("/ack") else []), checks


async def test_nobody_there_is_said_at_once() -> None:
    (ready,) = make("heartbeat", development_key(3), SystemClock())

    with pytest.raises(ConnectError):
        await publish([ready], "mqtt://127.0.0.1:1")
    command = ["msg", "send", "heartbeat", "--development-seed=3", "--broker=mqtt://127.0.0.1:1"]
    assert await asyncio.to_thread(run, command) == 4
