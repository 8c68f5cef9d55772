"""What the server says about itself: XML in version 3, JSON in version 4."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from simulator.seedlink import frames
from simulator.seedlink.actions import AskInfo
from simulator.seedlink.patterns import matches
from simulator.seedlink.protocol import CAPABILITIES
from simulator.seedlink.ring import RecordRing, StreamState
from simulator.seedlink.times import iso, slashed

__all__ = ["ConnectionFacts", "ServerFacts", "answer"]

_FORMATS = {
    "2": {"mimetype": "application/vnd.fdsn.mseed", "subformat": {"D": "data"}},
    "3": {"mimetype": "application/vnd.fdsn.mseed3", "subformat": {"D": "data"}},
    "J": {"mimetype": "application/json", "subformat": {"I": "info", "E": "error"}},
}
# what servers of version 3 said they could do, before there was a list in HELLO
_V3_CAPABILITIES = (
    "dialup",
    "multistation",
    "window-extraction",
    "info:id",
    "info:capabilities",
    "info:stations",
    "info:streams",
    "info:gaps",
    "info:connections",
    "info:all",
    "info:inventory",
)
_GAP_SAMPLES = 0.5  # a break of less than half a sample is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """A client, as INFO CONNECTIONS tells of it."""

    host: str
    port: int
    connected_ns: int
    version: int
    user_agent: str
    seq: int | None
    records_sent: int
    bytes_sent: int
    is_dialup: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What the answers are made from.

    Attributes
    ----------
    inventory : bytes or None
        StationXML, as UTF-8; None where there is none.
    """

    software: str
    organization: str
    started_ns: int
    now_ns: int
    ring: RecordRing
    connections: Sequence[ConnectionFacts]
    inventory: bytes | None


def answer(asked: AskInfo, facts: ServerFacts) -> bytes:
    """Return the packets that answer an INFO."""
    error = asked.error
    if error is None and asked.level == "INVENTORY" and facts.inventory is None:
        error = ("UNSUPPORTED", "this server has no inventory")
    if asked.version == 4:
        return frames.json_v4(_json(asked, facts, error), is_error=error is not None)
    text = _xml(asked, facts, error)
    return frames.info_v3(text, start_ns=facts.now_ns, is_error=error is not None)


# ---------------------------------------------------------------- version 4
def _json(asked: AskInfo, facts: ServerFacts, error: tuple[str, str] | None) -> str:
    document: dict[str, Any] = {
        "software": f"SeedLink v4.0 ({facts.software}) :: {CAPABILITIES}",
        "organization": facts.organization,
    }
    if error is not None:
        document["error"] = {"code": error[0], "message": error[1]}
    elif asked.level == "FORMATS":
        document["format"] = _FORMATS
        document["filter"] = {"native": "as the server has it", "3": "MiniSEED 3"}
    elif asked.level in ("STATIONS", "STREAMS", "GAPS"):
        document["station"] = [
            _station_json(station, streams, facts.ring, asked.level)
            for station, streams in _stations(facts.ring, asked)
        ]
    elif asked.level == "CONNECTIONS":
        document["connection"] = [_connection_json(one) for one in facts.connections]
    elif asked.level == "INVENTORY" and facts.inventory is not None:
        document["inventory"] = facts.inventory.decode()
    return json.dumps(document)


def _station_json(
    station: str, streams: Sequence[StreamState], ring: RecordRing, level: str
) -> dict[str, Any]:
    begin_seq, end_seq = _numbers(streams, ring)
    row: dict[str, Any] = {
        "id": station,
        "description": station,
        "begin_seq": begin_seq,
        "end_seq": end_seq,
        "backfill": 0,
    }
    if level == "STREAMS":
        row["stream"] = [
            {
                "id": stream.stream_id,
                "format": "3",
                "subformat": "D",
                "origin": "native",
                "begin_time": iso(ring.entry(stream.seqs[0]).start_ns),
                "end_time": iso(ring.entry(stream.seqs[-1]).end_ns),
            }
            for stream in streams
            if stream.seqs
        ]
    elif level == "GAPS":
        row["stream"] = [
            {
                "id": stream.stream_id,
                "gap": [{"begin_time": iso(a), "end_time": iso(b)} for a, b in gaps(stream, ring)],
            }
            for stream in streams
            if stream.seqs
        ]
    return row


def _connection_json(one: ConnectionFacts) -> dict[str, Any]:
    return {
        "host": one.host,
        "port": one.port,
        "connect_time": iso(one.connected_ns),
        "protocol": f"{one.version}.{0 if one.version == 4 else 1}",
        "client": one.user_agent,
        "current_seq": one.seq,
        "packets": one.records_sent,
        "bytes": one.bytes_sent,
        "dialup": one.is_dialup,
    }


