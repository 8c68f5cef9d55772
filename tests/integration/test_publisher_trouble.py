"""The publisher when the broker stops, dies in mid-alert, is slow, or does not want it."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from eew import mqtt_packets as mqtt
from eew.app.development_key import development_key
from eew.egress import link as link_module
from eew.egress.broker import open_broker
from eew.egress.mosquitto import free_port
from eew.egress.receipt import PublishReceipt
from eew.errors import PublishError
from eew.messages import wire
from eew.messages.key_wire import Rotation, encode_rotation, split_statements
from eew.messages.properties import traceparent
from eew.messages.topics import event_current_filter
from eew.model.alert import AlertMessage
from eew.mqtt_link import BrokerAddress
from tests.integration.brokers import (
    BOTH,
    Forwarder,
    Recorder,
    alert,
    broker_of,
    children_of,
    publisher_of,
    recording,
    until,
)
from tests.integration.test_broker_open import _certificate, _password_file, mosquitto_with


def wide(serial: int) -> AlertMessage:
    """Return a message for more cells than most brokers take at once."""
    return alert(serial, radius_km=400.0, magnitude=8.0)


def broker_pid() -> int:
    (pid,) = [
        pid
        for pid in children_of(os.getpid())
        if Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto"
    ]
    return pid


def serials(recorder: Recorder, ending: str = "v1/alert") -> list[int]:
    return [wire.decode(payload).message.serial for payload in recorder.on(ending)]


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_while_a_broker_stands_still_only_the_newest_of_a_flood_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "_ANSWER_S", 60.0)  # nobody gives the broker up here
    async with (
        broker_of("mosquitto") as address,
        recording(address, "eew/v1/#") as recorder,
        publisher_of(address) as publisher,
    ):
        first = await publisher.publish_alert(wide(1))
        n_topics = len(first.topics) + 1
        assert n_topics > 20
        os.kill(broker_pid(), signal.SIGSTOP)
        receipts: list[PublishReceipt] = []
        try:
            for serial in range(2, 42):
                receipts.append(publisher.submit(wide(serial)))
                assert publisher.n_waiting <= 2 * n_topics  # one under way, the newest behind it
                await asyncio.sleep(0.0)
            # 40 calls came back while the broker answered nothing: nobody waited for it
            assert sum(receipt.ticket.n_taken for receipt in receipts) == 0
        finally:
            os.kill(broker_pid(), signal.SIGCONT)
        await publisher.until_taken(receipts[-1])
        await until(lambda: len(recorder.on("v1/alert")) == 3)
        assert publisher.n_reconnects == 0
    assert serials(recorder) == [1, 2, 41]
    assert serials(recorder, "/current") == [1, 2, 41]
    assert [receipt.is_overtaken for receipt in receipts] == [False] + [True] * 38 + [False]


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_broker_that_stands_still_for_long_gets_the_newest_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "_ANSWER_S", 0.3)
    async with broker_of("mosquitto") as address:
        publisher = publisher_of(address, heartbeat_s=0.1)
        async with publisher, recording(address, "eew/v1/alert") as recorder:
            os.kill(broker_pid(), signal.SIGSTOP)
            try:
                publisher.submit(wide(1))
                await until(lambda: not publisher.is_connected)
                for serial in range(2, 30):
                    publisher.submit(wide(serial))
            finally:
                os.kill(broker_pid(), signal.SIGCONT)
            await until(lambda: publisher.is_connected and publisher.n_waiting == 0)
            await until(lambda: 29 in serials(recorder))
            # what was in the socket of the old connection, then the newest, nothing between
            assert set(serials(recorder)) <= {1, 29}
            async with recording(address, event_current_filter()) as late:
                await until(lambda: len(late.got) == 1)
    assert serials(late, "/current") == [29]


@pytest.mark.broker
@pytest.mark.mosquitto
@pytest.mark.parametrize("delay_s", [0.0, 0.002, 0.01])
async def test_a_broker_killed_in_mid_alert_hears_all_of_it_after_its_return(
    delay_s: float,
) -> None:
    port = free_port()
    async with broker_of("mosquitto", port=port) as address:
        publisher = publisher_of(address)
        await publisher.__aenter__()
        receipt = publisher.submit(wide(1))
        await asyncio.sleep(delay_s)
        os.kill(broker_pid(), signal.SIGKILL)
        await until(lambda: not publisher.is_connected)
    newer = publisher.submit(wide(2)) if delay_s else receipt
    async with broker_of("mosquitto", port=port) as address:
        await until(lambda: publisher.is_connected and publisher.n_waiting == 0)
        async with recording(address, event_current_filter()) as late:
            await until(lambda: len(late.got) == 1)
        await publisher.__aexit__(None, None, None)
    assert serials(late, "/current") == [newer.serial]
    assert newer.ticket.n_taken == len(newer.topics) + 1
    assert newer.ticket.n_dropped == 0


class Narrow(Forwarder):
    """A network that carries 100 kB/s to the broker."""

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        try:
            while data := await reader.read(2000):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0.02)
        except OSError:
            pass
        writer.close()


@BOTH
async def test_a_slow_way_to_the_broker_holds_up_nobody_and_updates_overtake(kind: str) -> None:
    async with broker_of(kind) as address, recording(address, "eew/v1/alert") as recorder:
        network = Narrow(address)
        async with network as far, publisher_of(replace(far, receive_maximum=8)) as publisher:
            receipts = []
            for serial in range(1, 8):
                receipts.append(publisher.submit(wide(serial)))
                await asyncio.sleep(0.02)
            # all are handed over before the network has carried even the first
            assert receipts[0].ticket.n_taken < len(receipts[0].topics) + 1
            await publisher.until_taken(receipts[-1])
            assert receipts[-1].ticket.n_taken == len(receipts[-1].topics) + 1
            assert sum(len(receipt.overtaken) for receipt in receipts) > 0
            await until(lambda: 7 in serials(recorder))
    assert serials(recorder) == sorted(serials(recorder))
    assert publisher.n_reconnects == 0


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_the_cells_the_s_wave_reaches_first_are_told_first() -> None:
    async with (
        broker_of("mosquitto") as address,
        recording(address, "eew/v1/#") as recorder,
        publisher_of(address, heartbeat_s=None) as publisher,
    ):
        receipt = await publisher.publish_alert(wide(1))
        await until(lambda: len(recorder.on("/alert")) == len(receipt.topics))
    told = [topic for topic, _ in recorder.got if topic.endswith("/alert")]
    assert told == list(receipt.topics)


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_tls_a_password_and_a_narrow_window_work_through_the_same_connection(
    tmp_path: Path,
) -> None:
    cert, key = _certificate(tmp_path)
    lines = [
        f"certfile {cert}",
        f"keyfile {key}",
        f"password_file {_password_file(tmp_path)}",
        "max_inflight_messages 5",
    ]
    environ = {"EEW_MQTT_CA_FILE": str(cert), "EEW_MQTT_PASSWORD": "correct horse"}
    async with (
        mosquitto_with(tmp_path, *lines) as port,
        open_broker(f"mqtts://service@localhost:{port}", environ=environ) as address,
        recording(address, "eew/v1/#") as recorder,
        publisher_of(address) as publisher,
    ):
        assert address.receive_maximum == 5
        receipt = await publisher.publish_alert(wide(1))
        await until(lambda: len(recorder.on("/alert")) == len(receipt.topics))
    assert receipt.ticket.n_taken == len(receipt.topics) + 1


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_broker_that_does_not_let_us_publish_is_named_as_the_cause(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite eew/v1/status/#\n")
    acl.chmod(0o600)
    async with (
        mosquitto_with(tmp_path, "allow_anonymous true", f"acl_file {acl}") as port,
        open_broker(f"mqtt://127.0.0.1:{port}", environ={}) as address,
        publisher_of(address) as publisher,
    ):
        with pytest.raises(PublishError, match=r"0 copies dropped, \d+ refused"):
            await publisher.publish_alert(wide(1))
        assert publisher.n_refused > 20
        assert publisher.n_waiting == 0


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_what_mqtt_5_says_beside_a_payload_and_the_keys_for_late_joiners() -> None:
    old, new = development_key(1), development_key(2)
    statement = encode_rotation(Rotation(key=new.public, previous_until_ns=2**60), old)
    async with (
        broker_of("mosquitto") as address,
        publisher_of(address, key_statements=[statement]) as publisher,
    ):
        await publisher.publish_alert(alert(1))
        await until(lambda: publisher.n_waiting == 0)
        got = await _retained(address, ("eew/v1/keys", event_current_filter()), 2)
    keys, current = got["eew/v1/keys"], got["eew/v1/event/ev1/current"]
    assert split_statements(keys.payload) == [statement]
    assert current.content_type == "application/json"
    assert dict(current.user) == {
        "schema": wire.SCHEMA,
        "traceparent": traceparent("run", "ev1", 1),
    }
    assert current.expiry_s is not None
    assert 100 < current.expiry_s <= 120
    assert keys.expiry_s is None


async def _retained(
    address: BrokerAddress, filters: tuple[str, ...], n: int
) -> dict[str, mqtt.Published]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(mqtt.connect(""))
    writer.write(mqtt.subscribe(1, [(name, 0) for name in filters], version=mqtt.MQTT_5))
    found: dict[str, mqtt.Published] = {}
    data = b""
    async with asyncio.timeout(5.0):
        while len(found) < n:
            data += await reader.read(4096)
            while (frame := mqtt.next_frame(data)) is not None:
                body = data[frame.start : frame.end]
                if frame.kind == mqtt.PUBLISH:
                    one = mqtt.parse_publish(frame.first, body, version=mqtt.MQTT_5)
                    found[one.topic.decode()] = one
                data = data[frame.end :]
    writer.close()
    await writer.wait_closed()
    return found
