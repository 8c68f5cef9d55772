"""Every kind of fault, as a scenario file asks for it, seen in the data."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import simulator
from eew.model.waveform import Component, Packet, Recording
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.fault_fields import DataFault, Fault, LinkFault
from simulator.fault_hits import kind_of
from simulator.fault_script import apply_faults
from simulator.link_fields import LinkSpec, Outage
from simulator.link_script import apply_link, delay_of
from simulator.scenario_fields import ScenarioFile
from simulator.schedule import Schedule
from simulator.selection import Zero
from simulator.strict import read_fields
from tests.unit.ingest_cases import START_NS, recording, segment, station, three_components

Floats = NDArray[np.float64]
S = 1_000_000_000
RATE_HZ = 100.0
ZERO_S = 5.0  # of the records: the origin time
ZERO = Zero(at_ns=START_NS + 5 * S, lat=40.0, lon=30.0, depth_km=10.0)
PLACES = {"XX.AAA": (40.0, 30.1), "XX.BBB": (40.2, 30.0), "XX.CCC": (40.0, 30.6)}
HIT = "XX.BBB"
ONE = f'stations = ["{HIT}"]'
SEED = 7
FULL_SCALE = 2.0**23


@pytest.fixture(scope="module")
def case() -> Recording:
    return noise()


def noise() -> Recording:
    """Three stations, 20 s of noise of 0.05 m/s**2."""
    draw = np.random.default_rng(3)
    stations = [
        station(three_components(code), lat=lat, lon=lon) for code, (lat, lon) in PLACES.items()
    ]
    return recording(
        stations,
        [
            segment(str(c.stream_id), np.rint(1e4 * draw.standard_normal(2000)).astype(np.int32))
            for one in stations
            for c in one.channels
        ],
    )


def faults(*tables: str) -> tuple[Fault, ...]:
    """Read ``[[fault]]`` tables as a file has them."""
    text = 'title = "x"\n' + "".join(f"[[fault]]\n{table}\n" for table in tables)
    file, problems = read_fields(ScenarioFile, tomllib.loads(text))
    assert file is not None, problems
    return file.fault


def broken(case: Recording, *tables: str, seed: int = SEED) -> Recording:
    return apply_faults(case, faults(*tables), zero=ZERO, seed=seed)


def counts(case: Recording, code: str = HIT, letter: str = "Z") -> Floats:
    """Samples of a channel on the grid of 20 s, NaN where there is none."""
    whole = np.full(2000, np.nan)
    for one in case.segments:
        if str(one.stream_id) == f"{code}..HN{letter}":
            first = round((one.start_ns - START_NS) / S * RATE_HZ)
            whole[first : first + len(one.samples)] = one.samples
    return whole


def part(trace: Floats, from_s: float, to_s: float) -> Floats:
    """The samples between two moments after the origin time."""
    return trace[round((ZERO_S + from_s) * RATE_HZ) : round((ZERO_S + to_s) * RATE_HZ)]


# ---------------------------------------------------------------- of the records
def _gaps(old: Recording, new: Recording) -> None:
    gone = np.isnan(counts(new))
    assert gone[700:800].all()
    assert 101 < gone.sum() <= 300  # three of a second, which may touch
    assert not gone[:700].any()
    assert np.isnan(counts(new, letter="E")).tolist() == gone.tolist()


def _stuck(old: Recording, new: Recording) -> None:
    assert np.unique(part(counts(new), 2.0, 5.0)).size == 1
    assert np.unique(part(counts(new), 5.0, 8.0)).size > 200


def _spike(old: Recording, new: Recording) -> None:
    (at,) = np.flatnonzero(counts(new) != counts(old))
    assert at == 700
    assert counts(new)[at] == pytest.approx(-0.8 * FULL_SCALE)


def _boxcar(old: Recording, new: Recording) -> None:
    added = counts(new) - counts(old)
    assert part(added, 2.0, 5.0) == pytest.approx(0.2 * FULL_SCALE, abs=1.0)
    assert np.flatnonzero(added).tolist() == list(range(700, 1000))


def _recentering(old: Recording, new: Recording) -> None:
    added = counts(new) - counts(old)
    assert not added[:700].any()
    assert added[710] == pytest.approx(0.5 * FULL_SCALE, rel=1e-3)
    assert 0.0 < added[-1] < added[1000] < added[950]


def _sine(old: Recording, new: Recording) -> None:
    added = part(counts(new) - counts(old), 2.0, 5.0)
    spectrum = np.abs(np.fft.rfft(added))
    assert np.argmax(spectrum) == 6  # 2 Hz in 3 s
    assert np.abs(added).max() == pytest.approx(0.1 * FULL_SCALE, rel=0.01)


def _step(old: Recording, new: Recording) -> None:
    added = counts(new) - counts(old)
    assert not added[:700].any()
    assert part(added, 3.0, 5.0) == pytest.approx(0.1 * FULL_SCALE, rel=1e-3)
    assert abs(added[-1]) < 1.0


def _clipping(old: Recording, new: Recording) -> None:
    limit = 0.05 * 213_979.5
    assert np.abs(counts(old)).max() > 2.0 * limit
    assert np.abs(counts(new)).max() == np.rint(limit)
    inside = np.abs(counts(old)) < limit
    np.testing.assert_array_equal(counts(new)[inside], counts(old)[inside])


def _noise_drop(old: Recording, new: Recording) -> None:
    assert np.std(part(counts(new), 2.0, 5.0)) < 0.01 * np.std(counts(old))
    np.testing.assert_array_equal(part(counts(new), 5.0, 9.0), part(counts(old), 5.0, 9.0))


def _dead(old: Recording, new: Recording) -> None:
    assert np.unique(part(counts(new, letter="E"), 2.0, 15.0)).size == 1
    np.testing.assert_array_equal(counts(new), counts(old))


def _missing(old: Recording, new: Recording) -> None:
    assert np.isnan(counts(new, letter="E")).all()
    (hit,) = [one for one in new.stations if one.code == HIT]
    assert [c.component for c in hit.channels] == [Component.VERTICAL, Component.HORIZONTAL_1]
    np.testing.assert_array_equal(counts(new), counts(old))


def _garbage(old: Recording, new: Recording) -> None:
    inside = part(counts(new), 2.0, 5.0)
    assert (inside == 0.0).any()
    assert np.abs(inside).max() > 0.5 * FULL_SCALE
    np.testing.assert_array_equal(part(counts(new), 5.0, 9.0), part(counts(old), 5.0, 9.0))


def _silent(old: Recording, new: Recording) -> None:
    for letter in "ZNE":
        assert np.flatnonzero(np.isnan(counts(new, letter=letter)))[0] == 700


def _gain(old: Recording, new: Recording) -> None:
    before, after = (
        next(one for one in each.stations if one.code == HIT).channels[0].sensitivity
        for each in (old, new)
    )
    assert before / after == pytest.approx(10.0)


def _polarity(old: Recording, new: Recording) -> None:
    for letter in "ZNE":
        np.testing.assert_array_equal(counts(new, letter=letter), -counts(old, letter=letter))


def _place(case: Recording, code: str = HIT) -> tuple[float, float]:
    return next((one.lat, one.lon) for one in case.stations if one.code == code)


def _moved(old: Recording, new: Recording) -> None:
    off_km = epicentral_distance_km(*_place(old), *_place(new))
    assert off_km == pytest.approx(30.0, abs=0.01)
    assert _place(new)[1] > _place(old)[1]  # to the east


def _swapped(old: Recording, new: Recording) -> None:
    assert _place(new) == _place(old)[::-1]


def _exchanged(old: Recording, new: Recording) -> None:
    assert _place(new, "XX.AAA") == _place(old, "XX.BBB")
    assert _place(new, "XX.BBB") == _place(old, "XX.AAA")


def _jolt(old: Recording, new: Recording) -> None:
    added = counts(new) - counts(old)
    assert not added[:700].any()
    assert np.abs(added[700:730]).max() > 5e4
    assert np.abs(added[900:]).max() <= 1.0


def _burst(old: Recording, new: Recording) -> None:
    added = counts(new) - counts(old)
    assert np.abs(added[700:1000]).max() == pytest.approx(0.5 * 213_979.5, rel=0.01)
    assert not added[:700].any()
    assert not added[1000:].any()


def _noisy(old: Recording, new: Recording) -> None:
    added = counts(new) - counts(old)
    assert np.std(added) == pytest.approx(0.1 * 213_979.5, rel=0.01)


def _far(old: Recording, new: Recording) -> None:
    for code in PLACES:
        added = counts(new, code) - counts(old, code)
        # the wave is at the middle of the network at +2 s, at the others 4 s around it at most
        assert np.abs(added[:300]).max() <= 1.0
        assert np.abs(added[1000:]).max() > 10.0


DATA: dict[str, tuple[str, Callable[[Recording, Recording], None]]] = {
    "gaps": ("at_s = 2.0\nlasts_s = 1.0\nnumber = 3\nwithin_s = 8.0", _gaps),
    "stuck": ("at_s = 2.0\nlasts_s = 3.0", _stuck),
    "spike": ("at_s = 2.0\nsize_share = -0.8", _spike),
    "boxcar": ("at_s = 2.0\nlasts_s = 3.0", _boxcar),
    "recentering": ("at_s = 2.0\nsize_share = 0.5", _recentering),
    "calibration_sine": ("at_s = 2.0\nlasts_s = 3.0\nfrequency_hz = 2.0", _sine),
    "calibration_step": ("at_s = 2.0\nlasts_s = 3.0", _step),
    "clipping": ("limit = 0.05", _clipping),
    "noise_drop": ("at_s = 2.0\nlasts_s = 3.0", _noise_drop),
    "dead_component": ('component = "horizontal_2"\nat_s = 2.0', _dead),
    "dead_component missing": ('component = "horizontal_2"\nmissing = true', _missing),
    "garbage": ("at_s = 2.0\nlasts_s = 3.0", _garbage),
    "silent": ("at_s = 2.0", _silent),
    "gain_error": ("factor = 10.0", _gain),
    "polarity": ("", _polarity),
    "moved_coordinates": ("distance_km = 30.0\nazimuth_deg = 90.0", _moved),
    "swapped_coordinates": ("", _swapped),
    "lightning": ("at_s = 2.0\npeak_mps2 = 1.0", _jolt),
    "urban_burst": ("at_s = 2.0\nlasts_s = 3.0\npeak_mps2 = 0.5", _burst),
    "mass_motion": ("at_s = 2.0\nlasts_s = 3.0\npeak_mps2 = 0.5", _burst),
    "noisy_ground": ("rms_mps2 = 0.1", _noisy),
}


@pytest.mark.parametrize("name", DATA)
def test_a_fault_of_the_records_is_seen_in_them_and_nowhere_else(
    case: Recording, name: str
) -> None:
    kind = name.split()[0]
    figures, seen = DATA[name]
    table = f'kind = "{kind}"\n{ONE}\n{figures}'
    before = [one.samples.copy() for one in case.segments]
    new = broken(case, table)

    seen(case, new)
    for code in set(PLACES) - {HIT}:
        for letter in "ZNE":
            np.testing.assert_array_equal(counts(new, code, letter), counts(case, code, letter))
        assert _place(new, code) == _place(case, code)
    for one, kept in zip(case.segments, before, strict=True):
        np.testing.assert_array_equal(one.samples, kept)


def test_two_stations_exchange_their_places(case: Recording) -> None:
    new = broken(case, 'kind = "exchanged_coordinates"\nstations = ["XX.AAA", "XX.BBB"]')
    _exchanged(case, new)
    assert _place(new, "XX.CCC") == _place(case, "XX.CCC")


def test_a_far_quake_crosses_the_whole_network(case: Recording) -> None:
    _far(case, broken(case, 'kind = "teleseism"\nat_s = 2.0\npeak_displacement_m = 0.01'))


def test_a_region_goes_dark_station_by_station_as_s_comes(case: Recording) -> None:
    new = broken(case, 'kind = "region_dark"\nwithin_km = 30.0\nafter_s_wave_s = 0.5')
    for code in ("XX.AAA", "XX.BBB"):
        away_km = float(epicentral_distance_km(40.0, 30.0, *PLACES[code]))
        s_s = float(TravelTimes.load().s_s(np.array([away_km]), 10.0)[0])
        first = np.flatnonzero(np.isnan(counts(new, code)))[0]
        assert first / RATE_HZ == pytest.approx(ZERO_S + s_s + 0.5, abs=0.011)
    assert not np.isnan(counts(new, "XX.CCC")).any()  # 51 km away


def test_every_kind_is_tested_here() -> None:
    tested = {name.split()[0] for name in DATA} | {
        "exchanged_coordinates",
        "teleseism",
        "region_dark",
    }
    kinds = {str(one.__struct_config__.tag) for one in get_args(DataFault)}
    assert kinds == tested
    assert {str(one.__struct_config__.tag) for one in get_args(LinkFault)} == set(LINK)


# ---------------------------------------------------------------- on the way
def delivered(
    case: Recording, *tables: str, link: LinkSpec | None = None, seed: int = SEED
) -> list[tuple[int, Packet]]:
    link = link or LinkSpec(fixed_s=0.3)
    schedule = Schedule(case, link.packet_s, delay_of(link, seed), seed=seed)
    steps = apply_link(schedule, link, faults(*tables), case, zero=ZERO, seed=seed)
    found = [(step.now_ns, packet) for step in steps for packet in step.packets]
    assert [t for t, _ in found] == sorted(t for t, _ in found)
    return found


def key(found: tuple[int, Packet]) -> tuple[str, int]:
    return str(found[1].stream_id), found[1].start_ns


def _lost(old: list[tuple[int, Packet]], new: list[tuple[int, Packet]]) -> None:
    gone = {key(one) for one in old} - {key(one) for one in new}
    due = {key(one): (one[0] - ZERO.at_ns) / S for one in old}
    assert 0.2 < len(gone) / sum(2.0 <= due[key(one)] < 8.0 for one in old) < 0.8
    assert all(2.0 <= due[one] < 8.0 for one in gone)


def _late(old: list[tuple[int, Packet]], new: list[tuple[int, Packet]]) -> None:
    assert Counter(map(key, new)) == Counter(map(key, old))
    order = [start for stream, start in map(key, new) if stream == f"{HIT}..HNZ"]
    assert order != sorted(order)


def _doubled(old: list[tuple[int, Packet]], new: list[tuple[int, Packet]]) -> None:
    seen = Counter(map(key, new))
    assert set(seen) == set(map(key, old))
    assert 0.2 < sum(n == 2 for n in seen.values()) / len(seen) < 0.8


def _held(old: list[tuple[int, Packet]], new: list[tuple[int, Packet]]) -> None:
    assert Counter(map(key, new)) == Counter(map(key, old))
    times = [(t - ZERO.at_ns) / S for t, _ in new]
    assert not any(2.0 <= t < 8.0 for t in times)
    assert sum(t == 8.0 for t in times) == pytest.approx(36, abs=3)  # 6 s of half-second packets


def _offset(old: list[tuple[int, Packet]], new: list[tuple[int, Packet]]) -> None:
    for (t, before), (u, after) in zip(old, new, strict=True):
        assert t == u
        moved = 1.5 if (t - ZERO.at_ns) / S >= 2.0 else 0.0
        assert (after.start_ns - before.start_ns) / S == pytest.approx(moved)


def _drift(old: list[tuple[int, Packet]], new: list[tuple[int, Packet]]) -> None:
    for (t, before), (u, after) in zip(old, new, strict=True):
        assert t == u
        since_s = max((before.start_ns - ZERO.at_ns) / S - 2.0, 0.0)
        assert (after.start_ns - before.start_ns) / S == pytest.approx(1e-3 * since_s, abs=2e-9)


Deliveries = list[tuple[int, Packet]]
LINK: dict[str, tuple[str, Callable[[Deliveries, Deliveries], None]]] = {
    "loss": ("loss_share = 0.5\nfrom_s = 2.0\nuntil_s = 8.0", _lost),
    "reorder": ("late_share = 0.5\nmost_s = 3.0", _late),
    "duplicates": ("again_share = 0.5", _doubled),
    "outage": ("from_s = 2.0\nuntil_s = 8.0", _held),
    "clock_offset": ("offset_s = 1.5\nfrom_s = 2.0", _offset),
    "clock_drift": ("drift_ppm = 1000.0\nfrom_s = 2.0", _drift),
}


@pytest.mark.parametrize("kind", LINK)
def test_a_fault_of_the_link_is_seen_in_what_arrives(case: Recording, kind: str) -> None:
    figures, seen = LINK[kind]
    old, new = delivered(case), delivered(case, f'kind = "{kind}"\n{ONE}\n{figures}')

    def of(found: Deliveries, hit: bool) -> Deliveries:
        return [one for one in found if (one[1].stream_id.station_code == HIT) is hit]

    seen(of(old, True), of(new, True))
    assert [(t, key((t, p))) for t, p in of(new, False)] == [
        (t, key((t, p))) for t, p in of(old, False)
    ]


@pytest.mark.parametrize("until", ["until_s = 8.0\n", ""])
def test_a_backlog_can_be_lost(case: Recording, until: str) -> None:
    table = f'kind = "outage"\n{ONE}\nfrom_s = 2.0\n{until}backlog = "lost"'
    times = [
        (t - ZERO.at_ns) / S for t, p in delivered(case, table) if p.stream_id.station_code == HIT
    ]
    assert not any(2.0 <= t < 8.0 for t in times)
    assert any(t > 8.0 for t in times) is bool(until)
    assert max(times, default=0.0) < (16.0 if until else 2.0)


def test_the_profile_of_a_link_is_seen_in_what_arrives(case: Recording) -> None:
    base = delivered(case)
    due = {key(one): one[0] for one in base}
    outage = Outage(all=True, from_s=1.0, until_s=4.0)
    jitter = delivered(case, link=LinkSpec(fixed_s=0.3, jitter_s=0.4))
    late_s = np.array([(t - due[key((t, p))]) / S for t, p in jitter])
    assert 0.0 <= late_s.min() < 0.05
    assert 0.3 < late_s.max() <= 0.4
    for code in PLACES:
        order = [p.start_ns for _, p in jitter if str(p.stream_id) == f"{code}..HNZ"]
        assert order == sorted(order)
    lossy = delivered(case, link=LinkSpec(fixed_s=0.3, loss_share=0.2))
    assert len(lossy) / len(base) == pytest.approx(0.8, abs=0.1)
    twice = delivered(case, link=LinkSpec(fixed_s=0.3, duplicate_share=0.2))
    assert len(twice) / len(base) == pytest.approx(1.2, abs=0.1)
    dark = delivered(case, link=LinkSpec(fixed_s=0.3, outage=(outage,)))
    assert not any(1.0 <= (t - ZERO.at_ns) / S < 4.0 for t, _ in dark)
    assert Counter(map(key, dark)) == Counter(map(key, base))


# ---------------------------------------------------------------- chance
CHANCY = (
    'kind = "gaps"\nall = true\nat_s = 1.0\nlasts_s = 0.5\nnumber = 4\nwithin_s = 10.0',
    'kind = "garbage"\nshare = 0.5\nat_s = 1.0\nlasts_s = 2.0',
    'kind = "urban_burst"\nall = true\nat_s = 2.0\nlasts_s = 3.0\npeak_mps2 = 0.5',
)


def samples(case: Recording) -> list[tuple[str, int, bytes]]:
    return [(str(s.stream_id), s.start_ns, s.samples.tobytes()) for s in case.segments]


def digest(case: Recording) -> str:
    return hashlib.sha256(repr(samples(case)).encode()).hexdigest()


def test_the_same_seed_breaks_the_same_bytes_and_another_seed_others(case: Recording) -> None:
    assert samples(broken(case, *CHANCY)) == samples(broken(case, *CHANCY))
    assert samples(broken(case, *CHANCY)) != samples(broken(case, *CHANCY, seed=SEED + 1))
    table = 'kind = "loss"\nall = true\nloss_share = 0.5'
    first, again, other = (
        [key(one) for one in delivered(case, table, seed=s)] for s in (SEED, SEED, SEED + 1)
    )
    assert first == again
    assert first != other


def test_another_process_breaks_the_same_bytes(case: Recording) -> None:
    """Python's own hashes differ from process to process; nothing here may hang on them."""
    code = (
        "import tests.unit.test_fault_script as t\nprint(t.digest(t.broken(t.noise(), *t.CHANCY)))"
    )
    root = str(Path(simulator.__file__).parents[1])
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": root},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == digest(broken(case, *CHANCY))


