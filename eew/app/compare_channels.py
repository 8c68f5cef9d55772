"""``eew compare channels``: who would have been told in time by each way of telling the public.

The detector's run is the same for all of them. What differs is the modelled delay behind it, which
enters as a distribution and not as draws: the shares are exact for the profiles, whatever the seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew import __version__
from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.app.source import load_source
from eew.errors import DataError
from eew.model.alert import Level
from eew.model.place import Site
from eew.report.result import TargetResult
from eew.report.summary import number
from simulator.delivery_profile import DeliveryProfile, delivery_profile, profile_names

__all__ = ["CHANNELS_SCHEMA", "ChannelRow", "Listeners", "channel_row", "compare_channels"]

CHANNELS_SCHEMA = "eew.compare-channels/1"
BANDS_KM = (0.0, 20.0, 50.0, 100.0, 200.0, 400.0)
AT_ONCE = "at once"
_STEPS = 1000  # of a distribution, for medians over people

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listeners:
    """Where people live whom the alert concerns: arrays of one length, one entry per place.

    Attributes
    ----------
    window_s : numpy.ndarray
        From the decision that concerns the place to its S wave; negative: nobody can be in time.
    """

    distance_km: Floats
    people: Floats
    window_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """One channel; shares are of all people concerned, 0 to 1, None where there are none.

    Attributes
    ----------
    told_s : tuple of float
        Median, 90th and 99th percentile of the delay behind the decision, of those told at all.
    in_time : float or None
        Share told before the S wave.
    in_time_by_band : tuple of float or None
        The same by epicentral distance, see ``BANDS_KM``.
    lead_time_s : float or None
        Median lead time of those told at all.
    """

    name: str
    title: str
    latency: str
    reached: float
    told_s: tuple[float, float, float]
    in_time: float | None
    in_time_by_band: tuple[float | None, ...]
    lead_time_s: float | None


def channel_row(listeners: Listeners, profile: DeliveryProfile | None) -> ChannelRow:
    """Return what a channel comes to; None stands for a channel without delay, the bound."""
    if profile is None:
        told = (listeners.window_s > 0.0).astype(np.float64)
        delays_s = np.zeros(1)
    else:
        told = profile.share_within(listeners.window_s)
        delays_s = profile.quantile_s((np.arange(_STEPS) + 0.5) / _STEPS)
    lead_s = listeners.window_s[:, np.newaxis] - delays_s
    weights = np.broadcast_to(listeners.people[:, np.newaxis], lead_s.shape)
    quantiles = np.zeros(3) if profile is None else profile.quantile_s([0.5, 0.9, 0.99])
    return ChannelRow(
        name=AT_ONCE if profile is None else profile.name,
        title="The bound: told at the decision" if profile is None else profile.title,
        latency="none" if profile is None else profile.latency,
        reached=1.0 if profile is None else profile.reached,
        told_s=(float(quantiles[0]), float(quantiles[1]), float(quantiles[2])),
        in_time=_share(told, listeners.people),
        in_time_by_band=tuple(
            _share(told[inside], listeners.people[inside])
            for inside in _bands(listeners.distance_km)
        ),
        lead_time_s=_median(lead_s.ravel(), weights.ravel()),
    )


def compare_channels(event: str, *, seed: int) -> dict[str, Any]:
    """Run an event once and return the comparison (schema ``eew.compare-channels/1``).

    Raises
    ------
    ConfigError
        If there is no such event.
    DataError
        If it cannot be used, or its truth is not known.
    """
    source = load_source(event, seed=seed)
    truth = source.recording.truth
    if truth is None:
        raise DataError(event, "has no event.xml: without a true origin no S wave is known")
    options = RunOptions(seed=seed, broker="none", phones=0, tvs=0)
    options = options.with_script(source.script, source.zero)
    sites = people_near(truth.lat, truth.lon, BANDS_KM[-1])
    result = asyncio.run(run_replay(source.recording, options, sites=sites))
    decided_s = [
        result.since_zero_s(one.issued_ns)
        for one in result.messages
        if one.event_id == result.detection.primary_event_id
    ]
    listeners = _listeners(result.targets)
    rows = [channel_row(listeners, None)]
    rows += [channel_row(listeners, delivery_profile(name)) for name in profile_names()]
    bands = _bands(listeners.distance_km)
    return {
        "schema": CHANNELS_SCHEMA,
        "simulation": True,
        "event": result.info.event,
        "seed": seed,
        "version": __version__,
        "magnitude": number(truth.magnitude, 2),
        "first_alert_s": number(decided_s[0], 3) if decided_s else None,
        "people": int(listeners.people.sum()),
        "places": len(listeners.people),
        "within_km": BANDS_KM[-1],
        "bands": [
            {"from_km": low, "to_km": high, "people": int(listeners.people[inside].sum())}
            for (low, high), inside in zip(pairwise(BANDS_KM), bands, strict=True)
        ],
        "channels": [_document(row) for row in rows],
    }


def people_near(lat: float, lon: float, within_km: float) -> tuple[Site, ...]:
    """Return the centres of all places within a distance, with their people; names are unique."""
    from simulator.population import places

    near = places().near(lat, lon, within_km)
    return tuple(
        Site(
            name=f"{n} {near.name[n]}",
            lat=float(near.lat[n]),
            lon=float(near.lon[n]),
            population=int(near.population[n]),
            country=str(near.country[n]),
        )
        for n in range(len(near))
    )


def _listeners(targets: Sequence[TargetResult]) -> Listeners:
    told = [
        (row.distance_km, float(row.site.population), row.lead_time_s)
        for row in targets
        if row.level is not Level.NONE
        and row.distance_km is not None
        and row.lead_time_s is not None
    ]
    table = np.array(told, np.float64).reshape(-1, 3)
    return Listeners(distance_km=table[:, 0], people=table[:, 1], window_s=table[:, 2])


def _bands(distance_km: Floats) -> list[NDArray[np.bool_]]:
    return [(distance_km >= low) & (distance_km < high) for low, high in pairwise(BANDS_KM)]


def _share(told: Floats, people: Floats) -> float | None:
    total = float(people.sum())
    return float((told * people).sum()) / total if total > 0.0 else None


def _median(values: Floats, weights: Floats) -> float | None:
    """Return the weighted median: half of the weight is at or below it."""
    if not len(values):
        return None
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, 0.5 * below[-1])])


def _document(row: ChannelRow) -> dict[str, Any]:
    return {
        "channel": row.name,
        "title": row.title,
        "latency": row.latency,
        "reached": number(row.reached, 3),
        "told_after_decision_s": dict(
            zip(("p50", "p90", "p99"), (number(one, 3) for one in row.told_s), strict=True)
        ),
        "told_before_s": number(row.in_time, 4),
        "told_before_s_by_band": [number(one, 4) for one in row.in_time_by_band],
        "lead_time_median_s": number(row.lead_time_s, 2),
    }
