"""Numba kernels of one trigger: its onset and the quality gates.

Onset: minimum of Maeda's (1985) AIC on the vertical acceleration. The gates are those of EPIC's
waveform processing (range, boxcar, horizontal-first) with a spike and a noise test of our own;
thresholds and reasons stand in ``tables/detector.toml``.
"""

from __future__ import annotations

import numpy as np

from eew.core.jit import inner
from eew.core.layout import (
    ACCEPTED,
    BARRIER,
    BARRIER_FROM,
    BOXCAR,
    CALIBRATION,
    DUE,
    FILL_UNTIL,
    GAP,
    HELD_FOR,
    HELD_UNTIL,
    HORIZONTAL_FIRST,
    IMPULSE,
    JUMP_LAST,
    LAST_ONSET,
    N_BANDS,
    N_PICKS,
    NOISE_FLOOR,
    NOT_YET,
    OUT_DECIDED,
    OUT_FILLED,
    OUT_H_TO_Z,
    OUT_NUMBER,
    OUT_ONSET,
    OUT_PA_NOISE,
    OUT_PD_NOISE,
    OUT_PV_NOISE,
    OUT_REASON,
    OUT_SLOT,
    OUT_SNR,
    OUT_STATION,
    OUT_TRIGGER,
    OUT_UNCERTAINTY_S,
    PIECE,
    RANGE,
    RATE,
    RING_A1,
    RING_A2,
    RING_AZ,
    RING_DZ,
    RING_VZ,
    SPIKE,
    TELEMETRY,
    TRIGGER,
    TRIGGER_BAND,
    WEAK,
    ZERO_CROSSINGS,
    FloatArray,
    PickerParameters,
    Piece,
    QuarantineParameters,
    State,
)
from eew.core.quarantine_kernels import hold, is_calibration, is_deaf

_LEAST = 5  # samples that make an average


@inner
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


@inner
def _noise(
    s: int, onset: int, oldest: int, state: State, p: PickerParameters
) -> tuple[float, float, float, float, float]:
    """Return peaks of displacement, velocity, acceleration, and mean squares of z and h.

    Over ``noise_s`` in front of the onset, without what a gate has refused there.
    """
    rate = state.coefficients[s, RATE]
    ring, counters = state.ring[s], state.counters[s]
    ring_length = ring.shape[1]
    first = max(onset - int(p.noise_s * rate), oldest)
    last = max(first + 1, onset - int(0.2 * rate))
    pd, pv, pa, z2, h2 = 0.0, 0.0, 0.0, 0.0, 0.0
    n = 0
    for i in range(first, last):
        k = i % ring_length
        pd = max(pd, abs(ring[RING_DZ, k]))
        pv = max(pv, abs(ring[RING_VZ, k]))
        pa = max(pa, abs(ring[RING_AZ, k]))
        if counters[BARRIER_FROM] <= i < counters[BARRIER]:
            continue
        z2 += ring[RING_AZ, k] ** 2
        h2 += ring[RING_A1, k] ** 2 + ring[RING_A2, k] ** 2
        n += 1
    return pd, pv, pa, z2 / max(n, 1), h2 / max(n, 1)


@inner
def _stands_alone(s: int, onset: int, oldest: int, state: State, p: PickerParameters) -> bool:
    """Tell whether what was refused before ``onset`` died away: it was not the foot of it."""
    ring, counters = state.ring[s, RING_AZ], state.counters[s]
    rate = state.coefficients[s, RATE]
    first, last = counters[BARRIER], onset - int(0.05 * rate)
    if last - first < max(3, int(0.1 * rate)):
        return False
    z2 = 0.0
    for i in range(first, last):
        z2 += ring[i % ring.size] ** 2
    noise_z2 = _noise(s, counters[BARRIER_FROM], oldest, state, p)[3]
    return bool(z2 / (last - first) < p.min_snr**2 * noise_z2)


