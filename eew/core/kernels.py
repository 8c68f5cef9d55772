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

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

N_BANDS = 4
SERIES_STEP_S = 0.1
N_SERIES = 300  # 30 s of growing peaks behind each pick
SHAKING_S = 120.0  # how long the whole shaking behind a pick is watched
N_SLOTS = 4  # picks per station whose peaks are still growing
RING_S = 8.0

# columns of State.filters, per component
(
    BASE,
    A1,
    A2,
    A_PREV,
    V_SUM,
    V1,
    V2,
    V_PREV,
    D_SUM,
    D1,
    D2,
    X_PREV,
    RAW_PREV,
    RUN_EQUAL,  # how long the raw value has stood still, samples
    RAW_MAX,  # largest deviation from the baseline so far, counts
    RAW_BASE,
    N_FILTER,
) = range(17)
# columns of State.detect, per station
(STA_BB, LTA_BB, V_BB, TAU_X, TAU_D, LP1, LP2, LP_PREV, HV1, HV2, N_DETECT) = range(11)
# columns of State.band
(BZ1, BZ2, B_STA, B_LTA, N_BAND_STATE) = range(5)
# columns of State.counters
(
    COUNT,  # samples since the (re)start of this station
    MODE,  # 0 idle, 1 trigger pending, 2 refractory
    TRIGGER,  # sample of the pending or last trigger
    TRIGGER_BAND,
    LAST_ONSET,
    SLOT,  # newest slot
    N_PICKS,
    CLIP_UNTIL,
    FILL_UNTIL,
    N_COUNTERS,
) = range(10)
IDLE, PENDING, REFRACTORY = 0, 1, 2
# columns of State.coefficients
(
    RATE,
    B0,  # high-pass of motion
    B1,
    B2,
    C1,
    C2,
    L0,  # low-pass of tau_p
    L1,
    L2,
    M1,
    M2,
    H0,  # high-pass of the velocity whose peak makes a magnitude
    H1,
    H2,
    G1,
    G2,
    IS_VELOCITY,
    N_COEFFICIENTS,
) = range(18)
# columns of State.slot_values, per slot
(
    PD,
    PV,
    PA,
    SUM_V2,
    SUM_D2,
    TAU_P,
    PD_NOISE,
    PV_NOISE,
    PA_NOISE,
    PGV_H,  # largest horizontal velocity since the pick, whole shaking
    N_SLOT_VALUES,
) = range(11)
# columns of State.peaks
PGA, PGV, PGA_VECTOR, PGV_VECTOR, N_PEAKS = range(5)
# rows of State.ring
RING_AZ, RING_A1, RING_A2, RING_VZ, RING_DZ, N_RING = range(6)

# columns of the output rows
(
    OUT_STATION,
    OUT_ONSET,
    OUT_TRIGGER,
    OUT_DECIDED,
    OUT_SLOT,
    OUT_REASON,
    OUT_SNR,
    OUT_UNCERTAINTY_S,
    OUT_H_TO_Z,
    OUT_PD_NOISE,
    OUT_PV_NOISE,
    OUT_PA_NOISE,
    OUT_FILLED,
    OUT_NUMBER,
    N_OUT,
) = range(15)

# reasons: 0 accepted
REASONS = ("accepted", "range", "boxcar", "spike", "zero_crossings", "horizontal_first", "gap")
ACCEPTED, RANGE, BOXCAR, SPIKE, ZERO_CROSSINGS, HORIZONTAL_FIRST, GAP = range(7)


class PickerParameters(NamedTuple):
    """Thresholds of trigger and gates; meaning, unit and source in ``tables/detector.toml``."""

    band_on: float
    broadband_on: float
    rearm: float
    band_lta_s: float
    broadband_sta_s: float
    broadband_lta_s: float
    warm_up_s: float
    wait_s: float
    dead_s: float
    dead_rejected_s: float
    aic_before_s: float
    noise_s: float
    min_acceleration_mps2: float
    min_velocity_mps: float
    sustain: float
    spike_ratio: float
    min_zero_crossings: int
    max_h_to_z: float
    clip_hold_s: float
    flat_samples: int
    flat_min_counts: float
    tau_c_s: float


