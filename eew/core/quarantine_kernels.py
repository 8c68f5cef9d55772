"""Numba kernels of quarantine: when what a station sends is not the motion of the ground.

Three things are watched sample by sample, whether or not anything triggers: jumps over a large
share of the range (broken telemetry), the fall of the noise floor (a sensor gone deaf, whose noise
comes back as if it were an onset: Nara, 8 August 2013), and how often a station picks. A station in
quarantine gives no pick, its amplitudes are spoilt from then on, and its silence says nothing.
"""

from __future__ import annotations

import numpy as np

from eew.core.jit import inlined, inner
from eew.core.layout import (
    BUSY,
    BUSY_AT,
    CHATTER,
    CLIP_UNTIL,
    DEAF_SINCE,
    FILL_UNTIL,
    FLOOR,
    HELD_FOR,
    HELD_UNTIL,
    JUMP,
    JUMP_FROM_QUIET,
    JUMP_LAST,
    JUMPS,
    LEAST,
    LOOK,
    N_BANDS,
    NOISE_FLOOR,
    RATE,
    RAW_MAX,
    TELEMETRY,
    FloatArray,
    Piece,
    QuarantineParameters,
    Span,
    State,
)

_TINY = 1e-60  # of acceleration squared


@inlined
def hold(s: int, until: int, reason: int, state: State) -> None:
    """Put a station into quarantine until a sample; a longer one that runs is kept."""
    counters = state.counters[s]
    if until > counters[HELD_UNTIL]:
        counters[HELD_UNTIL] = until
        counters[HELD_FOR] = reason


@inlined
def may_jump(c: int, s: int, state: State) -> bool:
    """Tell whether a component was ever far enough from where it began to have jumped."""
    return bool(state.filters[s, c, RAW_MAX] >= 0.5 * state.jump_counts[s, c])


@inner
def mark_jumps(
    c: int,
    before: float,
    span: Span,
    frames: FloatArray,
    state: State,
    q: QuarantineParameters,
    piece: Piece,
) -> None:
    """Mark the jumps of a piece behind the raw sample ``before``, once its motion is known."""
    for k in range(span.n):
        raw = frames[c, span.lo + k]
        if abs(raw - before) > state.jump_counts[span.s, c]:
            quiet = _was_quiet(c, span.first + k, span.s, state, q)
            piece.marks[k] |= JUMP_FROM_QUIET if quiet else JUMP
        before = raw


@inner
def _was_quiet(c: int, i: int, s: int, state: State, q: QuarantineParameters) -> bool:
    """Tell whether nothing comparable to the acceleration of sample ``i`` came before it.

    Two samples in front of it do not count: not every random word is a large one.
    """
    ring = state.ring[s, c]
    back = min(int(q.jump_quiet_s * state.coefficients[s, RATE]) + 1, i)
    most = 0.0
    for before in range(i - back, i - 2):
        most = max(most, abs(ring[before % ring.size]))
    return bool(most < q.jump_quiet_share * abs(ring[i % ring.size]))


@inlined
def mark_looks(span: Span, state: State, q: QuarantineParameters, piece: Piece) -> None:
    """Mark the samples at which the noise floor is looked at."""
    look = int(q.floor_step_s * state.coefficients[span.s, RATE])
    for k in range(look - 1 - span.first % look, span.n, look):
        piece.marks[k] |= LOOK


@inlined
def _level(s: int, k: int, state: State, piece: Piece) -> float:
    """Return log10 of the rms of acceleration (m/s**2) at sample ``k``, mean over the bands.

    Not the rms of all: the swing of the high-pass after an offset would fill it.
    """
    product, bands = 1.0, 0
    for band in range(N_BANDS):
        if state.band_coefficients[s, band, 0] != 0.0:
            product *= max(piece.sta[band, k], _TINY)
            bands += 1
    return float(0.5 * np.log10(product) / max(bands, 1))


@inlined
def notice(s: int, i: int, k: int, state: State, q: QuarantineParameters, piece: Piece) -> None:
    """Act on the marks of sample ``i``, the ``k``-th of its piece."""
    if piece.marks[k] & LOOK:
        _look(s, i, _level(s, k, state, piece), state, q)
    if piece.marks[k] & (JUMP | JUMP_FROM_QUIET):
        _jump(s, i, k, state, q, piece)


