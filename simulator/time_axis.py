"""The samples over which a motion is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TimeAxis", "fast_length"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """Samples of a record: where it begins after the origin, how fine, how long.

    Over the last ``fade_s`` seconds the source noise is faded out (first half) and silent (second
    half): a transform goes round in a circle, and what a filter still makes of a cut-off coda
    would come back at the start of the record.
    """

    start_s: float
    sampling_rate_hz: float
    samples: int
    fade_s: float

    def fade(self) -> Floats:
        """Return the factor that fades the end out, shape (samples,)."""
        to_end_s = np.arange(self.samples, 0, -1) / self.sampling_rate_hz
        share = np.clip(2.0 * to_end_s / self.fade_s - 1.0, 0.0, 1.0)
        factor: Floats = np.sin(0.5 * np.pi * share) ** 2
        return factor

    def at(self, time_s: Floats) -> Floats:
        """Place of times after the origin, in samples."""
        place: Floats = (time_s - self.start_s) * self.sampling_rate_hz
        return place

    def since(self, time_s: float) -> Floats:
        """Time of each sample after ``time_s`` (which is after the origin)."""
        since: Floats = np.arange(self.samples) / self.sampling_rate_hz + (self.start_s - time_s)
        return since

    def frequencies_hz(self) -> Floats:
        """Frequencies of the real transform of the record."""
        step_hz = self.sampling_rate_hz / self.samples
        return np.arange(self.samples // 2 + 1, dtype=np.float64) * step_hz

    def warped_hz(self) -> Floats:
        """Frequencies to put into the formula of an analog filter, to make it a digital one.

        By the bilinear transform: nearly the frequency itself far below Nyquist, infinite there.
        A causal filter stays causal to the last digit; cut off at Nyquist as it is, it rings
        before its time, and a picker sees that under a strong wave.
        """
        rate_hz = self.sampling_rate_hz
        warped: Floats = rate_hz / np.pi * np.tan(np.pi / rate_hz * self.frequencies_hz())
        return warped


def fast_length(at_least: int) -> int:
    """Return an even length that is a product of small primes, quick to transform."""
    best = 1 << math.ceil(math.log2(at_least))
    for odd in (3, 5, 9, 15, 25, 27, 45):
        best = min(best, odd << max(1, math.ceil(math.log2(at_least / odd))))
    return best
