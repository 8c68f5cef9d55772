"""The filters of the kernel against scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, lfilter

from eew.core import layout as k
from eew.core.bank import GrowingPeaks, StationBank
from eew.model.waveform import SensorKind, Station
from tests.unit.core_cases import (
    COUNTS_PER_MPS2,
    Floats,
    accepted,
    burst,
    config,
    growing_of,
    make_station,
    noise,
    pieces_of,
    quake_record,
    run_bank,
    to_counts,
)

PROCESSING = config().processing
RATES_HZ = (31.25, 100.0, 250.0)


def motion_of(station: Station, counts: Floats) -> dict[str, Floats]:
    """What the kernel makes of counts, sample by sample, out of its ring."""
    bank = StationBank([station], PROCESSING)
    rows: list[Floats] = []
    done = 0
    for frames, filled in pieces_of(counts, 40):
        bank.process([0], [(frames, filled)])
        ring = bank.state.ring[0]
        at = np.arange(done, done + frames.shape[1]) % ring.shape[1]
        rows.append(ring[:, at].copy())
        done += frames.shape[1]
    ring_rows = np.concatenate(rows, axis=1)
    return {
        "az": ring_rows[k.RING_AZ],
        "a1": ring_rows[k.RING_A1],
        "a2": ring_rows[k.RING_A2],
        "vz": ring_rows[k.RING_VZ],
        "dz": ring_rows[k.RING_DZ],
    }


def highpass(x: Floats, corner_hz: float, rate_hz: float) -> Floats:
    b, a = butter(2, corner_hz, "highpass", fs=rate_hz)
    y: Floats = lfilter(b, a, x)
    return y


def integrate(x: Floats, rate_hz: float) -> Floats:
    """Trapezoid from rest: the sample before the first is 0."""
    y: Floats = np.cumsum(0.5 * (x + np.concatenate([[0.0], x[:-1]]))) / rate_hz
    return y


def without_baseline(x: Floats, rate_hz: float) -> Floats:
    """Running mean of field practice: plain over the first second, then of 60 s."""
    y = np.empty_like(x)
    base = x[0]
    for i, value in enumerate(x):
        base += (value - base) * (1.0 / (i + 1.0) if i < rate_hz else 1.0 / rate_hz / 60.0)
        y[i] = value - base
    return y


def reference(motion: Floats, rate_hz: float, kind: SensorKind) -> dict[str, Floats]:
    corner_hz = PROCESSING.highpass_hz
    result: dict[str, Floats] = {}
    for name, x in zip(("z", "1", "2"), motion, strict=True):
        if kind is SensorKind.VELOCITY:
            y = np.diff(x, prepend=x[0]) * rate_hz
        else:
            y = without_baseline(x, rate_hz)
        a = highpass(y, corner_hz, rate_hz)
        v = highpass(integrate(a, rate_hz), corner_hz, rate_hz)
        result[f"a{name}"], result[f"v{name}"] = a, v
    result["dz"] = highpass(integrate(result["vz"], rate_hz), corner_hz, rate_hz)
    result["wz"] = highpass(result["vz"], PROCESSING.pv_highpass_hz, rate_hz)
    return result


@pytest.mark.parametrize("kind", [SensorKind.ACCELERATION, SensorKind.VELOCITY])
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_motion_is_that_of_scipy(
    rate_hz: float, kind: SensorKind, rng: np.random.Generator
) -> None:
    motion = noise(rng, 30.0, rate_hz, rms_mps2=0.01) + np.array([[9.81], [-0.3], [0.1]])
    motion += burst(rng, motion.shape[1], rate_hz, 12.0, (0.5, 0.5, 0.5))
    motion += 0.02 * np.sin(2.0 * np.pi * 0.2 * np.arange(motion.shape[1]) / rate_hz)
    counts = to_counts(motion)
    got = motion_of(make_station(rate_hz=rate_hz, kind=kind), counts)
    wanted = reference(counts / COUNTS_PER_MPS2, rate_hz, kind)

    wanted["vz"] = wanted["wz"]  # the ring keeps the velocity that makes magnitudes
    for name in ("az", "a1", "a2", "vz", "dz"):
        scale = np.abs(wanted[name]).max()
        # three integrations with poles this near to 1 carry rounding on: 5e-9 at 250 Hz
        tolerance = 1e-9 if rate_hz <= 100.0 else 1e-8
        np.testing.assert_allclose(got[name], wanted[name], rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_peak_ground_motion_is_the_largest_after_the_warm_up(
    rate_hz: float, rng: np.random.Generator
) -> None:
    counts = quake_record(rng, rate_hz=rate_hz)
    counts[:, : round(2.0 * rate_hz)] *= 1000.0  # before the warm-up: not counted
    bank, _ = run_bank(counts, make_station(rate_hz=rate_hz))
    wanted = reference(counts / COUNTS_PER_MPS2, rate_hz, SensorKind.ACCELERATION)
    after = {name: x[int(PROCESSING.picker["warm_up_s"] * rate_hz) :] for name, x in wanted.items()}
    vector = {
        quantity: np.sqrt(sum(after[f"{quantity}{c}"] ** 2 for c in "z12")) for quantity in "av"
    }

    pga, pgv, pga_vector, pgv_vector = bank.peaks(0)
    assert pga == pytest.approx(max(np.abs(after["a1"]).max(), np.abs(after["a2"]).max()), 1e-9)
    assert pgv == pytest.approx(max(np.abs(after["v1"]).max(), np.abs(after["v2"]).max()), 1e-9)
    assert pga_vector == pytest.approx(vector["a"].max(), 1e-9)
    assert pgv_vector == pytest.approx(vector["v"].max(), 1e-9)


def test_growing_peaks_are_the_largest_of_each_tenth_of_a_second(rng: np.random.Generator) -> None:
    counts = quake_record(rng)
    bank, judged = run_bank(counts)
    pick = accepted(judged)[0]
    growing = growing_of(bank, pick)
    wanted = reference(counts / COUNTS_PER_MPS2, 100.0, SensorKind.ACCELERATION)

    for got, name in ((growing.pd_m, "dz"), (growing.pv_mps, "wz"), (growing.pa_mps2, "az")):
        for step in (0, 9, 39, len(got) - 1):
            window = np.abs(wanted[name][pick.onset : pick.onset + 10 * (step + 1)])
            assert got[step] == pytest.approx(window.max(), rel=1e-6)
        assert (np.diff(got) >= 0.0).all()
    horizontal = np.maximum(np.abs(wanted["v1"]), np.abs(wanted["v2"]))
    decided = pick.decided + 1
    assert growing.pgv_mps == pytest.approx(horizontal[decided:].max(), rel=1e-6)
    before = slice(pick.onset - 400, pick.onset - 20)
    assert growing.pd_noise_m == pytest.approx(np.abs(wanted["dz"][before]).max(), rel=1e-6)
    assert growing.pa_noise_mps2 == pytest.approx(np.abs(wanted["az"][before]).max(), rel=1e-6)


def test_peaks_of_an_older_pick_miss_no_sample_when_a_newer_is_judged() -> None:
    rng = np.random.default_rng(9)
    counts = noise(rng, 30.0, 100.0)
    for at_s, mps2 in ((8.0, 0.003), (14.0, 0.05), (20.0, 1.0)):
        counts += burst(rng, counts.shape[1], 100.0, at_s, (mps2, mps2, mps2), lasts_s=1.0)
    counts = to_counts(counts)
    bank, judged = run_bank(counts)
    wanted = reference(counts / COUNTS_PER_MPS2, 100.0, SensorKind.ACCELERATION)
    picks = accepted(judged)

    assert [round(p.onset / 100.0) for p in picks] == [8, 14, 20]
    for pick in picks:
        growing = growing_of(bank, pick)
        for got, name in ((growing.pd_m, "dz"), (growing.pv_mps, "wz"), (growing.pa_mps2, "az")):
            running = np.maximum.accumulate(np.abs(wanted[name][pick.onset :]))
            steps = running[9::10][: len(got)]
            np.testing.assert_allclose(got[: len(steps)], steps, rtol=1e-6)


def test_a_constant_offset_gives_nothing() -> None:
    counts = np.full((3, 2000), 9.81) * COUNTS_PER_MPS2
    motion = motion_of(make_station(), counts)

    for name, largest in (("az", 1e-12), ("vz", 1e-12), ("dz", 1e-12)):
        assert np.abs(motion[name]).max() <= largest


def test_a_step_of_acceleration_is_twice_integrated_and_then_forgotten() -> None:
    step_mps2, rate_hz = 0.5, 100.0
    motion = np.zeros((3, 12_000))
    motion[0, 1000:] = step_mps2
    got = motion_of(make_station(rate_hz=rate_hz), motion * COUNTS_PER_MPS2)
    t = np.arange(20) / rate_hz  # well inside the 13 s of the high-pass

    displacement = got["dz"][1000:1020]
    np.testing.assert_allclose(displacement[10:], 0.5 * step_mps2 * t[10:] ** 2, rtol=0.15)
    assert got["az"][1000] == pytest.approx(step_mps2, rel=0.01)
    assert np.abs(got["dz"][-3000:]).max() < 0.02 * np.abs(got["dz"]).max()


@pytest.mark.parametrize("rate_hz", [100.0, 200.0])
def test_velocity_and_acceleration_sensors_agree_on_the_same_motion(rate_hz: float) -> None:
    # Differences of sampled velocity are means over one interval, half a sample late: omega dt / 2
    # of the amplitude, 4 % at 1.3 Hz and 100 Hz. The running baseline of accelerometers adds 1 %.
    n = round(30.0 * rate_hz)
    t = np.arange(n) / rate_hz
    envelope = np.where(t > 10.0, (t - 10.0) * np.exp(-(t - 10.0) / 2.0), 0.0)
    omega = 2.0 * np.pi * 1.3
    velocity = 0.01 * envelope * np.sin(omega * (t - 10.0))
    acceleration = np.gradient(velocity, 1.0 / rate_hz, edge_order=2)
    both = []
    for kind, x in ((SensorKind.VELOCITY, velocity), (SensorKind.ACCELERATION, acceleration)):
        station = make_station(kind=kind, rate_hz=rate_hz, sensitivity=2.0**40)
        both.append(motion_of(station, to_counts(np.tile(x, (3, 1)), 2.0**40)))

    tolerance = 0.5 * omega / rate_hz + 0.01
    for name in ("az", "vz", "dz"):
        scale = np.abs(both[1][name]).max()
        np.testing.assert_allclose(both[0][name], both[1][name], rtol=0, atol=tolerance * scale)


def sine_from(at_s: float, period_s: float, rate_hz: float) -> Floats:
    """Acceleration of a displacement that swings with one period and sets in within two."""
    t = np.arange(round(24.0 * rate_hz)) / rate_hz - at_s
    omega = 2.0 * np.pi / period_s
    ramp = 1.0 - np.exp(-np.maximum(t, 0.0) / (0.5 * period_s))
    displacement = np.where(t >= 0.0, 0.01 * ramp**2 * np.sin(omega * t), 0.0)
    acceleration: Floats = np.gradient(np.gradient(displacement, 1.0 / rate_hz), 1.0 / rate_hz)
    return acceleration


def grown(acceleration: Floats, rng: np.random.Generator) -> tuple[GrowingPeaks, int, Floats]:
    """Peaks behind the first pick, its onset, and the displacement by scipy."""
    motion = rng.normal(0.0, 1e-5, (3, len(acceleration)))
    motion += np.outer((1.0, 0.3, 0.2), acceleration)  # a wave moves all components
    counts = to_counts(motion, 2.0**30)
    bank, judged = run_bank(counts, make_station(sensitivity=2.0**30))
    pick = accepted(judged)[0]
    wanted = reference(counts / 2.0**30, 100.0, SensorKind.ACCELERATION)
    return growing_of(bank, pick), pick.onset, wanted["dz"]


def test_tau_c_is_displacement_over_its_own_slope(rng: np.random.Generator) -> None:
    # Kanamori (2005): 2 pi sqrt(int u**2 / int (du/dt)**2) over 3 s
    growing, onset, displacement = grown(sine_from(8.0, 1.0, 100.0), rng)
    u = displacement[onset - 1 : onset + 300]
    ratio = (u[1:] ** 2).sum() / ((np.diff(u) * 100.0) ** 2).sum()

    assert growing.tau_c_s == pytest.approx(2.0 * np.pi * np.sqrt(ratio), rel=1e-6)


@pytest.mark.parametrize("period_s", [0.7, 1.0, 2.0])
def test_periods_of_a_sine_are_its_own(period_s: float, rng: np.random.Generator) -> None:
    growing, _, _ = grown(sine_from(8.0, period_s, 100.0), rng)

    assert growing.tau_c_s == pytest.approx(period_s, rel=0.15)
    assert growing.tau_p_s == pytest.approx(period_s, rel=0.3)  # the largest of 0.5 to 4 s


def test_corners_and_rates_are_per_station(rng: np.random.Generator) -> None:
    stations = [make_station(f"XX.S{i}", rate_hz=rate) for i, rate in enumerate(RATES_HZ)]
    bank = StationBank(stations, PROCESSING)
    records = [quake_record(rng, rate_hz=rate, seconds=12.0, s_at_s=None) for rate in RATES_HZ]
    blocks = [(r, np.zeros(r.shape[1], dtype=np.uint8)) for r in records]
    judged = bank.process([0, 1, 2], blocks)

    for row, (station, record) in enumerate(zip(stations, records, strict=True)):
        alone = StationBank([station], PROCESSING)
        own = alone.process([0], [(record, blocks[row][1])])
        mine = [j for j in judged if j.station == row]
        assert [(j.onset, j.snr, j.reason) for j in own] == [
            (j.onset, j.snr, j.reason) for j in mine
        ]
        assert alone.peaks(0) == bank.peaks(row)


def test_a_band_over_the_nyquist_frequency_is_not_used() -> None:
    bank = StationBank(
        [make_station(rate_hz=20.0), make_station("XX.B", rate_hz=100.0)], PROCESSING
    )
    used = bank.state.band_coefficients[:, :, 0] != 0.0

    assert used[1].all()
    assert used[0].tolist() == [hz * 1.5 < 10.0 for hz in PROCESSING.bands_hz]
