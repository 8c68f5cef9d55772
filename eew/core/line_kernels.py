"""Numba kernel of the line source: how well each of many lines explains the shaking so far."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eew.core.jit import entry, inlined

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class LineTable(NamedTuple):
    """Medians of a model by distance and magnitude, (n_distances, n_all_m).

    The scatter is that within one event.
    """

    ln_pga: FloatArray
    ln_pgv: FloatArray
    sigma_ln_pga: float
    sigma_ln_pgv: float


class LineRules(NamedTuple):
    """When the strongest shaking of a part of the rupture has passed at a distance.

    ``phi2_over_tau2`` is the within-event over the between-event variance of the model.
    """

    phi2_over_tau2: float
    depth_km: float
    rupture_km_s: float
    s_km_s: float
    rise_s: float
    rise_s_per_km: float


# columns of a line
STRIKE_RAD, LENGTH_KM, AHEAD = 0, 1, 2  # AHEAD: share of the length on the strike's side

DISTANCE_KNEE_KM = 5.0  # the axis of the table is ln(distance + knee)
DISTANCE_STEP = 0.05
# loss of a record that fits as well as its scatter lets expect: the mean of `_loss` over a normal z
NEUTRAL_LOSS = 0.427


@entry
def fit_lines(
    lines: FloatArray,
    first_rows: IntArray,
    step: int,
    prior: FloatArray,
    x_km: FloatArray,
    y_km: FloatArray,
    ln_pga: FloatArray,
    ln_pgv: FloatArray,
    since_s: FloatArray,
    table: LineTable,
    rules: LineRules,
    score: FloatArray,
    best: IntArray,
) -> None:
    """Score lines at the magnitudes asked for each; keep the best line of each magnitude.

    Parameters
    ----------
    lines : (n_lines, 3) strike (rad from north), length (km), share ahead of the hypocentre.
    first_rows : (n_lines,) row of the table at which the magnitudes asked for a line begin.
    step : rows from one of these magnitudes to the next.
    prior : (n_lines, n_m) logarithm of the prior of a line at each of these magnitudes.
    x_km, y_km : (n,) stations east and north of the epicentre.
    ln_pga, ln_pgv : (n,) peaks so far on the model's default ground, SI.
    since_s : (n,) age of the newest sample from the origin time; -inf: never more than a bound.
    score : (n_all_m,) log-likelihood with prior of the best line; what is better is written over.
    best : (n_all_m,) its row in ``lines``; left alone where none is better.
    """
    n_m = prior.shape[1]
    last = table.ln_pga.shape[0] - 1
    per_pga, per_pgv = 1.0 / table.sigma_ln_pga, 1.0 / table.sigma_ln_pgv
    sums = np.empty(n_m)
    pulls = np.empty((4, n_m))  # weights and weighted residuals of PGA, of PGV
    log_knee = math.log(DISTANCE_KNEE_KM)
    for j in range(lines.shape[0]):
        sin_strike, cos_strike = math.sin(lines[j, STRIKE_RAD]), math.cos(lines[j, STRIKE_RAD])
        ahead = lines[j, LENGTH_KM] * lines[j, AHEAD]
        behind = ahead - lines[j, LENGTH_KM]
        row = first_rows[j]
        for m in range(n_m):
            sums[m] = prior[j, m]
            for c in range(4):
                pulls[c, m] = 0.0
        for i in range(x_km.shape[0]):
            along = x_km[i] * sin_strike + y_km[i] * cos_strike
            across = x_km[i] * cos_strike - y_km[i] * sin_strike
            nearest = min(max(along, behind), ahead)
            off = along - nearest
            distance = math.sqrt(off * off + across * across)
            way = math.sqrt(distance * distance + rules.depth_km * rules.depth_km)
            # its strongest shaking has come once the nearest part broke and its S wave passed
            due = abs(nearest) / rules.rupture_km_s + way / rules.s_km_s
            due += rules.rise_s + rules.rise_s_per_km * distance
            passed = since_s[i] >= due  # before, a peak below the median can still grow
            at = (math.log(distance + DISTANCE_KNEE_KM) - log_knee) / DISTANCE_STEP
            cell = min(int(at), last - 1)
            part = min(at - cell, 1.0)
            least = -np.inf if passed else 0.0
            for m in range(n_m):
                k = row + m * step
                a = table.ln_pga[cell, k] * (1.0 - part) + table.ln_pga[cell + 1, k] * part
                v = table.ln_pgv[cell, k] * (1.0 - part) + table.ln_pgv[cell + 1, k] * part
                loss, weight, pull = _loss((ln_pga[i] - a) * per_pga, least)
                sums[m] -= 0.5 * loss  # the two peaks of one record are hardly independent
                pulls[0, m] += weight
                pulls[1, m] += pull
                loss, weight, pull = _loss((ln_pgv[i] - v) * per_pgv, least)
                sums[m] -= 0.5 * loss
                pulls[2, m] += weight
                pulls[3, m] += pull
        for m in range(n_m):
            # what all residuals share is the event's own term: it costs no more than that
            sums[m] += 0.25 * pulls[1, m] * pulls[1, m] / (pulls[0, m] + rules.phi2_over_tau2)
            sums[m] += 0.25 * pulls[3, m] * pulls[3, m] / (pulls[2, m] + rules.phi2_over_tau2)
            if sums[m] > score[row + m * step]:
                score[row + m * step] = sums[m]
                best[row + m * step] = j


@inlined
def _loss(z: float, least: float) -> tuple[float, float, float]:
    """Half z squared near zero, 8 at most; below ``least`` the loss tells nothing.

    Geman & McClure (1987): a wrong gain says no more than four standard deviations would. Also
    returns the weight of the residual among all, and the two multiplied.
    """
    square = z * z
    inverse = 1.0 / (1.0 + 0.0625 * square)
    weight = inverse * inverse if z >= least else 0.0
    return 0.5 * square * inverse if z >= least else NEUTRAL_LOSS, weight, weight * z
