"""Laws of the assembler: no sample is lost or doubled, and each stands where it was recorded."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.model.waveform import Packet, Station
from tests.unit.assembler_cases import Arrival, feed, make_assembler, numbered
from tests.unit.core_cases import NS, make_station, packets_of

RATES_HZ = (30.061, 31.25, 100.0, 200.0)
SECONDS = 14.0

stations = st.builds(
    lambda rate_hz, components: make_station(rate_hz=rate_hz, components=components),
    st.sampled_from(RATES_HZ),
    st.sampled_from(["ZNE", "Z", "NE"]),
)


def rate_of(station: Station) -> float:
    return station.channels[0].sampling_rate_hz


@st.composite
def packets_short(draw: st.DrawFn, station: Station) -> list[Packet]:
    """Packets of at most 0.8 s, each channel cut for itself."""
    n = round(SECONDS * rate_of(station))
    base = range(round(0.6 * rate_of(station)), n, round(0.8 * rate_of(station)))
    points = st.lists(st.integers(0, n), max_size=12)
    cuts = [sorted([*base, *draw(points)]) for _ in station.channels]
    return packets_of(station, numbered(n), cuts)


@settings(max_examples=40)
@given(st.data(), stations)
def test_doubled_overlapping_and_disordered_packets_change_nothing(
    data: st.DataObject, station: Station
) -> None:
    packets = data.draw(packets_short(station))
    n = round(SECONDS * rate_of(station))
    arrivals: list[Arrival] = []
    for packet in packets:
        begins = packet.start_ns < packets[0].start_ns + NS // 10
        late_ns = 0 if begins else data.draw(st.sampled_from([0, 0, 0, 200, 600, 950])) * 10**6
        arrivals.append((packet.end_ns + late_ns, packet))
        if data.draw(st.integers(0, 9)) == 0:
            arrivals.append((packet.end_ns + late_ns + NS // 4, packet))  # sent again
        if data.draw(st.integers(0, 9)) == 0 and len(packet.samples) > 3:
            tail = Packet(  # a piece of it once more, by itself
                stream_id=packet.stream_id,
                start_ns=packet.start_ns + round(2 * NS / packet.sampling_rate_hz),
                sampling_rate_hz=packet.sampling_rate_hz,
                samples=packet.samples[2:],
            )
            arrivals.append((packet.end_ns + late_ns + NS // 8, tail))
    given_out = feed(make_assembler(station), arrivals)

    present = [c.component.value for c in station.channels]
    np.testing.assert_array_equal(given_out.frames[present], numbered(n)[present])
    assert not given_out.filled.any()
    assert len(given_out.restarts_ns) == 1


@settings(max_examples=60)
@given(st.data(), stations)
def test_whatever_is_lost_or_late_the_rest_stands_where_it_was_recorded(
    data: st.DataObject, station: Station
) -> None:
    packets = data.draw(packets_short(station))
    fate = st.sampled_from([0, 0, 0, 0, 0, 400, 1500, 4000, -1])  # ms late, or lost
    runs = data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=4))
    arrivals: list[Arrival] = []
    for number, packet in enumerate(packets):
        late_ms = data.draw(fate)
        outage = any(run <= number < run + 20 for run in runs)
        if late_ms >= 0 and not outage:
            arrivals.append((packet.end_ns + late_ms * 10**6, packet))
    if not any(len(packet.samples) for _, packet in arrivals):
        return
    given_out = feed(make_assembler(station), arrivals)

    index = given_out.index(rate_of(station))
    assert (np.diff(index) > 0).all()  # time never goes back, nothing comes twice
    made = given_out.filled == 1
    lead = station.channels[0].component.value
    np.testing.assert_array_equal(given_out.frames[lead, ~made], index[~made] + lead / 4)
    assert np.isfinite(given_out.frames).all()