def test_another_fault_changes_nothing_for_the_others(case: Recording) -> None:
    alone = broken(case, CHANCY[2])
    among = broken(case, 'kind = "polarity"\nstations = ["XX.CCC"]', CHANCY[2])
    assert [one for one in samples(among) if "CCC" not in one[0]] == [
        one for one in samples(alone) if "CCC" not in one[0]
    ]


def test_two_faults_of_one_kind_have_luck_of_their_own(case: Recording) -> None:
    one, two = (
        counts(broken(case, *tables)) - counts(case)
        for tables in ((CHANCY[2],), (CHANCY[2], CHANCY[2]))
    )
    assert np.abs(two - 2.0 * one).max() > 1000.0


def test_stations_are_chosen_by_where_they_are_not_by_where_they_are_said_to_be(
    case: Recording,
) -> None:
    moved = 'kind = "moved_coordinates"\nstations = ["XX.AAA"]\ndistance_km = 500.0'
    new = broken(case, moved, 'kind = "polarity"\nnearest = 1')
    np.testing.assert_array_equal(counts(new, "XX.AAA"), -counts(case, "XX.AAA"))


def test_kinds_have_the_names_that_a_file_has(case: Recording) -> None:
    assert [kind_of(one) for one in faults(*CHANCY)] == ["gaps", "garbage", "urban_burst"]
