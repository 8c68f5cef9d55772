"""What is measured on a record without noise: Pd, peaks, duration, envelopes, displacement.

As a warning system or a strong-motion network measures it on real records, where that matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

__all__ = [
    "ENVELOPES",
    "Motion",
    "envelopes",
    "fourier_amplitude",
    "geometric_peak",
    "integrated",
    "peak_displacement_m",
    "peak_p_displacement_m",
    "significant_duration_s",
]

Floats = NDArray[np.float64]

_DETECTOR_HZ = 0.075  # high-pass of the detector (eew/tables/detector.toml), twice integrated
_ENVELOPE_HZ = 1.0 / 3.0  # Cua's envelopes are of records without periods beyond 3 s
_ARIAS_SHARES = (0.05, 0.95)
_LEAST_WINDOW_S = 1.0  # an envelope is the largest value of a second

# phase, component, quantity: the names of eew.physics.envelope
ENVELOPES = tuple(
    (phase, component, quantity)
    for phase in ("P", "S")
    for component in ("vertical", "horizontal")
    for quantity in ("acceleration", "velocity", "displacement")
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """A record: ground acceleration with the arrivals in it.

    Attributes
    ----------
    acceleration_mps2 : numpy.ndarray, shape (3, n)
        Up and two horizontals.
    p_s, s_s : float
        Arrivals, seconds after the first sample.
    """

    acceleration_mps2: Floats
    sampling_rate_hz: float
    p_s: float
    s_s: float

    @property
    def p_index(self) -> int:
        """First sample of P."""
        return round(self.p_s * self.sampling_rate_hz)

    @property
    def s_index(self) -> int:
        """First sample of S."""
        return round(self.s_s * self.sampling_rate_hz)


def peak_p_displacement_m(motion: Motion, window_s: float = 4.0) -> float:
    """Pd: largest vertical displacement in the first seconds of P, cut where S comes.

    Causal second-order high-pass at 0.075 Hz before and after each integration, as the detector.
    """
    rate_hz = motion.sampling_rate_hz
    b, a = butter(2, _DETECTOR_HZ, "highpass", fs=rate_hz)
    trace = lfilter(b, a, motion.acceleration_mps2[0])
    for _ in range(2):
        trace = lfilter(b, a, integrated(trace, rate_hz))
    length_s = min(window_s, motion.s_s - motion.p_s)
    first = motion.p_index
    return float(np.abs(trace[first : first + round(length_s * rate_hz) + 1]).max())


def geometric_peak(trace: Floats) -> float:
    """Geometric mean of the peaks of two horizontals, (2, n)."""
    return float(np.sqrt(np.abs(trace).max(axis=-1).prod()))


def significant_duration_s(motion: Motion) -> float:
    """Time from 5 to 95 % of the Arias intensity, geometric mean of the horizontals."""
    energy = np.cumsum(motion.acceleration_mps2[1:] ** 2, axis=-1)
    lengths = []
    for one in energy:
        first, last = np.searchsorted(one, np.array(_ARIAS_SHARES) * one[-1])
        lengths.append((last - first) / motion.sampling_rate_hz)
    return float(np.sqrt(lengths[0] * lengths[1]))


def peak_displacement_m(motion: Motion) -> float:
    """PGD: largest length of the displacement vector, without any filter."""
    rate_hz = motion.sampling_rate_hz
    trace = integrated(integrated(motion.acceleration_mps2, rate_hz), rate_hz)
    return float(np.sqrt((trace**2).sum(axis=0).max()))


def envelopes(motion: Motion) -> Floats:
    """Largest one-second envelope of P and of S, in the order of :data:`ENVELOPES`, SI units.

    A horizontal is the root mean square of the two. NaN for a P that is shorter than a second.
    """
    rate_hz = motion.sampling_rate_hz
    b, a = butter(2, _ENVELOPE_HZ, "highpass", fs=rate_hz)
    trace = lfilter(b, a, motion.acceleration_mps2, axis=-1)
    second = round(rate_hz)
    found: list[list[float]] = [[], []]
    peaks = []
    for _ in range(3):
        count = trace.shape[1] // second
        peaks.append(np.abs(trace[:, : count * second]).reshape(3, count, second).max(axis=-1))
        trace = lfilter(b, a, integrated(trace, rate_hz), axis=-1)
    p, s = motion.p_index // second, motion.s_index // second
    long_enough = motion.s_s - motion.p_s >= _LEAST_WINDOW_S
    # the second in which S comes belongs to S
    for which, window in enumerate((slice(p, max(s, p + 1)), slice(s, None))):
        for component in ("vertical", "horizontal"):
            for envelope in peaks:
                one = envelope[0] if component == "vertical" else _rms(envelope[1:])
                found[which].append(float(one[window].max()))
    values = np.array(found[0] + found[1])
    if not long_enough:
        values[: len(found[0])] = np.nan
    return values


def fourier_amplitude(motion: Motion, frequency_hz: Floats, width: float = 1.15) -> Floats:
    """Fourier amplitude of all components together, m/s.

    Parameters
    ----------
    frequency_hz : numpy.ndarray, shape (k,)
        Middles of the bands over which the power is averaged.
    width : float
        Upper over lower edge of a band is its square.
    """
    rate_hz = motion.sampling_rate_hz
    spectrum = np.fft.rfft(motion.acceleration_mps2, axis=-1) / rate_hz
    power = (np.abs(spectrum) ** 2).sum(axis=0)
    all_hz = np.fft.rfftfreq(motion.acceleration_mps2.shape[1], 1.0 / rate_hz)
    edges = np.searchsorted(all_hz, np.stack([frequency_hz / width, frequency_hz * width]))
    means = [power[low : max(high, low + 1)].mean() for low, high in edges.T]
    amplitude: Floats = np.sqrt(np.array(means))
    return amplitude


def integrated(trace: Floats, sampling_rate_hz: float) -> Floats:
    """Sum by trapezoids along the last axis, from 0."""
    total = np.zeros_like(trace)
    total[..., 1:] = np.cumsum(trace[..., 1:] + trace[..., :-1], axis=-1) / (2.0 * sampling_rate_hz)
    return total


def _rms(two: Floats) -> Floats:
    mean: Floats = np.sqrt((two**2).mean(axis=0))
    return mean
