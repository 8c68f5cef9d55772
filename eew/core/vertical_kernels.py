"""Numba kernels of the vertical: displacement, predominant period and recursive STA/LTA.

STA/LTA (Allen 1978) runs broadband, on Allen's characteristic function of velocity, and in octave
bands of acceleration (the idea of FilterPicker, Lomax et al. 2012, SRL 83:531): the broadband one
is early on large quakes, the bands find small ones above sensor noise. LTAs begin as plain means
over what there is, and stand still over samples that were made up.

What does not wait for each other stands side by side in one loop: the processor works on it at
the same time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.jit import inlined
from eew.core.layout import (
    B0,
    B1,
    B_LTA,
    B_STA,
    BZ1,
    BZ2,
    C1,
    C2,
    D1,
    D2,
    D_SUM,
    G1,
    G2,
    H0,
    H1,
    HV1,
    HV2,
    L0,
    L1,
    LP1,
    LP2,
    LP_PREV,
    LTA_BB,
    M1,
    M2,
    N_BANDS,
    RATE,
    RING_AZ,
    RING_DZ,
    RING_VZ,
    STA_BB,
    TAU_D,
    TAU_X,
    V_BB,
    PickerParameters,
    Piece,
    Span,
    State,
)
from eew.core.motion_kernels import section

_Four = tuple[float, float, float, float]


@inlined
def follow(
    span: Span, filled: NDArray[np.uint8], state: State, p: PickerParameters, piece: Piece
) -> None:
    """Make of vertical velocity: displacement, high-passed velocity, period, broadband averages."""
    s = span.s
    co, f, g = state.coefficients, state.filters, state.detect
    rate = co[s, RATE]
    dt = 1.0 / rate
    half = 0.5 * dt
    b0, b1, c1, c2 = co[s, B0], co[s, B1], co[s, C1], co[s, C2]
    h0, h1, g1, g2 = co[s, H0], co[s, H1], co[s, G1], co[s, G2]
    l0, l1, m1, m2 = co[s, L0], co[s, L1], co[s, M1], co[s, M2]
    sta_alpha = min(1.0, dt / p.broadband_sta_s)
    lta_alpha = dt / p.broadband_lta_s
    tau_alpha = 1.0 - dt
    d_sum, d1, d2 = f[s, 0, D_SUM], f[s, 0, D1], f[s, 0, D2]
    w1, w2 = g[s, HV1], g[s, HV2]
    low1, low2, low_prev = g[s, LP1], g[s, LP2], g[s, LP_PREV]
    tau_x, tau_d = g[s, TAU_X], g[s, TAU_D]
    v_prev, sta, lta = g[s, V_BB], g[s, STA_BB], g[s, LTA_BB]
    for k in range(span.n):
        v = piece.vertical_v[k]
        d_sum += (v + v_prev) * half
        d, d1, d2 = section(d_sum, d1, d2, b0, b1, c1, c2)
        state.ring[s, RING_DZ, span.at + k] = d
        # the velocity whose peak makes a magnitude
        w, w1, w2 = section(v, w1, w2, h0, h1, g1, g2)
        state.ring[s, RING_VZ, span.at + k] = w

        # predominant period, on velocity below 1.8 Hz (Allen & Kanamori 2003)
        low, low1, low2 = section(v, low1, low2, l0, l1, m1, m2)
        slope = (low - low_prev) * rate
        low_prev = low
        tau_x = tau_alpha * tau_x + low * low
        tau_d = tau_alpha * tau_d + slope * slope
        piece.tau_x[k] = tau_x
        piece.tau_d[k] = tau_d

        # Allen's characteristic function and its averages
        slope = (v - v_prev) * rate
        v_prev = v
        cf = v * v + 3e-4 * slope * slope
        sta += (cf - sta) * max(sta_alpha, piece.begin[k])
        if filled[span.lo + k] == 0:
            lta += (cf - lta) * max(lta_alpha, piece.begin[k])
        piece.sta[N_BANDS, k] = sta
        piece.lta[N_BANDS, k] = lta
    f[s, 0, D_SUM], f[s, 0, D1], f[s, 0, D2] = d_sum, d1, d2
    g[s, HV1], g[s, HV2] = w1, w2
    g[s, LP1], g[s, LP2], g[s, LP_PREV] = low1, low2, low_prev
    g[s, TAU_X], g[s, TAU_D] = tau_x, tau_d
    g[s, V_BB], g[s, STA_BB], g[s, LTA_BB] = v_prev, sta, lta


@inlined
def watch_bands(
    span: Span, filled: NDArray[np.uint8], state: State, p: PickerParameters, piece: Piece
) -> None:
    """Let acceleration into the averages of the four octave bands."""
    s = span.s
    b = state.band_coefficients
    b0 = b[s, 0, 0], b[s, 0, 1], b[s, 0, 2], b[s, 0, 3]
    b1 = b[s, 1, 0], b[s, 1, 1], b[s, 1, 2], b[s, 1, 3]
    b2 = b[s, 2, 0], b[s, 2, 1], b[s, 2, 2], b[s, 2, 3]
    b3 = b[s, 3, 0], b[s, 3, 1], b[s, 3, 2], b[s, 3, 3]
    g = state.band
    g0 = g[s, 0, BZ1], g[s, 0, BZ2], g[s, 0, B_STA], g[s, 0, B_LTA]
    g1 = g[s, 1, BZ1], g[s, 1, BZ2], g[s, 1, B_STA], g[s, 1, B_LTA]
    g2 = g[s, 2, BZ1], g[s, 2, BZ2], g[s, 2, B_STA], g[s, 2, B_LTA]
    g3 = g[s, 3, BZ1], g[s, 3, BZ2], g[s, 3, B_STA], g[s, 3, B_LTA]
    settled = 1.0 / state.coefficients[s, RATE] / p.band_lta_s
    for k in range(span.n):
        a = state.ring[s, RING_AZ, span.at + k]
        begin = piece.begin[k]
        lta_alpha = max(settled, begin) if filled[span.lo + k] == 0 else 0.0
        g0 = _next(a, b0, g0, begin, lta_alpha)
        g1 = _next(a, b1, g1, begin, lta_alpha)
        g2 = _next(a, b2, g2, begin, lta_alpha)
        g3 = _next(a, b3, g3, begin, lta_alpha)
        piece.sta[0, k], piece.lta[0, k] = g0[2], g0[3]
        piece.sta[1, k], piece.lta[1, k] = g1[2], g1[3]
        piece.sta[2, k], piece.lta[2, k] = g2[2], g2[3]
        piece.sta[3, k], piece.lta[3, k] = g3[2], g3[3]
    g[s, 0, BZ1], g[s, 0, BZ2], g[s, 0, B_STA], g[s, 0, B_LTA] = g0
    g[s, 1, BZ1], g[s, 1, BZ2], g[s, 1, B_STA], g[s, 1, B_LTA] = g1
    g[s, 2, BZ1], g[s, 2, BZ2], g[s, 2, B_STA], g[s, 2, B_LTA] = g2
    g[s, 3, BZ1], g[s, 3, BZ2], g[s, 3, B_STA], g[s, 3, B_LTA] = g3


@inlined
def _next(a: float, b: _Four, g: _Four, begin: float, lta_alpha: float) -> _Four:
    """Band-pass one sample and let its square into both averages: (z1, z2, sta, lta)."""
    through = b[0] * a
    y = through + g[0]
    e = y * y
    sta = g[2] + (e - g[2]) * max(b[3], begin)
    lta = g[3] + (e - g[3]) * lta_alpha
    return g[1] - b[1] * y, -through - b[2] * y, sta, lta


@inlined
def compare(span: Span, state: State, p: PickerParameters, piece: Piece) -> None:
    """Set ``fired`` and ``loud``: bands overrule the broadband, higher bands lower ones."""
    sta, lta, fired, loud = piece.sta, piece.lta, piece.fired, piece.loud
    on = p.broadband_on
    for k in range(span.n):
        fired[k] = N_BANDS if sta[N_BANDS, k] > on * lta[N_BANDS, k] else -1
        loud[k] = 1 if sta[N_BANDS, k] >= p.rearm * lta[N_BANDS, k] else 0
    on = p.band_on
    for band in range(N_BANDS):
        if state.band_coefficients[span.s, band, 0] == 0.0:
            continue  # over the Nyquist frequency
        for k in range(span.n):
            fired[k] = band if sta[band, k] > on * lta[band, k] else fired[k]
            loud[k] = 1 if sta[band, k] >= p.rearm * lta[band, k] else loud[k]