@inner
def judge(
    s: int,
    now: int,
    k_now: int,
    piece: Piece,
    state: State,
    p: PickerParameters,
    q: QuarantineParameters,
    out: FloatArray,
    row: int,
) -> int:
    """Refine the pending trigger of station ``s``, apply the gates, fill ``out[row]``.

    ``now`` is the sample of the decision, ``k_now`` its place in ``piece``. What is plain is
    judged early, what dies away at once late: then the answer is ``NOT_YET``, and ``DUE`` says
    when to ask again.

    Returns the reason code; 0 means accepted.
    """
    rate = state.coefficients[s, RATE]
    ring = state.ring[s]
    ring_length = ring.shape[1]
    counters = state.counters[s]
    trigger = counters[TRIGGER]
    full = trigger + int(p.wait_s * rate)
    if now < full and _bands_over(s, k_now, piece, state, p) < p.early_bands:
        counters[DUE] = now + 1
        return NOT_YET
    # the ring already holds the rest of the piece: as many old samples are gone
    oldest = max(now - (ring_length - PIECE) + 1, 0)
    first = max(trigger - int(p.aic_before_s * rate), oldest)
    if counters[N_PICKS] > 0:
        first = max(first, min(counters[LAST_ONSET] + int(0.2 * rate), trigger - 8))
    last = min(now, full)
    onset = _aic_onset(ring[RING_AZ], ring_length, first, last)
    if first <= counters[BARRIER] < last - 8:
        behind = _aic_onset(ring[RING_AZ], ring_length, counters[BARRIER], last)
        if _stands_alone(s, behind, oldest, state, p):
            onset = behind
    # the onset of a trigger lies before it; a minimum behind it belongs to later, larger motion
    onset = min(onset, trigger)

    pd_noise, pv_noise, pa_noise, noise_z2, noise_h2 = _noise(s, onset, oldest, state, p)
    peak_a = 0.0
    peak_v = 0.0
    low = np.inf
    high = 0.0
    crossings = 0
    products = np.zeros(5)
    biggest = 0.0
    biggest_at = onset
    previous = 0.0
    m = now - onset + 1
    window = min(max(int(0.1 * rate), _LEAST), max(m // 2, 1))
    window_z2, last_z2, strongest = 0.0, 0.0, 0.0  # sum, then mean squares of whole windows
    for i in range(onset, now + 1):
        k = i % ring_length
        a, n, e = ring[RING_AZ, k], ring[RING_A1, k], ring[RING_A2, k]
        square = a * a
        h_square = n * n + e * e
        products[0] += square
        products[1] += n * n
        products[2] += e * e
        products[3] += a * n
        products[4] += a * e
        if square > biggest:
            biggest, biggest_at = square, i
        window_z2 += square
        if (now - i) % window == 0:  # windows end with the newest sample; the first is cut short
            last_z2 = window_z2 / window
            strongest = max(strongest, last_z2)
            window_z2 = 0.0
        peak_a = max(peak_a, abs(a))
        peak_v = max(peak_v, abs(ring[RING_VZ, k]))
        if i >= trigger:
            vector = np.sqrt(square + h_square)
            low = min(low, vector)
            high = max(high, vector)
        if i > onset and a * previous < 0.0:
            crossings += 1
        previous = a
    z2, h2 = products[0], products[1] + products[2]
    signal_z2 = max(z2 / m - noise_z2, 1e-30)
    signal_h2 = max(h2 / m - noise_h2, 0.0)
    components = 0
    for c in range(1, 3):
        if state.inverse_sensitivity[s, c] != 0.0:
            components += 1
    h_to_z = np.sqrt(signal_h2 / max(components, 1) / signal_z2)
    snr = np.sqrt(signal_z2 / max(noise_z2, 1e-30))

    band = counters[TRIGGER_BAND]
    ratio = piece.sta[band, k_now] / max(piece.lta[band, k_now], 1e-30)
    needed = p.broadband_on if band == N_BANDS else p.band_on

    reason = ACCEPTED
    if counters[HELD_UNTIL] >= now and counters[HELD_FOR] != NOISE_FLOOR:
        reason = counters[HELD_FOR]
    elif is_deaf(s, trigger, k_now, state, q, piece):
        reason = NOISE_FLOOR
    elif onset - int(0.1 * rate) < counters[FILL_UNTIL] <= trigger:
        reason = GAP  # the onset lies in what was made up, or is its edge
    elif peak_a < p.min_acceleration_mps2 or peak_v < p.min_velocity_mps:
        reason = RANGE
    elif high - low < max(p.min_acceleration_mps2, p.boxcar_share * high):
        reason = BOXCAR
    elif biggest > p.spike_ratio * (z2 - biggest) or (now <= full and ratio < p.sustain * needed):
        reason = SPIKE
    elif (
        components == 2
        and counters[JUMP_LAST] < onset
        and is_calibration(products, noise_h2, snr, m, q)
    ):
        reason = CALIBRATION
        hold(s, now + int(q.calibration_hold_s * rate), CALIBRATION, state)
    elif crossings < p.min_zero_crossings:
        reason = ZERO_CROSSINGS
    elif components > 0 and h_to_z > p.max_h_to_z:
        reason = HORIZONTAL_FIRST
    elif snr < p.min_snr:
        reason = WEAK
    elif now > full and window >= _LEAST and last_z2 < p.impulse_share**2 * strongest:
        reason = IMPULSE

    if now < full:
        plain = reason == ACCEPTED and snr >= p.early_snr and last_z2 >= z2 / m
        soon = trigger - onset <= int(p.early_back_s * rate)
        if not (plain and soon) or counters[JUMP_LAST] >= onset:
            counters[DUE] = now + 1
            return NOT_YET
    elif now == full and reason == ACCEPTED:
        # of fewer samples nobody can say: below 50 Hz nothing is taken for a jolt
        dies = window >= _LEAST and last_z2 < p.impulse_hint**2 * strongest
        dies = dies and strongest > p.impulse_snr**2 * noise_z2
        if dies or counters[JUMP_LAST] >= onset:
            counters[DUE] = trigger + int(p.impulse_wait_s * rate)
            return NOT_YET
    if reason == SPIKE and biggest > p.spike_ratio * (z2 - biggest):
        counters[BARRIER_FROM] = onset
        counters[BARRIER] = biggest_at + 1 + int(0.05 * rate)
    elif reason in (BOXCAR, CALIBRATION, TELEMETRY, IMPULSE):
        counters[BARRIER_FROM] = onset
        counters[BARRIER] = now

    uncertainty = p.sigma_samples / rate + p.sigma_s + p.sigma_snr_s / max(snr, p.min_snr) ** 2
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


@inner
def _bands_over(s: int, k: int, piece: Piece, state: State, p: PickerParameters) -> int:
    """Count the bands (and the broadband) that stand far over their threshold."""
    over = 0
    for band in range(N_BANDS + 1):
        on = p.broadband_on if band == N_BANDS else p.band_on
        used = band == N_BANDS or state.band_coefficients[s, band, 0] != 0.0
        if used and piece.sta[band, k] > p.early_factor * on * piece.lta[band, k]:
            over += 1
    return over
