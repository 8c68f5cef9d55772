"""How a region's crust weakens and lengthens the waves: tables of ``eew/tables/attenuation.toml``.

Quantities follow Boore (2003), https://doi.org/10.1007/PL00012553.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.attenuation_regions import attenuation_region
from simulator.strict import read_struct

__all__ = [
    "Attenuation",
    "PhaseConstants",
    "attenuation",
    "attenuation_region",
    "region_names",
    "spread",
]

Floats = NDArray[np.float64]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Pairs = Annotated[tuple[tuple[float, float], ...], Meta(min_length=1)]


def spread(spreading: Sequence[tuple[float, float]], distances_km: Floats) -> Floats:
    """Amplitudes relative to that at 1 km by geometrical spreading, see :class:`PhaseConstants`."""
    log = np.zeros_like(distances_km)
    ends = [start for start, _ in spreading[1:]] + [math.inf]
    for (start_km, power), end_km in zip(spreading, ends, strict=True):
        log += power * np.log(np.clip(distances_km, start_km, end_km) / start_km)
    amplitudes: Floats = np.exp(log)
    return amplitudes


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

    def geometrical_spreading(self, distances_km: Floats) -> Floats:
        """Amplitude relative to that at 1 km, without loss."""
        return spread(self.spreading, distances_km)


class FiniteConstants(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a plane is divided and broken.

    Attributes
    ----------
    point_to_magnitude : float
        Quakes up to this one are a single subfault.
    subfaults, smallest_subfault_km
        About how many, but none smaller than this.
    velocity_share : tuple of (float, float)
        Rupture velocity over that of S, drawn for each quake between these.
    velocity_scatter : float
        Of the time of each subfault, a share.
    shallow_km : float
        Above this depth the ground slips without much radiation at high frequency.
    pulsing_share : float
        Part of the plane that radiates at a time, as far as corner frequencies go.
    slip_scatter : float
        Standard deviation of the slip over its mean.
    correlation_km : tuple of (float, float)
        a, b of the slip's correlation length ``a + b L`` in km.
    rise_s_per_cube_root_nm : float
        How long a place on the plane slips, over the cube root of the moment.
    join_corners, join_least_hz
        Below this many corner frequencies, but not below this frequency, waves are summed with
        their phase; above they are random.
    """

    point_to_magnitude: Positive
    subfaults: Annotated[int, Meta(ge=1)]
    smallest_subfault_km: Positive
    velocity_share: tuple[float, float]
    velocity_scatter: NotNegative
    shallow_km: Positive
    pulsing_share: Annotated[float, Meta(gt=0.0, le=1.0)]
    slip_scatter: NotNegative
    correlation_km: tuple[float, float]
    join_corners: Positive
    join_least_hz: Positive
    spreading: Pairs
    rise_s_per_cube_root_nm: Positive


class Attenuation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Source, path and site constants of one region.

    Attributes
    ----------
    stress_drop_bar : float
        Brune stress parameter of large quakes where the scenario gives none.
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
    finite : FiniteConstants
    mechanisms : dict
        Styles of the table and how often each.
    pattern_hz, pattern_least : float
        About where the radiation pattern is mixed to its mean, and the least that it is.
    weigh_hz : float
        At which subfaults are weighed for the distance that stands for all.
    vs30_power : tuple of (float, float)
        Frequency in Hz and the power of Vs30 over ``amplification_vs30_mps`` to amplify with.
    vertical_vs30_share : float
        Share of that power on the vertical.
    amplification_from : tuple of (float, float)
        S velocity (km/s) and density of the rock from which ``amplification`` counts.
    kappa_sigma_ln : float
        Standard deviation between stations of the natural logarithm of kappa.
    small_stress_power : float
        Power of ten by which stress grows with magnitude up to the point limit.
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
    finite: FiniteConstants
    mechanisms: dict[str, Positive]
    pattern_hz: Positive
    pattern_least: Positive
    weigh_hz: Positive
    amplification_vs30_mps: Positive
    amplification_from: tuple[Positive, Positive]
    kappa_sigma_ln: NotNegative
    vs30_power: Pairs
    vertical_vs30_share: Annotated[float, Meta(ge=0.0, le=1.0)]
    small_stress_power: float

    @property
    def impedance(self) -> float:
        """Amplitude gained between the source and the rock from which amplification counts."""
        beta_kms, density_kgm3 = self.amplification_from
        return math.sqrt(self.density_kgm3 * self.beta_kms / (density_kgm3 * beta_kms))

    def stress_drop(self, magnitude: float) -> float:
        """Brune stress parameter in bar; smaller quakes have somewhat less of it."""
        under = min(magnitude - self.finite.point_to_magnitude, 0.0)
        return float(self.stress_drop_bar * 10.0 ** (self.small_stress_power * under))

    def log_vs30(self, frequency_hz: Floats, vs30_mps: float) -> Floats:
        """Natural logarithm of the amplification by ground of a Vs30 against that of the table."""
        frequency, power = np.transpose(self.vs30_power)
        powers = np.interp(np.log(np.maximum(frequency_hz, frequency[0])), np.log(frequency), power)
        log: Floats = powers * math.log(vs30_mps / self.amplification_vs30_mps)
        return log

    def effective_distance_km(self, distance_km: ArrayLike, magnitude: float | None) -> Floats:
        """Distance at which a point would shake as what is at ``distance_km`` does (km).

        Close to a source no more than a part of it is close, so amplitudes stop growing:
        ``sqrt(R**2 + h(M)**2)``. None stands for subfaults, which are small and many.
        """
        a, b = self.effective_depth_log10_km
        depth_km = 0.0 if magnitude is None else 10.0 ** (a + b * magnitude)
        effective: Floats = np.hypot(distance_km, depth_km)
        return effective

    def path_duration(self, distance_km: Floats) -> Floats:
        """Return the seconds that the path adds to the length of S."""
        at_km, seconds = np.transpose(self.path_duration_s)
        slope = (seconds[-1] - seconds[-2]) / (at_km[-1] - at_km[-2])
        beyond = np.maximum(distance_km - at_km[-1], 0.0) * slope
        duration: Floats = np.interp(distance_km, at_km, seconds) + beyond
        return duration

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