class State(NamedTuple):
    """Carried state of all stations; first axis is the station."""

    coefficients: FloatArray  # (S, N_COEFFICIENTS)
    band_coefficients: FloatArray  # (S, N_BANDS, 4): b0, a1, a2, sta alpha; b0 = 0: band unused
    inverse_sensitivity: FloatArray  # (S, 3), 0 where the component is absent
    clip_counts: FloatArray  # (S, 3)
    filters: FloatArray  # (S, 3, N_FILTER)
    detect: FloatArray  # (S, N_DETECT)
    band: FloatArray  # (S, N_BANDS, N_BAND_STATE)
    counters: IntArray  # (S, N_COUNTERS)
    ring: FloatArray  # (S, N_RING, R)
    slot_onset: IntArray  # (S, N_SLOTS), -1 unused
    slot_length: IntArray  # (S, N_SLOTS) complete series steps
    slot_clipped: IntArray  # (S, N_SLOTS) series step from which the record is clipped, or -1
    slot_values: FloatArray  # (S, N_SLOTS, N_SLOT_VALUES)
    series: FloatArray  # (S, N_SLOTS, 3, N_SERIES): growing Pd, Pv, Pa
    peaks: FloatArray  # (S, N_PEAKS)


@njit(cache=True, nogil=True)
def _aic_onset(z: FloatArray, ring_length: int, first: int, last: int) -> int:
    """Return the sample that minimises AIC in ``first..last``.

    AIC(k) = k ln var(x[:k]) + (n-k-1) ln var(x[k:]) (Maeda 1985).
    """
    n = last - first + 1
    if n < 8:
        return first
    total = 0.0
    total2 = 0.0
    for i in range(n):
        x = z[(first + i) % ring_length]
        total += x
        total2 += x * x
    left = 0.0
    left2 = 0.0
    best = np.inf
    best_k = 0
    tiny = 1e-30
    for k in range(n):
        x = z[(first + k) % ring_length]
        if 3 <= k <= n - 4:
            m = left / k
            var1 = max(left2 / k - m * m, tiny)
            r = n - k
            m = (total - left) / r
            var2 = max((total2 - left2) / r - m * m, tiny)
            aic = k * np.log(var1) + (r - 1) * np.log(var2)
            if aic < best:
                best = aic
                best_k = k
        left += x
        left2 += x * x
    return first + best_k


