"""One magnitude from all that is known: a posterior over :data:`~eew.core.evidence.MAGNITUDES`.

The evidences are multiplied; each already carries the errors its stations share. The relations
behind them are regressions of magnitude on what was observed, so the catalogue's preference for
small quakes is in them; a Gutenberg-Richter prior on top tempers only the first second, when next
to nothing was observed.

While all that was seen is the beginning of a source, the evidences are flat above the magnitude
reached. Of ruptures that have reached m, 10**(-b (M - m)) go on beyond M: this closes the
posterior above the best magnitude, where the evidences do not close it themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eew.core.config import MagnitudeConfig
from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.source_growth import FloatArray, reached

__all__ = ["Fused", "fuse"]

_STEP = 0.05
_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """Posterior in short: its median, half the width of its middle 68 %, and its parts.

    ``type`` is ``M`` and the evidence's name for each, joined by ``+``.
    """

    value: float
    sigma: float
    type: str
    lower_bound: bool


def fuse(evidences: Sequence[Evidence], *, seconds: float, config: MagnitudeConfig) -> Fused | None:
    """Multiply the evidences and the prior; None without any.

    Parameters
    ----------
    evidences : sequence of Evidence
        In any order.
    seconds : float
        Data behind the longest pick: the prior fades over ``config.prior_fade_s``.
    config : MagnitudeConfig
        Slopes of the prior and of growth.
    """
    if not evidences:
        return None
    weight = max(0.0, 1.0 - seconds / config.prior_fade_s)
    log_posterior = -weight * config.prior_b_value * _LN10 * MAGNITUDES
    for evidence in sorted(evidences, key=lambda e: e.name):
        log_posterior = log_posterior + evidence.log_likelihood
    beyond = np.maximum(MAGNITUDES - reached(log_posterior) - config.growth_margin, 0.0)
    closed = log_posterior.max() - config.b_value * _LN10 * beyond
    log_posterior = np.minimum(log_posterior, closed)
    low, middle, high = _quantiles(log_posterior, (0.1587, 0.5, 0.8413))
    return Fused(
        value=middle,
        sigma=0.5 * (high - low),
        type="+".join(f"M{e.name}" for e in evidences),
        lower_bound=all(e.is_lower_bound for e in evidences),
    )


def _quantiles(log_density: FloatArray, shares: Sequence[float]) -> list[float]:
    """Quantiles of a density given on the grid; each value stands for half a step to each side."""
    density = np.exp(log_density - log_density.max())
    total = np.concatenate([[0.0], np.cumsum(density)])
    edges = np.concatenate([MAGNITUDES - 0.5 * _STEP, [MAGNITUDES[-1] + 0.5 * _STEP]])
    return [float(np.interp(share * total[-1], total, edges)) for share in shares]
