"""Records as they come over a wire: both formats, every encoding, and damage."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymseed import DataEncoding, MS3Record

from eew.errors import DataError
from eew.ingest.records import packet_from_record
from eew.model.waveform import StreamId

START_NS = 1_662_353_538_123_457_000


def record(
    samples: np.ndarray | bytes,
    *,
    version: int = 3,
    encoding: DataEncoding = DataEncoding.STEIM2,
    kind: str = "i",
    source: str = "FDSN:CI_WRC2_00_H_N_Z",
    rate_hz: float = 100.0,
) -> bytes:
    template = MS3Record()
    template.sourceid = source
    template.starttime = START_NS
    template.samprate = rate_hz
    template.formatversion = version
    template.reclen = 512 if version == 2 else 4096
    template.encoding = encoding
    (made,) = list(template.generate(samples, kind))
    return bytes(made)


COUNTS = np.array([0, 3, -7, 12_000, -8_388_608, 8_388_607], dtype=np.int32)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("encoding", [DataEncoding.STEIM1, DataEncoding.STEIM2, DataEncoding.INT32])
def test_counts_come_as_they_were(version: int, encoding: DataEncoding) -> None:
    packet = packet_from_record(record(COUNTS, version=version, encoding=encoding), where="x")
    assert packet.stream_id == StreamId("CI", "WRC2", "00", "HNZ")
    assert packet.start_ns == START_NS
    assert packet.sampling_rate_hz == 100.0
    assert packet.samples.dtype == np.int32
    np.testing.assert_array_equal(packet.samples, COUNTS)
    assert packet.samples.flags.owndata


@pytest.mark.parametrize(
    ("encoding", "kind", "dtype"),
    [(DataEncoding.FLOAT32, "f", np.float32), (DataEncoding.FLOAT64, "d", np.float64)],
)
def test_real_numbers_become_doubles(
    encoding: DataEncoding, kind: str, dtype: type[np.floating]
) -> None:
    values = np.array([0.5, -1.25, 1e6], dtype=dtype)
    packet = packet_from_record(record(values, encoding=encoding, kind=kind), where="x")
    assert packet.samples.dtype == np.float64
    np.testing.assert_array_equal(packet.samples, values)


def test_an_empty_location_and_a_long_channel_code_are_kept() -> None:
    blank = packet_from_record(record(COUNTS, source="FDSN:CI_WRC2__B_H_Z"), where="x")
    assert blank.stream_id == StreamId("CI", "WRC2", "", "BHZ")
    long = packet_from_record(record(COUNTS, source="FDSN:XX_S1_00_H_GYRO_Z"), where="x")
    assert long.stream_id == StreamId("XX", "S1", "00", "H_GYRO_Z")


def test_text_and_an_impossible_rate_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"^CI_WRC2: .*holds text"):
        packet_from_record(
            record(b"clock locked", encoding=DataEncoding.TEXT, kind="t"), where="CI_WRC2"
        )
    with pytest.raises(DataError, match="sampling rate must be > 0"):
        packet_from_record(record(COUNTS, rate_hz=0.0), where="x")


def test_a_checksum_that_does_not_fit_is_refused() -> None:
    damaged = bytearray(record(COUNTS))
    damaged[-3] ^= 0x40
    with pytest.raises(DataError, match="no MiniSEED record"):
        packet_from_record(bytes(damaged), where="x")


WHOLE = [record(COUNTS, version=2), record(COUNTS, version=3)]


@given(
    which=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), max_size=8),
    keep=st.integers(0, 512),
)
def test_damage_gives_a_packet_or_a_data_error_and_nothing_else(
    which: bytes, changes: list[tuple[int, int]], keep: int
) -> None:
    data = bytearray(which)
    for at, value in changes:
        data[at % len(data)] = value
    with suppress(DataError):
        packet = packet_from_record(bytes(data[:keep]), where="x")
        assert len(packet.samples) >= 1
        assert packet.sampling_rate_hz > 0.0


@given(st.binary(max_size=600))
def test_any_bytes_at_all(data: bytes) -> None:
    with pytest.raises(DataError):
        packet_from_record(data, where="x")