@njit(cache=True, nogil=True)
def _judge(s: int, now: int, state: State, p: PickerParameters, out: FloatArray, row: int) -> int:
    """Refine the pending trigger of station ``s``, apply the gates, fill ``out[row]``.

    Returns the reason code; 0 means accepted.
    """
    rate = state.coefficients[s, RATE]
    ring = state.ring[s]
    ring_length = ring.shape[1]
    counters = state.counters[s]
    trigger = counters[TRIGGER]
    first = max(trigger - int(p.aic_before_s * rate), now - ring_length + 1, 0)
    if counters[N_PICKS] > 0:
        first = max(first, min(counters[LAST_ONSET] + int(0.2 * rate), trigger - 8))
    onset = _aic_onset(ring[RING_AZ], ring_length, first, now)
    # the onset of a trigger lies before it; a minimum behind it belongs to later, larger motion
    onset = min(onset, trigger)

    noise_first = max(onset - int(p.noise_s * rate), now - ring_length + 1, 0)
    noise_last = max(noise_first + 1, onset - int(0.2 * rate))
    pd_noise = 0.0
    pv_noise = 0.0
    pa_noise = 0.0
    noise_z2 = 0.0
    noise_h2 = 0.0
    n = 0
    for i in range(noise_first, noise_last):
        k = i % ring_length
        pd_noise = max(pd_noise, abs(ring[RING_DZ, k]))
        pv_noise = max(pv_noise, abs(ring[RING_VZ, k]))
        pa_noise = max(pa_noise, abs(ring[RING_AZ, k]))
        noise_z2 += ring[RING_AZ, k] ** 2
        noise_h2 += ring[RING_A1, k] ** 2 + ring[RING_A2, k] ** 2
        n += 1
    noise_z2 /= max(n, 1)
    noise_h2 /= max(n, 1)

    peak_a = 0.0
    peak_v = 0.0
    low = np.inf
    high = 0.0
    crossings = 0
    z2 = 0.0
    h2 = 0.0
    biggest = 0.0
    previous = 0.0
    m = now - onset + 1
    for i in range(onset, now + 1):
        k = i % ring_length
        a = ring[RING_AZ, k]
        square = a * a
        h_square = ring[RING_A1, k] ** 2 + ring[RING_A2, k] ** 2
        z2 += square
        h2 += h_square
        biggest = max(biggest, square)
        peak_a = max(peak_a, abs(a))
        peak_v = max(peak_v, abs(ring[RING_VZ, k]))
        if i >= trigger:
            vector = np.sqrt(square + h_square)
            low = min(low, vector)
            high = max(high, vector)
        if i > onset and a * previous < 0.0:
            crossings += 1
        previous = a
    signal_z2 = max(z2 / m - noise_z2, 1e-30)
    signal_h2 = max(h2 / m - noise_h2, 0.0)
    components = 0
    for c in range(1, 3):
        if state.inverse_sensitivity[s, c] != 0.0:
            components += 1
    h_to_z = np.sqrt(signal_h2 / max(components, 1) / signal_z2)

    band = counters[TRIGGER_BAND]
    if band == N_BANDS:
        ratio = state.detect[s, STA_BB] / max(state.detect[s, LTA_BB], 1e-30)
        needed = p.broadband_on
    else:
        ratio = state.band[s, band, B_STA] / max(state.band[s, band, B_LTA], 1e-30)
        needed = p.band_on

    reason = ACCEPTED
    if counters[FILL_UNTIL] >= first and counters[FILL_UNTIL] > trigger - int(0.1 * rate):
        reason = GAP
    elif peak_a < p.min_acceleration_mps2 or peak_v < p.min_velocity_mps:
        reason = RANGE
    elif high - low < p.min_acceleration_mps2:
        reason = BOXCAR
    elif biggest > p.spike_ratio * (z2 - biggest):
        reason = SPIKE
    elif ratio < p.sustain * needed:
        reason = SPIKE
    elif crossings < p.min_zero_crossings:
        reason = ZERO_CROSSINGS
    elif components > 0 and h_to_z > p.max_h_to_z:
        reason = HORIZONTAL_FIRST

    snr = np.sqrt(signal_z2 / max(noise_z2, 1e-30))
    uncertainty = min(0.5, 1.5 / rate + 0.05 + 0.5 / max(snr, 0.5) ** 2)
    out[row, OUT_STATION] = s
    out[row, OUT_ONSET] = onset
    out[row, OUT_TRIGGER] = trigger
    out[row, OUT_DECIDED] = now
    out[row, OUT_SLOT] = -1
    out[row, OUT_REASON] = reason
    out[row, OUT_SNR] = snr
    out[row, OUT_UNCERTAINTY_S] = uncertainty
    out[row, OUT_H_TO_Z] = h_to_z
    out[row, OUT_PD_NOISE] = pd_noise
    out[row, OUT_PV_NOISE] = pv_noise
    out[row, OUT_PA_NOISE] = pa_noise
    out[row, OUT_FILLED] = 1.0 if counters[FILL_UNTIL] >= first else 0.0
    out[row, OUT_NUMBER] = 0
    return reason


