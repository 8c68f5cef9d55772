"""Addresses, selections, and what a SeedLink server says of itself."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import ConfigError, DataError
from eew.ingest.seedlink_address import SeedLinkAddress
from eew.ingest.seedlink_info import read_inventory, read_streams
from eew.ingest.selection import Selection
from eew.model.waveform import StreamId


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("slink://h", "slink://h:18000"),
        ("seedlink://h:1/", "slink://h:1"),
        ("slinks://h", "slinks://h:18500"),
        ("slink://[::1]:7", "slink://[::1]:7"),
        ("slink://me:se%40cret@h:5?protocol=4", "slink://h:5"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    address = SeedLinkAddress.parse(url)
    assert str(address) == shown
    assert "cret" not in repr(address)


def test_the_parts_of_an_address() -> None:
    address = SeedLinkAddress.parse("slinks://me:se%40cret@h:5?protocol=4")
    assert (address.tls, address.protocol) == (True, 4)
    assert (address.username, address.password) == ("me", "se@cret")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("slink://", "names no host"),
        ("slink://h:99999", "out of range"),
        ("slink://h:0", "port 0"),
        ("slink://h/GE_*", "chosen with --select"),
        ("slink://h?protocol=5", "protocol=5"),
        ("slink://h?timeout=5", "timeout=5"),
        ("http://me:secret@h", "'http://h' begins with none of slink"),
        ("h:18000", "begins with none"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"^--source: ") as caught:
        SeedLinkAddress.parse(url)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


Z = StreamId("CI", "WRC2", "", "HNZ")
B = StreamId("IU", "ANMO", "00", "BHZ")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("CI_WRC2", [Z]),
        ("ci_*", [Z]),
        ("*_*", [Z, B]),
        ("CI_WRC2:HN?", [Z]),
        ("CI_WRC2:--HNZ", [Z]),
        ("CI_WRC2:00HNZ", []),
        ("CI_WRC2:_H_N_Z", [Z]),
        ("CI_WRC2:H_N_?", [Z]),
        ("*_*:?H?,HNE", [B]),
        ("IU_AN??:00_B_H_Z", [B]),
        ("IU_ANMO:10_B_H_Z", []),
        ("IU_ANMO:*", [B]),
    ],
)
def test_a_pattern_means_the_streams_it_names(text: str, wanted: list[StreamId]) -> None:
    selection = Selection.parse([text])
    assert [one for one in (Z, B) if selection.wants(one)] == wanted


def test_several_patterns_add_up_and_none_means_all() -> None:
    both = Selection.parse(["CI_*:HNZ", "IU_ANMO"])
    assert both.wants(Z)
    assert both.wants(B)
    assert Selection.parse([]).wants(Z)
    assert str(Selection()) == "all"


@pytest.mark.parametrize(
    "text", ["", "CI", "CI.WRC2", "CI_WRC2:", "CI_WRC2:HNZZ", "CI_A:H_N_Z_Q_R"]
)
def test_a_wrong_pattern_says_the_form(text: str) -> None:
    with pytest.raises(ConfigError, match="the form is NET_STA"):
        Selection.parse([text])


XML = """<?xml version="1.0"?>
<seedlink software="SeedLink v3.1" organization="x" started="2024/01/01 00:00:00">
 <station name="WRC2" network="CI" description="" begin_seq="000001" end_seq="0000FF">
  <stream location="" seedname="HNZ" type="D" begin_time="2024/01/31 11:00:00.0000"
          end_time="2024/01/31 12:00:01.2345"/>
  <stream location="" seedname="LOG" type="L" end_time="2024/01/31 12:00:01.2345"/>
 </station>
 <station name="NEW" network="CI" end_seq="unset"/>
</seedlink>"""
JSON = json.dumps(
    {
        "software": "x",
        "station": [
            {
                "id": "CI_WRC2",
                "end_seq": 255,
                "stream": [
                    {
                        "id": "_H_N_Z",
                        "format": "3",
                        "subformat": "D",
                        "end_time": "2024-01-31T12:00:01.2345Z",
                    },
                    {"id": "_L_O_G", "format": "2", "subformat": "L"},
                ],
            },
            {"id": "CI_NEW"},
        ],
    }
)


@pytest.mark.parametrize("text", [XML, JSON])
def test_both_versions_say_the_same(text: str) -> None:
    offer = read_streams(text, name="x")
    (stream,) = offer.streams
    assert stream.stream_id == Z
    whole = datetime(2024, 1, 31, 12, 0, 1, tzinfo=UTC).timestamp()
    assert stream.newest_ns == int(whole) * 1_000_000_000 + 234_500_000
    assert offer.stations == {"CI.WRC2", "CI.NEW"}
    assert offer.end_sequence == {"CI_WRC2": 255}


WORDS = st.text(max_size=40)


@given(st.one_of(WORDS, WORDS.map(lambda t: "{" + t), WORDS.map(lambda t: "<a>" + t)))
def test_any_answer_is_read_or_refused(text: str) -> None:
    with suppress(DataError):
        assert read_streams(text, name="x").streams == ()
    assert read_inventory(text) is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["station", "stream", "id", "end_seq", "end_time"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_json_of_any_shape_is_read_or_refused(value: object) -> None:
    text = json.dumps({"station": value})
    with suppress(DataError):
        read_streams(text, name="x")


def test_the_inventory_comes_plain_or_inside_json() -> None:
    document = '<?xml version="1.0"?><FDSNStationXML/>'
    assert read_inventory(document) == document.encode()
    assert read_inventory(json.dumps({"inventory": document})) == document.encode()
    assert read_inventory(json.dumps({"error": {"code": "UNSUPPORTED"}})) is None
    assert read_inventory("<seedlink/>") is None
    assert read_inventory("[1]") is None
