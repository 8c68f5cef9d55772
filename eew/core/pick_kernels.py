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
    BOXCAR,
    FILL_UNTIL,
    GAP,
    HORIZONTAL_FIRST,
    LAST_ONSET,
    N_BANDS,
    N_PICKS,
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
    TRIGGER,
    TRIGGER_BAND,
    WEAK,
    ZERO_CROSSINGS,
    FloatArray,
    PickerParameters,
    Piece,
    State,
)


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
def judge(
    s: int,
    now: int,
    k_now: int,
    piece: Piece,
    state: State,
    p: PickerParameters,
    out: FloatArray,
    row: int,
) -> int:
    """Refine the pending trigger of station ``s``, apply the gates, fill ``out[row]``.

    ``now`` is the sample of the decision, ``k_now`` its place in ``piece``.

    Returns the reason code; 0 means accepted.
    """
    rate = state.coefficients[s, RATE]
    ring = state.ring[s]
    ring_length = ring.shape[1]
    counters = state.counters[s]
    trigger = counters[TRIGGER]
    # the ring already holds the rest of the piece: as many old samples are gone
    oldest = max(now - (ring_length - PIECE) + 1, 0)
    first = max(trigger - int(p.aic_before_s * rate), oldest)
    if counters[N_PICKS] > 0:
        first = max(first, min(counters[LAST_ONSET] + int(0.2 * rate), trigger - 8))
    onset = _aic_onset(ring[RING_AZ], ring_length, first, now)
    # the onset of a trigger lies before it; a minimum behind it belongs to later, larger motion
    onset = min(onset, trigger)

    noise_first = max(onset - int(p.noise_s * rate), oldest)
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
    snr = np.sqrt(signal_z2 / max(noise_z2, 1e-30))

    band = counters[TRIGGER_BAND]
    ratio = piece.sta[band, k_now] / max(piece.lta[band, k_now], 1e-30)
    needed = p.broadband_on if band == N_BANDS else p.band_on

    reason = ACCEPTED
    if onset - int(0.1 * rate) < counters[FILL_UNTIL] <= trigger:
        reason = GAP  # the onset lies in what was made up, or is its edge
    elif peak_a < p.min_acceleration_mps2 or peak_v < p.min_velocity_mps:
        reason = RANGE
    elif high - low < max(p.min_acceleration_mps2, p.boxcar_share * high):
        reason = BOXCAR
    elif biggest > p.spike_ratio * (z2 - biggest) or ratio < p.sustain * needed:
        reason = SPIKE
    elif crossings < p.min_zero_crossings:
        reason = ZERO_CROSSINGS
    elif components > 0 and h_to_z > p.max_h_to_z:
        reason = HORIZONTAL_FIRST
    elif snr < p.min_snr:
        reason = WEAK

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
