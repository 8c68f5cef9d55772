"""Numba kernel of the location search: the log likelihood of every node of a grid.

Arrivals enter by equal differential times (Font et al. 2004; Lomax 2005), which need no origin
time and bear outliers; stations that are alive and have not triggered enter as in RTLoc
(Satriano, Lomax & Zollo 2008, BSSA 98:1482, doi:10.1785/0120060159).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.jit import entry, inner
from eew.physics.kernels import travel_time

FloatArray = NDArray[np.float64]


@inner
def origin_time(residual: FloatArray, sigma: FloatArray, n: int, scratch: FloatArray) -> float:
    """Robust origin time: median of t - tt, then two rounds of Huber-weighted mean."""
    for i in range(n):
        scratch[i] = residual[i]
    part = np.sort(scratch[:n])
    value: float = part[n // 2] if n % 2 == 1 else 0.5 * (part[n // 2 - 1] + part[n // 2])
    for _ in range(2):
        total = 0.0
        weight = 0.0
        for i in range(n):
            z = abs(residual[i] - value) / sigma[i]
            w = (1.0 if z < 1.5 else 1.5 / z) / (sigma[i] * sigma[i])
            total += w * residual[i]
            weight += w
        value = total / weight
    return value


@entry
def log_likelihood(
    nodes: FloatArray,
    p_table: FloatArray,
    picks: FloatArray,
    silent: FloatArray,
    sigma_s: float,
    sigma_per_s: float,
    silent_sigma_s: float,
    silent_cap: float,
    near_km: float,
    out: FloatArray,
) -> None:
    """Fill ``out`` with (log likelihood, origin time) of each node.

    Parameters
    ----------
    nodes : (N, 4) x km east, y km north, depth km, and the spread of P time in s inside the
        node's own cell: a coarse grid must not step over a sharp maximum.
    picks : (n, 4) x km, y km, time s, sigma s.
    silent : (m, 3) x km, y km, time s up to which the station has certainly seen nothing.
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
        for i in range(n):
            dx = picks[i, 0] - x
            dy = picks[i, 1] - y
            d = np.sqrt(dx * dx + dy * dy)
            farthest = max(farthest, d)
            tt = travel_time(p_table, d, z)
            residual[i] = picks[i, 2] - tt
            model = sigma_s + sigma_per_s * tt
            sigma[i] = np.sqrt(picks[i, 3] ** 2 + model * model + cell * cell)
        # the station that was first is rarely far away; heavy-tailed, so offshore quakes stay free
        dx = picks[0, 0] - x
        dy = picks[0, 1] - y
        logp = -np.log(1.0 + (dx * dx + dy * dy) / (near_km * near_km))
        if n >= 2:
            total = 0.0
            norm = 0.0
            for a in range(n):
                for b in range(a):
                    variance = sigma[a] * sigma[a] + sigma[b] * sigma[b]
                    w = 1.0 / np.sqrt(variance)
                    delta = residual[a] - residual[b]
                    e = delta * delta / variance
                    if e < 40.0:
                        total += w * np.exp(-e)
                    # a broad floor keeps a slope where no pair fits
                    total += w * 0.02 / (1.0 + 0.1 * e)
                    norm += w
            logp += n * np.log(total / norm)
            # larger sigmas make any node fit: pay for them
            for a in range(n):
                logp -= np.log(sigma[a]) * 0.5
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
                late = silent[j, 2] - ot - travel_time(p_table, d, z)
                if late > 0.0:
                    e = late / silent_sigma_s
                    logp -= w * min(0.5 * e * e, silent_cap)
        out[g, 0] = logp
        out[g, 1] = ot
