"""Bytes around a record on the wire: the packet headers of SeedLink 3 and 4."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pymseed import DataEncoding, MS3Record, nslc2sourceid

__all__ = ["END", "data_v3", "data_v4", "info_v3", "json_v4"]

END = b"END"  # end of a transfer in dial-up mode, without a line end
_V4_HEADER = struct.Struct("<2sccIQB")
_V3_NUMBERS = 0xFFFFFF
_NO_NUMBER = 2**64 - 1
_INFO_RECORD_BYTES = 512
_INFO_TEXT_BYTES = 448


def data_v3(seq: int, mseed2: bytes) -> bytes:
    """``SL``, the last 24 bits of the sequence number in hex, the record."""
    return b"SL%06X" % (seq & _V3_NUMBERS) + mseed2


def data_v4(seq: int, station_id: str, mseed3: bytes) -> bytes:
    """``SE``, format ``3D``, lengths, the 64-bit sequence number, station and record."""
    name = station_id.encode("ascii")
    return _V4_HEADER.pack(b"SE", b"3", b"D", len(mseed3), seq, len(name)) + name + mseed3


def json_v4(text: str, *, is_error: bool = False) -> bytes:
    """Return an INFO packet (or one that says what was wrong) with a JSON document."""
    payload = text.encode()
    subformat = b"E" if is_error else b"I"
    return _V4_HEADER.pack(b"SE", b"J", subformat, len(payload), _NO_NUMBER, 0) + payload


def info_v3(xml: str, *, start_ns: int, is_error: bool = False) -> bytes:
    """Return INFO packets: XML in MiniSEED 2 log records of 512 bytes.

    Clients put the pieces together and decode each by itself, so only ASCII is written.
    """
    text = xml.encode("ascii", "xmlcharrefreplace")
    pieces = [text[at : at + _INFO_TEXT_BYTES] for at in range(0, len(text), _INFO_TEXT_BYTES)]
    marks = [b"SLINFO *"] * (len(pieces) - 1) + [b"SLINFO  "]
    records = _log_records(pieces, start_ns, "ERR" if is_error else "INF")
    return b"".join(mark + record for mark, record in zip(marks, records, strict=True))


def _log_records(pieces: list[bytes], start_ns: int, channel: str) -> Iterator[bytes]:
    template = MS3Record()
    template.sourceid = nslc2sourceid("SL", "INFO", "", channel)
    template.starttime = start_ns
    template.samprate = 0.0
    template.pubversion = 2
    template.formatversion = 2
    template.reclen = _INFO_RECORD_BYTES
    template.encoding = DataEncoding.TEXT
    for piece in pieces:
        (record,) = template.generate(piece, "t")
        yield record
