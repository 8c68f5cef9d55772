"""Magnitude from the shaking itself, for sources that outgrow the P waves.

Peak velocities of the whole shaking keep growing with the rupture and scale beyond M 7: each
magnitude is judged by the PGV that the region's own ground-motion model predicts (unknown
strike). A station takes part from shortly after its S wave on. Until a source of the magnitude
asked about has ended, it speaks only for the magnitude reached, so stations that a long rupture
has not come to yet do not hold the magnitude down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eew.core.config import MagnitudeConfig
from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.magnitude import MagnitudeInput
from eew.core.source_growth import (
    FloatArray,
    cauchy,
    growing_log_likelihood,
    may_grow,
    reached,
    slope,
)
from eew.physics.magnitude import half_duration_s
from eew.physics.shaking import ShakingModel

__all__ = ["shaking_evidence", "shaking_weight"]

_GRID = np.arange(4.0, 9.51, 0.25)  # PGV is smooth in magnitude: between, a line is enough
_DURATION_S = 2.0 * half_duration_s(MAGNITUDES)


def shaking_evidence(
    inputs: Sequence[MagnitudeInput],
    depth_km: float,
    model: ShakingModel,
    config: MagnitudeConfig,
) -> Evidence | None:
    """Compare observed peak velocities with the model's; None with too few stations.

    Parameters
    ----------
    inputs : sequence of MagnitudeInput
        Stations with a P pick; used are those ``shaking_after_s`` past their S arrival.
    depth_km : float
        Depth of the source.
    model : ShakingModel
        Ground-motion model of the region.
    """
    usable = [
        i
        for i in inputs
        if i.since_s_s >= config.shaking_after_s
        and i.peaks.pgv_mps > 0.0
        and i.peaks.clipped_from < 0
        and i.peaks.free_s == math.inf
        and i.epicentral_distance_km <= config.shaking_km
    ]
    if len(usable) < config.shaking_stations:
        return None
    observed = np.log([i.peaks.pgv_mps for i in usable])
    distance_km = np.array([i.epicentral_distance_km for i in usable])
    predicted = model.predict(_GRID[:, None], depth_km, distance_km[None, :])
    median = _on_axis(np.log(predicted.pgv_mps))
    sigma = _on_axis(predicted.sigma_ln_pgv)
    # without the normalisation the magnitude with the widest scatter would fit best
    each = cauchy((observed[None, :] - median) / sigma) - np.log(sigma)
    seen_s = np.array([i.since_s_s for i in usable])
    log_likelihood = growing_log_likelihood(
        each,
        each,
        seen_s,
        _DURATION_S,
        shared_sigma=config.gm_event_sigma_ln / slope(median),
        config=config,
    )
    high = reached(log_likelihood) + config.p_event_sigma
    return Evidence(
        name="gm",
        log_likelihood=log_likelihood,
        n_stations=len(usable),
        is_lower_bound=may_grow(high, seen_s, _DURATION_S, config.shaking_stations),
    )


def shaking_weight(value: float, config: MagnitudeConfig) -> float:
    """Weight of the shaking, 0 to 1 over ``saturation_ramp`` of the mean with and without it."""
    low, high = config.saturation_ramp
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _on_axis(values: FloatArray) -> FloatArray:
    """Rows at the grid's magnitudes to rows at all magnitudes; held beyond its ends."""
    at = np.clip((MAGNITUDES - _GRID[0]) / 0.25, 0.0, _GRID.size - 1.0)
    low = np.minimum(at.astype(np.int64), _GRID.size - 2)
    share = (at - low)[:, None]
    result: FloatArray = values[low] * (1.0 - share) + values[low + 1] * share
    return result
