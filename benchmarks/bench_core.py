"""How fast is station processing: 1,000 stations x 3 components x 100 Hz, 0.5-s packets, one core.

The same samples go through a chain of ``scipy.signal.lfilter`` in the same run: baseline-free
high-pass, two trapezoid integrations with high-pass, four bands, STA and LTA as one-pole filters,
running maxima, with carried state. It does less (no gates, no onsets, no growing peaks), so the
ratio is on the safe side. A quake runs through half of the network meanwhile.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.accelerometers import accelerometer
from benchmarks.common import parser, quantiles, result, show
from eew.core.bank import StationBank
from eew.core.config import DetectorConfig
from eew.model.waveform import Station

RATE_HZ = 100.0
PACKET_S = 0.5
N_WARMUP = 10
N_ROUNDS = 60
TARGET = 150.0


def stations(n: int) -> list[Station]:
    """Make ``n`` accelerometers on a grid."""
    side = math.ceil(math.sqrt(n))
    return [
        accelerometer(
            f"S{i:05d}",
            30.0 + 0.15 * (i // side),
            100.0 + 0.15 * (i % side),
            channels=("HNZ", "HNN", "HNE"),
            sensitivity=1e6,
            sampling_rate_hz=RATE_HZ,
        )
        for i in range(n)
    ]


def packets(n: int, rounds: int, seed: int) -> list[NDArray[np.float64]]:
    """Noise in counts, and a quake whose P and S waves run through the network from its middle on.

    One array (3, N) per round, station after station. Half of the stations are reached, pick, and
    let peaks grow; the others stay quiet.
    """
    rng = np.random.default_rng([seed, n])
    size = round(PACKET_S * RATE_HZ)
    side = math.ceil(math.sqrt(n))
    row, column = np.divmod(np.arange(n), side)
    distance_km = 15.0 * np.hypot(row - side / 2, column - side / 2)
    strong = np.where(distance_km <= np.median(distance_km), 3e7 / (distance_km + 20.0) ** 1.5, 0.0)
    begins_s = (N_WARMUP + rounds) * PACKET_S / 4.0
    made = []
    for number in range(rounds):
        t = number * PACKET_S + np.arange(size) / RATE_HZ
        amplitude = np.full((3, n, size), 300.0)
        # vertical first: P on all components, S three times as large on the horizontals
        for speed_km_s, parts in ((6.0, (1.0, 0.4, 0.4)), (3.5, (1.0, 3.0, 3.0))):
            since_s = t[None, :] - begins_s - distance_km[:, None] / speed_km_s
            shape = np.where(since_s >= 0.0, np.exp(-np.maximum(since_s, 0.0) / 8.0), 0.0)
            amplitude += np.array(parts)[:, None, None] * (strong[:, None] * shape)[None]
        made.append(np.round(amplitude * rng.standard_normal((3, n, size))).reshape(3, -1))
    return made


def ours(
    bank: StationBank, rows: NDArray[np.int64], block: NDArray[np.float64]
) -> tuple[float, float, int]:
    """Return s on the clock, s of the processor, and picks for one packet of every station."""
    size = round(PACKET_S * RATE_HZ)
    filled = np.zeros(block.shape[1], dtype=np.uint8)
    offsets = np.arange(rows.size + 1) * size
    start, start_cpu = time.perf_counter(), time.process_time()
    judged = bank.process_frames(rows, offsets, block, filled)
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    return seconds, cpu_s, sum(j.reason == "accepted" for j in judged)


class Reference:
    """The chain in scipy over all channels at once."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.highpass = butter(2, 0.075, "highpass", fs=RATE_HZ)
        half = 0.5 / RATE_HZ
        self.integrate = (np.array([half, half]), np.array([1.0, -1.0]))
        self.bands = [
            butter(1, [f / 1.5, f * 1.5], "bandpass", fs=RATE_HZ) for f in (1.0, 2.0, 4.0, 8.0)
        ]
        self.state: dict[str, NDArray[np.float64]] = {}

    def _run(self, name: str, filt: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
        b, a = filt
        order = max(len(a), len(b)) - 1
        z = self.state.get(name, np.zeros((*x.shape[:-1], order)))
        y, self.state[name] = lfilter(b, a, x, axis=-1, zi=z)
        result: NDArray[np.float64] = y
        return result

    def step(self, block: NDArray[np.float64]) -> float:
        """Return s for one packet of every station."""
        x = block.reshape(3, self.n, -1) / 1e6
        start = time.perf_counter()
        a = self._run("a", self.highpass, x)
        v = self._run("v", self.highpass, self._run("iv", self.integrate, a))
        d = self._run("d", self.highpass, self._run("id", self.integrate, v[0]))
        for number, band in enumerate(self.bands):
            energy = self._run(f"b{number}", band, a[0]) ** 2
            for name, seconds in (("sta", 0.2), ("lta", 10.0)):
                alpha = 1.0 / (seconds * RATE_HZ)
                ema = (np.array([alpha]), np.array([1.0, alpha - 1.0]))
                self._run(f"{name}{number}", ema, energy)
        for signal in (a, v, d):
            np.abs(signal).max(axis=-1)
        return time.perf_counter() - start


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--stations", type=int, default=1000)
    options = arguments.parse_args()
    n = options.stations
    bank = StationBank(stations(n), DetectorConfig.load().processing)
    reference = Reference(n)
    rows = np.arange(n)
    mine, cpu, theirs, picks = [], [], [], 0
    for block in packets(n, N_WARMUP + N_ROUNDS, options.seed):  # in turn: the same machine load
        seconds, cpu_s, found = ours(bank, rows, block)
        mine.append(seconds)
        cpu.append(cpu_s)
        picks += found
        theirs.append(reference.step(block))
    mine, cpu, theirs = mine[N_WARMUP:], cpu[N_WARMUP:], theirs[N_WARMUP:]
    per_sample_ns = [1e9 * s / (n * PACKET_S * RATE_HZ) for s in mine]
    median_s = float(np.median(mine))
    outcome = result(
        "core",
        question=f"one 0.5-s packet of {n} stations x 3 components x 100 Hz, one core",
        unit="ms",
        n=N_ROUNDS,
        seed=options.seed,
        **quantiles([1e3 * s for s in mine]),
        times_real_time=round(PACKET_S / median_s, 1),
        target_times_real_time=TARGET,
        # the processor's own time: what a machine busy with other things leaves out
        times_real_time_cpu=round(PACKET_S / float(np.median(cpu)), 1),
        picks=picks,
        ns_per_station_sample=quantiles(per_sample_ns),
        reference={"what": "scipy.signal.lfilter", **quantiles([1e3 * s for s in theirs])},
        reference_over_ours=round(float(np.median(theirs)) / median_s, 2),
    )
    show(outcome, as_json=options.json)


if __name__ == "__main__":
    main()
