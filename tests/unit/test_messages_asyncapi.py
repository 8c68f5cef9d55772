"""The AsyncAPI document says what the code does: every topic, and what really travels on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from eew.messages import help_wire, key_wire, topics
from eew.messages.asyncapi import CHANNELS, asyncapi_document
from eew.messages.control_wire import Ack, Heartbeat, ServiceStatus, encode_ack, encode_control
from eew.messages.delivery import DELIVERY
from eew.messages.topics import TopicKind, parse_topic
from eew.messages.wire import decode
from eew.model.alert import MsgType, Status
from eew.model.place import Contact, HelpPack, Shelter
from tests.conftest import ROOT
from tests.unit.message_cases import KEY, KEYS, make_message, payload_of

DOCUMENT = asyncapi_document()
# topics under another name, and the way back
NOT_BUILDERS = {"help_area_topic", "parse_topic"}


def validator(message: str) -> jsonschema.Draft7Validator:
    payload = DOCUMENT["components"]["messages"][message]["payload"]
    schema = {"allOf": [payload], "components": DOCUMENT["components"]}
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def payloads() -> Iterator[tuple[str, bytes]]:
    """Yield one of everything that is sent, as it is sent."""
    for kind in MsgType:
        yield "alert", payload_of(make_message(serial=2, msg_type=kind), shelter_version=1)
    for tree in Status:
        yield "alert", payload_of(make_message(status=tree, lower_bound=True))
    shelter = Shelter(
        id="s", name="School", lat=29.0, lon=102.0, capacity=None, address="", phone="1"
    )
    pack = HelpPack(
        area="country:CN",
        version=1,
        country="CN",
        contacts=(Contact(kind="police", number="110", name={"en": "Police"}),),
        rescue={"en": "Stay."},
        shelters=(shelter,),
        source="test",
    )
    yield "help_pack", help_wire.inflated(help_wire.encode(pack, signer=KEY))
    rotation = key_wire.Rotation(key=KEYS[Status.EXERCISE].public, previous_until_ns=5)
    yield "rotation", key_wire.encode_rotation(rotation, KEY)
    for status in (
        ServiceStatus(service_id="eew", online=False),
        ServiceStatus(service_id="eew", online=True, version="1", at_ns=5),
    ):
        yield "service_status", encode_control(status, signer=KEY)
    yield "heartbeat", encode_control(Heartbeat(sequence=1, sent_ns=5), signer=KEY)
    answers: list[dict[str, Any]] = [
        {"outcome": "shown", "shown_ns": 7},
        {"outcome": "ignored", "reason": "duplicate"},
    ]
    for answer in answers:
        ack = Ack(id="p", event_id="e", serial=1, received_ns=5, **answer)
        yield "ack", encode_ack(ack)


def test_the_stored_document_is_what_the_code_says() -> None:
    stored = json.loads((ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8"))

    assert stored == DOCUMENT, "eew config schema asyncapi > docs/asyncapi.json"


def test_every_topic_builder_is_in_it_and_nothing_else() -> None:
    builders = {name for name in vars(topics) if name.endswith("_topic")} - NOT_BUILDERS

    assert {build.__name__ for build, _, _ in CHANNELS.values()} == builders
    assert set(CHANNELS) == set(DELIVERY) == set(TopicKind)
    addresses = {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}
    assert len(set(addresses.values())) == len(TopicKind) * len(Status)
    for tree in Status:
        for kind, (_, parameter, sample) in CHANNELS.items():
            address = addresses.pop(f"{tree.value}_{kind.value}")
            parsed = parse_topic(address.replace(f"{{{parameter}}}", sample))
            assert (parsed.kind, parsed.tree, parsed.key) == (kind, tree, sample)
    assert not addresses


def test_every_channel_has_one_operation_with_the_rules_of_delivery() -> None:
    operations = DOCUMENT["operations"].values()
    by_channel = {one["channel"]["$ref"].removeprefix("#/channels/"): one for one in operations}

    assert set(by_channel) == set(DOCUMENT["channels"])
    alert = by_channel["drill_area_alert"]["bindings"]["mqtt"]
    assert (alert["qos"], alert["retain"], "messageExpiryInterval" in alert) == (1, False, True)
    assert by_channel["exercise_help_cell"]["bindings"]["mqtt"]["retain"] is True
    assert by_channel["exercise_ack"]["action"] == "receive"
    assert by_channel["exercise_heartbeat"]["action"] == "send"


@pytest.mark.parametrize(("message", "payload"), list(payloads()))
def test_what_is_sent_is_what_is_documented(message: str, payload: bytes) -> None:
    validator(message).validate(json.loads(payload))


def test_everything_documented_was_tried() -> None:
    assert {name for name, _ in payloads()} == set(DOCUMENT["components"]["messages"])


@pytest.mark.parametrize(
    "change",
    [
        {"status": "actual"},
        {"simulation": False},
        {"schema": "eew.alert/1"},
        {"origin": [-6000, 91.0, 0.0, 1.0, 1.0, 1.0, 1.0]},
        {"origin": [-6000, 91.0]},
        {"event": "a/b"},
        {"expires_ms": 0},
        {"sig": "short"},
    ],
)
def test_what_a_device_refuses_is_not_documented_as_allowed(change: dict[str, Any]) -> None:
    document = json.loads(payload_of(make_message())) | change

    with pytest.raises(jsonschema.ValidationError):
        validator("alert").validate(document)


def test_what_the_service_says_without_a_signature_is_not_documented() -> None:
    for message, payload in payloads():
        document = json.loads(payload)
        document.pop("sig", None)
        assert validator(message).is_valid(document) == (message == "ack")


def test_the_elements_of_each_array_have_names() -> None:
    origin = DOCUMENT["components"]["schemas"]["Origin"]["items"]

    assert [one["title"] for one in origin[:4]] == ["time_ms", "lat", "lon", "depth_km"]


def test_the_page_for_people_says_the_same() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    said = {}
    for names, sender, qos, retained, expires in re.findall(
        r"^\| (`.*`) \| (\w+) \| (\d) \| (\w+) \| (\w+) \|", text, re.MULTILINE
    ):
        for name in re.findall(r"`([^`]+)`", names):
            said[f"eew/v1/{name}"] = (sender, qos, retained, expires)
    words = {True: "yes", False: "no"}

    assert decode(example.replace("\n", "").encode()).message.event_id == "20220905T045248-1"
    assert said == {
        DOCUMENT["channels"][f"exercise_{kind.value}"]["address"]: (
            "service" if rule.from_service else "device",
            str(rule.qos),
            words[rule.retained],
            words[rule.expires],
        )
        for kind, rule in DELIVERY.items()
    }
