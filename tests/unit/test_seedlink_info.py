"""What the server says about itself."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from pymseed import MS3Record

from eew.model.waveform import Packet, StreamId
from simulator.seedlink.actions import AskInfo
from simulator.seedlink.info import ConnectionFacts, ServerFacts, answer
from simulator.seedlink.records import RecordEncoder
from simulator.seedlink.ring import RecordRing

T0_NS = 1_662_364_372_123_457_000
INVENTORY = "<?xml version='1.0' encoding='UTF-8'?>\n<FDSNStationXML>成都 &amp; ñ</FDSNStationXML>"


@pytest.fixture
def facts() -> ServerFacts:
    streams = [StreamId.parse(text) for text in ("XX.A.00.HNZ", "XX.A.00.HNN", "YY.B..HNZ")]
    ring = RecordRing(100, streams, first_seq=0x1FFFFFF)
    encoder = RecordEncoder()
    samples = np.arange(100, dtype=np.int32)
    for second in (0, 1, 4, 5):  # two are missing
        packet = Packet(
            stream_id=streams[0],
            start_ns=T0_NS + second * 10**9,
            sampling_rate_hz=100.0,
            samples=samples,
        )
        for record in encoder.encode(packet):
            ring.append(record)
    connection = ConnectionFacts(
        host="192.0.2.1",
        port=5,
        connected_ns=T0_NS,
        version=4,
        user_agent="mine/1",
        seq=17,
        records_sent=3,
        bytes_sent=99,
        is_dialup=False,
    )
    return ServerFacts(
        software="eew 1",
        organization="SIMULATION",
        started_ns=T0_NS,
        now_ns=T0_NS,
        ring=ring,
        connections=[connection],
        inventory=INVENTORY.encode(),
    )


def as_json(
    facts: ServerFacts, level: str, station: str = "*", stream: str = "*", *, kind: bytes = b"JI"
) -> dict[str, Any]:
    packet = answer(AskInfo(4, level, station, stream), facts)
    assert packet[:4] == b"SE" + kind
    document: dict[str, Any] = json.loads(packet[17:])
    assert {"software", "organization"} <= document.keys()
    return document


def as_text(facts: ServerFacts, asked: AskInfo) -> str:
    packets = answer(asked, facts)
    pieces = [packets[at + 8 : at + 520] for at in range(0, len(packets), 520)]
    records = [MS3Record.parse(piece, unpack_data=True) for piece in pieces]
    return b"".join(bytes(one.datasamples) for one in records).decode("ascii")


def as_xml(facts: ServerFacts, level: str) -> ElementTree.Element:
    return ElementTree.fromstring(as_text(facts, AskInfo(3, level)))


def test_stations_with_their_numbers(facts: ServerFacts) -> None:
    rows = as_json(facts, "STATIONS")["station"]
    assert [row["id"] for row in rows] == ["XX_A", "YY_B"]
    assert (rows[0]["begin_seq"], rows[0]["end_seq"]) == (0x1FFFFFF, 0x2000003)
    assert rows[1]["begin_seq"] == rows[1]["end_seq"] == 0x2000003
    assert "stream" not in rows[0]
    xml = as_xml(facts, "STATIONS").findall("station")
    assert [(one.get("network"), one.get("name")) for one in xml] == [("XX", "A"), ("YY", "B")]
    assert (xml[0].get("begin_seq"), xml[0].get("end_seq")) == ("FFFFFF", "000003")


def test_streams_with_their_times(facts: ServerFacts) -> None:
    (stream,) = as_json(facts, "STREAMS", "XX_*")["station"][0]["stream"]
    assert stream == {
        "id": "00_H_N_Z",
        "format": "3",
        "subformat": "D",
        "origin": "native",
        "begin_time": "2022-09-05T07:52:52.123457Z",
        "end_time": "2022-09-05T07:52:58.123457Z",
    }
    element = as_xml(facts, "STREAMS").find("station/stream")
    assert element is not None
    assert (element.get("location"), element.get("seedname")) == ("00", "HNZ")
    assert element.get("begin_time") == "2022/09/05 07:52:52.1234"
    assert element.get("end_recno") == "000002"
    assert element.find("gap") is None


def test_patterns_narrow_version_4(facts: ServerFacts) -> None:
    assert [row["id"] for row in as_json(facts, "STATIONS", "YY_*")["station"]] == ["YY_B"]
    assert as_json(facts, "STREAMS", "*", "*_L_*")["station"] == []


def test_gaps(facts: ServerFacts) -> None:
    (stream,) = as_json(facts, "GAPS", "XX_A")["station"][0]["stream"]
    assert stream["gap"] == [
        {"begin_time": "2022-09-05T07:52:54.123457Z", "end_time": "2022-09-05T07:52:56.123457Z"}
    ]
    (gap,) = as_xml(facts, "GAPS").findall("station/stream/gap")
    assert gap.get("begin_time") == "2022/09/05 07:52:54.1234"


def test_connections(facts: ServerFacts) -> None:
    (row,) = as_json(facts, "CONNECTIONS")["connection"]
    assert (row["host"], row["protocol"], row["client"]) == ("192.0.2.1", "4.0", "mine/1")
    (element,) = as_xml(facts, "CONNECTIONS").findall("station/connection")
    assert (element.get("host"), element.get("txcount")) == ("192.0.2.1", "3")


def test_formats_and_capabilities(facts: ServerFacts) -> None:
    assert set(as_json(facts, "FORMATS")["format"]) == {"2", "3", "J"}
    names = [one.get("name") for one in as_xml(facts, "CAPABILITIES").findall("capability")]
    assert "multistation" in names
    everything = as_xml(facts, "ALL")
    assert everything.find("station/stream/gap") is not None
    assert everything.find("station/connection") is not None


def test_the_inventory_keeps_its_letters(facts: ServerFacts) -> None:
    assert as_json(facts, "INVENTORY")["inventory"] == INVENTORY
    # in pieces of ASCII, each of which can be decoded by itself; the parser puts it right
    text = ElementTree.fromstring(as_text(facts, AskInfo(3, "INVENTORY"))).text
    assert text == "成都 & ñ"


def test_errors_are_packets(facts: ServerFacts) -> None:
    without = ServerFacts(
        **{
            name: getattr(facts, name)
            for name in ServerFacts.__dataclass_fields__
            if name != "inventory"
        },
        inventory=None,
    )
    assert as_json(without, "INVENTORY", kind=b"JE")["error"]["code"] == "UNSUPPORTED"
    asked = AskInfo(3, "ERROR", error=("ARGUMENTS", "no such level"))
    root = ElementTree.fromstring(as_text(facts, asked))
    error = root.find("error")
    assert error is not None
    assert error.get("code") == "ARGUMENTS"
