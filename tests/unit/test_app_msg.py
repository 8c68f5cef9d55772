"""``eew msg``: what is sent is read and believed, what was touched is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eew.app.development_key import development_key, development_keyring
from eew.app.msg_read import (
    check_payload,
    kind_of,
    read_payloads,
    rows_of,
    sizes_of,
)
from eew.app.msg_send import KINDS, Quake, make
from eew.cli import run
from eew.clock import NS_PER_S, VirtualClock
from eew.errors import ConfigError, DataError, WireError
from eew.ingest.help_pack import country_pack, write_help_packs
from eew.messages import wire
from eew.messages.control_wire import Ack, decode_ack, encode_ack
from eew.messages.help_wire import inflated
from eew.messages.key_wire import Rotation, encode_rotation
from eew.messages.seal import KeyPair
from eew.messages.topics import TopicKind, cell_of, parse_topic
from eew.model.alert import MsgType, Status
from tests.unit.message_cases import KEY, make_message, payload_of

NOW_NS = 1_795_000_000 * NS_PER_S
CLOCK = VirtualClock(NOW_NS)
QUAKE = Quake(lat=29.6, lon=102.1, magnitude=6.8, event_id="drill-1")
RING = development_keyring(7)


def failed(payload: bytes, **settings: Any) -> dict[str, str]:
    usual: dict[str, Any] = {"tree": None, "at_ns": NOW_NS}
    checks = check_payload(payload, RING, **(usual | settings))
    return {check.name: check.found for check in checks if not check.holds}


def statement(signer: KeyPair) -> bytes:
    key = KeyPair("next", signer.tree, bytes(32)).public
    return encode_rotation(Rotation(key=key, previous_until_ns=NOW_NS), signer)


@pytest.mark.parametrize("tree", Status)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ack"])
def test_everything_that_is_sent_is_read_and_believed(
    kind: str, tree: Status, tmp_path: Path
) -> None:
    files = {"help": tmp_path / "packs.json", "rotation": tmp_path / "rotations.jsonl"}
    write_help_packs(files["help"], [country_pack("CN", version=3)])
    files["rotation"].write_bytes(statement(development_key(7, tree)))
    is_alert = kind in [one.value for one in MsgType]
    (ready,) = make(
        kind,
        development_key(7, tree),
        CLOCK,
        quake=QUAKE if is_alert else None,
        file=files.get(kind),
    )

    assert parse_topic(ready.topic).tree is tree
    assert kind_of(ready.payload) == ("alert" if is_alert else kind)
    assert failed(ready.payload) == {}
    assert failed(ready.payload, tree=tree) == {}
    other = next(one for one in Status if one is not tree)
    assert f"the topic for {other.value}" in failed(ready.payload, tree=other)["signature"]
    assert json.loads(inflated(ready.payload))["schema"] == ready.schema
    assert rows_of(ready.payload)


def test_a_receipt_is_sent_under_a_name_of_its_own_and_is_not_signed() -> None:
    first, again = (
        make("ack", development_key(7, Status.TEST), CLOCK, event_id="e-1", serial=3)[0]
        for _ in range(2)
    )
    topic = parse_topic(first.topic)
    said = decode_ack(first.payload)

    assert (topic.kind, topic.tree, topic.key) == (TopicKind.ACK, Status.TEST, said.id)
    assert (said.event_id, said.serial, said.received_ns) == ("e-1", 3, NOW_NS)
    assert first.topic != again.topic
    assert kind_of(first.payload) == "ack"
    for wrong in ({}, {"event_id": "e", "serial": 0}, {"event_id": "e", "serial": 10**30}):
        with pytest.raises(ConfigError, match=r"--event|--serial"):
            make("ack", KEY, CLOCK, **wrong)  # type: ignore[arg-type]


def test_statements_of_another_tree_or_none_at_all_are_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "rotations-drill.jsonl"
    drill = statement(development_key(7, Status.DRILL))
    file.write_bytes(drill + b"\n" + drill + b"\n")

    (ready,) = make("rotation", development_key(7, Status.DRILL), CLOCK, file=file)
    assert ready.payload == drill + b"\n" + drill
    with pytest.raises(ConfigError, match="jsonl:1 is for drill, the key for exercise"):
        make("rotation", development_key(7), CLOCK, file=file)
    with pytest.raises(ConfigError, match="--from"):
        make("rotation", development_key(7), CLOCK)
    file.write_bytes(b"")
    with pytest.raises(DataError, match="holds no statement"):
        make("rotation", development_key(7), CLOCK, file=file)
    file.write_bytes(drill + b"\n{}")
    with pytest.raises(DataError, match="jsonl:2"):
        make("rotation", development_key(7, Status.DRILL), CLOCK, file=file)


def test_an_alert_goes_where_it_is_told_to() -> None:
    cell = cell_of(29.6, 102.1)
    topics = {
        to: [parse_topic(one.topic) for one in make("alert", KEY, CLOCK, quake=QUAKE, to=to)]
        for to in ("national", "current", "area", cell)
    }

    assert [one.key for one in topics["current"]] == ["drill-1"]
    assert [one.key for one in topics[cell]] == [cell]
    assert cell in [one.key for one in topics["area"]]
    assert len(topics["area"]) > 10
    with pytest.raises(ConfigError, match="--to"):
        make("alert", KEY, CLOCK, quake=QUAKE, to="everybody")
    small = Quake(lat=0.0, lon=-30.0, magnitude=1.0, depth_km=300.0)
    with pytest.raises(ConfigError, match="no place is shaken"):
        make("alert", KEY, CLOCK, quake=small, to="area")


def test_an_alert_of_a_file_is_brought_up_to_now_and_into_the_tree_of_the_key(
    tmp_path: Path,
) -> None:
    old = make_message(serial=4)
    file = tmp_path / "message.json"
    file.write_bytes(payload_of(old))
    (ready,) = make("cancel", development_key(7, Status.DRILL), CLOCK, file=file)
    told = wire.decode(ready.payload).message

    assert (told.msg_type, told.status, told.serial) == (MsgType.CANCEL, Status.DRILL, 4)
    assert told.issued_ns == NOW_NS
    assert told.issued_ns - told.origin.time_ns == old.issued_ns - old.origin.time_ns
    assert told.expires_ns - told.issued_ns == old.expires_ns - old.issued_ns
    file.write_text('{"schema":"eew.alert/2","status":"actual"}')
    with pytest.raises(DataError, match=r"message\.json: alert: "):
        make("alert", KEY, CLOCK, file=file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lat": 91.0}, "must be on the Earth, was 91, 102.1"),
        ({"lat": float("nan")}, "must be on the Earth"),
        ({"magnitude": 11.0}, "was 11 and 10"),
        ({"depth_km": -1.0}, "was 6.8 and -1"),
        ({"expire_s": 0.0}, "--expire"),
        ({"serial": 0}, "--serial"),
        ({"event_id": "a b"}, "event: .*was 'a b'"),
    ],
)
def test_a_quake_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    values: dict[str, Any] = {"lat": 29.6, "lon": 102.1, "magnitude": 6.8} | change

    with pytest.raises(ConfigError, match=said):
        make("alert", KEY, CLOCK, quake=Quake(**values))


def test_each_thing_that_is_wrong_is_named() -> None:
    (ready,) = make("alert", development_key(7), CLOCK, quake=QUAKE)
    payload = ready.payload
    touched = payload.replace(b"6.8", b"7.8")
    unsigned = payload[: payload.index(b',"key"')] + b"}"

    assert failed(touched) == {"signature": "does not fit key " + repr(development_key(7).key_id)}
    assert failed(unsigned) == {"signature": "there is none"}
    assert "expiry" in failed(payload, at_ns=NOW_NS + 181 * NS_PER_S)
    assert "3.000 s ahead" in failed(payload, at_ns=NOW_NS - 3 * NS_PER_S)["expiry"]
    assert failed(payload, at_ns=NOW_NS - NS_PER_S) == {}
    assert failed(payload, at_ns=None) == {}
    ack = Ack(id="p", event_id="e", serial=1, outcome="ignored", received_ns=1)
    assert failed(encode_ack(ack)) == {
        "signature": "no receipt has one: it is counted, not believed"
    }
    assert "outcome" in failed(encode_ack(ack).replace(b"ignored", b"lost"))["content"]
    assert "schema must be one of" in failed(b'{"a":1}')["content"]


def test_the_bytes_by_field_add_up() -> None:
    payload = payload_of(make_message())
    sizes = dict(sizes_of(payload))

    assert sum(sizes.values()) == len(payload)
    assert sizes["simulation"] == len('"simulation":true,')
    assert list(sizes)[-3:] == ["key", "sig", "{}"]
    with pytest.raises(WireError, match="no JSON object"):
        sizes_of(b"[1]")


def test_a_message_is_read_field_by_field_with_what_it_means() -> None:
    rows = {row.field: row for row in rows_of(payload_of(make_message()))}

    assert rows["origin.lat"].value == "29.59"
    assert rows["issued_ns"].meaning == "2022-09-05T04:52:51.000Z"
    assert rows["origin.time_ms"].meaning == "2022-09-05T04:52:45.000Z"
    assert rows["radii_km"].meaning.startswith("3: ")


def test_payloads_come_from_a_file_by_the_line(tmp_path: Path) -> None:
    payloads = [payload_of(make_message(serial=n)) for n in (1, 2)]
    file = tmp_path / "messages.jsonl"
    file.write_bytes(b"\n".join(payloads) + b"\n")

    assert read_payloads(str(file)) == payloads
    assert read_payloads(str(file), 2) == payloads[1:]
    with pytest.raises(DataError, match="has 2 payloads, no line 3"):
        read_payloads(str(file), 3)
    file.write_bytes(b" \n")
    with pytest.raises(DataError, match="holds no payload"):
        read_payloads(str(file))


def test_the_commands_say_what_they_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["msg", "send", "alert", "--lat=29.6", "--lon=102.1", "--magnitude=6.8",
               "--development-seed=7", "--tree=drill", "--broker=none"]) == 0  # fmt: skip
    file = tmp_path / "payload.json"
    file.write_text(capsys.readouterr().out)

    assert run(["msg", "decode", str(file), "--sizes", "--json"]) == 0
    decoded = json.loads(capsys.readouterr().out)
    assert (decoded["simulation"], decoded["kind"]) == (True, "alert")
    assert decoded["fields"]["status"] == "drill"
    assert sum(decoded["sizes"].values()) == decoded["bytes"]
    assert run(["msg", "verify", str(file), "--development-seed=7"]) == 0
    assert capsys.readouterr().out.startswith("SIMULATION  1 of 1 messages would be believed")
    assert run(["msg", "verify", str(file), "--development-seed=7", "--tree=exercise"]) == 3
    assert "the topic for exercise" in capsys.readouterr().out
    assert run(["msg", "verify", str(file), "--development-seed=8", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["believed"] == 0
    assert run(["msg", "verify", str(file)]) == 2
    assert run(["msg", "verify", str(file), "--development-seed=7", "--at=soon"]) == 2
    assert run(["msg", "send", "alert", "--lat=1", "--development-seed=7", "--broker=none"]) == 2
    assert (
        run(["msg", "send", "alert", "--tree=actual", "--development-seed=7", "--broker=none"]) == 2
    )
