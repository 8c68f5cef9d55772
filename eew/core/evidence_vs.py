"""The independent check: S-wave envelopes of Virtual Seismologist.

Peak vertical velocity behind a 3-s high-pass, from P through S, against Cua's (2005) S envelopes
on rock. They saturate near large sources, so they hold to M 7.6 where four seconds of P do not.
A station takes part from shortly after its S wave on, and is a lower bound until a source of the
magnitude asked about has ended. A small source is judged by the first seconds of S only: what
comes later is another quake.
"""

from __future__ import annotations

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
from eew.physics.envelope import envelope
from eew.physics.magnitude import half_duration_s

__all__ = ["vs_evidence"]

_DURATION_S = 2.0 * half_duration_s(MAGNITUDES)


def vs_evidence(inputs: Sequence[MagnitudeInput], config: MagnitudeConfig) -> Evidence | None:
    """Compare S envelopes with Cua's; None while no station is past its S wave.

    Parameters
    ----------
    inputs : sequence of MagnitudeInput
        Stations with a P pick.
    config : MagnitudeConfig
        Limits and errors.
    """
    usable: list[MagnitudeInput] = []
    for item in inputs:
        if _seen_s(item, config) < config.shaking_after_s:
            continue
        if item.epicentral_distance_km > config.shaking_km:
            continue
        if item.peaks.pv_at(_due_s(item, config) + config.shaking_after_s) > max(
            config.min_snr_velocity * item.peaks.pv_noise_mps, 0.0
        ):
            usable.append(item)
    if not usable:
        return None
    distance_km = [max(i.hypocentral_distance_km, config.min_distance_km) for i in usable]
    predicted, sigma = _predicted(np.array(distance_km))
    seen_s = np.array([_seen_s(i, config) for i in usable])
    windows_s = np.maximum(_DURATION_S * config.duration_factor, config.vs_settle_s)
    whole = np.log10(np.array([_by_source(i, windows_s, config) for i in usable]).T)
    so_far = np.log10([i.peaks.pv_at(i.peaks.length_s) for i in usable])
    log_likelihood = growing_log_likelihood(
        cauchy((whole - predicted) / sigma),
        cauchy((so_far[None, :] - predicted) / sigma),
        seen_s,
        np.where(config.vs_max_m >= MAGNITUDES, _DURATION_S, np.inf),
        shared_sigma=config.vs_event_sigma_log10 / slope(predicted),
        config=config,
    )
    high = reached(log_likelihood) + config.p_event_sigma
    return Evidence(
        name="vs",
        log_likelihood=log_likelihood,
        n_stations=len(usable),
        is_lower_bound=high > config.vs_max_m or may_grow(high, seen_s, _DURATION_S, 3),
    )


def _due_s(item: MagnitudeInput, config: MagnitudeConfig) -> float:
    """Seconds from P to S."""
    return item.hypocentral_distance_km / config.s_velocity_km_s


def _seen_s(item: MagnitudeInput, config: MagnitudeConfig) -> float:
    """Seconds of record behind the S arrival."""
    return item.peaks.length_s - _due_s(item, config)


def _by_source(item: MagnitudeInput, windows_s: FloatArray, config: MagnitudeConfig) -> FloatArray:
    """Peak velocity for each magnitude that the source may have, m/s, by its own window."""
    return item.peaks.pv_in(_due_s(item, config) + windows_s)


def _predicted(distance_km: FloatArray) -> tuple[FloatArray, float]:
    """Log10 of the envelope at all magnitudes (rows) and distances, and its scatter."""
    rock = envelope("s", "vertical", "velocity", "rock")  # ground hardly amplifies the vertical
    predicted = np.log10(rock.amplitude(MAGNITUDES[:, None], distance_km[None, :]))
    # the saturation term bends the curve down beyond the data: keep it monotone
    monotone: FloatArray = np.maximum.accumulate(predicted, axis=0)
    return monotone, rock.sigma_log10
