"""How a region's crust weakens and lengthens the waves: tables of ``eew/tables/attenuation.toml``.

Quantities follow Boore (2003), https://doi.org/10.1007/PL00012553.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.strict import read_struct

__all__ = ["Attenuation", "PhaseConstants", "attenuation", "region_names"]

Floats = NDArray[np.float64]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Pairs = Annotated[tuple[tuple[float, float], ...], Meta(min_length=1)]


class PhaseConstants(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs between P and S.

    Attributes
    ----------
    radiation : float
        Radiation pattern averaged over the focal sphere.
    corner_ratio : float
        Corner frequency over that of S.
    shortest_s : float
        Least length of the direct wave at the source in s.
    duration_share : float
        Part of the region's path duration.
    kappa_share : float
        Part of the region's kappa.
    coda_energy : float
        Part of the energy that arrives as coda.
    coda_decay_s : float
        Time in s in which the coda falls to 1/e of its amplitude.
    surface_velocity_kms : float
        Velocity at the surface, that bends the ray upwards (km/s).
    amplitude : float
        Factor on the theoretical amplitude; 1 where nothing was fitted.
    spreading : tuple of (float, float)
        From which distance in km on the amplitude changes with which power of distance; the
        first is 1 km, to which amplitudes refer.
    """

    radiation: Positive
    corner_ratio: Positive
    shortest_s: Positive
    duration_share: Positive
    kappa_share: Positive
    coda_energy: Annotated[float, Meta(ge=0.0, lt=1.0)]
    coda_decay_s: Positive
    surface_velocity_kms: Positive
    amplitude: Positive
    spreading: Pairs

    def geometrical_spreading(self, distance_km: float) -> float:
        """Amplitude relative to that at 1 km, without loss."""
        amplitude = 1.0
        ends = [start for start, _ in self.spreading[1:]] + [math.inf]
        for (start_km, power), end_km in zip(self.spreading, ends, strict=True):
            amplitude *= (min(max(distance_km, start_km), end_km) / start_km) ** power
        return amplitude


class Attenuation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Source, path and site constants of one region.

    Attributes
    ----------
    stress_drop_bar : float
        Brune stress parameter where the scenario gives none.
    alpha_kms, beta_kms, density_kgm3 : float
        P and S velocity and density at the source.
    q0, eta, q_min : float
        Quality factor of S waves, ``max(q_min, q0 * f**eta)``; that of P is taken as equal.
    kappa_s : float
        Loss below the station in s.
    path_duration_s : tuple of (float, float)
        Distance in km and the seconds the path adds to the length of S; linear between, the
        last slope goes on.
    effective_depth_log10_km : tuple of (float, float)
        a, b of ``h = 10**(a + b M)`` in km, the distance that a finite fault adds.
    amplification : tuple of (float, float)
        Frequency in Hz and amplification of S between source and surface.
    vs30_mps : float
        Mean S velocity of the upper 30 m that ``amplification`` stands for.
    site_sigma_log10 : float
        Standard deviation between stations of the logarithm of amplitude.
    late_s, late_share : float
        Standard deviations of the arrival of P, in s and as a share of its travel time.
    """

    stress_drop_bar: Positive
    alpha_kms: Positive
    beta_kms: Positive
    density_kgm3: Positive
    q0: Positive
    eta: float
    q_min: Positive
    kappa_s: Positive
    path_duration_s: Pairs
    effective_depth_log10_km: tuple[float, float]
    amplification: Pairs
    vs30_mps: Positive
    site_sigma_log10: NotNegative
    late_s: NotNegative
    late_share: NotNegative
    p: PhaseConstants
    s: PhaseConstants

    def effective_distance_km(self, distance_km: float, magnitude: float) -> float:
        """Distance at which a point would shake as a fault at ``distance_km`` does (km).

        Close to a large fault no more than a part of it is close, so amplitudes stop growing:
        ``sqrt(R**2 + h(M)**2)``.
        """
        a, b = self.effective_depth_log10_km
        return math.hypot(distance_km, 10.0 ** (a + b * magnitude))

    def path_duration(self, distance_km: float) -> float:
        """Return the seconds that the path adds to the length of S."""
        distances, seconds = np.transpose(self.path_duration_s)
        if distance_km <= distances[-1] or len(distances) == 1:
            return float(np.interp(distance_km, distances, seconds))
        slope = (seconds[-1] - seconds[-2]) / (distances[-1] - distances[-2])
        return float(seconds[-1] + slope * (distance_km - distances[-1]))

    def loss_exponent(
        self, frequency_hz: Floats, distance_km: float, velocity_kms: float, kappa_s: float
    ) -> Floats:
        """Natural logarithm of what path and station leave of the amplitude (<= 0)."""
        q = np.maximum(self.q_min, self.q0 * np.maximum(frequency_hz, 1e-3) ** self.eta)
        return -np.pi * frequency_hz * (distance_km / (q * velocity_kms) + kappa_s)

    def site_amplification(self, frequency_hz: Floats) -> Floats:
        """Amplification of S between source and surface; linear in both logarithms."""
        frequency, factor = np.transpose(self.amplification)
        logs: Floats = np.interp(
            np.log(np.maximum(frequency_hz, frequency[0])), np.log(frequency), np.log(factor)
        )
        return np.exp(logs)


def region_names() -> tuple[str, ...]:
    """Return the regions that have a table, sorted."""
    return tuple(sorted(load_table("attenuation")["region"]))


@cache
def attenuation(region: str) -> Attenuation:
    """Return the constants of a region.

    Raises
    ------
    ConfigError
        If there is no such region or its table does not fit the type.
    """
    table = load_table("attenuation")
    if region not in table["region"]:
        known = ", ".join(region_names())
        raise ConfigError("region", f"no region {region!r}", hint=f"there are: {known}")
    value, problems = read_struct(Attenuation, _merge(table["common"], table["region"][region]))
    if value is None:
        raise ConfigError(f"eew/tables/attenuation.toml [region.{region}]", "; ".join(problems))
    return value


def _merge(common: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay a region's own values over the common ones, table by table."""
    merged = dict(common)
    for key, value in own.items():
        below = common.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            value = _merge(below, value)
        merged[key] = value
    return merged
