"""GB 18306-2015: intensity, PGA and PGV in the four zones of China's seismic zonation map.

The isoseismals of these relations are ellipses with the long axis along the fault. Where the
strike is unknown, as in early warning, the mean over the two axes is taken (of the intensity,
or of the logarithm of the motion). Coefficients in ``groundmotion.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics.motion import CM, LN10, GroundMotion, floats
from eew.tables import load_table

__all__ = ["gb18306", "gb18306_at_azimuth", "gb18306_intensity"]

Floats = NDArray[np.float64]

_AXES = {"long": ("long",), "short": ("short",), "mean": ("long", "short")}
_BISECTIONS = 48  # of a bracket of some ten log units: 1e-13


def gb18306_intensity(
    magnitude: ArrayLike, epicentral_distance_km: ArrayLike, *, zone: str, axis: str = "mean"
) -> Floats:
    """Macroseismic intensity (Chinese scale) by distance.

    Parameters
    ----------
    magnitude : array_like
        Surface-wave magnitude.
    epicentral_distance_km : array_like
        Up to 200 km.
    zone : str
        ``qinghai_tibet``, ``xinjiang``, ``east_strong`` or ``central_moderate``.
    axis : str
        ``long``, ``short`` or ``mean``.

    Notes
    -----
    Scatter 0.52 to 0.66 by zone. Drawn from isoseismals of felt and damaging shaking: weak
    motion far away comes out one unit and more above what instruments show.
    """
    zone_row = _zone(zone)
    m, r = floats(magnitude), floats(epicentral_distance_km)
    values = []
    for name in _axis_names(axis):
        a, b, c, r0 = zone_row["intensity"][name]
        values.append(a + b * m + c * np.log10(r + r0))
    mean: Floats = np.mean(np.stack(values), axis=0)
    return mean


def gb18306(
    magnitude: ArrayLike,
    epicentral_distance_km: ArrayLike,
    *,
    zone: str,
    axis: str = "mean",
    joined: bool = False,
) -> GroundMotion:
    """Median PGA and PGV on rock with their scatter.

    Parameters
    ----------
    magnitude, epicentral_distance_km, zone, axis
        As in :func:`gb18306_intensity`.
    joined : bool
        Shift the branch below M6.5 so that it meets the one above. As published the two miss
        each other by up to 0.02 log units, and by 0.10 in one case that looks like a misprint
        (see the table): there the PGA would *fall* as the magnitude grows past 6.5.
    """
    m, r = floats(magnitude), floats(epicentral_distance_km)
    zone_row, table = _zone(zone), _table()
    logs: dict[str, list[Floats]] = {"pga": [], "pgv": []}
    for name in _axis_names(axis):
        for measure, values in logs.items():
            values.append(_log10_motion(zone_row[name], measure, joined)(m, r))
    mean_log = {measure: np.mean(np.stack(values), axis=0) for measure, values in logs.items()}
    shape = mean_log["pga"].shape
    return GroundMotion(
        pga_mps2=10.0 ** mean_log["pga"] * CM,
        pgv_mps=10.0 ** mean_log["pgv"] * CM,
        sigma_ln_pga=np.full(shape, table["sigma_log10_pga"] * LN10),
        sigma_ln_pgv=np.full(shape, table["sigma_log10_pgv"] * LN10),
    )


def gb18306_at_azimuth(
    magnitude: float,
    epicentral_distance_km: ArrayLike,
    azimuth_from_strike_deg: ArrayLike,
    *,
    zone: str,
    measure: str,
) -> Floats:
    """Intensity, log10 PGA (gal) or log10 PGV (cm/s) of the ellipse through a site.

    A site at distance R and angle t from the strike lies on the ellipse of the value V for
    which ``(R cos t / a(V))**2 + (R sin t / b(V))**2 = 1``, a(V) and b(V) being the distances
    at which the relations of the long and the short axis reach V.

    Parameters
    ----------
    azimuth_from_strike_deg : array_like
        Angle between the fault's strike and the direction to the site, degrees.
    measure : str
        ``intensity``, ``pga`` or ``pgv``; the last two as published (not joined).
    """
    r, angle = np.broadcast_arrays(floats(epicentral_distance_km), floats(azimuth_from_strike_deg))
    along = np.abs(r * np.cos(np.radians(angle)))
    across = np.abs(r * np.sin(np.radians(angle)))
    forward, reach = {}, {}
    for axis in ("long", "short"):
        forward[axis], reach[axis] = _axis_relation(_zone(zone), axis, measure, magnitude)
    # The site is at least as near as R on the short axis's terms and at most on the long one's,
    # unless the axes cross at very small R: take both ends with room to spare.
    ends = np.stack([forward["long"](r), forward["short"](r), forward["long"](r * 0.0)])
    low, high = ends.min(axis=0) - 1.0, ends.max(axis=0) + 1.0
    for _ in range(_BISECTIONS):
        value = (low + high) / 2.0
        a, b = reach["long"](value), reach["short"](value)
        inside = (along / a) ** 2 + (across / b) ** 2 <= 1.0
        low, high = np.where(inside, value, low), np.where(inside, high, value)
    result: Floats = (low + high) / 2.0
    return result


_Curve = Callable[[Floats], Floats]


def _axis_relation(
    zone_row: Mapping[str, Any], axis: str, measure: str, magnitude: float
) -> tuple[_Curve, _Curve]:
    """Value by distance along an axis, and distance by value (a hair above 0 where not reached)."""
    if measure == "intensity":
        a, b, slope, near_km = zone_row["intensity"][axis]
        level = a + b * magnitude
    elif measure in ("pga", "pgv"):
        row, near = zone_row[axis][measure], zone_row[axis]["near"]
        slope, near_km = row["c"], near["d"] * np.exp(near["e"] * magnitude)
        upper = magnitude > _table()["knee_magnitude"]
        level = row["a2"] + row["b2"] * magnitude if upper else row["a1"] + row["b1"] * magnitude
    else:
        raise ConfigError("measure", f"must be intensity, pga or pgv, was {measure!r}")

    def value_at(distance_km: Floats) -> Floats:
        value: Floats = level + slope * np.log10(distance_km + near_km)
        return value

    def distance_of(value: Floats) -> Floats:
        distance: Floats = np.maximum(10.0 ** ((value - level) / slope) - near_km, 1e-9)
        return distance

    return value_at, distance_of


def _log10_motion(
    axis_row: Mapping[str, Any], measure: str, joined: bool
) -> Callable[[Floats, Floats], Floats]:
    row, near = axis_row[measure], axis_row["near"]
    knee = _table()["knee_magnitude"]
    a1 = row["a2"] + (row["b2"] - row["b1"]) * knee if joined else row["a1"]

    def log10_motion(m: Floats, r: Floats) -> Floats:
        level = np.where(m <= knee, a1 + row["b1"] * m, row["a2"] + row["b2"] * m)
        value: Floats = level + row["c"] * np.log10(r + near["d"] * np.exp(near["e"] * m))
        return value

    return log10_motion


def _axis_names(axis: str) -> tuple[str, ...]:
    if axis not in _AXES:
        raise ConfigError("axis", f"must be long, short or mean, was {axis!r}")
    return _AXES[axis]


def _zone(zone: str) -> dict[str, Any]:
    row = _table().get(zone)
    if not isinstance(row, dict):
        known = ", ".join(name for name, value in _table().items() if isinstance(value, dict))
        raise ConfigError("zone", f"unknown to GB 18306: {zone!r}", hint=f"one of {known}")
    return row


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_table("groundmotion")["gb18306"]
    return table
