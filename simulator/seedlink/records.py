"""From packets to MiniSEED: each record is encoded once, whoever reads it.

A packet becomes as many MiniSEED 2 records as it needs (one, at usual lengths), and each of these
samples also one MiniSEED 3 record, so that both versions of the protocol count the same sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pymseed import DataEncoding, MiniSEEDError, MS3Record, nslc2sourceid

from eew.clock import NS_PER_S
from eew.errors import ConfigError, DataError
from eew.model.waveform import Packet, StreamId

__all__ = ["RECORD_BYTES", "Record", "RecordEncoder"]

RECORD_BYTES = (512, 256, 128)  # what SeedLink 3 clients can be expected to read
_ENOUGH_BYTES = 16384  # one MiniSEED 3 record for what fits into 512 bytes, however it compresses
_QUALITY_D = 2  # publication version that MiniSEED 2 writes as data quality "D"
_SAMPLES_AT = slice(30, 32)  # number of samples in the fixed header of MiniSEED 2


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The same samples in both formats.

    Attributes
    ----------
    start_ns, end_ns : int
        First sample, and the time of the sample after the last one; UTC ns.
    """

    stream: StreamId
    start_ns: int
    end_ns: int
    n_samples: int
    mseed2: bytes
    mseed3: bytes


class RecordEncoder:
    """Encodes packets; int32 counts as Steim 2, float64 as they are.

    Parameters
    ----------
    record_bytes : int
        Length of a MiniSEED 2 record: 512, 256 or 128.

    Raises
    ------
    ConfigError
        If it is another length.
    """

    def __init__(self, record_bytes: int = 512) -> None:
        if record_bytes not in RECORD_BYTES:
            raise ConfigError("record_bytes", f"must be 512, 256 or 128, was {record_bytes!r}")
        self.record_bytes = record_bytes
        self._templates: dict[StreamId, tuple[MS3Record, MS3Record]] = {}

    def encode(self, packet: Packet, *, shift_ns: int = 0) -> list[Record]:
        """Return the records of a packet, in order of time.

        Parameters
        ----------
        shift_ns : int
            Added to the times.

        Raises
        ------
        DataError
            If the samples do not fit into records of this length.
        """
        stream, rate_hz = packet.stream_id, packet.sampling_rate_hz
        template2, template3 = self._template(stream, rate_hz)
        start_ns = packet.start_ns + shift_ns
        samples: Any = np.ascontiguousarray(packet.samples)
        records = []
        begin = 0
        for mseed2 in self._pack(template2, samples, start_ns, stream):
            end = begin + int.from_bytes(mseed2[_SAMPLES_AT], "big")
            first_ns = start_ns + round(begin * NS_PER_S / rate_hz)
            (mseed3,) = self._pack(template3, samples[begin:end], first_ns, stream)
            end_ns = start_ns + round(end * NS_PER_S / rate_hz)
            records.append(Record(stream, first_ns, end_ns, end - begin, mseed2, mseed3))
            begin = end
        return records

    def _template(self, stream: StreamId, rate_hz: float) -> tuple[MS3Record, MS3Record]:
        templates = self._templates.get(stream)
        if templates is None or templates[0].samprate != rate_hz:
            templates = (
                _new_template(stream, rate_hz, 2, self.record_bytes),
                _new_template(stream, rate_hz, 3, _ENOUGH_BYTES),
            )
            self._templates[stream] = templates
        return templates

    @staticmethod
    def _pack(template: MS3Record, samples: Any, start_ns: int, stream: StreamId) -> list[bytes]:
        template.starttime = start_ns
        is_float = samples.dtype != np.int32
        # counts that differ by more than 30 bits have no place in Steim 2
        encodings = (
            [DataEncoding.FLOAT64] if is_float else [DataEncoding.STEIM2, DataEncoding.INT32]
        )
        for encoding in encodings:
            template.encoding = encoding
            try:
                return list(template.generate(samples, "d" if is_float else "i"))
            except MiniSEEDError as error:
                problem = error
        raise DataError(str(stream), f"cannot be written as MiniSEED: {problem}")


def _new_template(stream: StreamId, rate_hz: float, version: int, n_bytes: int) -> MS3Record:
    template = MS3Record()
    template.sourceid = nslc2sourceid(
        stream.network, stream.station, stream.location, stream.channel
    )
    template.samprate = rate_hz
    template.pubversion = _QUALITY_D
    template.formatversion = version
    template.reclen = n_bytes
    return template
