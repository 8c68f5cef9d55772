"""Whatever a recording looks like, what is published as OpenEEW packets is taken in as it was."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.app.trace_packets import align_axes, trace_packets
from eew.ingest.live import Health
from eew.ingest.openeew import TraceReader
from eew.messages.openeew import decode_trace, encode_trace
from eew.model.waveform import Segment
from simulator.link import LinkDelay
from simulator.schedule import Schedule
from tests.unit.ingest_cases import START_NS, counts, recording, segment, station, three_components

S = 1_000_000_000
CODES = ("XX.AAA", "XX.BBB")


@st.composite
def axes(draw: st.DrawFn) -> list[Segment]:
    """Draw the segments of two stations: holes, late starts, axes a part of a sample apart."""
    rate_hz = draw(st.sampled_from([31.25, 50.0, 100.0]))
    found = []
    for code in CODES:
        for stream in three_components(code):
            at_ns = START_NS + draw(st.integers(0, S))
            for _ in range(draw(st.integers(1, 3))):
                n = draw(st.integers(40, 400))
                found.append(segment(stream, counts(n), start_ns=at_ns, rate_hz=rate_hz))
                # a hole shorter than the tolerance of the grid is a slip, not a hole
                at_ns += round((n + draw(st.integers(5, 100))) * S / rate_hz)
    return found


@settings(max_examples=40)
@given(segments=axes(), packet_s=st.sampled_from([0.5, 1.0, 1.024]), seed=st.integers(0, 5))
def test_every_aligned_sample_comes_once_and_at_its_time(
    segments: list[Segment], packet_s: float, seed: int
) -> None:
    rate_hz = segments[0].sampling_rate_hz
    stations = [station(three_components(code), rate_hz=rate_hz) for code in CODES]
    devices = align_axes(recording(stations, segments))
    if not devices.recording.stations:
        return
    health = Health("test")
    reader = TraceReader(stations, health.set_aside)
    schedule = Schedule(devices.recording, packet_s, LinkDelay(seed=seed), seed=seed)
    found: dict[str, list[tuple[int, np.ndarray]]] = {}
    for due_ns, packet in trace_packets(devices, schedule):
        for one in reader.take(decode_trace(encode_trace(packet)), due_ns):
            found.setdefault(str(one.stream_id), []).append((one.start_ns, one.samples))

    assert {one.kind for one in health.problems()} <= {"gap"}
    for name in {str(one.stream_id) for one in devices.recording.segments}:
        whole = [one for one in devices.recording.segments if str(one.stream_id) == name]
        times_ns = np.concatenate([_times(o.start_ns, len(o.samples), rate_hz) for o in whole])
        values = np.concatenate([one.samples for one in whole])
        got_ns = np.concatenate([_times(at, len(some), rate_hz) for at, some in found[name]])
        got = np.concatenate([some for _, some in found[name]])
        assert len(got) == len(values)
        np.testing.assert_allclose(got, values, atol=0.0005 * 2139.795 + 1e-6)
        assert np.abs(got_ns - times_ns).max() <= 1.01 * S / rate_hz


def _times(start_ns: int, n: int, rate_hz: float) -> np.ndarray:
    return start_ns + np.rint(np.arange(n) * S / rate_hz).astype(np.int64)
