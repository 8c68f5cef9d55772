"""Numba kernels of station processing: counts in, filtered motion, picks and peaks out.

One call works through any number of stations; per station it works through the samples in
order, and every decision (trigger, onset, gates, peaks) is taken *at a sample*, never at the
end of a block. That is what makes the chunking law hold: the same samples cut into any packets
give the same picks and peaks.

The state lives in plain arrays (:class:`State`, one row per station) that the caller owns.

Motion (field practice of EPIC, Chung et al. 2019, SRL, doi:10.1785/0220180088): running baseline
removal, causal two-pole 0.075 Hz high-pass, trapezoid integration to velocity and displacement
with the same high-pass after each. Velocity sensors are differentiated first.

Detection: recursive STA/LTA (Allen 1978) on the vertical, broadband (Allen's characteristic
function on velocity) and in octave bands of acceleration (the idea of FilterPicker, Lomax et al.
2012, SRL 83:531): the broadband one is early on large quakes, the bands find small ones above
sensor noise. Onset: minimum of Maeda's (1985) AIC on the vertical acceleration.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from eew.core.layout import (
    A1,
    A2,
    A_PREV,
    ACCEPTED,
    B0,
    B1,
    B2,
    B_LTA,
    B_STA,
    BASE,
    BZ1,
    BZ2,
    C1,
    C2,
    CLIP_UNTIL,
    COUNT,
    D1,
    D2,
    D_SUM,
    FILL_UNTIL,
    G1,
    G2,
    H0,
    H1,
    H2,
    HV1,
    HV2,
    IDLE,
    IS_VELOCITY,
    L0,
    L1,
    L2,
    LP1,
    LP2,
    LP_PREV,
    LTA_BB,
    M1,
    M2,
    MODE,
    N_BANDS,
    N_SERIES,
    N_SLOTS,
    PENDING,
    PGA,
    PGA_VECTOR,
    PGV,
    PGV_H,
    PGV_VECTOR,
    RATE,
    RAW_BASE,
    RAW_MAX,
    RAW_PREV,
    REFRACTORY,
    REJECTED,
    RING_AZ,
    RING_DZ,
    RING_VZ,
    RUN_EQUAL,
    SHAKING_S,
    STA_BB,
    TAU_D,
    TAU_X,
    TRIGGER,
    TRIGGER_BAND,
    V1,
    V2,
    V_BB,
    V_PREV,
    V_SUM,
    X_PREV,
    FloatArray,
    IntArray,
    PickerParameters,
    State,
)
from eew.core.pick_kernels import grow, judge, open_slot


@njit(cache=True, nogil=True)
def process(
    stations: IntArray,
    offsets: IntArray,
    frames: FloatArray,
    filled: NDArray[np.uint8],
    state: State,
    p: PickerParameters,
    out: FloatArray,
) -> int:
    """Work through blocks of samples of several stations.

    Parameters
    ----------
    stations : (m,) station rows; ``offsets`` : (m + 1,) bounds of their blocks in ``frames``.
    frames : (3, N) counts, components in the order vertical, horizontal 1, horizontal 2.
    filled : (N,) 1 where the samples were interpolated over a short gap.
    out : (K, N_OUT) rows for judged triggers; K must be large enough (one per 0.25 s and station).

    Returns
    -------
    int
        Number of rows written to ``out``.
    """
    n_rows = 0
    for j in range(stations.shape[0]):
        s = stations[j]
        co = state.coefficients[s]
        rate = co[RATE]
        dt = 1.0 / rate
        half = 0.5 * dt
        b0, b1, b2, c1, c2 = co[B0], co[B1], co[B2], co[C1], co[C2]
        l0, l1, l2, m1, m2 = co[L0], co[L1], co[L2], co[M1], co[M2]
        h0, h1, h2, g1, g2 = co[H0], co[H1], co[H2], co[G1], co[G2]
        velocity = co[IS_VELOCITY] != 0.0
        f = state.filters[s]
        det = state.detect[s]
        band = state.band[s]
        band_co = state.band_coefficients[s]
        counters = state.counters[s]
        ring = state.ring[s]
        ring_length = ring.shape[1]
        peaks = state.peaks[s]
        inverse = state.inverse_sensitivity[s]
        clip = state.clip_counts[s]
        vertical = inverse[0] != 0.0
        base_alpha = dt / 60.0
        sta_alpha = min(1.0, dt / p.broadband_sta_s)
        lta_alpha = dt / p.broadband_lta_s
        band_lta_alpha = dt / p.band_lta_s
        tau_alpha = 1.0 - dt
        warm_up = int(p.warm_up_s * rate)
        wait = int(p.wait_s * rate)
        lo = offsets[j]
        hi = offsets[j + 1]
        if counters[COUNT] == 0:
            # the first sample stands for the baseline: the high-pass then starts without a step;
            # LTAs begin as plain means over what there is
            for c in range(3):
                f[c, BASE] = frames[c, lo] * inverse[c]
                f[c, X_PREV] = f[c, BASE]
                f[c, RAW_BASE] = frames[c, lo]
                f[c, RAW_PREV] = frames[c, lo]
        for t in range(lo, hi):
            i = counters[COUNT]
            slot_i = i % ring_length
            vector_a2 = 0.0
            vector_v2 = 0.0
            horizontal_v = 0.0
            vz = 0.0
            early = i < rate
            is_filled = filled[t] != 0
            for c in range(3):
                if inverse[c] == 0.0:
                    continue
                g = f[c]
                raw = frames[c, t]
                if abs(raw) >= clip[c]:
                    counters[CLIP_UNTIL] = i + int(p.clip_hold_s * rate)
                if raw == g[RAW_PREV]:
                    # a flat top: the same large value again and again (a clipped or stuck sensor)
                    g[RUN_EQUAL] += 1.0
                    if (
                        g[RUN_EQUAL] >= p.flat_samples
                        and g[RAW_MAX] > p.flat_min_counts
                        and abs(raw - g[RAW_BASE]) > 0.5 * g[RAW_MAX]
                    ):
                        counters[CLIP_UNTIL] = i + int(p.clip_hold_s * rate)
                else:
                    g[RUN_EQUAL] = 0.0
                    g[RAW_PREV] = raw
                    g[RAW_MAX] = max(g[RAW_MAX], abs(raw - g[RAW_BASE]))
                x = raw * inverse[c]
                if velocity:
                    y = (x - g[X_PREV]) * rate
                    g[X_PREV] = x
                else:
                    # a fast mean over the first second, then the slow one
                    g[BASE] += (x - g[BASE]) * (1.0 / (i + 1.0) if early else base_alpha)
                    y = x - g[BASE]
                a = b0 * y + g[A1]
                g[A1] = b1 * y - c1 * a + g[A2]
                g[A2] = b2 * y - c2 * a
                g[V_SUM] += (a + g[A_PREV]) * half
                g[A_PREV] = a
                y = g[V_SUM]
                v = b0 * y + g[V1]
                g[V1] = b1 * y - c1 * v + g[V2]
                g[V2] = b2 * y - c2 * v
                vector_a2 += a * a
                vector_v2 += v * v
                if c == 0:
                    g[D_SUM] += (v + g[V_PREV]) * half
                    y = g[D_SUM]
                    d = b0 * y + g[D1]
                    g[D1] = b1 * y - c1 * d + g[D2]
                    g[D2] = b2 * y - c2 * d
                    w = h0 * v + det[HV1]
                    det[HV1] = h1 * v - g1 * w + det[HV2]
                    det[HV2] = h2 * v - g2 * w
                    ring[RING_AZ, slot_i] = a
                    ring[RING_VZ, slot_i] = w
                    vz = v
                    ring[RING_DZ, slot_i] = d
                else:
                    ring[c, slot_i] = a
                    horizontal_v = max(horizontal_v, abs(v))
                    if i >= warm_up:
                        peaks[PGA] = max(peaks[PGA], abs(a))
                        peaks[PGV] = max(peaks[PGV], abs(v))
                g[V_PREV] = v
            if i >= warm_up:
                peaks[PGA_VECTOR] = max(peaks[PGA_VECTOR], vector_a2)
                peaks[PGV_VECTOR] = max(peaks[PGV_VECTOR], vector_v2)
            counters[COUNT] = i + 1
            if not vertical:
                continue
            a = ring[RING_AZ, slot_i]
            v = vz
            d = ring[RING_DZ, slot_i]

            # predominant period, on velocity below 1.8 Hz (Allen & Kanamori 2003)
            w = l0 * v + det[LP1]
            det[LP1] = l1 * v - m1 * w + det[LP2]
            det[LP2] = l2 * v - m2 * w
            slope = (w - det[LP_PREV]) * rate
            det[LP_PREV] = w
            det[TAU_X] = tau_alpha * det[TAU_X] + w * w
            det[TAU_D] = tau_alpha * det[TAU_D] + slope * slope

            # triggers
            slope = (v - det[V_BB]) * rate
            det[V_BB] = v
            cf = v * v + 3e-4 * slope * slope
            start = 1.0 / (i + 1.0)
            det[STA_BB] += (cf - det[STA_BB]) * max(sta_alpha, start)
            if is_filled:
                counters[FILL_UNTIL] = i
            else:
                det[LTA_BB] += (cf - det[LTA_BB]) * max(lta_alpha, start)
            fired = -1
            quiet = det[STA_BB] < p.rearm * det[LTA_BB]
            if det[STA_BB] > p.broadband_on * det[LTA_BB]:
                fired = N_BANDS
            for k in range(N_BANDS):
                q0 = band_co[k, 0]
                if q0 == 0.0:
                    continue
                q = band[k]
                y = q0 * a + q[BZ1]
                q[BZ1] = q[BZ2] - band_co[k, 1] * y
                q[BZ2] = -q0 * a - band_co[k, 2] * y
                e = y * y
                q[B_STA] += (e - q[B_STA]) * max(band_co[k, 3], start)
                if not is_filled:
                    q[B_LTA] += (e - q[B_LTA]) * max(band_lta_alpha, start)
                if q[B_STA] > p.band_on * q[B_LTA]:
                    fired = k
                if q[B_STA] >= p.rearm * q[B_LTA]:
                    quiet = False

            mode = counters[MODE]
            if mode == IDLE:
                if fired >= 0:
                    if i < warm_up:
                        # motion at the very start is not an onset: wait until it is quiet
                        counters[MODE] = REFRACTORY
                        counters[TRIGGER] = i - int(p.dead_s * rate)
                        counters[REJECTED] = 0
                    else:
                        counters[MODE] = PENDING
                        counters[TRIGGER] = i
                        counters[TRIGGER_BAND] = fired
            elif mode == PENDING:
                if i >= counters[TRIGGER] + wait:
                    reason = judge(s, i, state, p, out, n_rows)
                    counters[MODE] = REFRACTORY
                    counters[TRIGGER] = i
                    if reason == ACCEPTED:
                        counters[REJECTED] = 0
                        open_slot(s, i, state, p, out, n_rows)
                    else:
                        counters[REJECTED] = 1
                    if n_rows < out.shape[0] - 1:
                        n_rows += 1
                    continue  # the new slot already holds this sample
            elif counters[REJECTED] == 1:
                # what was refused may be the foot of a real onset: look again soon
                if i >= counters[TRIGGER] + int(p.dead_rejected_s * rate):
                    counters[MODE] = IDLE
            elif quiet and i >= counters[TRIGGER] + int(p.dead_s * rate):
                counters[MODE] = IDLE

            for k in range(N_SLOTS):
                onset = state.slot_onset[s, k]
                if onset >= 0 and i - onset < SHAKING_S * rate:
                    if counters[CLIP_UNTIL] > i and state.slot_clipped[s, k] < 0:
                        state.slot_clipped[s, k] = state.slot_length[s, k]
                    if state.slot_length[s, k] < N_SERIES:
                        grow(s, k, i, a, ring[RING_VZ, slot_i], d, state, p)
                    values = state.slot_values[s, k]
                    values[PGV_H] = max(values[PGV_H], horizontal_v)
    return n_rows
