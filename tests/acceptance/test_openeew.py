"""The recorded OpenEEW packets: the same samples as the waveforms, and the same alert."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.app.source import load_source, with_arrivals
from eew.ingest import read_quake_folder
from eew.ingest.openeew_archive import PACKETS_FILE, read_archive, read_arrivals
from eew.ingest.openeew_delays import delays_of, pooled
from eew.report.result import RunResult

pytestmark = pytest.mark.quakes

S = 1_000_000_000
OAXACA_2018, OAXACA_2020 = "mx20180216_m72_openeew", "mx20200111_m51_openeew"


@pytest.mark.parametrize("name", [OAXACA_2018, OAXACA_2020])
def test_the_packets_hold_the_samples_of_the_waveforms(quakes_dir: Path, name: str) -> None:
    recording = read_quake_folder(quakes_dir / name)
    packets, problems = read_archive(quakes_dir / name / PACKETS_FILE)
    assert problems == []
    by_device: dict[str, list[np.ndarray]] = {}
    for packet in sorted(packets, key=lambda one: one.trace.device_ns):
        axes = np.array((packet.trace.x, packet.trace.y, packet.trace.z))
        by_device.setdefault(packet.trace.device_id, []).append(axes)

    assert {f"XX.OE{name}" for name in by_device} == {one.code for one in recording.stations}
    for station in recording.stations:
        axes = np.concatenate(by_device[station.code.removeprefix("XX.OE")], axis=1)
        for row, channel in enumerate(station.channels):  # vertical and two horizontals: x, y, z
            counts = np.concatenate(
                [one.samples for one in recording.segments if one.stream_id == channel.stream_id]
            )
            np.testing.assert_allclose(axes[row] * 0.01 * channel.sensitivity, counts, atol=0.51)


def test_the_times_are_those_of_the_waveforms_within_a_sample_or_two(quakes_dir: Path) -> None:
    """But for the two devices that lost data, which the waveforms hide (SOURCE.txt)."""
    recording = read_quake_folder(quakes_dir / OAXACA_2020)
    arrivals, problems = read_arrivals(quakes_dir / OAXACA_2020 / PACKETS_FILE, recording.stations)
    starts = {str(one.stream_id): one for one in recording.segments}
    worst: dict[str, float] = {}
    seen: dict[str, int] = {}
    for arrival in arrivals:
        for packet in arrival.packets:
            name = str(packet.stream_id)
            whole = starts[name]
            at_ns = whole.start_ns + round(seen.get(name, 0) * S / whole.sampling_rate_hz)
            worst[name] = max(worst.get(name, 0.0), abs(packet.start_ns - at_ns) / S)
            seen[name] = seen.get(name, 0) + len(packet.samples)

    lost = ("XX.OE010", "XX.OE029")
    sound = {name: off_s for name, off_s in worst.items() if not name.startswith(lost)}
    assert len(sound) == 3 * 17
    assert max(sound.values()) < 2.1 / 31.0
    assert {one.kind for one in problems} <= {"gap"}


def test_the_real_delays_are_those_of_the_archive(quakes_dir: Path) -> None:
    found = {
        name: delays_of(read_archive(quakes_dir / name / PACKETS_FILE)[0])
        for name in (OAXACA_2018, OAXACA_2020)
    }

    all_2020_s = pooled(found[OAXACA_2020])
    assert np.median(all_2020_s) == pytest.approx(0.29, abs=0.01)
    assert np.percentile(all_2020_s, 95.0) == pytest.approx(0.66, abs=0.02)
    assert all(one.offset_s == 0.0 for one in found[OAXACA_2020])
    offsets_s = {one.device_id: one.offset_s for one in found[OAXACA_2018]}
    # half an hour, as SOURCE.txt says: 1816.37 and 1948.05 s without the way of a packet
    assert offsets_s["012"] == pytest.approx(1816.37 - 0.15, abs=0.05)
    assert offsets_s["015"] == pytest.approx(1948.05 - 0.15, abs=0.05)


def replay(folder: Path, *, recorded: bool) -> RunResult:
    source = load_source(str(folder), seed=1)
    arrivals = "recorded" if recorded else "modelled"
    if recorded:
        source = with_arrivals(str(folder), source)
    options = RunOptions(broker="none", phones=0, tvs=0, arrivals=arrivals)
    return asyncio.run(run_replay(source.recording, options, arrivals=source.arrivals))


def test_the_first_alert_by_recorded_arrivals_is_that_by_modelled_links(quakes_dir: Path) -> None:
    results = {
        recorded: replay(quakes_dir / OAXACA_2020, recorded=recorded) for recorded in (True, False)
    }
    after_s = {
        recorded: (result.messages[0].issued_ns - result.zero_ns) / S
        for recorded, result in results.items()
    }

    assert abs(after_s[True] - after_s[False]) < 1.0
    for result in results.values():
        assert result.detection.primary_event_id is not None
        assert len({message.event_id for message in result.messages}) == 1
    assert results[True].messages[-1].magnitude.value == pytest.approx(
        results[False].messages[-1].magnitude.value, abs=0.1
    )
