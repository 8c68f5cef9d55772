"""Magnitude from the shaking itself, for sources that outgrow the first seconds of P.

Four seconds of P hold only the beginning of a large rupture. Peak velocities of the whole
shaking keep growing with the rupture and scale beyond M 7: the magnitude is the one whose
predicted PGV (the region's own ground-motion model, unknown strike) fits the observed ones best.
Stations take part from shortly after their S wave on. The estimate is still a lower bound while
the rupture goes on; it replaces the P magnitude only for large events, where that one saturates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eew.core.config import MagnitudeConfig
from eew.core.magnitude import MagnitudeInput, NetworkMagnitude
from eew.physics.shaking import ShakingModel

_GRID = np.arange(5.0, 8.61, 0.05)


def shaking_magnitude(
    inputs: Sequence[MagnitudeInput],
    depth_km: float,
    model: ShakingModel,
    config: MagnitudeConfig,
) -> float | None:
    """Fit the magnitude to observed peak velocities; None with fewer than three stations.

    Parameters
    ----------
    inputs : sequence of MagnitudeInput
        Stations with a P pick; used are those ``shaking_after_s`` past their S arrival.
    depth_km : float
        Depth of the source.
    model : ShakingModel
        Ground-motion model of the region.
    config : MagnitudeConfig
        Limits.
    """
    usable = [
        i
        for i in inputs
        if i.since_s_s >= config.shaking_after_s
        and i.peaks.pgv_mps > 0.0
        and i.peaks.clipped_from < 0
        and i.epicentral_distance_km <= config.shaking_km
    ]
    if len(usable) < config.shaking_stations:
        return None
    observed = np.log([i.peaks.pgv_mps for i in usable])
    distance_km = np.array([i.epicentral_distance_km for i in usable])
    predicted = model.predict(_GRID[:, None], depth_km, distance_km[None, :])
    z = (observed[None, :] - np.log(predicted.pgv_mps)) / predicted.sigma_ln_pgv
    # Cauchy loss (half z squared near zero): a dead sensor or a wrong gain has no pull
    loss = 2.0 * np.log1p(0.25 * z * z).sum(axis=1)
    return float(_GRID[int(np.argmin(loss))])


def combine(
    first: NetworkMagnitude, shaking: float | None, config: MagnitudeConfig
) -> NetworkMagnitude:
    """Let the shaking speak where the P magnitude saturates.

    The larger of both counts, with a weight that rises from 0 to 1 over ``saturation_ramp``
    in their mean: small events keep the P magnitude, which is the better one there.
    """
    if shaking is None or shaking <= first.value:
        return first
    low, high = config.saturation_ramp
    weight = min(1.0, max(0.0, (0.5 * (first.value + shaking) - low) / (high - low)))
    if weight == 0.0:
        return first
    value = first.value + weight * (shaking - first.value)
    return replace(first, value=value, type="Mpd+Mgm", lower_bound=True)
