"""Numba kernels of motion: counts in, acceleration and velocity out.

Running baseline removal (velocity sensors are differentiated instead), causal two-pole high-pass,
trapezoid integration with the same high-pass after it: field practice of EPIC (Chung et al. 2019,
SRL, doi:10.1785/0220180088).

Each pass keeps its state in local variables while it works through a piece; every sample meets
the same arithmetic wherever pieces begin and end.
"""

from __future__ import annotations

from eew.core.jit import inlined
from eew.core.layout import (
    A1,
    A2,
    A_PREV,
    B0,
    B1,
    BASE,
    C1,
    C2,
    IS_VELOCITY,
    PGA,
    PGA_VECTOR,
    PGV,
    PGV_VECTOR,
    RATE,
    RAW_BASE,
    RAW_MAX,
    RAW_PREV,
    RUN_EQUAL,
    V1,
    V2,
    V_SUM,
    X_PREV,
    FloatArray,
    PickerParameters,
    Piece,
    Span,
    State,
)


@inlined
def section(
    x: float, z1: float, z2: float, b0: float, b1: float, a1: float, a2: float
) -> tuple[float, float, float]:
    """Put one sample through a two-pole filter with b2 = b0 (transposed direct form II).

    Returns the output and the two new states.
    """
    through = b0 * x
    y = through + z1
    return y, b1 * x - a1 * y + z2, through - a2 * y


@inlined
def start(s: int, lo: int, frames: FloatArray, state: State) -> None:
    """Let the first sample stand for the baseline: the high-pass then begins without a step."""
    for c in range(3):
        first = frames[c, lo]
        state.filters[s, c, BASE] = first * state.inverse_sensitivity[s, c]
        state.filters[s, c, X_PREV] = first * state.inverse_sensitivity[s, c]
        state.filters[s, c, RAW_BASE] = first
        state.filters[s, c, RAW_PREV] = first


@inlined
def move(
    c: int, span: Span, frames: FloatArray, state: State, p: PickerParameters, piece: Piece
) -> None:
    """Filter and integrate component ``c`` (0 the vertical); acceleration goes into the ring."""
    s = span.s
    co, g = state.coefficients, state.filters
    rate = co[s, RATE]
    half = 0.5 / rate
    b0, b1, c1, c2 = co[s, B0], co[s, B1], co[s, C1], co[s, C2]
    velocity = co[s, IS_VELOCITY] != 0.0
    inverse = state.inverse_sensitivity[s, c]
    clip_counts = state.clip_counts[s, c]
    counted_from = int(p.warm_up_s * rate) - span.first
    slow = 1.0 / rate / 60.0
    base, x_prev = g[s, c, BASE], g[s, c, X_PREV]
    raw_prev, raw_max = g[s, c, RAW_PREV], g[s, c, RAW_MAX]
    raw_base, run_equal = g[s, c, RAW_BASE], g[s, c, RUN_EQUAL]
    a1, a2, a_prev = g[s, c, A1], g[s, c, A2], g[s, c, A_PREV]
    v_sum, v1, v2 = g[s, c, V_SUM], g[s, c, V1], g[s, c, V2]
    pga, pgv = state.peaks[s, PGA], state.peaks[s, PGV]
    for k in range(span.n):
        raw = frames[c, span.lo + k]
        if abs(raw) >= clip_counts:
            piece.clipped[k] = True
        if raw == raw_prev:
            # a flat top: the same large value again and again (a clipped or stuck sensor)
            run_equal += 1.0
            if (
                run_equal >= p.flat_samples
                and raw_max > p.flat_min_counts
                and abs(raw - raw_base) > 0.5 * raw_max
            ):
                piece.clipped[k] = True
        else:
            run_equal = 0.0
            raw_prev = raw
            raw_max = max(raw_max, abs(raw - raw_base))
        x = raw * inverse
        if velocity:
            y = (x - x_prev) * rate
            x_prev = x
        else:
            # a fast mean over the first second, then the slow one
            base += (x - base) * (piece.begin[k] if span.first + k < rate else slow)
            y = x - base
        a, a1, a2 = section(y, a1, a2, b0, b1, c1, c2)
        v_sum += (a + a_prev) * half
        a_prev = a
        v, v1, v2 = section(v_sum, v1, v2, b0, b1, c1, c2)
        state.ring[s, c, span.at + k] = a
        piece.vector_a2[k] += a * a
        piece.vector_v2[k] += v * v
        if c == 0:
            piece.vertical_v[k] = v
        else:
            piece.horizontal_v[k] = max(piece.horizontal_v[k], abs(v))
            if k >= counted_from:
                pga = max(pga, abs(a))
                pgv = max(pgv, abs(v))
    g[s, c, BASE], g[s, c, X_PREV] = base, x_prev
    g[s, c, RAW_PREV], g[s, c, RAW_MAX], g[s, c, RUN_EQUAL] = raw_prev, raw_max, run_equal
    g[s, c, A1], g[s, c, A2], g[s, c, A_PREV] = a1, a2, a_prev
    g[s, c, V_SUM], g[s, c, V1], g[s, c, V2] = v_sum, v1, v2
    state.peaks[s, PGA], state.peaks[s, PGV] = pga, pgv


@inlined
def keep_vector_peaks(span: Span, state: State, p: PickerParameters, piece: Piece) -> None:
    """Keep the largest squared vector sums since the end of the warm-up."""
    s = span.s
    counted_from = int(p.warm_up_s * state.coefficients[s, RATE]) - span.first
    a2, v2 = state.peaks[s, PGA_VECTOR], state.peaks[s, PGV_VECTOR]
    for k in range(max(counted_from, 0), span.n):
        a2 = max(a2, piece.vector_a2[k])
        v2 = max(v2, piece.vector_v2[k])
    state.peaks[s, PGA_VECTOR], state.peaks[s, PGV_VECTOR] = a2, v2
