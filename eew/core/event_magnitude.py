"""All evidence of one event, gathered and fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from eew.core.config import MagnitudeConfig
from eew.core.evidence import Evidence
from eew.core.evidence_p import p_evidence
from eew.core.evidence_vs import vs_evidence
from eew.core.fusion import fuse
from eew.core.magnitude import MagnitudeInput, NetworkMagnitude
from eew.core.shaking_magnitude import shaking_evidence, shaking_weight
from eew.core.source_growth import blur, reached
from eew.physics.shaking import ShakingModel

__all__ = ["event_magnitude"]

_AHEAD = 1.0  # units by which the shaking may be ahead of P and still be asked


def event_magnitude(
    inputs: Sequence[MagnitudeInput],
    config: MagnitudeConfig,
    *,
    depth_km: float,
    distance_sigma_km: float,
    model: ShakingModel,
    others: Sequence[Evidence] = (),
    line: Callable[[float], Evidence | None] | None = None,
) -> NetworkMagnitude | None:
    """Magnitude from the stations and whatever else is known; None while nothing is.

    Parameters
    ----------
    inputs : sequence of MagnitudeInput
        Stations with a P pick of this event.
    config : MagnitudeConfig
        Settings.
    depth_km, distance_sigma_km : float
        Depth of the source, and how well its epicentre is known.
    model : ShakingModel
        Ground-motion model of the region.
    others : sequence of Evidence
        GNSS.
    line : callable, optional
        Asked with the magnitude so far for what the shaking says of a source as long as a line;
        where it answers, it speaks in place of the point's shaking: both read the same peaks.
    """
    p = p_evidence(inputs, config, distance_sigma_km=distance_sigma_km)
    vs = vs_evidence(inputs, config) if depth_km <= config.vs_max_depth_km else None
    evidences = [e for e in (None if p is None else p[0], vs) if e is not None]
    evidences += others
    seconds = max((i.peaks.length_s for i in inputs), default=0.0)
    found = fuse(evidences, seconds=seconds, config=config)
    if found is None:
        return None
    shaking = None if line is None else line(found.value)
    if shaking is not None:
        # a region's attenuation differs from the model's: an error that all stations share
        shared = blur(shaking.log_likelihood, config.line_event_sigma)
        shaking = replace(shaking, log_likelihood=shared)
    if shaking is None and shaking_weight(found.value + _AHEAD, config) > 0.0:
        shaking = shaking_evidence(inputs, depth_km, model, config)
    if shaking is not None:
        # of a P magnitude near its saturation and a larger one of the shaking the mean decides
        larger = max(found.value, reached(shaking.log_likelihood))
        weight = shaking_weight(0.5 * (found.value + larger), config)
        if weight > 0.0:
            evidences.append(replace(shaking, log_likelihood=weight * shaking.log_likelihood))
            found = fuse(evidences, seconds=seconds, config=config)
            if found is None:
                raise ValueError("evidence lost in fusion")
    return NetworkMagnitude(
        value=found.value,
        sigma=found.sigma,
        type=found.type,
        lower_bound=found.lower_bound,
        stations=() if p is None else p[1],
    )
