"""What is signed, and what is refused."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import WireError
from eew.messages.seal import Flaw, KeyPair, Keyring, PublicKey, SealError, key_of, seal
from eew.model.alert import Status

# RFC 8032, section 7.1, test 1
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
KEY = KeyPair("ex-1", Status.EXERCISE, SEED)
DRILL = KeyPair("dr-1", Status.DRILL, bytes(32))
BODY = b'{"schema":"eew.test/1","n":1}'


def flaw_of(payload: bytes, *keys: PublicKey, tree: Status = Status.EXERCISE) -> Flaw:
    with pytest.raises(SealError) as caught:
        Keyring(keys or (KEY.public,)).verify(payload, tree)
    return caught.value.flaw


def test_the_key_and_its_signatures_are_those_of_rfc_8032() -> None:
    assert KEY.public.raw == PUBLIC
    assert (
        KEY.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065")
    )


def test_a_sealed_message_is_still_json_and_verifies() -> None:
    payload = seal(BODY, KEY)
    assert json.loads(payload) == {
        **json.loads(BODY),
        "key": "ex-1",
        "sig": json.loads(payload)["sig"],
    }
    assert key_of(payload) == "ex-1"
    Keyring([KEY.public]).verify(payload, Status.EXERCISE)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(at: int, bit: int) -> None:
    payload = bytearray(seal(BODY, KEY))
    at %= len(payload)
    payload[at] ^= 1 << bit
    assert flaw_of(bytes(payload)) in (Flaw.UNSIGNED, Flaw.UNKNOWN_KEY, Flaw.BAD_SIGNATURE)


def test_each_flaw_has_its_name() -> None:
    assert flaw_of(BODY) is Flaw.UNSIGNED
    assert flaw_of(seal(BODY, DRILL)) is Flaw.UNKNOWN_KEY
    assert flaw_of(seal(BODY, DRILL), KEY.public, DRILL.public) is Flaw.WRONG_TREE
    assert flaw_of(seal(BODY, KeyPair("ex-1", Status.EXERCISE, bytes(32)))) is Flaw.BAD_SIGNATURE


def test_a_flood_of_long_forgeries_leaves_no_memory_of_their_bytes() -> None:
    ring = Keyring([KEY.public])
    forger = KeyPair("ex-1", Status.EXERCISE, bytes(32))
    genuine = seal(b'{"pack":"' + b"x" * 100_000 + b'"}', KEY)
    forged = [seal(b'{"n":%d,"pack":"%s"}' % (n, b"x" * 100_000), forger) for n in range(50)]

    tracemalloc.start()
    for _ in range(2):  # the second time from memory
        for payload in forged:
            with pytest.raises(SealError, match="does not fit"):
                ring.verify(bytes(bytearray(payload)), Status.EXERCISE)
        assert ring.verify(bytes(bytearray(genuine)), Status.EXERCISE) == KEY.public
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held_bytes < 200_000


def test_a_key_that_is_no_longer_trusted_is_not_remembered() -> None:
    ring = Keyring([KEY.public])
    payload = seal(BODY, KEY)
    ring.verify(payload, Status.EXERCISE)
    ring.remove("ex-1")
    with pytest.raises(SealError, match="not trusted"):
        ring.verify(payload, Status.EXERCISE)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"a":1} '])
def test_only_an_object_with_a_member_can_be_signed(body: bytes) -> None:
    with pytest.raises(ValueError, match="JSON object"):
        seal(body, KEY)


@pytest.mark.parametrize(("key_id", "raw"), [("", PUBLIC), ("a b", PUBLIC), ("k", b"short")])
def test_what_is_no_key_is_refused(key_id: str, raw: bytes) -> None:
    with pytest.raises(WireError):
        PublicKey(key_id=key_id, tree=Status.TEST, raw=raw)
