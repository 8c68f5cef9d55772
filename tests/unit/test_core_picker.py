"""Triggers, onsets and gates: what becomes a pick, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, lfilter

from eew.core.bank import Judged, StationBank
from eew.model.waveform import SensorKind
from tests.unit.core_cases import (
    Floats,
    accepted,
    burst,
    config,
    make_station,
    noise,
    quake_record,
    run_bank,
    to_counts,
)

RATES_HZ = (30.061, 100.0, 200.0, 250.0)
SEEDS = range(6)
COUNTS = 2.0**24  # per m/s**2: finer than any noise below
PICKER = config().processing.picker

Maker = Callable[[np.random.Generator, float], Floats]


def judged_of(
    motion: Floats,
    rate_hz: float,
    *,
    components: str = "ZNE",
    kind: SensorKind = SensorKind.ACCELERATION,
) -> list[Judged]:
    station = make_station(rate_hz=rate_hz, sensitivity=COUNTS, components=components, kind=kind)
    return run_bank(to_counts(motion, COUNTS), station)[1]


def quiet(rng: np.random.Generator, rate_hz: float, rms_mps2: float = 1e-4) -> Floats:
    return noise(rng, 24.0, rate_hz, rms_mps2=rms_mps2)


def with_burst(
    rng: np.random.Generator, rate_hz: float, at_s: float, zne_mps2: tuple[float, float, float]
) -> Floats:
    motion = quiet(rng, rate_hz)
    return motion + burst(rng, motion.shape[1], rate_hz, at_s, zne_mps2)


# ---------------------------------------------------------------- P waves are picked
@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("p_mps2", [0.002, 0.05, 3.0])
def test_a_p_wave_is_picked_once_and_where_it_begins(rate_hz: float, p_mps2: float) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        motion = with_burst(rng, rate_hz, 10.0, (p_mps2, 0.4 * p_mps2, 0.4 * p_mps2))
        picks = accepted(judged_of(motion, rate_hz))

        assert [round(p.onset / rate_hz, 1) for p in picks] == [10.0]
        assert picks[0].decided / rate_hz - 10.0 < 0.45
        assert picks[0].uncertainty_s < 0.2
        assert picks[0].snr > PICKER["min_snr"]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_onset_is_right_to_two_samples_at_ten_times_the_noise(rate_hz: float) -> None:
    away = []
    for seed in range(20):
        motion = quiet(np.random.default_rng(seed), rate_hz)
        onset = round(10.0 * rate_hz)
        motion[0, onset:] *= 10.0
        away.append(abs(accepted(judged_of(motion, rate_hz))[0].onset - onset))

    assert np.percentile(away, 85) <= 2  # the first samples of noise can be small by chance
    assert max(away) <= 4


def test_an_emergent_wave_is_picked_within_its_first_period() -> None:
    rate_hz = 100.0
    t = np.arange(2400) / rate_hz - 10.0
    for seed in SEEDS:
        motion = quiet(np.random.default_rng(seed), rate_hz)
        rising = np.where(t >= 0.0, np.minimum(t, 3.0) * np.sin(2.0 * np.pi * 3.0 * t), 0.0)
        motion += 0.02 * np.outer((1.0, 0.4, -0.3), rising)
        picks = accepted(judged_of(motion, rate_hz))

        assert -0.05 <= picks[0].onset / rate_hz - 10.0 <= 0.33


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_station_counts_four_seconds_after_its_first_sample(rate_hz: float) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        picks = accepted(judged_of(with_burst(rng, rate_hz, 4.2, (0.02, 0.008, 0.008)), rate_hz))

        assert round(picks[0].onset / rate_hz, 1) == 4.2


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_and_again_four_seconds_after_a_restart(rate_hz: float) -> None:
    rng = np.random.default_rng(3)
    bank = StationBank([make_station(rate_hz=rate_hz)], config().processing)
    before = quake_record(rng, rate_hz=rate_hz, seconds=14.0, s_at_s=None)
    after = quake_record(rng, rate_hz=rate_hz, seconds=10.0, p_at_s=4.2, s_at_s=None)
    first = bank.process([0], [(before, np.zeros(before.shape[1], dtype=np.uint8))])
    pga = bank.peaks(0)[0]
    bank.restart(0)
    second = bank.process([0], [(after, np.zeros(after.shape[1], dtype=np.uint8))])

    assert [p.number for p in accepted(first)] == [1]
    assert [p.number for p in accepted(second)] == [2]
    assert accepted(second)[0].onset / rate_hz == pytest.approx(4.2, abs=0.05)
    assert not bank.slot_holds(0, accepted(first)[0].slot, 1)  # forgotten with the filters
    assert bank.slot_holds(0, accepted(second)[0].slot, 2)
    assert bank.peaks(0)[0] >= pga  # what the ground did stays known


def test_a_second_wave_within_the_dead_time_is_the_same_pick() -> None:
    rng = np.random.default_rng(5)
    motion = with_burst(rng, 100.0, 10.0, (0.01, 0.004, 0.004))
    motion += burst(rng, motion.shape[1], 100.0, 10.9, (0.5, 0.2, 0.2))

    assert len(accepted(judged_of(motion, 100.0))) == 1


def test_one_horizontal_less_or_none_still_picks() -> None:
    motion = with_burst(np.random.default_rng(2), 100.0, 10.0, (0.02, 0.008, 0.008))
    for components in ("Z", "ZN", "ZE"):
        assert len(accepted(judged_of(motion, 100.0, components=components))) == 1


def test_without_a_vertical_there_are_no_picks_but_peaks() -> None:
    motion = with_burst(np.random.default_rng(2), 100.0, 10.0, (0.02, 0.3, 0.3))
    station = make_station(components="NE", sensitivity=COUNTS)
    bank, judged = run_bank(to_counts(motion, COUNTS), station)

    assert judged == []
    assert bank.peaks(0)[0] > 0.3


# ---------------------------------------------------------------- a start is no onset
def offset_of_one_g(rng: np.random.Generator, rate_hz: float) -> Floats:
    return quiet(rng, rate_hz) + 9.81


def drift(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    return motion + 0.01 * np.arange(motion.shape[1]) / rate_hz


def shaking_from_before(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    n = motion.shape[1]
    dies = np.exp(-np.arange(n) / rate_hz / rng.uniform(2.0, 8.0))
    return motion + rng.normal(0.0, 0.1, (3, n)) * dies


def slow_shaking_from_before(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    n = motion.shape[1]
    low = lfilter(*butter(2, 3.0, fs=rate_hz), rng.normal(0.0, 0.1, (3, n)), axis=1)
    shaking: Floats = motion + low * np.exp(-np.arange(n) / rate_hz / 6.0)
    return shaking


def surface_waves_from_before(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    t = np.arange(motion.shape[1]) / rate_hz
    return motion + 0.05 * np.sin(2.0 * np.pi * t / 4.0 + rng.uniform(0.0, 6.0)) * np.exp(-t / 20.0)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(
    "make",
    [
        quiet,
        offset_of_one_g,
        drift,
        shaking_from_before,
        slow_shaking_from_before,
        surface_waves_from_before,
    ],
)
@pytest.mark.parametrize("kind", [SensorKind.ACCELERATION, SensorKind.VELOCITY])
def test_a_start_makes_no_pick_of_its_own(make: Maker, rate_hz: float, kind: SensorKind) -> None:
    for seed in SEEDS:
        motion = make(np.random.default_rng(seed), rate_hz)
        assert accepted(judged_of(motion, rate_hz, kind=kind)) == []


# ---------------------------------------------------------------- gates refuse nuisances
def spike_on_one(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    motion[0, round(10.0 * rate_hz)] += 0.3
    return motion


def spike_on_all(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    motion[:, round(10.0 * rate_hz)] -= 8.0
    return motion


def boxcar(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz, rms_mps2=1e-5)
    motion[0, round(10.0 * rate_hz) : round(11.0 * rate_hz)] += 0.02
    return motion


def recentring(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    t = np.arange(motion.shape[1]) / rate_hz - 10.0
    return motion + np.where(t >= 0.0, 0.5 * np.exp(-np.maximum(t, 0.0) / 3.0), 0.0)


def too_small(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz, rms_mps2=1e-7)
    return motion + burst(rng, motion.shape[1], rate_hz, 10.0, (4e-6, 2e-6, 2e-6))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (spike_on_one, "spike"),
        (spike_on_all, "spike"),
        (boxcar, "boxcar"),
        (recentring, "boxcar"),
        (too_small, "range"),
    ],
)
def test_a_gate_refuses_its_nuisance(make: Maker, reason: str, rate_hz: float) -> None:
    for seed in SEEDS:
        judged = judged_of(make(np.random.default_rng(seed), rate_hz), rate_hz)

        assert accepted(judged) == []
        assert reason in {j.reason for j in judged}
        assert all(j.slot == -1 and j.number == 0 for j in judged)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_wave_that_is_horizontal_first_is_refused(rate_hz: float) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        judged = judged_of(with_burst(rng, rate_hz, 10.0, (0.01, 0.1, 0.1)), rate_hz)
        first_second = [j for j in judged if 9.9 <= j.onset / rate_hz <= 11.0]

        assert "horizontal_first" in {j.reason for j in first_second}
        assert accepted(first_second) == []


def test_too_few_zero_crossings_are_refused_where_the_operator_asks_for_some() -> None:
    motion = quiet(np.random.default_rng(1), 100.0, rms_mps2=1e-5)
    t = np.arange(motion.shape[1]) / 100.0 - 10.0
    slow = np.where(t >= 0.0, 0.02 * np.sin(2.0 * np.pi * 0.7 * t), 0.0)
    motion += np.outer((1.0, 0.4, 0.3), slow)
    counts = to_counts(motion, COUNTS)
    station = make_station(sensitivity=COUNTS)
    reasons = []
    for wanted in (0, 3):
        settings = replace(config().processing, picker={**PICKER, "min_zero_crossings": wanted})
        bank = StationBank([station], settings)
        judged = bank.process([0], [(counts, np.zeros(counts.shape[1], dtype=np.uint8))])
        reasons.append(judged[0].reason)

    assert reasons == ["accepted", "zero_crossings"]


def test_a_p_wave_soon_after_a_refused_spike_is_picked() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        motion = spike_on_one(rng, 100.0)
        motion += burst(rng, motion.shape[1], 100.0, 12.0, (0.5, 0.2, 0.2))
        picks = accepted(judged_of(motion, 100.0))

        assert [round(p.onset / 100.0, 1) for p in picks] == [12.0]


def bridged(
    rng: np.random.Generator, rate_hz: float, step_mps2: float, *, held: bool
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """A second of made-up samples with another level behind it, and its flags."""
    motion = quiet(rng, rate_hz)
    lo, hi = round(10.0 * rate_hz), round(11.0 * rate_hz)
    motion[:, hi:] += step_mps2
    for c in range(3):
        end = motion[c, lo - 1] if held else motion[c, hi]
        motion[c, lo:hi] = np.linspace(motion[c, lo - 1], end, hi - lo)
    filled = np.zeros(motion.shape[1], dtype=np.uint8)
    filled[lo:hi] = 1
    return motion, filled


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("step_mps2", [0.0, 1e-3, 1.0])
def test_the_edge_of_a_gap_is_no_onset(rate_hz: float, held: bool, step_mps2: float) -> None:
    for seed in SEEDS:
        motion, filled = bridged(np.random.default_rng(seed), rate_hz, step_mps2, held=held)
        station = make_station(rate_hz=rate_hz, sensitivity=COUNTS)
        _, judged = run_bank(to_counts(motion, COUNTS), station, filled=filled)

        assert accepted(judged) == []
        assert {j.reason for j in judged} <= {"gap", "boxcar", "weak", "spike"}


def test_a_p_wave_after_a_bridged_gap_is_picked() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        motion, filled = bridged(rng, 100.0, 0.0, held=False)
        motion += burst(rng, motion.shape[1], 100.0, 12.0, (0.05, 0.02, 0.02))
        station = make_station(sensitivity=COUNTS)
        _, judged = run_bank(to_counts(motion, COUNTS), station, filled=filled)

        assert [round(p.onset / 100.0, 1) for p in accepted(judged)] == [12.0]


# ---------------------------------------------------------------- what may not matter
def same(a: list[Judged], b: list[Judged]) -> bool:
    def rows(judged: list[Judged]) -> list[tuple[object, ...]]:
        return [(j.onset, j.decided, j.reason, j.snr, j.h_to_z) for j in judged]

    return rows(a) == rows(b)


@pytest.mark.parametrize("kind", [SensorKind.ACCELERATION, SensorKind.VELOCITY])
def test_gain_and_counts_scaled_together_change_nothing(
    kind: SensorKind, rng: np.random.Generator
) -> None:
    counts = quake_record(rng)
    bank, judged = run_bank(counts, make_station(kind=kind))
    for factor in (2.0**-7, 2.0**9, -(2.0**3)):  # powers of two: exact
        station = make_station(kind=kind, sensitivity=2.0**20 * factor)
        other, again = run_bank(counts * factor, station)

        assert same(judged, again)
        np.testing.assert_array_equal(other.state.series, bank.state.series)
        assert other.peaks(0) == bank.peaks(0)


def test_polarity_changes_nothing(rng: np.random.Generator) -> None:
    counts = quake_record(rng)
    bank, judged = run_bank(counts)
    other, again = run_bank(-counts)

    assert same(judged, again)
    np.testing.assert_array_equal(other.state.series, bank.state.series)
    assert other.peaks(0) == bank.peaks(0)


def test_an_offset_moves_no_pick(rng: np.random.Generator) -> None:
    counts = quake_record(rng)
    _, judged = run_bank(counts)
    _, moved = run_bank(counts + 2.0**23)

    assert [j.onset for j in accepted(judged)] == [j.onset for j in accepted(moved)]


# ---------------------------------------------------------------- clipping
def smooth_record(rng: np.random.Generator, **parts: float) -> Floats:
    """Counts of a quake without steps from sample to sample that no ground makes."""
    low: Floats = np.round(lfilter(*butter(2, 8.0, fs=100.0), quake_record(rng, **parts), axis=1))
    return low


def test_counts_over_the_limit_are_clipped_and_held_for_half_a_minute(
    rng: np.random.Generator,
) -> None:
    counts = smooth_record(rng, seconds=60.0, s_at_s=14.0)
    limit = 0.6 * np.abs(counts).max()
    bank, judged = run_bank(counts[:, :2000], make_station(clip_counts=limit))
    pick = accepted(judged)[0]
    clipped_at = int(np.flatnonzero(np.abs(counts).max(axis=0) >= limit)[0])

    assert bank.is_clipped(0)
    growing = bank.growing(0, pick.slot)
    assert growing.clipped_from == (clipped_at - pick.onset) // 10
    free = int(np.flatnonzero(np.abs(counts).max(axis=0) >= limit)[-1])
    free += round(PICKER["clip_hold_s"] * 100.0)
    assert 3000 < free < 6000
    for lo, hi in ((2000, free), (free, 6000)):
        assert bank.is_clipped(0)
        block = np.ascontiguousarray(counts[:, lo:hi])
        bank.process([0], [(block, np.zeros(hi - lo, dtype=np.uint8))])
    assert not bank.is_clipped(0)


def test_a_flat_top_is_clipped_without_a_known_limit(rng: np.random.Generator) -> None:
    n = 2400
    t = np.arange(n) / 100.0 - 10.0
    wave = np.where(t >= 0.0, np.sin(2.0 * np.pi * 1.2 * t) * np.exp(-np.maximum(t, 0.0) / 5.0), 0)
    motion = noise(rng, 24.0, 100.0) + 0.5 * wave
    top = np.clip(motion, -0.2, 0.2)
    whole, _ = run_bank(to_counts(motion))
    cut, _ = run_bank(to_counts(top))

    assert not whole.is_clipped(0)
    assert cut.is_clipped(0)


def test_a_coarse_recorder_in_quiet_is_not_clipped() -> None:
    # least significant bit above the noise: the same small count for seconds
    rng = np.random.default_rng(11)
    counts = np.round(rng.normal(0.0, 0.3, (3, 3000)))
    bank, judged = run_bank(counts, make_station(sensitivity=1000.0))

    assert not bank.is_clipped(0)
    assert accepted(judged) == []


def test_peaks_until_the_clipping_stay_usable(rng: np.random.Generator) -> None:
    counts = smooth_record(rng, p_at_s=10.0, s_at_s=15.0)
    limit = 1.2 * np.abs(counts[:, :1480]).max()
    bank, judged = run_bank(counts, make_station(clip_counts=limit))
    growing = bank.growing(0, accepted(judged)[0].slot)

    assert 45 <= growing.clipped_from <= 60
