"""Numba kernel of the location search: the log likelihood of every node of a grid.

Arrivals enter by equal differential times (Font et al. 2004; Lomax 2005), which need no origin
time and bear outliers; stations that are alive and have not triggered enter as in RTLoc
(Satriano, Lomax & Zollo 2008, BSSA 98:1482, doi:10.1785/0120060159). A second trigger of a
station that has picked may be S: then its delay is the distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.jit import entry, inner
from eew.physics.kernels import travel_time

FloatArray = NDArray[np.float64]

# Pairs of picks, by how many places they lie apart in order of time. All pairs of few picks; of
# many, each with some near ones (direction) and some far ones (distance, depth).
_ALL_PAIRS = 10
_LAGS = np.array([1, 2, 3, 5, 8, 13, 21])


@inner
def origin_time(residual: FloatArray, sigma: FloatArray, n: int, scratch: FloatArray) -> float:
    """Robust origin time: median of t - tt, then two rounds of Huber-weighted mean."""
    for i in range(n):  # insertion: the picks are few and nearly in order
        value = residual[i]
        j = i
        while j > 0 and scratch[j - 1] > value:
            scratch[j] = scratch[j - 1]
            j -= 1
        scratch[j] = value
    middle: float = 0.5 * (scratch[(n - 1) // 2] + scratch[n // 2])
    for _ in range(2):
        total = 0.0
        weight = 0.0
        for i in range(n):
            z = abs(residual[i] - middle) / sigma[i]
            w = (1.0 if z < 1.5 else 1.5 / z) / (sigma[i] * sigma[i])
            total += w * residual[i]
            weight += w
        middle = total / weight
    return middle


@inner
def pair(residual: FloatArray, sigma: FloatArray, a: int, b: int) -> tuple[float, float]:
    """Likelihood of one differential time times its weight, and the weight."""
    variance = sigma[a] * sigma[a] + sigma[b] * sigma[b]
    w = 1.0 / np.sqrt(variance)
    delta = residual[a] - residual[b]
    e = delta * delta / variance
    # a broad floor keeps a slope where no pair fits
    p = 0.02 / (1.0 + 0.1 * e)
    if e < 25.0:
        p += np.exp(-e)
    return w * p, w


@inner
def differential_times(residual: FloatArray, sigma: FloatArray, n: int) -> float:
    """Log likelihood of the arrivals, whatever the origin time."""
    total = 0.0
    norm = 0.0
    if n <= 3:
        # with three none can be told to be wrong: all pairs have to fit
        for a in range(n):
            for b in range(a):
                p, w = pair(residual, sigma, a, b)
                total += np.log(p / w)
            total -= np.log(sigma[a]) * 0.5
        return total
    if n <= _ALL_PAIRS:
        for a in range(n):
            for b in range(a):
                p, w = pair(residual, sigma, a, b)
                total += p
                norm += w
    else:
        for lag in _LAGS:
            for a in range(lag, n):
                p, w = pair(residual, sigma, a, a - lag)
                total += p
                norm += w
    logp: float = n * np.log(total / norm)
    # larger sigmas make any node fit: pay for them
    for a in range(n):
        logp -= np.log(sigma[a]) * 0.5
    return logp


@entry
def log_likelihood(
    nodes: FloatArray,
    p_table: FloatArray,
    s_table: FloatArray,
    picks: FloatArray,
    silent: FloatArray,
    sigma_s: float,
    sigma_per_s: float,
    silent_sigma_s: float,
    silent_cap: float,
    s_sigma_s: float,
    s_sigma_per_s: float,
    s_odds: float,
    near_km: float,
    near_power: float,
    out: FloatArray,
) -> None:
    """Fill ``out`` with (log likelihood, origin time) of each node.

    Parameters
    ----------
    nodes : (N, 4) x km east, y km north, depth km, and the spread of P time in s inside the
        node's own cell: a coarse grid must not step over a sharp maximum.
    picks : (n, 5) x km, y km, time s, sigma s, and the time of the station's second trigger
        after its first, s (0: none). It may be S.
    silent : (m, 4) x km, y km, times s up to which and from which on the station has certainly
        seen nothing; it cannot speak for a wave that passed before, in a gap.
    s_sigma_s, s_sigma_per_s : float
        Spread of S minus P: constant, and per second of it.
    s_odds : float
        S against anything else, per second: times the likelihood's height it is the ratio of
        the two.
    near_km, near_power : float
        Scale of the distance to the first station, and how steeply its prior falls.
    out : (N, 2)
    """
    n = picks.shape[0]
    m = silent.shape[0]
    residual = np.empty(n)
    sigma = np.empty(n)
    scratch = np.empty(n)
    for g in range(nodes.shape[0]):
        x = nodes[g, 0]
        y = nodes[g, 1]
        z = nodes[g, 2]
        cell = nodes[g, 3]
        farthest = 0.0
        second = 0.0
        shared = 0.0
        for i in range(n):
            dx = picks[i, 0] - x
            dy = picks[i, 1] - y
            d = np.sqrt(dx * dx + dy * dy)
            farthest = max(farthest, d)
            tt = travel_time(p_table, d, z)
            residual[i] = picks[i, 2] - tt
            if picks[i, 4] > 0.0:
                late = picks[i, 4] + tt - travel_time(s_table, d, z)
                spread = s_sigma_s + s_sigma_per_s * picks[i, 4]
                e = late / spread
                second += np.log(1.0 + s_odds / spread * np.exp(-0.5 * e * e))
            if i == 0:
                shared = tt  # what the model gets wrong on all paths alike shifts only the time
            model = sigma_s + sigma_per_s * max(tt - shared, 0.0)
            sigma[i] = np.sqrt(picks[i, 3] * picks[i, 3] + model * model + cell * cell)
        # the station that was first is rarely far away; heavy-tailed, so offshore quakes stay free
        dx = picks[0, 0] - x
        dy = picks[0, 1] - y
        logp = second - near_power * np.log(1.0 + (dx * dx + dy * dy) / (near_km * near_km))
        if n >= 2:
            logp += differential_times(residual, sigma, n)
        ot = origin_time(residual, sigma, n, scratch)
        if m > 0:
            reach = max(1.5 * farthest, 30.0)
            for j in range(m):
                dx = silent[j, 0] - x
                dy = silent[j, 1] - y
                d = np.sqrt(dx * dx + dy * dy)
                w = min(1.0, 2.0 - 2.0 * d / reach)
                if w <= 0.0:
                    continue
                arrival = ot + travel_time(p_table, d, z)
                late = silent[j, 2] - arrival
                if late > 0.0 and arrival > silent[j, 3]:
                    e = late / silent_sigma_s
                    logp -= w * min(0.5 * e * e, silent_cap)
        out[g, 0] = logp
        out[g, 1] = ot
