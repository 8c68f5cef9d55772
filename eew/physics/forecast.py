"""The intensity forecast at places: from the source, from the shaking seen nearby, and the larger.

One copy for the detector, the publisher, the devices and the score. Nearby shaking is the method
of PLUM (Kodera et al. 2018, doi:10.1785/0120170085): where stations within 30 km shake, a place
will, whatever the source is thought to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.model.alert import AlertPrediction, ObservedShaking
from eew.physics.geo import epicentral_distance_km
from eew.physics.motion import floats
from eew.physics.rupture import distance_to_line_km
from eew.physics.shaking import ShakingModel, ShakingPrediction
from eew.tables import load_table

__all__ = ["from_nearby", "from_source", "plum_reach_km", "site_shift", "source_distance_km"]

Floats = NDArray[np.float64]


@cache
def plum_reach_km() -> float:
    """Distance within which shaking at one place stands for that at another."""
    return float(load_table("shaking")["plum_reach_km"])


def source_distance_km(
    prediction: AlertPrediction, lat: float, lon: float, lats: ArrayLike, lons: ArrayLike
) -> Floats:
    """Distance in km from the source that shakes places: its line, else the epicentre given."""
    if prediction.line is not None:
        return distance_to_line_km(prediction.line, lats, lons)
    return epicentral_distance_km(lat, lon, lats, lons)


def from_source(
    model: ShakingModel,
    prediction: AlertPrediction,
    magnitude: ArrayLike,
    depth_km: ArrayLike,
    distance_km: ArrayLike,
    vs30_mps: ArrayLike | None = None,
) -> ShakingPrediction:
    """Predict shaking by distance from the source, without the event's correction.

    Parameters
    ----------
    distance_km : array_like
        As :func:`source_distance_km` gives it for this prediction.
    """
    ask = model.predict if prediction.line is None else model.predict_beside_line
    return ask(magnitude, depth_km, distance_km, vs30_mps)


def site_shift(
    model: ShakingModel,
    prediction: AlertPrediction,
    magnitude: float,
    depth_km: float,
    distance_km: Floats,
    vs30_mps: Floats,
) -> Floats:
    """Intensity that the ground of each place adds to that of the model's default ground.

    Shape of ``distance_km``; 0 where Vs30 is NaN.
    """
    known = ~np.isnan(vs30_mps)
    shift = np.zeros(np.shape(distance_km))
    if not known.any():
        return shift
    arguments = magnitude, depth_km, distance_km[known]
    there = from_source(model, prediction, *arguments, vs30_mps[known]).intensity
    shift[known] = there - from_source(model, prediction, *arguments).intensity
    return shift


def from_nearby(
    observed: Sequence[ObservedShaking], lats: ArrayLike, lons: ArrayLike, shift: ArrayLike = 0.0
) -> Floats:
    """Largest intensity seen within reach of each place, on the place's own ground.

    Returns
    -------
    numpy.ndarray, shape (n,)
        ``-inf`` where nothing was seen within reach.
    """
    lats, lons = floats(lats), floats(lons)
    largest = np.full(lats.shape, -np.inf)
    reach_km = plum_reach_km()
    for one in observed:
        near = epicentral_distance_km(one.lat, one.lon, lats, lons) <= reach_km
        largest = np.where(near, np.maximum(largest, one.intensity), largest)
    nearby: Floats = largest + floats(shift)
    return nearby
