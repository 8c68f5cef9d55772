"""Keys as JSON: there and back, one key handing on to the next, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from eew.errors import WireError
from eew.messages.key_wire import (
    MAX_STATEMENTS_BYTES,
    Rotation,
    decode_key_set,
    decode_private_key,
    decode_rotation,
    encode_key_set,
    encode_private_key,
    encode_rotation,
    join_statements,
    split_statements,
)
from eew.messages.seal import KeyPair, Keyring, PublicKey
from eew.model.alert import Status

SEED = bytes(range(32))
KEY = KeyPair("ex-1", Status.EXERCISE, SEED, from_ns=5, until_ns=10**18)
NEXT = KeyPair("ex-2", Status.EXERCISE, bytes(32), from_ns=7)
DRILL = KeyPair("dr-1", Status.DRILL, bytes([9]) * 32)
ROTATION = Rotation(key=NEXT.public, previous_until_ns=99)


def test_a_key_set_comes_back_as_it_was_in_one_order() -> None:
    payload = encode_key_set([NEXT.public, DRILL.public, KEY.public])
    assert decode_key_set(payload) == (DRILL.public, KEY.public, NEXT.public)
    assert encode_key_set([KEY.public, NEXT.public, DRILL.public]) == payload


def test_a_private_key_comes_back_and_signs_the_same() -> None:
    payload = encode_private_key(KEY.public, SEED)
    pair = decode_private_key(payload)
    assert pair.public == KEY.public
    assert pair.sign(b"x") == KEY.sign(b"x")


def test_a_rotation_is_signed_by_the_old_key_and_comes_back() -> None:
    statement = encode_rotation(ROTATION, KEY)
    assert Keyring([KEY.public]).verify(statement, Status.EXERCISE) == KEY.public
    assert decode_rotation(statement) == ROTATION
    assert b"\n" not in statement
    assert split_statements(join_statements([statement, statement])) == [statement, statement]
    assert len(join_statements([statement] * 60)) < MAX_STATEMENTS_BYTES


def test_a_key_hands_on_within_its_own_tree_only() -> None:
    with pytest.raises(WireError, match="a key for drill cannot name one for exercise"):
        encode_rotation(ROTATION, DRILL)


def changed(payload: bytes, **values: Any) -> bytes:
    return json.dumps(json.loads(payload) | values).encode()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"schema": "eew.keys/2"}, "schema must be eew.keys/1, was 'eew.keys/2'"),
        ({"keys": [{}]}, "keys: keys\\[0\\].key_id is missing"),
        ({"keys": None}, "keys: keys: Expected `array`, got `null`, was None"),
    ],
)
def test_what_is_no_key_set_is_refused_with_the_field(values: dict[str, Any], words: str) -> None:
    with pytest.raises(WireError, match=words):
        decode_key_set(changed(encode_key_set([KEY.public]), **values))


@pytest.mark.parametrize(
    "values",
    [{"public": "short"}, {"tree": "actual"}, {"until_ns": 5}, {"key_id": "a b"}, {"from_ns": -1}],
)
def test_a_key_that_is_none_is_refused(values: dict[str, Any]) -> None:
    document = json.loads(encode_key_set([KEY.public]))
    document["keys"][0] |= values
    with pytest.raises(WireError):
        decode_key_set(json.dumps(document).encode())


def test_two_keys_of_one_name_are_refused() -> None:
    twice = [KEY.public, replace(NEXT.public, key_id="ex-1")]
    with pytest.raises(WireError, match="'ex-1' stands there twice"):
        decode_key_set(encode_key_set(twice))


def test_what_is_wrong_with_a_private_key_is_said_without_it() -> None:
    payload = encode_private_key(KEY.public, SEED)
    secret = json.loads(payload)["private"]
    for bad in (changed(payload, private=secret + "A"), payload[:-20], payload + b"x"):
        with pytest.raises(WireError) as caught:
            decode_private_key(bad)
        assert secret[:12] not in str(caught.value)


def test_a_rotation_into_another_tree_is_refused() -> None:
    statement = json.loads(encode_rotation(ROTATION, KEY))
    statement["next"]["tree"] = "drill"
    with pytest.raises(WireError, match=r"next.tree must be 'exercise', was 'drill'"):
        decode_rotation(json.dumps(statement).encode())


def test_a_key_counts_from_its_first_to_just_before_its_last_moment() -> None:
    key = PublicKey(key_id="k", tree=Status.TEST, raw=bytes(32), from_ns=10, until_ns=20)
    assert [key.is_early(at) for at in (9, 10, 19, 20)] == [True, False, False, False]
    assert [key.is_over(at) for at in (9, 10, 19, 20)] == [False, False, False, True]
    with pytest.raises(WireError, match=r"until_ns must be after from_ns \(10\), was 10"):
        replace(key, until_ns=10)


def test_a_keyring_remembers_what_it_refused_and_asks_again_after_a_change() -> None:
    ring = Keyring([NEXT.public])
    forged = encode_rotation(ROTATION, KeyPair("ex-2", Status.EXERCISE, SEED))
    for _ in range(2):
        with pytest.raises(WireError, match="does not fit key 'ex-2'"):
            ring.verify(forged, Status.EXERCISE)
    ring.add(replace(KEY.public, key_id="ex-2"))
    assert ring.verify(forged, Status.EXERCISE).raw == KEY.public.raw
