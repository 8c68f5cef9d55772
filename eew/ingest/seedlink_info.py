"""What a SeedLink server says of itself: answers to INFO of version 3 (XML) and 4 (JSON)."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from eew.errors import DataError
from eew.ingest.live_network import OfferedStream
from eew.model.waveform import StreamId

__all__ = ["Offer", "read_inventory", "read_streams"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROOT_WITHIN = 2000  # characters: behind the XML declaration and comments


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server has.

    Attributes
    ----------
    stations : frozenset of str
        ``NET.STA``, also of stations that have sent nothing yet and so have no stream.
    streams : tuple of OfferedStream
        Streams of which there are data.
    end_sequence : dict
        By ``NET_STA``: the number of the newest packet or the one after it. The norm says the
        latter, not every server does.
    """

    stations: frozenset[str]
    streams: tuple[OfferedStream, ...]
    end_sequence: dict[str, int]


def read_streams(text: str, *, name: str) -> Offer:
    """Read the answer to INFO STREAMS; entries that make no sense are left out.

    Raises
    ------
    DataError
        If it is neither XML nor JSON of the form that the protocol states.
    """
    try:
        rows = list(_json(text) if text.lstrip().startswith("{") else _xml(text))
    except (ValueError, TypeError, AttributeError, ET.ParseError) as error:
        raise DataError(name, f"INFO STREAMS cannot be read: {error}") from error
    return Offer(
        stations=frozenset(station.replace("_", ".", 1) for station, _, _ in rows),
        streams=tuple(one for _, _, some in rows for one in some),
        end_sequence={station: end for station, end, _ in rows if end is not None},
    )


def read_inventory(text: str) -> bytes | None:
    """Take the StationXML out of the answer to INFO INVENTORY; None where it holds none.

    The item is an extension of ``eew seedlink``: the document itself in version 3, in version 4
    as a string named ``inventory``.
    """
    if text.lstrip().startswith("{"):
        try:
            text = str(json.loads(text).get("inventory", ""))
        except ValueError:
            return None
    return text.encode() if "FDSNStationXML" in text[:_ROOT_WITHIN] else None


_Row = tuple[str, int | None, list[OfferedStream]]


def _xml(text: str) -> Iterator[_Row]:
    """``<station name network end_seq><stream location seedname type end_time/></station>``."""
    for station in ET.fromstring(text).iter("station"):
        network, code = station.get("network", "").strip(), station.get("name", "").strip()
        if not code:
            continue
        streams = []
        for stream in station.iter("stream"):
            channel = stream.get("seedname", "").strip()
            if channel and stream.get("type", "D") == "D":
                location = stream.get("location", "").strip(" -")
                stream_id = StreamId(network, code, location, channel)
                streams.append(OfferedStream(stream_id, _time_ns(stream.get("end_time"))))
        yield f"{network}_{code}", _sequence(station.get("end_seq"), 16), streams


def _json(text: str) -> Iterator[_Row]:
    """``{"station": [{"id", "end_seq", "stream": [{"id", "subformat", "end_time"}]}]}``."""
    for station in json.loads(text).get("station", ()):
        network, _, code = str(station.get("id", "")).partition("_")
        if not code:
            continue
        streams = []
        for stream in station.get("stream", ()):
            parts = str(stream.get("id", "")).split("_")
            if len(parts) == 4 and stream.get("subformat", "D") == "D":
                long = any(len(part) > 1 for part in parts[1:])
                channel = ("_" if long else "").join(parts[1:])
                stream_id = StreamId(network, code, parts[0], channel)
                streams.append(OfferedStream(stream_id, _time_ns(stream.get("end_time"))))
        yield f"{network}_{code}", _sequence(station.get("end_seq"), 10), streams


def _sequence(value: object, base: int) -> int | None:
    if isinstance(value, int):
        return value
    try:
        return int(str(value), base)
    except ValueError:
        return None


def _time_ns(text: object) -> int | None:
    """Read ``2024/01/31 12:00:00.1234``, ``2024-01-31T12:00:00Z`` and the like as UTC."""
    digits = re.findall(r"\d+", str(text))
    if len(digits) < 6:
        return None
    year, month, day, hour, minute, second = (int(word) for word in digits[:6])
    try:
        whole = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    fraction_ns = int((digits[6] + "0" * 9)[:9]) if len(digits) > 6 else 0
    seconds = (whole - _EPOCH).days * 86_400 + (whole - _EPOCH).seconds
    return seconds * 1_000_000_000 + fraction_ns