# ---------------------------------------------------------------- version 3
def _xml(asked: AskInfo, facts: ServerFacts, error: tuple[str, str] | None) -> str:
    if error is None and asked.level == "INVENTORY" and facts.inventory is not None:
        return facts.inventory.decode()
    root = ElementTree.Element(
        "seedlink",
        software=f"SeedLink v3.1 ({facts.software}) :: {CAPABILITIES}",
        organization=facts.organization,
        started=slashed(facts.started_ns),
    )
    if error is not None:
        ElementTree.SubElement(root, "error", code=error[0], message=error[1])
    elif asked.level in ("CAPABILITIES", "ALL"):
        for name in _V3_CAPABILITIES:
            ElementTree.SubElement(root, "capability", name=name)
    if asked.level in ("STATIONS", "STREAMS", "GAPS", "ALL"):
        for station, streams in _stations(facts.ring, asked):
            _station_xml(root, station, streams, facts.ring, asked.level)
    if asked.level in ("CONNECTIONS", "ALL"):
        _connections_xml(root, facts)
    if asked.level == "FORMATS":
        for code, found in _FORMATS.items():
            ElementTree.SubElement(root, "format", name=code, mimetype=str(found["mimetype"]))
    return ElementTree.tostring(root, encoding="unicode")


def _station_xml(
    root: ElementTree.Element,
    station: str,
    streams: Sequence[StreamState],
    ring: RecordRing,
    level: str,
) -> None:
    begin_seq, end_seq = _numbers(streams, ring)
    network, _, code = station.partition("_")
    row = ElementTree.SubElement(
        root,
        "station",
        name=code,
        network=network,
        description=station,
        begin_seq=_number(begin_seq),
        end_seq=_number(end_seq),
        stream_check="enabled",
    )
    if level == "STATIONS":
        return
    for stream in streams:
        if not stream.seqs:
            continue
        first, last = ring.entry(stream.seqs[0]), ring.entry(stream.seqs[-1])
        element = ElementTree.SubElement(
            row,
            "stream",
            location=stream.id.location,
            seedname=stream.id.channel,
            type="D",
            begin_time=slashed(first.start_ns),
            end_time=slashed(last.end_ns),
            begin_recno=_number(first.seq),
            end_recno=_number(last.seq),
            gap_check="enabled",
            gap_threshold=str(_GAP_SAMPLES),
        )
        if level in ("GAPS", "ALL"):
            for begin_ns, end_ns in gaps(stream, ring):
                ElementTree.SubElement(
                    element, "gap", begin_time=slashed(begin_ns), end_time=slashed(end_ns)
                )


def _connections_xml(root: ElementTree.Element, facts: ServerFacts) -> None:
    # the document hangs connections on a station; they belong to all of them here
    row = ElementTree.SubElement(
        root,
        "station",
        name="*",
        network="*",
        description="all stations",
        begin_seq=_number(facts.ring.begin_seq),
        end_seq=_number(facts.ring.next_seq),
        stream_check="disabled",
    )
    for one in facts.connections:
        ElementTree.SubElement(
            row,
            "connection",
            host=one.host,
            port=str(one.port),
            ctime=slashed(one.connected_ns),
            begin_seq=_number(facts.ring.begin_seq),
            current_seq="unset" if one.seq is None else _number(one.seq),
            sequence_gaps="0",
            txcount=str(one.records_sent),
            totBytes=str(one.bytes_sent),
            begin_seq_valid="yes",
            realtime="no" if one.is_dialup else "yes",
            end_of_data="no",
        )


# ---------------------------------------------------------------- parts
def gaps(stream: StreamState, ring: RecordRing) -> Iterable[tuple[int, int]]:
    """Give begin and end (UTC ns) of what is missing between the records of a stream."""
    for before, after in pairwise(ring.entry(seq) for seq in stream.seqs):
        n_samples_ns = before.end_ns - before.start_ns
        missing_ns = after.start_ns - before.end_ns
        if missing_ns > _GAP_SAMPLES * n_samples_ns / max(1, before.n_samples):
            yield before.end_ns, after.start_ns


def _stations(ring: RecordRing, asked: AskInfo) -> Iterable[tuple[str, list[StreamState]]]:
    found: dict[str, list[StreamState]] = {}
    for stream in ring.streams.values():
        if matches(asked.station, stream.station_id) and matches(asked.stream, stream.stream_id):
            found.setdefault(stream.station_id, []).append(stream)
    for station in sorted(found):
        yield station, sorted(found[station], key=lambda stream: stream.id)


def _numbers(streams: Sequence[StreamState], ring: RecordRing) -> tuple[int, int]:
    """Return the first number of a station and the one after its last."""
    seqs = [stream.seqs for stream in streams if stream.seqs]
    if not seqs:
        return ring.next_seq, ring.next_seq
    return min(one[0] for one in seqs), max(one[-1] for one in seqs) + 1


def _number(seq: int) -> str:
    return f"{seq & 0xFFFFFF:06X}"