@inner
def _jump(s: int, i: int, k: int, state: State, q: QuarantineParameters, piece: Piece) -> None:
    """Count a jump; too many without a pause are broken telemetry.

    The first one must come out of quiet: in the strongest shaking a coarse sampling jumps too.
    """
    counters = state.counters[s]
    rate = state.coefficients[s, RATE]
    if i - counters[JUMP_LAST] <= int(q.jump_pause_s * rate):
        counters[JUMPS] += 1
    elif piece.marks[k] & JUMP_FROM_QUIET and counters[CLIP_UNTIL] < i:  # what is clipped jumps
        counters[JUMPS] = 1
    else:
        return
    counters[JUMP_LAST] = i
    if counters[JUMPS] >= q.jumps:
        hold(s, i + int(q.telemetry_hold_s * rate), TELEMETRY, state)
        piece.clipped[k] = True  # its peaks are spoilt


@inlined
def _look(s: int, i: int, level: float, state: State, q: QuarantineParameters) -> None:
    """Move the floor on, and notice when the roughness falls away from it or comes back.

    The floor falls within seconds (a coda dies slower) and rises within a minute (a quake does not
    lift it): only a fall within one or two looks is a sensor gone deaf. Made-up samples are smooth:
    near them nobody looks.
    """
    counters, g = state.counters[s], state.detect[s]
    rate = state.coefficients[s, RATE]
    if i - counters[FILL_UNTIL] < int(2.0 * q.floor_step_s * rate):
        return
    if i < 2.0 * q.floor_step_s * rate or g[FLOOR] == 0.0:
        g[FLOOR] = level  # the first look has the start of the filters in it
    elif counters[DEAF_SINCE] < 0:
        if level < g[FLOOR] - q.floor_drop and g[FLOOR] > g[LEAST]:
            counters[DEAF_SINCE] = i
        else:
            seconds = q.floor_rise_s if level > g[FLOOR] else q.floor_fall_s
            g[FLOOR] += (level - g[FLOOR]) * min(1.0, q.floor_step_s / seconds)
    elif level > g[FLOOR] - q.floor_back:
        counters[DEAF_SINCE] = -1
        hold(s, i + int(q.floor_hold_s * rate), NOISE_FLOOR, state)
    elif i - counters[DEAF_SINCE] > int(q.floor_learn_s * rate):
        counters[DEAF_SINCE] = -1  # it stays so: the new floor
        g[FLOOR] = level


@inner
def is_deaf(
    s: int, trigger: int, k_now: int, state: State, q: QuarantineParameters, piece: Piece
) -> bool:
    """Tell whether a trigger is no more than the noise that comes back."""
    counters = state.counters[s]
    back = counters[HELD_FOR] == NOISE_FLOOR and counters[HELD_UNTIL] >= trigger
    if counters[DEAF_SINCE] < 0 and not back:
        return False
    return bool(_level(s, k_now, state, piece) < state.detect[s, FLOOR] + q.floor_loud)


@inner
def is_calibration(
    products: FloatArray, noise_h2: float, snr: float, m: int, q: QuarantineParameters
) -> bool:
    """Tell whether all components do the same, or the vertical moves alone.

    No wave in the ground does either to three components at right angles.

    Parameters
    ----------
    products : (5,) sums of zz, nn, ee, zn, ze over the ``m`` samples since the onset.
    noise_h2 : mean square of both horizontals together before it.
    """
    zz, nn, ee, zn, ze = products
    if snr >= q.identical_snr:
        north = (zz - 2.0 * abs(zn) + nn) / zz
        east = (zz - 2.0 * abs(ze) + ee) / zz
        if max(north, east) < q.identical_share:
            return True
    still = 0.0 < (nn + ee) / m < 2.0 * noise_h2
    return still and snr >= q.alone_snr and nn + ee < q.alone_share**2 * zz


@inner
def count_pick(s: int, now: int, state: State, q: QuarantineParameters) -> None:
    """Count an accepted pick; a station that picks all the time says nothing."""
    g = state.detect[s]
    rate = state.coefficients[s, RATE]
    g[BUSY] = g[BUSY] * np.exp((g[BUSY_AT] - now) / (q.chatter_s * rate)) + 1.0
    g[BUSY_AT] = now
    if g[BUSY] > q.chatter_picks:
        hold(s, now + int(q.chatter_hold_s * rate), CHATTER, state)
