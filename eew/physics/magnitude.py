"""Magnitude from amplitudes and periods of the first seconds; coefficients in magnitude.toml.

All amplitudes are SI; each relation converts to the unit it was published in. An amplitude of 0
gives ``-inf`` and one below 0 NaN: a station without a usable amplitude must not be passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics.geo import hypocentral_distance_km
from eew.tables import load_table

__all__ = [
    "NetworkUncertainty",
    "half_duration_s",
    "kuyuk_allen_2013",
    "lancieri_zollo_2008",
    "magnitude_from_tau_c",
    "magnitude_from_tau_p",
    "network_uncertainty",
    "pd_magnitude",
    "pd_relation",
    "pgd_magnitude",
    "pgv_from_pd",
    "virtual_seismologist",
    "virtual_seismologist_is_p",
    "wu_zhao_2006",
]

Floats = NDArray[np.float64]

_UNIT_M = {"m": 1.0, "cm": 0.01}
_CM = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class PdRelation:
    """One relation of peak displacement, distance and magnitude, as published.

    ``sigma`` is the standard deviation of one station's magnitude; the ranges are those of the
    data behind it.
    """

    name: str
    form: str
    unit_m: float
    a: float
    b: float
    c: float
    reference_km: float
    distance: str
    min_distance_km: float
    sigma: float
    window_s: float
    magnitude_range: tuple[float, float]
    distance_range_km: tuple[float, float]

    def magnitude(self, pd_m: ArrayLike, distance_km: ArrayLike) -> Floats:
        """Magnitude for a peak displacement at a distance of this relation's kind."""
        distance = np.maximum(np.asarray(distance_km, dtype=np.float64), self.min_distance_km)
        log_distance = np.log10(distance / self.reference_km)
        log_pd = _log10(np.asarray(pd_m, dtype=np.float64) / self.unit_m)
        if self.form == "magnitude":
            magnitude: Floats = self.a + self.b * log_pd + self.c * log_distance
        else:
            magnitude = (log_pd - self.a - self.c * log_distance) / self.b
        return magnitude


