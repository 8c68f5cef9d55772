"""Who is told, without knowing where anybody is.

A device subscribes to the area it is in, an H3 cell of the topic tree; its own position it keeps.
The publisher tells every area that a shaken place may lie in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import h3.api.basic_int as h3_int
import numpy as np

from eew.messages.areas import area_of_cell, areas_of_cells, is_area
from eew.messages.fine_cells import Circle, fine_cell_of, fine_cells_round, fine_cells_within
from eew.messages.levels import Thresholds, default_thresholds
from eew.messages.prediction_model import model_of
from eew.model.alert import AlertMessage
from eew.physics.forecast import plum_reach_km
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from eew.physics.shaking import ShakingModel
from eew.tables import load_table

__all__ = [
    "alert_radius_km",
    "area_of",
    "cell_of",
    "cells_to_tell",
    "cells_within",
    "fine_cell_of",
    "fine_cells_within",
    "is_cell",
]


@cache
def _settings() -> dict[str, Any]:
    table: dict[str, Any] = load_table("topics")["cells"]
    return table


def cell_of(lat: float, lon: float) -> str:
    """Return the area (H3 cell, 15 hexadecimal digits) of a position in degrees.

    Raises
    ------
    ValueError
        If the position is not finite or out of range.
    """
    return area_of(fine_cell_of(lat, lon))


def area_of(cell: int) -> str:
    """Return the area of an H3 cell of the finest resolution."""
    return _name(area_of_cell(cell))


def is_cell(text: str) -> bool:
    """Tell whether ``text`` is an area that some place belongs to."""
    if len(text) != 15:
        return False
    try:
        cell = h3_int.str_to_int(text)
    except ValueError:
        return False
    return is_area(cell) and _name(cell) == text


def alert_radius_km(message: AlertMessage, thresholds: Thresholds | None = None) -> float:
    """Distance from the source inside which its prediction reaches ``be_aware``, in km.

    It counts from the epicentre, or from the rupture's line where the message has one.

    The radius in the message is taken where it has one for this very intensity, so that the
    publisher, the cells and the map agree; otherwise the message's own shaking model answers.
    0.0 where the intensity is not reached anywhere.
    """
    limit = thresholds or default_thresholds(message.prediction.scale)
    radii = message.prediction.radii_km
    if limit.be_aware.is_integer() and int(limit.be_aware) in radii:
        return radii[int(limit.be_aware)]
    prediction = message.prediction
    return model_of(prediction).radius_km(
        limit.be_aware,
        message.magnitude.value,
        message.origin.depth_km,
        correction=prediction.correction,
        from_line=prediction.line is not None,
    )


def cells_within(lat: float, lon: float, distance_km: float) -> tuple[str, ...]:
    """Return the areas that may hold a point within ``distance_km``, sorted."""
    return _names(areas_of_cells(fine_cells_within(lat, lon, distance_km)))


def cells_to_tell(
    message: AlertMessage,
    margin_sigmas: float | None = None,
    *,
    thresholds: Thresholds | None = None,
) -> tuple[str, ...]:
    """Return the areas in which some place may reach ``be_aware``, sorted.

    Parameters
    ----------
    message : AlertMessage
        Its source (epicentre or line), the uncertainties of place and magnitude and the
        prediction are used.
    margin_sigmas : float, optional
        By how many standard deviations the source may be nearer, and larger; from the table by
        default.
    thresholds : Thresholds, optional
        Those of the message's scale by default.

    Returns
    -------
    tuple of str
        Empty where the intensity is reached nowhere.
    """
    sigmas = _settings()["margin_sigmas"] if margin_sigmas is None else margin_sigmas
    limit = thresholds or default_thresholds(message.prediction.scale)
    radius_km = _widest_km(message, limit, sigmas)
    shaken = _round_source(message, radius_km) if radius_km > 0.0 else []
    shaken += [
        Circle(one.lat, one.lon, plum_reach_km())
        for one in message.prediction.observed
        if one.intensity >= limit.be_aware
    ]
    return _names(areas_of_cells(fine_cells_round(shaken)))


def _widest_km(message: AlertMessage, limit: Thresholds, sigmas: float) -> float:
    """Return how far ``be_aware`` may reach, where the source is as near and large as it may be.

    Distance and magnitude are independent, so what each adds is added as squares.
    """
    prediction = message.prediction
    likely = message.magnitude.value
    likely_km, most_km = _reaches_km(
        model_of(prediction),
        limit.be_aware,
        (likely, likely + sigmas * message.magnitude.sigma),
        message.origin.depth_km,
        prediction.correction,
        prediction.line is not None,
    )
    more_km = most_km - likely_km
    radius_km = alert_radius_km(message, limit)
    if radius_km + more_km <= 0.0:
        return 0.0
    return radius_km + math.hypot(more_km, sigmas * message.origin.h_sigma_km)


@lru_cache(maxsize=64)  # the last word of an event says mostly what the one before it said
def _reaches_km(
    model: ShakingModel,
    intensity: float,
    magnitudes: tuple[float, float],
    depth_km: float,
    correction: float,
    from_line: bool,
) -> tuple[float, float]:
    near_km, far_km = model.reaches_km(
        intensity, magnitudes, depth_km, correction=correction, from_line=from_line
    ).tolist()
    return near_km, far_km


def _round_source(message: AlertMessage, radius_km: float) -> list[Circle]:
    """Return circles that cover what is nearer to the source than a radius."""
    line = message.prediction.line
    if line is None:
        return [Circle(message.origin.lat, message.origin.lon, radius_km)]
    lat1, lon1, lat2, lon2 = line
    length_km = float(epicentral_distance_km(lat1, lon1, lat2, lon2))
    n_gaps = max(1, math.ceil(length_km / _settings()["ring_km"]))
    steps_km = np.linspace(0.0, length_km, n_gaps + 1)
    lats, lons = destination(lat1, lon1, float(azimuth_deg(lat1, lon1, lat2, lon2)), steps_km)
    # half the distance to its neighbour: so far from the nearest point of these may the line be
    from_points_km = math.hypot(radius_km, length_km / n_gaps / 2.0)
    return [
        Circle(lat, lon, from_points_km)
        for lat, lon in zip(lats.tolist(), lons.tolist(), strict=True)
    ]


def _names(cells: Iterable[int]) -> tuple[str, ...]:
    return tuple(sorted(_name(cell) for cell in cells))


def _name(cell: int) -> str:
    return f"{cell:x}"
