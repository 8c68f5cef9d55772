"""What MQTT 5 says beside a payload, and the keys of runs that are given none."""

from __future__ import annotations

import json
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.app.development_key import development_key, development_keyring
from eew.messages import help_wire
from eew.messages.properties import properties_of, traceparent
from eew.messages.seal import SealError
from eew.model.alert import Status
from eew.model.place import HelpPack, Shelter
from eew.mqtt_packets import MQTT_5, next_frame, parse_publish, publish
from tests.unit.message_cases import KEY, make_message, payload_of


def test_the_properties_arrive_beside_the_payload() -> None:
    trace = traceparent("luding-2022-7", "ev-1", 1)
    payload = payload_of(make_message())
    packet = publish(
        "eew/v1/alert",
        payload,
        version=MQTT_5,
        qos=1,
        packet_id=7,
        properties=properties_of("eew.alert/2", left_s=179.2, trace=trace),
    )
    frame = next_frame(packet)
    assert frame is not None
    got = parse_publish(frame.first, packet[frame.start : frame.end], version=MQTT_5)

    assert (got.expiry_s, got.content_type) == (180, "application/json")
    assert got.user == (("schema", "eew.alert/2"), ("traceparent", trace))
    assert got.payload == payload


@pytest.mark.parametrize(
    ("left_s", "expiry_s"), [(None, None), (-3.0, 1), (0.0, 1), (1.0, 1), (1e300, 2**32 - 1)]
)
def test_what_expires_never_says_at_once_and_never_more_than_fits(
    left_s: float | None, expiry_s: int | None
) -> None:
    assert properties_of("eew.alert/2", left_s=left_s).expiry_s == expiry_s


def test_an_expiry_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="was nan"):
        properties_of("eew.alert/2", left_s=float("nan"))


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 10**6))
def test_a_trace_is_one_of_w3c_and_one_per_event(run_id: str, event_id: str, serial: int) -> None:
    first, second = (traceparent(run_id, event_id, n) for n in (serial, serial + 1))

    assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01", first)
    assert first == traceparent(run_id, event_id, serial)
    assert first[:35] == second[:35]
    assert first != second


def test_another_run_or_event_is_another_trace() -> None:
    found = {traceparent(run, event, 1)[:35] for run in ("a", "b") for event in ("1", "2")}
    assert len(found) == 4


def test_development_keys_depend_on_seed_and_tree_alone_and_say_what_they_are() -> None:
    keys = [development_key(seed, tree) for seed in (1, 2) for tree in Status]

    assert len({key.public.raw for key in keys}) == len(keys)
    assert all(re.fullmatch(r"dev-[0-9a-f]{4}", key.key_id) for key in keys)
    assert development_key(1).public == keys[0].public
    assert development_keyring(1).keys == tuple(
        sorted((key.public for key in keys[:3]), key=lambda key: key.key_id)
    )


def test_a_packed_help_pack_is_verified_once_it_is_inflated() -> None:
    shelters = tuple(
        Shelter(id=f"s{n}", name=f"School {n}", lat=29.0 + n / 1000, lon=102.0, address="Road 1")
        for n in range(60)
    )
    pack = HelpPack(
        area="country:CN",
        version=3,
        country="CN",
        contacts=(),
        rescue={},
        shelters=shelters,
        source="test",
    )
    payload = help_wire.encode(pack, signer=KEY)
    plain = help_wire.inflated(payload)
    ring = development_keyring(7)

    assert help_wire.is_deflated(payload)
    assert not help_wire.is_deflated(plain)
    assert json.loads(plain)["schema"] == help_wire.SCHEMA
    ring.verify(plain, Status.EXERCISE)
    with pytest.raises(SealError, match="does not fit"):
        ring.verify(
            help_wire.inflated(zlib.compress(plain.replace(b"School 1", b"School 9"))),
            Status.EXERCISE,
        )
