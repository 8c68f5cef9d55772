"""Compiled inner loops of the generator: sums over subfaults, sample by sample."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["add_impulses", "add_ramps", "power_in_time", "scattered"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def power_in_time(
    arrivals: Floats,
    lengths: Floats,
    powers: Floats,
    classes: Ints,
    shape: Floats,
    reach: float,
    out: Floats,
) -> None:
    """Add each subfault's power, spread over time by one shape, to the row of its class.

    Parameters
    ----------
    arrivals, lengths : numpy.ndarray, shape (n,)
        In samples; a shape stretches over ``reach`` lengths.
    powers : numpy.ndarray, shape (n,)
        Sum over all samples.
    shape : numpy.ndarray, shape (m,)
        Power at equal steps of time from 0 to ``reach`` lengths; integral over lengths 1.
    out : numpy.ndarray, shape (k, samples)
    """
    samples = out.shape[1]
    last = shape.shape[0] - 1
    for i in range(arrivals.shape[0]):
        step = last / (reach * lengths[i])
        height = powers[i] / lengths[i]
        row = out[classes[i]]
        begin = max(0, math.ceil(arrivals[i]))
        end = min(samples, int(arrivals[i] + reach * lengths[i]))
        for k in range(begin, end):
            at = (k - arrivals[i]) * step
            j = int(at)
            if j >= last:
                break
            part = at - j
            row[k] += height * (shape[j] * (1.0 - part) + shape[j + 1] * part)


@njit(cache=True, nogil=True)
def scattered(power: Floats, decay: float, out: Floats) -> None:
    """Give all of a power back later: falling to 1/e of its amplitude in ``decay`` samples."""
    keep = math.exp(-2.0 / decay)
    for k in range(power.shape[0]):
        held = 0.0
        for i in range(power.shape[1]):
            out[k, i] = held * (1.0 - keep)
            held = held * keep + power[k, i]


@njit(cache=True, nogil=True)
def add_impulses(arrivals: Floats, vectors: Floats, out: Floats) -> None:
    """Add impulses (3, n) at times in samples, each split between two samples, to (3, samples)."""
    samples = out.shape[1]
    for i in range(arrivals.shape[0]):
        k = math.floor(arrivals[i])
        part = arrivals[i] - k
        for c in range(3):
            if 0 <= k < samples:
                out[c, k] += vectors[c, i] * (1.0 - part)
            if 0 <= k + 1 < samples:
                out[c, k + 1] += vectors[c, i] * part


@njit(cache=True, nogil=True)
def add_ramps(
    starts: Floats, p_times: Floats, s_times: Floats, vectors: Floats, out: Floats
) -> None:
    """Add steps that grow from P to S as the near field does, as differences per sample.

    Parameters
    ----------
    starts : numpy.ndarray, shape (n,)
        When each subfault goes off, in samples.
    p_times, s_times : numpy.ndarray, shape (n,)
        Travel times in samples.
    vectors : numpy.ndarray, shape (3, n)
        The whole of each step.
    """
    samples = out.shape[1]
    for i in range(starts.shape[0]):
        p2, s2 = p_times[i] ** 2, s_times[i] ** 2
        span = max(s2 - p2, 1e-9)  # on top of a source at the surface both come at once
        begin = max(1, math.floor(starts[i] + p_times[i]))
        end = min(samples, math.ceil(starts[i] + s_times[i]) + 1)
        before = min(max(((begin - 1 - starts[i]) ** 2 - p2) / span, 0.0), 1.0)
        if begin - 1 < starts[i]:
            before = 0.0
        for k in range(begin, end):
            since = k - starts[i]
            now = min(max((since * since - p2) / span, 0.0), 1.0)
            for c in range(3):
                out[c, k] += vectors[c, i] * (now - before)
            before = now
