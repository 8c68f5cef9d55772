"""Amplitude of 1-s ground-motion envelopes of P and S by magnitude and distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["Envelope", "envelope", "envelope_amplitude", "envelope_magnitude"]

_CM = 0.01


_MAGNITUDES = np.arange(1.0, 9.0001, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Coefficients of one phase, component, quantity and site class."""

    a: float
    b: float
    c1: float
    c2: float
    d: float
    e: float
    sigma_log10: float
    reference_depth_km: float

    def amplitude(
        self, magnitude: ArrayLike, epicentral_distance_km: ArrayLike
    ) -> NDArray[np.float64]:
        """Median amplitude in SI units (m/s**2, m/s or m)."""
        m = np.asarray(magnitude, dtype=np.float64)
        distance = np.asarray(epicentral_distance_km, dtype=np.float64)
        near_source = self.c1 * np.exp(self.c2 * (m - 5.0)) * (np.arctan(m - 5.0) + 1.4)
        r = np.hypot(distance, self.reference_depth_km) + near_source
        log10_cgs = self.a * m + self.b * r + self.d * np.log10(r) + self.e
        amplitude: NDArray[np.float64] = 10.0**log10_cgs * _CM
        return amplitude


@cache
def envelope(phase: str, component: str, quantity: str, site: str) -> Envelope:
    """Look up the coefficients in ``envelope.toml``.

    Parameters
    ----------
    phase : str
        ``"P"`` or ``"S"``.
    component : str
        ``"vertical"`` or ``"horizontal"`` (root mean square of the two).
    quantity : str
        ``"acceleration"``, ``"velocity"`` or ``"displacement"``.
    site : str
        ``"rock"`` (Vs30 > 464 m/s) or ``"soil"``.

    Raises
    ------
    ConfigError
        If one of the names is none of these.
    """
    table = load_table("envelope")
    key = f"{phase.lower()}.{component}.{quantity}.{site}"
    try:
        a, b, c1, c2, d, e, sigma = table[phase.lower()][component][quantity][site]
    except KeyError as missing:
        raise ConfigError("envelope", f"no coefficients for {key}: {missing} unknown") from missing
    return Envelope(
        a=a,
        b=b,
        c1=c1,
        c2=c2,
        d=d,
        e=e,
        sigma_log10=sigma,
        reference_depth_km=table["reference_depth_km"],
    )


def envelope_amplitude(
    magnitude: ArrayLike,
    epicentral_distance_km: ArrayLike,
    *,
    phase: str,
    component: str,
    quantity: str,
    site: str = "rock",
) -> NDArray[np.float64]:
    """Median envelope amplitude in SI units, see :func:`envelope` for the names.

    Parameters
    ----------
    magnitude : array_like
        M2.5 to M7.6.
    epicentral_distance_km : array_like
        Up to 200 km. A source 3 km deep is assumed: deep events come out too weak.

    Notes
    -----
    Cua (2005), PhD thesis, California Institute of Technology. NaN in, NaN out.
    """
    return envelope(phase, component, quantity, site).amplitude(magnitude, epicentral_distance_km)


def envelope_magnitude(
    amplitude: float,
    distance_km: float,
    *,
    phase: str,
    component: str,
    quantity: str,
    site: str = "rock",
) -> float:
    """Magnitude whose median envelope at ``distance_km`` has this amplitude.

    Parameters
    ----------
    amplitude : float
        m/s**2, m/s or m, > 0.
    distance_km : float
        Distance to the source; a hypocentral distance compensates in part for the fixed depth.

    Returns
    -------
    float
        Between 1.0 and 9.0; by linear interpolation of log amplitude over magnitude.

    Notes
    -----
    Cua (2005), PhD thesis, California Institute of Technology; scatter of the amplitude over
    the slope in magnitude: about 0.3 to 0.4 units for one station.
    """
    row = envelope(phase, component, quantity, site)
    curve = np.log10(row.amplitude(_MAGNITUDES, distance_km))
    # the saturation term bends the curve down beyond the data: keep it monotone
    curve = np.maximum.accumulate(curve)
    return float(np.interp(np.log10(amplitude), curve, _MAGNITUDES))