@njit(cache=True, nogil=True)
def _grow(
    s: int, slot: int, i: int, a: float, v: float, d: float, state: State, p: PickerParameters
) -> None:
    """Let sample ``i`` grow the peaks of one slot."""
    rate = state.coefficients[s, RATE]
    values = state.slot_values[s, slot]
    values[PD] = max(values[PD], abs(d))
    values[PV] = max(values[PV], abs(v))
    values[PA] = max(values[PA], abs(a))
    offset = i - state.slot_onset[s, slot]
    if offset < p.tau_c_s * rate:
        values[SUM_V2] += v * v
        values[SUM_D2] += d * d
    if 0.5 * rate <= offset < 4.0 * rate:
        denominator = state.detect[s, TAU_D]
        if denominator > 0.0:
            tau_p = 2.0 * np.pi * np.sqrt(state.detect[s, TAU_X] / denominator)
            values[TAU_P] = max(values[TAU_P], min(max(tau_p, 0.01), 100.0))
    # step k covers the samples before (k+1) * 0.1 s
    done = int((offset + 1) / rate / SERIES_STEP_S + 1e-9)
    length = state.slot_length[s, slot]
    while length < done and length < N_SERIES:
        state.series[s, slot, 0, length] = values[PD]
        state.series[s, slot, 1, length] = values[PV]
        state.series[s, slot, 2, length] = values[PA]
        length += 1
    state.slot_length[s, slot] = length


@njit(cache=True, nogil=True)
def _open_slot(
    s: int, now: int, state: State, p: PickerParameters, out: FloatArray, row: int
) -> None:
    """Begin the growing peaks of an accepted pick, from its onset, out of the ring."""
    counters = state.counters[s]
    slot = counters[N_PICKS] % N_SLOTS
    onset = int(out[row, OUT_ONSET])
    counters[SLOT] = slot
    counters[N_PICKS] += 1
    counters[LAST_ONSET] = onset
    state.slot_onset[s, slot] = onset
    state.slot_length[s, slot] = 0
    state.slot_clipped[s, slot] = 0 if counters[CLIP_UNTIL] > onset else -1
    state.slot_values[s, slot, :] = 0.0
    state.series[s, slot, :, :] = 0.0
    state.slot_values[s, slot, PD_NOISE] = out[row, OUT_PD_NOISE]
    state.slot_values[s, slot, PV_NOISE] = out[row, OUT_PV_NOISE]
    state.slot_values[s, slot, PA_NOISE] = out[row, OUT_PA_NOISE]
    out[row, OUT_SLOT] = slot
    out[row, OUT_NUMBER] = counters[N_PICKS]
    ring = state.ring[s]
    ring_length = ring.shape[1]
    for i in range(onset, now + 1):
        k = i % ring_length
        _grow(s, slot, i, ring[RING_AZ, k], ring[RING_VZ, k], ring[RING_DZ, k], state, p)


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
                    else:
                        counters[MODE] = PENDING
                        counters[TRIGGER] = i
                        counters[TRIGGER_BAND] = fired
            elif mode == PENDING:
                if i >= counters[TRIGGER] + wait:
                    reason = _judge(s, i, state, p, out, n_rows)
                    counters[MODE] = REFRACTORY
                    if reason == ACCEPTED:
                        _open_slot(s, i, state, p, out, n_rows)
                    else:
                        counters[TRIGGER] = i - int((p.dead_s - p.dead_rejected_s) * rate)
                    if n_rows < out.shape[0] - 1:
                        n_rows += 1
                    continue  # the new slot already holds this sample
            elif quiet and i >= counters[TRIGGER] + int(p.dead_s * rate):
                counters[MODE] = IDLE

            for k in range(N_SLOTS):
                onset = state.slot_onset[s, k]
                if onset >= 0 and i - onset < SHAKING_S * rate:
                    if counters[CLIP_UNTIL] > i and state.slot_clipped[s, k] < 0:
                        state.slot_clipped[s, k] = state.slot_length[s, k]
                    if state.slot_length[s, k] < N_SERIES:
                        _grow(s, k, i, a, ring[RING_VZ, slot_i], d, state, p)
                    values = state.slot_values[s, k]
                    values[PGV_H] = max(values[PGV_H], horizontal_v)
    return n_rows
