from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import WireError
from eew.messages.openeew import (
    MAX_PAYLOAD_BYTES,
    TracePacket,
    decode_trace,
    encode_trace,
    unix_s,
)

# the head of a line of the OpenEEW data set (device 001, 2018-02-16), shortened to three values
LINE = (
    b'{"country_code": "mx", "device_id": "001", "x": [0.075, 0.091, 0], "y": [0.004, 0.023, '
    b'-0.011], "z": [-0.109, -0.124, -0.057], "device_t": 1518824400.519, '
    b'"cloud_t": 1518824400.501, "sr": 31.25}'
)


def changed(**fields: Any) -> bytes:
    document = json.loads(LINE) | fields
    return json.dumps({k: v for k, v in document.items() if v != "gone"}).encode()


def test_a_recorded_line_is_read() -> None:
    packet = decode_trace(LINE)

    assert packet.device_id == "001"
    assert packet.country_code == "mx"
    assert packet.x == [0.075, 0.091, 0.0]
    assert packet.z[1] == -0.124
    assert packet.device_ns == 1_518_824_400_519_000_000
    assert packet.cloud_ns == 1_518_824_400_501_000_000
    assert packet.sr == 31.25


def test_a_packet_that_no_server_has_seen_has_no_cloud_time() -> None:
    packet = decode_trace(changed(cloud_t="gone", country_code="gone", more={"a": 1}))

    assert packet.cloud_ns is None
    assert b"cloud_t" not in encode_trace(packet)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1, 2]", "document: Expected `object`, got `array`"),
        (changed(x="gone"), "x is missing"),
        (changed(sr="gone"), "sr is missing"),
        (changed(x=[]), "x: Expected `array` of length >= 1, was []"),
        (changed(x=[1.0, "2", 3.0]), "x[1]: Expected `float`, got `str`"),
        (changed(x=[1.0, None, 3.0]), "got `null`"),
        (changed(x=[1.0, math.nan, 3.0]), "x[1] must be a finite number, was nan"),
        (changed(x=[1.0, 2.0]), "x, y and z must have the same number of values, had 2, 3 and 3"),
        (changed(y=[1.0, 2.0, 98_067.0]), "y[2]: must be within ±98066.5 gal, was 98067"),
        (changed(device_t="2018-02-16"), "device_t: Expected `float`, got `str`"),
        (changed(device_t=0), "device_t: Expected `float` > 0.0, was 0"),
        (changed(device_id=1), "device_id: Expected `str`, got `int`"),
        (changed(device_id="a b"), "device_id: Expected `str` matching"),
        (changed(device_id="x" * 65), "device_id"),
        (changed(sr=0.0), "sr: Expected `float` > 0.0"),
        (changed(sr=1e9), "sr: Expected `float` <= 1000"),
        (changed(country_code="Mexico"), "country_code"),
        (changed(x=[0.0] * 5000, y=[0.0] * 5000, z=[0.0] * 5000), "of length <= 4096"),
        (b" " * (MAX_PAYLOAD_BYTES + 1), "expected at most 262144"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_wrong_is_named_with_field_and_value(payload: bytes, words: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_trace(payload)

    assert str(caught.value).startswith("OpenEEW packet: ")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_would_be_refused_is_not_written() -> None:
    packet = TracePacket(device_id="001", x=[0.1], y=[0.1, 0.2], z=[0.1], device_t=1.0, sr=31.25)

    with pytest.raises(WireError, match="same number of values"):
        encode_trace(packet)


def test_times_keep_their_microseconds() -> None:
    assert unix_s(1_518_824_400_519_123_456) == 1518824400.519123


GAL = st.floats(-98_000.0, 98_000.0)


@given(
    axes=st.integers(1, 64).flatmap(
        lambda n: st.tuples(*(st.lists(GAL, min_size=n, max_size=n) for _ in range(3)))
    ),
    device_us=st.integers(1, 4_000_000_000_000_000),
    cloud_us=st.none() | st.integers(1, 4_000_000_000_000_000),
    device_id=st.from_regex(r"\A[A-Za-z0-9._:-]{1,64}\Z"),
    country=st.sampled_from(["", "mx", "cl"]),
    sr=st.floats(0.1, 1000.0),
)
def test_what_is_written_is_read_back(
    axes: tuple[list[float], list[float], list[float]],
    device_us: int,
    cloud_us: int | None,
    device_id: str,
    country: str,
    sr: float,
) -> None:
    packet = TracePacket(
        country_code=country,
        device_id=device_id,
        x=axes[0],
        y=axes[1],
        z=axes[2],
        device_t=unix_s(device_us * 1000),
        cloud_t=None if cloud_us is None else unix_s(cloud_us * 1000),
        sr=sr,
    )

    again = decode_trace(encode_trace(packet))

    assert again == packet
    assert again.device_ns == device_us * 1000
    assert again.cloud_ns == (None if cloud_us is None else cloud_us * 1000)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_raise_anything_else(payload: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_trace(payload)
    assert len(str(caught.value)) < 400
