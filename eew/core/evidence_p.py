"""What the P waves say: peak displacement, else peak velocity, in windows that grow.

Displacement: Kuyuk & Allen (2013). The window behind each pick grows with the data and ends
where the S wave is due. A magnitude is judged by four seconds, as the relation was made, or by
the half duration of a source of that size where this is longer (M 6.5 and more): on the recorded
suite the relation holds to M 7.8 with such windows (Colombelli et al. 2012,
https://doi.org/10.1785/0120120106, saw the same in Japan). Shorter windows are a lower bound.

Where displacement does not stand above the station's own noise (twice-integrated noise of MEMS
sensors looks like displacement), peak velocity speaks through Cua's (2005) envelopes, with half
the weight. Each station counts by the seconds it has, up to four (EPIC).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eew.core.config import MagnitudeConfig
from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.magnitude import MagnitudeInput
from eew.core.source_growth import FloatArray, cauchy, growing_log_likelihood, may_grow, reached
from eew.model.event import StationMagnitude
from eew.physics.envelope import envelope_magnitude
from eew.physics.magnitude import half_duration_s, kuyuk_allen_2013

__all__ = ["p_evidence", "station_magnitude"]

_NEEDED_S = half_duration_s(MAGNITUDES)


def p_evidence(
    inputs: Sequence[MagnitudeInput], config: MagnitudeConfig, *, distance_sigma_km: float
) -> tuple[Evidence, tuple[StationMagnitude, ...]] | None:
    """Combine the stations; None while no station has a usable amplitude.

    Parameters
    ----------
    inputs : sequence of MagnitudeInput
        Stations with a P pick of this event.
    config : MagnitudeConfig
        Windows, SNR, distance taper, errors.
    distance_sigma_km : float
        How well the epicentre is known: an error that all stations share.

    Returns
    -------
    evidence, stations
        The evidence, and the stations in it with their own magnitudes.
    """
    found = [(i, one) for i in inputs if (one := _looked_at(i, config)) is not None]
    if not found:
        return None
    limit_km = _taper_km(min(one.row.epicentral_distance_km for _, one in found), config.taper_km)
    found = [(i, one) for i, one in found if one.row.epicentral_distance_km <= limit_km]
    if not found:
        return None
    rows = [one.row for _, one in found]
    weights = np.array([row.weight for row in rows])
    n_effective = weights.sum() ** 2 / (weights * weights).sum()
    weights = weights * (n_effective / weights.sum())
    so_far = np.array([one.so_far for _, one in found])
    whole = np.array([one.by_source for _, one in found]).T
    seen_s = np.array([one.available_s for _, one in found])
    middle_km = float(np.median([max(r.epicentral_distance_km, 1.0) for r in rows]))
    shared = math.hypot(
        config.p_event_sigma,
        config.distance_slope * min(distance_sigma_km / middle_km, config.distance_share_max),
    )
    sigma = config.p_station_sigma
    log_likelihood = growing_log_likelihood(
        weights * cauchy((whole - MAGNITUDES[:, None]) / sigma),
        weights * cauchy((so_far[None, :] - MAGNITUDES[:, None]) / sigma),
        seen_s,
        _NEEDED_S,
        shared_sigma=shared,
        config=config,
    )
    high = reached(log_likelihood) + config.p_event_sigma
    evidence = Evidence(
        name="pd" if any(r.relation == "pd" for r in rows) else "pv",
        log_likelihood=log_likelihood,
        n_stations=len(rows),
        is_lower_bound=may_grow(high, seen_s, _NEEDED_S, 3),
    )
    return evidence, tuple(rows)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What one station says, and of which data and distances it was asked."""

    available_s: float
    epicentral_distance_km: float
    hypocentral_distance_km: float
    row: StationMagnitude
    so_far: float
    by_source: FloatArray


def _looked_at(item: MagnitudeInput, config: MagnitudeConfig) -> _Looked | None:
    """Look at one station; what it said last time is kept until data or distances change."""
    kept = item.peaks.kept
    available_s = _available_s(item, config)
    if (
        isinstance(kept, _Looked)
        and kept.available_s == available_s
        and kept.epicentral_distance_km == item.epicentral_distance_km
        and kept.hypocentral_distance_km == item.hypocentral_distance_km
    ):
        return kept
    row = station_magnitude(item, config)
    if row is None:
        return None
    looked = _Looked(
        available_s=available_s,
        epicentral_distance_km=item.epicentral_distance_km,
        hypocentral_distance_km=item.hypocentral_distance_km,
        row=row,
        so_far=_magnitude(item, row, config, available_s),
        by_source=_by_source(item, row, config),
    )
    item.peaks.kept = looked
    return looked


