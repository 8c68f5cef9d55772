"""What has been seen of a source that may still be growing, as a likelihood of its end.

A record that has seen less of a source than a magnitude takes to radiate is no witness against
that magnitude: so far it speaks for a magnitude *reached*, and the end may lie anywhere above.
The likelihood of an end is then that of the best magnitude reached on the way to it, if sources
of that end can have reached so little by then: all begin much alike, a large one is as large as
any other when it has radiated as long (Meier, Ampuero & Heaton 2017,
https://doi.org/10.1126/science.aan5643).

So no station holds a growing magnitude down, and none drives it up: densities are only ever
compared with densities of the same observation, never with the probability of exceeding it.
How far a source is likely to go on is not the stations' business, see :mod:`eew.core.fusion`.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eew.core.config import MagnitudeConfig
from eew.core.evidence import MAGNITUDES

__all__ = ["blur", "cauchy", "growing_log_likelihood", "may_grow", "reached", "slope"]

FloatArray = NDArray[np.float64]

_FLAT = 1e-9
_LN10 = math.log(10.0)
FLATTEST = 0.2  # log units of any base per unit of magnitude: flatter says nothing
_FEW = 3
_YOUNGEST_S = 1.0  # less than a second counts as one


def growing_log_likelihood(
    whole: FloatArray,
    so_far: FloatArray,
    seen_s: FloatArray,
    needed_s: FloatArray,
    *,
    shared_sigma: FloatArray | float,
    config: MagnitudeConfig,
) -> FloatArray:
    """Join the stations' log-likelihoods over magnitudes.

    Parameters
    ----------
    whole : numpy.ndarray, shape (len(MAGNITUDES), n)
        Log-likelihood of each station if the source has ended for it.
    so_far : numpy.ndarray, same shape
        Log-likelihood of the magnitude reached so far.
    seen_s : numpy.ndarray, shape (n,)
        Seconds of the source that each station has seen.
    needed_s : numpy.ndarray, shape (len(MAGNITUDES),)
        Seconds that a median source of this magnitude takes; not falling.
    shared_sigma : float or numpy.ndarray, shape (len(MAGNITUDES),)
        Error in units of magnitude that the stations share: it does not average out.
    config : MagnitudeConfig
        Scatter of growth and duration, number of independent stations.

    Returns
    -------
    numpy.ndarray, shape (len(MAGNITUDES),)
    """
    order = np.argsort(seen_s, kind="stable")
    ages_s = seen_s[order]
    # what the relations miss (attenuation, sites of a region) is common to neighbours
    share = min(1.0, config.independent_stations / ages_s.size)
    zero = np.zeros((MAGNITUDES.size, 1))
    ended = share * np.concatenate([zero, np.cumsum(whole[:, order], axis=1)], axis=1)
    growing = share * _grown(so_far[:, order], ages_s, needed_s, _LN10 * config.b_value / share)
    factor = config.duration_factor
    parts = [
        _joined(ended, growing, ages_s, needed_s * f, config.growth_sigma)
        for f in (1.0 / factor, 1.0, factor)
    ]
    top = np.maximum(np.maximum(parts[0], parts[1]), parts[2])
    mean = np.exp(parts[0] - top) + np.exp(parts[1] - top) + np.exp(parts[2] - top)
    return blur(top + np.log(mean / 3.0), shared_sigma)


def _joined(
    ended: FloatArray,
    growing: FloatArray,
    ages_s: FloatArray,
    needed_s: FloatArray,
    growth_sigma: float,
) -> FloatArray:
    """Stations that have seen the whole of a source, and those that have not, for each magnitude.

    ``ended`` and ``growing`` hold sums over the first k stations by age, k = 0 to n.
    """
    unseen = np.searchsorted(ages_s, needed_s, side="left")  # stations still watching
    finite = np.isfinite(needed_s)
    usual = np.interp(ages_s, needed_s[finite], MAGNITUDES[finite])  # by that age
    usual = np.concatenate([[MAGNITUDES[0]], usual])  # of the station that has seen the most
    behind = np.maximum(usual[None, :] - MAGNITUDES[:, None], 0.0) / growth_sigma
    best = np.maximum.accumulate(growing - 0.5 * behind * behind, axis=0)
    at = np.arange(MAGNITUDES.size)
    result: FloatArray = ended[:, -1] - ended[at, unseen] + best[at, unseen]
    return result


def _grown(
    log_likelihood: FloatArray, ages_s: FloatArray, needed_s: FloatArray, cost: float
) -> FloatArray:
    """Log-likelihood of the magnitude reached, of the first k stations by age, k = 0 to n.

    Stations whose ages lie within a factor of two see the same magnitude; younger ones may have
    seen less, and do not hold the older ones down. Fewer than ``_FEW`` make no age of their own.
    A source that is smaller than usual at an age has most likely ended: to grow on costs it
    ``cost`` per unit of magnitude, or attenuation that differs from the model's would pass for
    growth, since old stations are near ones.
    """
    n = ages_s.size
    sums = np.concatenate(
        [np.zeros((MAGNITUDES.size, 1)), np.cumsum(log_likelihood, axis=1)], axis=1
    )
    octave = np.floor(np.log2(np.maximum(ages_s, _YOUNGEST_S)))
    starts = [0, *(np.flatnonzero(np.diff(octave)) + 1).tolist(), n]
    result = sums.copy()
    finite = np.isfinite(needed_s)
    for start, end in pairwise(starts[1:]):
        if start >= _FEW and end - start >= _FEW:
            usual = float(np.interp(ages_s[start - 1], needed_s[finite], MAGNITUDES[finite]))
            ended = np.where(usual > MAGNITUDES, result[:, start], -np.inf)
            again = np.maximum.accumulate(ended + cost * MAGNITUDES) - cost * MAGNITUDES
            going = np.where(usual > MAGNITUDES, -np.inf, result[:, start])
            base = np.maximum(again, np.maximum.accumulate(going)) - sums[:, start]
            result[:, start + _FEW :] = sums[:, start + _FEW :] + base[:, None]
    return result


def reached(log_likelihood: FloatArray) -> float:
    """Lowest of the best magnitudes: where all above are as likely, the one reached so far."""
    best = log_likelihood >= log_likelihood.max() - _FLAT
    return float(MAGNITUDES[int(np.argmax(best))])


def may_grow(magnitude: float, seen_s: FloatArray, needed_s: FloatArray, at_least: int) -> bool:
    """Tell whether fewer than ``at_least`` stations (or all) have seen a whole source."""
    whole_s = float(np.interp(magnitude, MAGNITUDES, needed_s))
    return int(np.count_nonzero(seen_s >= whole_s)) < min(seen_s.size, at_least)


def cauchy(z: FloatArray) -> FloatArray:
    """Log-likelihood of scaled errors: minus half z squared near zero, no pull far out."""
    result: FloatArray = -2.0 * np.log1p(0.25 * z * z)
    return result


def slope(amplitude: FloatArray) -> FloatArray:
    """How much a predicted log amplitude grows per unit of magnitude.

    Parameters
    ----------
    amplitude : numpy.ndarray, shape (len(MAGNITUDES), n)
        Logarithms, any base.

    Returns
    -------
    numpy.ndarray, shape (len(MAGNITUDES),)
        Mean over the stations, held above :data:`FLATTEST`.
    """
    mean = amplitude.sum(axis=1) / amplitude.shape[1]
    result: FloatArray = np.maximum(np.gradient(mean, MAGNITUDES), FLATTEST)
    return result


def blur(log_likelihood: FloatArray, shared_sigma: FloatArray | float) -> FloatArray:
    """Let an error shared by all stations shift the magnitude.

    The best over all shifts, each at its Gaussian cost: a peak of width s becomes one of width
    hypot(s, shared_sigma) however many stations made it; a plateau stays one.
    """
    sigma = np.broadcast_to(np.asarray(shared_sigma, np.float64), MAGNITUDES.shape)
    shift = (MAGNITUDES[:, None] - MAGNITUDES[None, :]) / sigma[None, :]
    result: FloatArray = (log_likelihood[None, :] - 0.5 * shift * shift).max(axis=1)
    return result
