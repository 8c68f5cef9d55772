"""Numba kernel of station processing: counts in, filtered motion, picks and peaks out.

One call works through any number of stations; per station it works through the samples in
order, and every decision (trigger, onset, gates, peaks) is taken *at a sample*, never at the
end of a block. That is what makes the chunking law hold: the same samples cut into any packets
give the same picks and peaks. Inside, a block goes through in pieces of at most ``PIECE``
samples, pass by pass (motion, vertical, decision), which is faster and changes no value.

The state lives in plain arrays (:class:`State`, one row per station) that the caller owns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.grow_kernels import grow_slot, open_slot
from eew.core.jit import entry, inlined
from eew.core.layout import (
    ACCEPTED,
    CLIP_UNTIL,
    COUNT,
    DUE,
    FILL_UNTIL,
    IDLE,
    MODE,
    N_BANDS,
    N_SLOTS,
    NOT_YET,
    PENDING,
    PIECE,
    RATE,
    RAW_PREV,
    REFRACTORY,
    REJECTED,
    SHAKING_S,
    TRIGGER,
    TRIGGER_BAND,
    FloatArray,
    IntArray,
    PickerParameters,
    Piece,
    QuarantineParameters,
    Span,
    State,
)
from eew.core.motion_kernels import keep_vector_peaks, move, start
from eew.core.pick_kernels import judge
from eew.core.quarantine_kernels import count_pick, mark_jumps, mark_looks, may_jump, notice
from eew.core.vertical_kernels import compare, follow, watch_bands


@entry
def process(
    stations: IntArray,
    offsets: IntArray,
    frames: FloatArray,
    filled: NDArray[np.uint8],
    state: State,
    p: PickerParameters,
    q: QuarantineParameters,
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
    piece = Piece(
        begin=np.empty(PIECE),
        vertical_v=np.empty(PIECE),
        horizontal_v=np.empty(PIECE),
        vector_a2=np.empty(PIECE),
        vector_v2=np.empty(PIECE),
        tau_x=np.empty(PIECE),
        tau_d=np.empty(PIECE),
        sta=np.empty((N_BANDS + 1, PIECE)),
        lta=np.empty((N_BANDS + 1, PIECE)),
        fired=np.empty(PIECE, dtype=np.int64),
        loud=np.empty(PIECE, dtype=np.int64),
        clipped=np.empty(PIECE, dtype=np.bool_),
        marks=np.empty(PIECE, dtype=np.int64),
        grow_from=np.empty(N_SLOTS, dtype=np.int64),
    )
    ring_length = state.ring.shape[2]
    n_rows = 0
    for j in range(stations.shape[0]):
        s = stations[j]
        lo = offsets[j]
        if state.counters[s, COUNT] == 0 and lo < offsets[j + 1]:
            start(s, lo, frames, state)
        while lo < offsets[j + 1]:
            first = state.counters[s, COUNT]
            at = first % ring_length
            n = min(PIECE, offsets[j + 1] - lo, ring_length - at)
            span = Span(s, lo, n, at, first)
            _clear(span, piece)
            for c in range(3):
                if state.inverse_sensitivity[s, c] != 0.0:
                    before = state.filters[s, c, RAW_PREV]
                    move(c, span, frames, state, p, piece)
                    if may_jump(c, s, state):
                        mark_jumps(c, before, span, frames, state, q, piece)
            keep_vector_peaks(span, state, p, piece)
            busy = False
            if state.inverse_sensitivity[s, 0] != 0.0:
                follow(span, filled, state, p, piece)
                watch_bands(span, filled, state, p, piece)
                compare(span, state, p, piece)
                mark_looks(span, state, q, piece)
                busy = _is_busy(span, state, piece)
            if busy:
                n_rows = _decide(span, filled, state, p, q, piece, out, n_rows)
            else:
                _note(span, filled, state, p, q, piece)
            state.counters[s, COUNT] += n
            lo += n
    return n_rows


@inlined
def _clear(span: Span, piece: Piece) -> None:
    for k in range(span.n):
        piece.begin[k] = 1.0 / (span.first + k + 1.0)
        piece.horizontal_v[k] = 0.0
        piece.vector_a2[k] = 0.0
        piece.vector_v2[k] = 0.0
        piece.clipped[k] = False
        piece.marks[k] = 0


@inlined
def _is_busy(span: Span, state: State, piece: Piece) -> bool:
    """Tell whether the station is not idle, something fires, or peaks are growing."""
    s = span.s
    busy = state.counters[s, MODE] != IDLE
    for slot in range(N_SLOTS):
        onset = state.slot_onset[s, slot]
        busy |= onset >= 0 and span.first - onset < SHAKING_S * state.coefficients[s, RATE]
    highest = -1
    for k in range(span.n):
        highest = max(highest, piece.fired[k])
    return busy or highest >= 0


@inlined
def _note(
    span: Span,
    filled: NDArray[np.uint8],
    state: State,
    p: PickerParameters,
    q: QuarantineParameters,
    piece: Piece,
) -> None:
    """Remember clipped and made-up samples and what is marked; all there is to do when idle."""
    clip_hold = int(p.clip_hold_s * state.coefficients[span.s, RATE])
    for k in range(span.n):
        if piece.marks[k] != 0:
            notice(span.s, span.first + k, k, state, q, piece)
        if piece.clipped[k]:
            state.counters[span.s, CLIP_UNTIL] = span.first + k + clip_hold
        if filled[span.lo + k] != 0:
            state.counters[span.s, FILL_UNTIL] = span.first + k


@inlined
def _decide(
    span: Span,
    filled: NDArray[np.uint8],
    state: State,
    p: PickerParameters,
    q: QuarantineParameters,
    piece: Piece,
    out: FloatArray,
    n_rows: int,
) -> int:
    """Trigger and judge, sample by sample, then grow; return the rows now in ``out``."""
    s = span.s
    counters = state.counters
    rate = state.coefficients[s, RATE]
    warm_up = int(p.warm_up_s * rate)
    early = max(int(p.early_wait_s * rate), p.early_samples)
    dead = int(p.dead_s * rate)
    dead_rejected = int(p.dead_rejected_s * rate)
    clip_hold = int(p.clip_hold_s * rate)
    clip_until = counters[s, CLIP_UNTIL]
    for slot in range(N_SLOTS):
        piece.grow_from[slot] = 0
    for k in range(span.n):
        i = span.first + k
        if piece.marks[k] != 0:
            notice(s, i, k, state, q, piece)
        if piece.clipped[k]:
            counters[s, CLIP_UNTIL] = i + clip_hold
        if filled[span.lo + k] != 0:
            counters[s, FILL_UNTIL] = i
        mode = counters[s, MODE]
        if mode == IDLE:
            if piece.fired[k] >= 0 and filled[span.lo + k] == 0:
                if i < warm_up:
                    # motion at the very start is not an onset: wait until it is quiet
                    counters[s, MODE] = REFRACTORY
                    counters[s, TRIGGER] = i - dead
                    counters[s, REJECTED] = 0
                else:
                    counters[s, MODE] = PENDING
                    counters[s, TRIGGER] = i
                    counters[s, TRIGGER_BAND] = piece.fired[k]
                    counters[s, DUE] = i + early
        elif mode == PENDING:
            if i >= counters[s, DUE]:
                reason = judge(s, i, k, piece, state, p, q, out, n_rows)
                if reason == NOT_YET:
                    continue  # judge has set when it is due again
                counters[s, MODE] = REFRACTORY
                counters[s, TRIGGER] = i
                counters[s, REJECTED] = 0 if reason == ACCEPTED else 1
                if reason == ACCEPTED:
                    open_slot(s, i, k, piece, state, p, out, n_rows)
                    count_pick(s, i, state, q)
                if n_rows < out.shape[0] - 1:
                    n_rows += 1
        elif counters[s, REJECTED] == 1:
            # what was refused may be the foot of a real onset: look again soon
            if i >= counters[s, TRIGGER] + dead_rejected:
                counters[s, MODE] = IDLE
        elif piece.loud[k] == 0 and i >= counters[s, TRIGGER] + dead:
            counters[s, MODE] = IDLE
    for slot in range(N_SLOTS):
        onset = state.slot_onset[s, slot]
        if onset >= 0 and span.first - onset < SHAKING_S * rate:
            grow_slot(slot, clip_until, span, filled, state, p, piece)
    return n_rows
