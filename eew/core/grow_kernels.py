"""Numba kernels of what grows behind a pick: peaks, periods, and the largest shaking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.jit import inlined, inner
from eew.core.layout import (
    CLIP_UNTIL,
    D_LAST,
    LAST_ONSET,
    N_PICKS,
    N_SERIES,
    N_SLOTS,
    OUT_NUMBER,
    OUT_ONSET,
    OUT_PA_NOISE,
    OUT_PD_NOISE,
    OUT_PV_NOISE,
    OUT_SLOT,
    PA,
    PA_NOISE,
    PD,
    PD_NOISE,
    PGV_H,
    PV,
    PV_NOISE,
    RATE,
    RING_AZ,
    RING_DZ,
    RING_VZ,
    SERIES_STEP_S,
    SHAKING_S,
    SLOT,
    SUM_D2,
    SUM_V2,
    TAU_P,
    FloatArray,
    PickerParameters,
    Piece,
    Span,
    State,
)

# (Pd, Pv, Pa, sum of squared slopes, sum of squared displacements, tau_p, last displacement)
_Peaks = tuple[float, float, float, float, float, float, float]


@inner
def open_slot(
    s: int,
    now: int,
    k_now: int,
    piece: Piece,
    state: State,
    p: PickerParameters,
    out: FloatArray,
    row: int,
) -> None:
    """Begin the growing peaks of an accepted pick, from its onset, out of the ring."""
    counters = state.counters[s]
    slot = counters[N_PICKS] % N_SLOTS
    onset = int(out[row, OUT_ONSET])
    counters[SLOT] = slot
    counters[N_PICKS] += 1
    counters[LAST_ONSET] = onset
    state.slot_onset[s, slot] = onset
    state.slot_clipped[s, slot] = 0 if counters[CLIP_UNTIL] > onset else -1
    state.slot_values[s, slot, :] = 0.0
    state.series[s, slot, :, :] = 0.0
    state.slot_values[s, slot, PD_NOISE] = out[row, OUT_PD_NOISE]
    state.slot_values[s, slot, PV_NOISE] = out[row, OUT_PV_NOISE]
    state.slot_values[s, slot, PA_NOISE] = out[row, OUT_PA_NOISE]
    out[row, OUT_SLOT] = slot
    out[row, OUT_NUMBER] = counters[N_PICKS]
    piece.grow_from[slot] = k_now + 1
    ring = state.ring[s]
    ring_length = ring.shape[1]
    rate = state.coefficients[s, RATE]
    tau_x, tau_d = piece.tau_x[k_now], piece.tau_d[k_now]
    state.slot_values[s, slot, D_LAST] = ring[RING_DZ, max(onset - 1, 0) % ring_length]
    peaks = _taken(s, slot, state)
    length = 0
    for i in range(onset, now + 1):
        k = i % ring_length
        a, v, d = ring[RING_AZ, k], ring[RING_VZ, k], ring[RING_DZ, k]
        peaks = _grown(peaks, i - onset, a, v, d, tau_x, tau_d, rate, p)
        length = _written(s, slot, length, i - onset, rate, peaks, state)
    state.slot_length[s, slot] = length
    _keep(s, slot, peaks, state)


@inlined
def grow_slot(
    slot: int,
    clip_until: int,
    span: Span,
    filled: NDArray[np.uint8],
    state: State,
    p: PickerParameters,
    piece: Piece,
) -> None:
    """Let a piece of samples grow the peaks of one slot.

    ``clip_until`` is the station's mark before the piece.
    """
    s = span.s
    rate = state.coefficients[s, RATE]
    hold = int(p.clip_hold_s * rate)
    onset = state.slot_onset[s, slot]
    length = state.slot_length[s, slot]
    spoilt_from = state.slot_clipped[s, slot]
    largest = state.slot_values[s, slot, PGV_H]
    peaks = _taken(s, slot, state)
    for k in range(span.n):
        i = span.first + k
        if piece.clipped[k]:
            clip_until = i + hold
        if k < piece.grow_from[slot]:
            continue
        if i - onset >= SHAKING_S * rate:
            break
        if spoilt_from < 0 and (clip_until > i or filled[span.lo + k] != 0):
            spoilt_from = length
        if length < N_SERIES:
            a = state.ring[s, RING_AZ, span.at + k]
            v = state.ring[s, RING_VZ, span.at + k]
            d = state.ring[s, RING_DZ, span.at + k]
            tau_x, tau_d = piece.tau_x[k], piece.tau_d[k]
            peaks = _grown(peaks, i - onset, a, v, d, tau_x, tau_d, rate, p)
            length = _written(s, slot, length, i - onset, rate, peaks, state)
        largest = max(largest, piece.horizontal_v[k])
    state.slot_length[s, slot] = length
    state.slot_clipped[s, slot] = spoilt_from
    state.slot_values[s, slot, PGV_H] = largest
    _keep(s, slot, peaks, state)


@inlined
def _taken(s: int, slot: int, state: State) -> _Peaks:
    g = state.slot_values
    return (
        g[s, slot, PD],
        g[s, slot, PV],
        g[s, slot, PA],
        g[s, slot, SUM_V2],
        g[s, slot, SUM_D2],
        g[s, slot, TAU_P],
        g[s, slot, D_LAST],
    )


@inlined
def _keep(s: int, slot: int, peaks: _Peaks, state: State) -> None:
    g = state.slot_values
    g[s, slot, PD], g[s, slot, PV], g[s, slot, PA] = peaks[0], peaks[1], peaks[2]
    g[s, slot, SUM_V2], g[s, slot, SUM_D2] = peaks[3], peaks[4]
    g[s, slot, TAU_P], g[s, slot, D_LAST] = peaks[5], peaks[6]


@inlined
def _grown(
    peaks: _Peaks,
    offset: int,
    a: float,
    v: float,
    d: float,
    tau_x: float,
    tau_d: float,
    rate: float,
    p: PickerParameters,
) -> _Peaks:
    """Let one sample, ``offset`` after the onset, into the peaks."""
    pd, pv, pa, sum_v2, sum_d2, tau_p, d_last = peaks
    pd = max(pd, abs(d))
    pv = max(pv, abs(v))
    pa = max(pa, abs(a))
    if offset < p.tau_c_s * rate:
        slope = (d - d_last) * rate  # not v: that one is high-passed once more
        d_last = d
        sum_v2 += slope * slope
        sum_d2 += d * d
    if 0.5 * rate <= offset < 4.0 * rate and tau_d > 0.0:
        period_s = 2.0 * np.pi * np.sqrt(tau_x / tau_d)
        tau_p = max(tau_p, min(max(period_s, 0.01), 100.0))
    return pd, pv, pa, sum_v2, sum_d2, tau_p, d_last


@inlined
def _written(
    s: int, slot: int, length: int, offset: int, rate: float, peaks: _Peaks, state: State
) -> int:
    """Write the steps that end with this sample; return how many there are now."""
    # step k covers the samples before (k+1) * 0.1 s
    done = min(int((offset + 1) / rate / SERIES_STEP_S + 1e-9), N_SERIES)
    while length < done:
        state.series[s, slot, 0, length] = peaks[0]
        state.series[s, slot, 1, length] = peaks[1]
        state.series[s, slot, 2, length] = peaks[2]
        length += 1
    return length
