"""Computed motion against what was measured or published: plain figures, for tables and plots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Calibration",
    "Check",
    "Pair",
    "QuakeComparison",
    "RegionCalibration",
    "Residuals",
    "SpectrumComparison",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One figure with its bounds.

    Attributes
    ----------
    group : str
        Region or quake.
    measure : str
        What was compared, for example ``PGA``.
    statistic : str
        ``bias``, ``median``, ``sigma``, ``largest``.
    where : str
        Empty for all records, else a bin, for example ``M 6.5``.
    against : str
        Model or recording.
    value, low, high : float
        Figure and bounds; both bounds are allowed values.
    n : int
        Records or stations behind it.
    """

    group: str
    measure: str
    statistic: str
    where: str
    against: str
    value: float
    low: float
    high: float
    n: int

    @property
    def passed(self) -> bool:
        """Whether the figure is within its bounds; NaN is not."""
        return self.low <= self.value <= self.high

    def shown(self, digits: int = 2) -> str:
        """Return the value with as many digits as show on which side of the bound it lies."""
        sign = "" if self.low >= 0.0 else "+"
        text = f"{self.value:{sign}.{digits}f}"
        if not self.passed and self.low <= float(text) <= self.high:
            return f"{self.value:{sign}.{digits + 1}f}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residuals:
    """Computed less expected, one entry per record.

    Attributes
    ----------
    measure, against, unit : str
        Name, model, and unit of the values (``M`` or ``log10``).
    magnitude, distance_km, value : numpy.ndarray, shape (n,)
        Only records that have this measure.
    """

    measure: str
    against: str
    unit: str
    magnitude: Floats
    distance_km: Floats
    value: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpectrumComparison:
    """Mean spectrum of computed records and the one that was asked for.

    ``computed`` and ``target`` are Fourier amplitudes of acceleration in m/s at ``frequency_hz``.
    """

    magnitude: float
    distance_km: float
    frequency_hz: Floats
    computed: Floats
    target: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionCalibration:
    """All that was measured on the computed records of one region."""

    region: str
    residuals: tuple[Residuals, ...]
    spectra: tuple[SpectrumComparison, ...]

    def named(self, measure: str) -> Residuals:
        """Return the residuals of a measure.

        Raises
        ------
        KeyError
            If it was not measured.
        """
        for one in self.residuals:
            if one.measure == measure:
                return one
        raise KeyError(measure)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Recorded and computed acceleration of one component of one station.

    Samples in m/s**2 at ``sampling_rate_hz`` each, from ``start_s`` after the origin.
    """

    station: str
    distance_km: float
    recorded_start_s: float
    recorded_rate_hz: float
    recorded: Floats
    computed_start_s: float
    computed_rate_hz: float
    computed: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuakeComparison:
    """A recorded quake and the same one computed for the same stations.

    Attributes
    ----------
    name, title, source : str
        Folder, words, and where the fault plane is from.
    stations : tuple of str
    distance_km, vs30_mps : numpy.ndarray, shape (n,)
        To the surface projection of the fault; ground as computed.
    recorded_pga, computed_pga, model_pga, recorded_pgv, computed_pgv, model_pgv : numpy.ndarray
        m/s**2 and m/s, shape (n,).
    model : str
        Name of the ground-motion model.
    pairs : tuple of Pair
        Near, middle, far.
    left_out : tuple of str
        Stations of the folder that were not used, with the reason.
    """

    name: str
    title: str
    magnitude: float
    source: str
    stations: tuple[str, ...]
    distance_km: Floats
    vs30_mps: Floats
    recorded_pga: Floats
    computed_pga: Floats
    model_pga: Floats
    recorded_pgv: Floats
    computed_pgv: Floats
    model_pgv: Floats
    model: str
    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """The whole report.

    Attributes
    ----------
    missing : tuple of str
        Recorded quakes that were asked for and not there.
    """

    seed: int
    repeats: int
    regions: tuple[RegionCalibration, ...]
    quakes: tuple[QuakeComparison, ...]
    missing: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """Figures beyond their bounds."""
        return tuple(one for one in self.checks if not one.passed)
