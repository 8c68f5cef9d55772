"""What is no motion of the ground: broken telemetry, calibrations, jolts, deaf sensors, chatter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from eew.core.bank import Judged, StationBank
from eew.model.waveform import SensorKind
from tests.unit.core_cases import (
    Floats,
    accepted,
    burst,
    config,
    make_station,
    noise,
    run_bank,
    to_counts,
)

RATES_HZ = (31.25, 100.0, 250.0)
SEEDS = range(4)
COUNTS = 2.0**20  # per m/s**2; 24 bits are then 8 m/s**2
FULL = 2.0**23
HOLD = config().processing.quarantine

Maker = Callable[[np.random.Generator, float], Floats]


def quiet(rng: np.random.Generator, rate_hz: float, seconds: float = 24.0) -> Floats:
    return noise(rng, seconds, rate_hz, rms_mps2=1e-4)


def since(motion: Floats, rate_hz: float, at_s: float) -> Floats:
    seconds: Floats = np.arange(motion.shape[1]) / rate_hz - at_s
    return seconds


def heard(
    motion: Floats, rate_hz: float, *, kind: SensorKind = SensorKind.ACCELERATION
) -> tuple[StationBank, list[Judged]]:
    station = make_station(rate_hz=rate_hz, sensitivity=COUNTS, clip_counts=FULL, kind=kind)
    return run_bank(to_counts(motion, COUNTS), station)


# ---------------------------------------------------------------- telemetry
def words(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    lo, hi = round(10.0 * rate_hz), round(11.0 * rate_hz)
    motion[:, lo:hi] = rng.uniform(-FULL, FULL, (3, hi - lo)) / COUNTS
    return motion


def words_on_one(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    motion[0] = words(rng, rate_hz)[0]
    return motion


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("make", [words, words_on_one])
def test_random_words_put_a_station_into_quarantine(make: Maker, rate_hz: float) -> None:
    for seed in SEEDS:
        bank, judged = heard(make(np.random.default_rng(seed), rate_hz), rate_hz)

        assert accepted(judged) == []
        assert bank.held_for(0) in {"telemetry", "calibration"}  # a vertical that moves alone


def test_a_spike_alone_is_no_broken_telemetry() -> None:
    motion = quiet(np.random.default_rng(1), 100.0)
    motion[:, 1000] = 6.0
    bank, judged = heard(motion, 100.0)

    assert bank.held_for(0) == ""
    assert "spike" in {j.reason for j in judged}


def test_strong_shaking_that_grows_may_jump() -> None:
    """White noise of 2.5 m/s2 at 31 Hz jumps over half of the range; P came before."""
    rng = np.random.default_rng(3)
    motion = quiet(rng, 31.25)
    n = motion.shape[1]
    motion += burst(rng, n, 31.25, 10.0, (0.5, 0.2, 0.2))
    motion += burst(rng, n, 31.25, 12.0, (2.0, 2.5, 2.5))
    bank, judged = heard(motion, 31.25)

    assert np.abs(np.diff(motion)).max() * COUNTS > HOLD["jump_share"] * FULL
    assert bank.held_for(0) == ""
    assert accepted(judged)[0].onset == pytest.approx(10.0 * 31.25, abs=2)


def test_quarantine_ends_by_itself_and_the_next_p_wave_is_picked() -> None:
    rng = np.random.default_rng(2)
    motion = quiet(rng, 100.0, 80.0)
    motion[:, 1000:1020] = rng.uniform(-FULL, FULL, (3, 20)) / COUNTS
    motion += burst(rng, motion.shape[1], 100.0, 60.0, (0.5, 0.2, 0.2))
    bank, judged = heard(motion, 100.0)

    assert [round(p.onset / 100.0, 1) for p in accepted(judged)] == [60.0]
    assert bank.held_for(0) == ""


def test_peaks_behind_broken_telemetry_are_not_used() -> None:
    rng = np.random.default_rng(4)
    motion = quiet(rng, 100.0)
    motion += burst(rng, motion.shape[1], 100.0, 10.0, (0.01, 0.004, 0.004))
    motion[:, 1200:1230] = rng.uniform(-0.9 * FULL, 0.9 * FULL, (3, 30)) / COUNTS
    bank, judged = heard(motion, 100.0)
    growing = bank.growing(0, accepted(judged)[0].slot)

    assert 19 <= growing.clipped_from <= 21
    assert growing.pa_mps2[growing.clipped_from - 2] < 0.1


# ---------------------------------------------------------------- calibration
def sine(frequency_hz: float) -> Maker:
    def make(rng: np.random.Generator, rate_hz: float) -> Floats:
        motion = quiet(rng, rate_hz)
        t = since(motion, rate_hz, 10.0)
        return motion + np.where(t >= 0.0, 0.1 * np.sin(2.0 * np.pi * frequency_hz * t), 0.0)

    return make


def step(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    return motion - 0.05 * np.expm1(-np.maximum(since(motion, rate_hz, 10.0), 0.0) / 0.05)


def vertical_alone(rng: np.random.Generator, rate_hz: float) -> Floats:
    motion = quiet(rng, rate_hz)
    motion[0] += sine(3.0)(rng, rate_hz)[0]
    return motion


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("make", [sine(0.2), sine(1.0), sine(5.0), step, vertical_alone])
def test_what_no_wave_does_to_three_components_is_a_calibration(
    make: Maker, rate_hz: float
) -> None:
    for seed in SEEDS:
        _, judged = heard(make(np.random.default_rng(seed), rate_hz), rate_hz)

        assert accepted(judged) == []
        assert {"calibration", "boxcar"} & {j.reason for j in judged}


@pytest.mark.parametrize("zne", [(1.0, 0.8, 0.8), (1.0, 1.0, 0.5), (1.0, 0.05, 0.04)])
def test_a_linearly_polarised_wave_is_no_calibration(zne: tuple[float, float, float]) -> None:
    """Of any direction but the one at equal angles to all three."""
    for seed in SEEDS:
        motion = quiet(np.random.default_rng(seed), 100.0)
        t = since(motion, 100.0, 10.0)
        wave = np.where(t >= 0.0, np.sin(2.0 * np.pi * 4.0 * t) * np.exp(-np.maximum(t, 0)), 0.0)
        _, judged = heard(motion + 0.1 * np.outer(zne, wave), 100.0)

        assert [round(p.onset / 100.0, 1) for p in accepted(judged)] == [10.0]


# ---------------------------------------------------------------- jolts
@pytest.mark.parametrize("rate_hz", RATES_HZ[1:])
def test_a_jolt_that_dies_within_half_a_second_is_an_impulse(rate_hz: float) -> None:
    refused = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        motion = quiet(rng, rate_hz)
        motion += burst(rng, motion.shape[1], rate_hz, 10.0, (0.3, 0.2, 0.2), lasts_s=0.08)
        _, judged = heard(motion, rate_hz)
        refused += not accepted(judged)

    assert refused >= 9  # by chance its random motion can seem to grow at first


# ---------------------------------------------------------------- the noise floor
def noisy_then_deaf(rng: np.random.Generator, deaf_s: float, *, floor: float = 1e-3) -> Floats:
    motion = noise(rng, 60.0 + deaf_s, 100.0, rms_mps2=0.003)
    motion[:, 3000 : 3000 + round(100.0 * deaf_s)] *= floor
    return motion


@pytest.mark.parametrize("deaf_s", [2.0, 10.0, 30.0, 50.0])
def test_the_noise_that_comes_back_is_no_onset(deaf_s: float) -> None:
    for seed in SEEDS:
        _, judged = heard(noisy_then_deaf(np.random.default_rng(seed), deaf_s), 100.0)

        assert accepted(judged) == []
        assert deaf_s <= 10.0 or "noise_floor" in {j.reason for j in judged}


def test_a_deaf_station_says_so_until_its_noise_is_back_for_ten_seconds() -> None:
    rng = np.random.default_rng(1)
    bank = StationBank([make_station(sensitivity=COUNTS)], config().processing)
    counts = to_counts(noisy_then_deaf(rng, 10.0), COUNTS)
    said = []
    for at in range(0, counts.shape[1], 100):
        block = np.ascontiguousarray(counts[:, at : at + 100])
        bank.process([0], [(block, np.zeros(100, dtype=np.uint8))])
        said.append(bank.held_for(0))

    assert said[:30] == [""] * 30
    assert said[31:50] == ["noise_floor"] * 19
    assert said[52:] == [""] * (len(said) - 52)


def test_a_station_that_stays_quiet_is_believed_after_a_minute() -> None:
    rng = np.random.default_rng(2)
    motion = noise(rng, 120.0, 100.0, rms_mps2=0.003)
    motion[:, 3000:] *= 0.01
    motion += burst(rng, motion.shape[1], 100.0, 110.0, (0.002, 0.0008, 0.0008))
    _, judged = heard(motion, 100.0)

    assert [round(p.onset / 100.0, 1) for p in accepted(judged)] == [110.0]


def test_a_strong_p_wave_is_heard_even_by_a_station_whose_noise_went() -> None:
    rng = np.random.default_rng(3)
    motion = noisy_then_deaf(rng, 30.0)
    motion += burst(rng, motion.shape[1], 100.0, 45.0, (0.5, 0.2, 0.2))
    _, judged = heard(motion, 100.0)

    assert 45.0 in [round(p.onset / 100.0, 1) for p in accepted(judged)]


def test_the_coda_of_a_quake_is_no_fall_of_the_floor() -> None:
    rng = np.random.default_rng(5)
    motion = quiet(rng, 100.0, 120.0)
    motion += burst(rng, motion.shape[1], 100.0, 10.0, (0.5, 0.2, 0.2), lasts_s=8.0)
    motion += burst(rng, motion.shape[1], 100.0, 100.0, (0.01, 0.004, 0.004))
    bank, judged = heard(motion, 100.0)

    assert "noise_floor" not in {j.reason for j in judged}
    assert 100.0 in [round(p.onset / 100.0, 1) for p in accepted(judged)]
    assert bank.held_for(0) == ""


# ---------------------------------------------------------------- chatter
def test_a_station_that_picks_all_the_time_is_not_heard_for_a_while() -> None:
    settings = replace(
        config().processing, quarantine={**HOLD, "chatter_picks": 5.0, "chatter_hold_s": 30.0}
    )
    rng = np.random.default_rng(1)
    motion = quiet(rng, 100.0, 120.0)
    for number in range(8):
        at_s = 10.0 + 4.0 * number
        wave = burst(rng, motion.shape[1], 100.0, at_s, (0.05, 0.02, 0.02), lasts_s=0.4)
        motion += 3.0**number * 0.01 * wave
    motion += burst(rng, motion.shape[1], 100.0, 100.0, (0.5, 0.2, 0.2))
    bank = StationBank([make_station(sensitivity=COUNTS)], settings)
    counts = to_counts(motion, COUNTS)
    judged = bank.process([0], [(counts, np.zeros(counts.shape[1], dtype=np.uint8))])

    assert len(accepted(judged)) <= 7
    assert "chatter" in {j.reason for j in judged}
    assert round(accepted(judged)[-1].onset / 100.0) == 100