@cache
def pd_relation(name: str) -> PdRelation:
    """Look up a relation of the ``pd`` section of ``magnitude.toml``.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    row = _row("pd", name)
    return PdRelation(
        name=name,
        form=row["form"],
        unit_m=_UNIT_M[row["unit"]],
        a=row["a"],
        b=row["b"],
        c=row["c"],
        reference_km=row["reference_km"],
        distance=row["distance"],
        min_distance_km=row["min_distance_km"],
        sigma=row["sigma"],
        window_s=row["window_s"],
        magnitude_range=(row["magnitude_range"][0], row["magnitude_range"][1]),
        distance_range_km=(row["distance_range_km"][0], row["distance_range_km"][1]),
    )


def pd_magnitude(
    pd_m: ArrayLike,
    epicentral_distance_km: ArrayLike,
    depth_km: ArrayLike,
    relation: str = "kuyuk_allen_2013",
) -> Floats:
    """Magnitude of each station from its peak P displacement, by any relation of the table.

    Parameters
    ----------
    pd_m : array_like
        Peak absolute displacement in m, > 0, in the window of the relation.
    epicentral_distance_km, depth_km : array_like
        Distance and source depth in km; the relation takes the distance it was made for.
    relation : str
        A name of the ``pd`` section of ``magnitude.toml``.

    Returns
    -------
    numpy.ndarray
        Magnitudes with the broadcast shape.
    """
    chosen = pd_relation(relation)
    if chosen.distance == "epicentral":
        return chosen.magnitude(pd_m, epicentral_distance_km)
    return chosen.magnitude(pd_m, hypocentral_distance_km(epicentral_distance_km, depth_km))


def kuyuk_allen_2013(pd_m: ArrayLike, epicentral_distance_km: ArrayLike) -> Floats:
    """Magnitude from Pd in up to 4 s of P: global, M3 to M8 within 200 km.

    Kuyuk & Allen (2013), https://doi.org/10.1002/2013GL058580; sigma 0.4 to 0.5 per station.
    """
    return pd_relation("kuyuk_allen_2013").magnitude(pd_m, epicentral_distance_km)


def wu_zhao_2006(pd_m: ArrayLike, hypocentral_distance_km: ArrayLike) -> Floats:
    """Magnitude from Pd in 3 s of P: southern California, M4 to M6.5.

    Wu & Zhao (2006), https://doi.org/10.1029/2006GL026871.
    """
    return pd_relation("wu_zhao_2006").magnitude(pd_m, hypocentral_distance_km)


def lancieri_zollo_2008(
    pd_m: ArrayLike, hypocentral_distance_km: ArrayLike, *, window: str = "p4"
) -> Floats:
    """Magnitude from Pd in 2 s of P (``p2``), 4 s of P (``p4``) or 2 s of S (``s2``).

    Lancieri & Zollo (2008), https://doi.org/10.1029/2007JB005386; within 50 km.
    """
    return pd_relation(f"lancieri_zollo_2008_{window}").magnitude(pd_m, hypocentral_distance_km)


def magnitude_from_tau_c(tau_c_s: ArrayLike, relation: str = "wu_2007") -> Floats:
    """Magnitude from the period parameter tau_c of 3 s of P displacement (s)."""
    return _from_period("tau_c", relation, tau_c_s)


def magnitude_from_tau_p(tau_p_s: ArrayLike, relation: str = "epic") -> Floats:
    """Magnitude from the predominant period tau_p max (s); poor below M3 and for large events."""
    return _from_period("tau_p", relation, tau_p_s)


def pgv_from_pd(pd_m: ArrayLike, relation: str = "california_2007") -> Floats:
    """Peak ground velocity in m/s to come at a station, from its own Pd of 3 s in m."""
    row = _row("pgv_from_pd", relation)
    log_pgv = row["a"] + row["b"] * _log10(np.asarray(pd_m, dtype=np.float64) / _CM)
    pgv: Floats = 10.0**log_pgv * _CM
    return pgv


def virtual_seismologist(
    acceleration_mps2: ArrayLike, displacement_m: ArrayLike, *, phase: str
) -> Floats:
    """Magnitude from the ratio of vertical acceleration to displacement; needs no distance.

    Parameters
    ----------
    acceleration_mps2, displacement_m : array_like
        Maxima of the 1-s vertical envelopes since P, high-passed at 3 s.
    phase : str
        ``"P"`` or ``"S"``: which wave the envelopes are in, see
        :func:`virtual_seismologist_is_p`.

    Notes
    -----
    Cua (2005). The standard deviation is 0.45 (P) or 0.41 (S), for M2.5 to M7.6.
    """
    row = _row("virtual_seismologist", "")
    if phase not in ("P", "S"):
        raise ConfigError("phase", f"must be 'P' or 'S', was {phase!r}")
    fit = row[phase.lower()]
    ratio = row["zad_acceleration"] * _log10(np.asarray(acceleration_mps2) / _CM)
    ratio = ratio + row["zad_displacement"] * _log10(np.asarray(displacement_m) / _CM)
    magnitude: Floats = fit["slope"] * ratio + fit["intercept"]
    return magnitude


def virtual_seismologist_is_p(
    *,
    vertical_mps2: ArrayLike,
    vertical_mps: ArrayLike,
    horizontal_mps2: ArrayLike,
    horizontal_mps: ArrayLike,
) -> NDArray[np.bool_]:
    """Tell P from S by the envelope maxima of vertical and root-mean-square horizontal motion."""
    weights = _row("virtual_seismologist", "")["discriminant"]
    score = (
        weights["za"] * _log10(np.asarray(vertical_mps2) / _CM)
        + weights["zv"] * _log10(np.asarray(vertical_mps) / _CM)
        + weights["ha"] * _log10(np.asarray(horizontal_mps2) / _CM)
        + weights["hv"] * _log10(np.asarray(horizontal_mps) / _CM)
    )
    return np.asarray(score > weights["threshold"])


def pgd_magnitude(
    pgd_m: ArrayLike, hypocentral_distance_km: ArrayLike, relation: str = "crowell_2016"
) -> Floats:
    """Magnitude from peak ground displacement of GNSS or strong motion; does not saturate.

    Parameters
    ----------
    pgd_m : array_like
        Peak of the three-component displacement vector in m, > 0.
    hypocentral_distance_km : array_like
        In km; held at 1 or more.
    relation : str
        ``crowell_2013``, ``melgar_2015``, ``crowell_2016`` (default) or ``ruhl_2019``.
    """
    row = _row("pgd", relation)
    log_pgd = _log10(np.asarray(pgd_m, dtype=np.float64) / _UNIT_M[row["unit"]])
    distance = np.maximum(np.asarray(hypocentral_distance_km, dtype=np.float64), 1.0)
    magnitude: Floats = (log_pgd - row["a"]) / (row["b"] + row["c"] * np.log10(distance))
    return magnitude


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkUncertainty:
    """One standard deviation of a network's magnitude, epicentre and origin time."""

    magnitude_sigma: float
    location_sigma_km: float
    origin_time_sigma_s: float
    likelihood: float


def network_uncertainty(n_stations: int) -> NetworkUncertainty:
    """Uncertainty that EPIC states for a solution of ``n_stations``; held for n < 3 and > 15."""
    row = _row("network", "")
    low, high = row["n_range"]
    n = float(min(max(n_stations, low), high))

    def sigma(fit: Mapping[str, float]) -> float:
        return float(fit["scale"] * n ** fit["exponent"] + fit["offset"])

    c0, c1, c2 = row["likelihood"]
    return NetworkUncertainty(
        magnitude_sigma=sigma(row["magnitude"]),
        location_sigma_km=sigma(row["location_km"]),
        origin_time_sigma_s=sigma(row["origin_time_s"]),
        likelihood=c0 + c1 * n + c2 * n**2,
    )


def half_duration_s(magnitude: ArrayLike) -> Floats:
    """Half of the time a median source of this magnitude radiates, s.

    Ekstrom, Nettles & Dziewonski (2012), https://doi.org/10.1016/j.pepi.2012.04.002: M 6 2.4 s,
    M 7 7.7 s, M 8 24 s.
    """
    row = _row("source_duration", "")
    log_moment = row["moment_slope"] * np.asarray(magnitude, np.float64) + row["moment_intercept"]
    half: Floats = row["scale_s"] * 10.0 ** (log_moment / 3.0)
    return half


def _from_period(section: str, relation: str, period_s: ArrayLike) -> Floats:
    row = _row(section, relation)
    magnitude: Floats = row["a"] + row["b"] * _log10(np.asarray(period_s, dtype=np.float64))
    return magnitude


def _log10(values: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm: Floats = np.log10(values)
    return logarithm


@cache
def _row(section: str, name: str) -> dict[str, Any]:
    table: dict[str, Any] = load_table("magnitude")[section]
    if not name:
        return table
    if name not in table:
        known = ", ".join(sorted(table))
        raise ConfigError(
            f"magnitude.{section}", f"no relation {name!r}", hint=f"there are {known}"
        )
    row: dict[str, Any] = table[name]
    return row