def station_magnitude(item: MagnitudeInput, config: MagnitudeConfig) -> StationMagnitude | None:
    """Magnitude of one station by up to four seconds of P; None where noise hides it."""
    window_s = min(_available_s(item, config), config.window_s)
    if window_s + 1e-9 < config.first_s:
        return None
    pd_m = item.peaks.pd_at(window_s)
    if pd_m > config.min_snr * item.peaks.pd_noise_m:
        relation, weight = "pd", window_s
        value = _pd_magnitude(item, config, window_s)
    else:
        pv_mps = item.peaks.pv_at(window_s)
        if pv_mps <= config.min_snr_velocity * item.peaks.pv_noise_mps or pv_mps <= 0.0:
            return None
        relation, weight = "pv", 0.5 * window_s
        value = _pv_magnitude(item, config, window_s)
    if not 0.0 < value < config.max_station_m:
        return None
    return StationMagnitude(
        station=item.station,
        magnitude=value,
        relation=relation,
        pd_m=pd_m,
        window_s=round(window_s, 3),
        weight=weight,
        epicentral_distance_km=item.epicentral_distance_km,
    )


def _available_s(item: MagnitudeInput, config: MagnitudeConfig) -> float:
    """Seconds of P there are: to the newest sample, the S wave, or the first clipped sample.

    Beyond ``window_s`` the end keeps clear of S, whose time is known to a share of its delay only.
    """
    due_s = item.hypocentral_distance_km / config.s_velocity_km_s
    if item.peaks.clipped_from >= 0:  # what comes before the clipping may be the rise of S
        return min(item.peaks.length_s, due_s, config.window_s)
    clear_s = max(min(due_s, config.window_s), config.s_clear_share * due_s)
    return min(item.peaks.length_s, clear_s)


def _by_source(item: MagnitudeInput, row: StationMagnitude, config: MagnitudeConfig) -> FloatArray:
    """Magnitude of a station for each magnitude that the source may have, by its own window."""
    available_s = _available_s(item, config)
    windows_s = np.minimum(np.maximum(_NEEDED_S, config.window_s), available_s)
    result = np.full(MAGNITUDES.size, row.magnitude)
    if row.relation == "pv":
        result[:] = _pv_magnitude(item, config, available_s)
        return result
    longer = windows_s > row.window_s + 1e-3
    distance_km = max(item.epicentral_distance_km, config.min_distance_km)
    result[longer] = kuyuk_allen_2013(item.peaks.pd_in(windows_s[longer]), distance_km)
    # P coda adds a little; a source whose P goes on to grow by more had not ended
    grown = _pd_magnitude(item, config, available_s) - config.coda_gain
    at_least: FloatArray = np.maximum(result, grown)
    return at_least


def _magnitude(
    item: MagnitudeInput, row: StationMagnitude, config: MagnitudeConfig, window_s: float
) -> float:
    relation = _pd_magnitude if row.relation == "pd" else _pv_magnitude
    return relation(item, config, window_s)


def _pd_magnitude(item: MagnitudeInput, config: MagnitudeConfig, window_s: float) -> float:
    distance_km = max(item.epicentral_distance_km, config.min_distance_km)
    return float(kuyuk_allen_2013(item.peaks.pd_at(window_s), distance_km))


def _pv_magnitude(item: MagnitudeInput, config: MagnitudeConfig, window_s: float) -> float:
    return envelope_magnitude(
        item.peaks.pv_at(window_s),
        max(item.hypocentral_distance_km, config.min_distance_km),
        phase="p",
        component="vertical",
        quantity="velocity",
    )


def _taper_km(nearest_km: float, limits: tuple[float, float, float]) -> float:
    """EPIC: the farther the nearest usable station, the farther stations may be used."""
    near, middle, far = limits
    if nearest_km > middle:
        return far
    return middle if nearest_km > near else near
