"""Boore, Stewart, Seyhan & Atkinson (2014): crustal earthquakes, RotD50, distance to the rupture.

https://doi.org/10.1193/070113EQS184M. Basin depth terms are left out (zero for the average
basin). Coefficients in ``groundmotion.toml``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics.motion import CM, GRAVITY_MPS2, GroundMotion, floats
from eew.tables import load_table

__all__ = ["bssa14", "bssa14_ln_medians", "bssa14_scatter", "bssa14_site"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """Coefficients of PGA or PGV, with the numbers that both share."""

    row: Mapping[str, Any]
    reference_magnitude: float
    reference_distance_km: float
    reference_vs30_mps: float
    vs30_range_mps: tuple[float, float]
    f2_vs30_mps: float
    f3_g: float
    sigma_magnitudes: tuple[float, float]
    sigma_vs30_mps: tuple[float, float]

    def ln_rock(
        self, magnitude: Floats, rjb_km: Floats, mechanism: str, attenuation: str
    ) -> Floats:
        """Source and path terms: ln Y at 760 m/s."""
        k = self.row
        over = magnitude - k["mh"]
        source = np.where(over <= 0.0, over * (k["e4"] + k["e5"] * over), k["e6"] * over) + _choice(
            k["e"], mechanism, "mechanism"
        )
        r = np.hypot(rjb_km, k["h_km"])
        spreading = k["c1"] + k["c2"] * (magnitude - self.reference_magnitude)
        anelastic = k["c3"] + _choice(k["dc3"], attenuation, "attenuation")
        ln_y: Floats = (
            source
            + spreading * np.log(r / self.reference_distance_km)
            + anelastic * (r - self.reference_distance_km)
        )
        return ln_y

    def ln_site(self, vs30_mps: Floats, rock_pga_g: Floats) -> Floats:
        """Linear and nonlinear site terms relative to 760 m/s."""
        k = self.row
        vs30 = np.clip(vs30_mps, *self.vs30_range_mps)
        linear = k["c"] * np.log(np.minimum(vs30, k["vc_mps"]) / self.reference_vs30_mps)
        over = np.minimum(vs30, self.reference_vs30_mps) - self.f2_vs30_mps
        none = self.reference_vs30_mps - self.f2_vs30_mps  # no nonlinearity from here up
        f2 = k["f4"] * (np.exp(k["f5"] * over) - np.exp(k["f5"] * none))
        ln_f: Floats = linear + f2 * np.log((rock_pga_g + self.f3_g) / self.f3_g)
        return ln_f

    def scatter(self, magnitude: Floats, rjb_km: Floats, vs30_mps: Floats) -> tuple[Floats, Floats]:
        """Between-event tau and within-event phi of ln Y."""
        k = self.row
        tau = np.interp(magnitude, self.sigma_magnitudes, k["tau"])
        phi = np.interp(magnitude, self.sigma_magnitudes, k["phi"])
        far = np.log(np.maximum(rjb_km, k["r1_km"]) / k["r1_km"])
        phi = phi + k["dfr"] * np.minimum(far / np.log(k["r2_km"] / k["r1_km"]), 1.0)
        v1, v2 = self.sigma_vs30_mps
        soft = np.log(v2 / np.clip(vs30_mps, v1, v2)) / np.log(v2 / v1)
        return tau, phi - k["dfv"] * soft


def bssa14(
    magnitude: ArrayLike,
    rjb_km: ArrayLike,
    vs30_mps: ArrayLike,
    *,
    mechanism: str = "unspecified",
    attenuation: str = "global",
) -> GroundMotion:
    """Median PGA and PGV with their scatter.

    Parameters
    ----------
    magnitude : array_like
        Moment magnitude, M3 to M8.5.
    rjb_km : array_like
        Distance to the surface projection of the rupture in km, 0 to 400.
    vs30_mps : array_like
        Mean S velocity of the upper 30 m; held within 150 to 1500 m/s.
    mechanism : str
        ``unspecified``, ``strike_slip``, ``normal`` or ``reverse``.
    attenuation : str
        ``global`` or ``china_turkey`` (slower decay with distance).

    Returns
    -------
    GroundMotion
        With the broadcast shape of the arguments.

    Raises
    ------
    ConfigError
        If ``mechanism`` or ``attenuation`` is unknown.
    """
    m, rjb, vs30 = np.broadcast_arrays(floats(magnitude), floats(rjb_km), floats(vs30_mps))
    ln_pga, ln_pgv = bssa14_ln_medians(m, rjb, vs30, mechanism=mechanism, attenuation=attenuation)
    scatter = bssa14_scatter(m, rjb, vs30)
    return GroundMotion(
        pga_mps2=np.exp(ln_pga),
        pgv_mps=np.exp(ln_pgv),
        sigma_ln_pga=np.hypot(*scatter["pga"]),
        sigma_ln_pgv=np.hypot(*scatter["pgv"]),
    )


def bssa14_ln_medians(
    magnitude: Floats,
    rjb_km: Floats,
    vs30_mps: Floats,
    *,
    mechanism: str = "unspecified",
    attenuation: str = "global",
) -> tuple[Floats, Floats]:
    """Natural logarithms of the median PGA (m/s**2) and PGV (m/s), without the scatter.

    Arguments as in :func:`bssa14`; they need only broadcast, which saves work where one site is
    asked for many distances.
    """
    pga, pgv = _measures()
    rock_pga = pga.ln_rock(magnitude, rjb_km, mechanism, attenuation)
    rock_pgv = pgv.ln_rock(magnitude, rjb_km, mechanism, attenuation)
    rock_pga_g = np.exp(rock_pga)
    ln_pga = rock_pga + pga.ln_site(vs30_mps, rock_pga_g) + math.log(GRAVITY_MPS2)
    ln_pgv = rock_pgv + pgv.ln_site(vs30_mps, rock_pga_g) + math.log(CM)
    return ln_pga, ln_pgv


def bssa14_scatter(
    magnitude: ArrayLike, rjb_km: ArrayLike, vs30_mps: ArrayLike
) -> dict[str, tuple[Floats, Floats]]:
    """Between-event (tau) and within-event (phi) scatter of ln Y, keyed ``pga`` and ``pgv``."""
    arguments = floats(magnitude), floats(rjb_km), floats(vs30_mps)
    pga, pgv = _measures()
    return {"pga": pga.scatter(*arguments), "pgv": pgv.scatter(*arguments)}


def bssa14_site(
    vs30_mps: ArrayLike, reference_vs30_mps: float, rock_pga_mps2: ArrayLike
) -> tuple[Floats, Floats]:
    """Factors on PGA and PGV from ground of one Vs30 to ground of another.

    Parameters
    ----------
    vs30_mps : array_like
        The site.
    reference_vs30_mps : float
        The ground that the motion was predicted for.
    rock_pga_mps2 : array_like
        PGA on rock in m/s**2, which drives the nonlinear part.
    """
    vs30, rock_g = floats(vs30_mps), floats(rock_pga_mps2) / GRAVITY_MPS2
    there = floats(reference_vs30_mps)
    pga, pgv = _measures()
    factors = [np.exp(k.ln_site(vs30, rock_g) - k.ln_site(there, rock_g)) for k in (pga, pgv)]
    return factors[0], factors[1]


def _choice(options: Mapping[str, float], name: str, what: str) -> float:
    if name not in options:
        known = ", ".join(options)
        raise ConfigError(what, f"unknown to BSSA14: {name!r}", hint=f"one of {known}")
    return options[name]


@cache
def _measures() -> tuple[_Measure, _Measure]:
    table = load_table("groundmotion")["bssa14"]

    def measure(name: str) -> _Measure:
        return _Measure(
            row=table[name],
            reference_magnitude=table["reference_magnitude"],
            reference_distance_km=table["reference_distance_km"],
            reference_vs30_mps=table["reference_vs30_mps"],
            vs30_range_mps=(table["vs30_range_mps"][0], table["vs30_range_mps"][1]),
            f2_vs30_mps=table["f2_vs30_mps"],
            f3_g=table["f3_g"],
            sigma_magnitudes=(table["sigma_magnitudes"][0], table["sigma_magnitudes"][1]),
            sigma_vs30_mps=(table["sigma_vs30_mps"][0], table["sigma_vs30_mps"][1]),
        )

    return measure("pga"), measure("pgv")
