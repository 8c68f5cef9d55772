"""Expected intensity at a place: one estimator for the detector, the devices and the score.

Import is light (numpy only), because every device of a simulated fleet needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.physics.line_motion import line_motion_model
from eew.physics.motion import floats
from eew.physics.point_source import Motion, motion_model
from eew.physics.regions import Region, region_of
from eew.physics.scales import IntensityScale, intensity_scale
from eew.tables import load_table

__all__ = [
    "ShakingModel",
    "ShakingPrediction",
    "shaking_model",
    "shaking_model_at",
    "shaking_model_names",
]

Floats = NDArray[np.float64]

# The search limit is cut into so many parts, so often: better than 1 m, in few calls of the model.
_PARTS, _CUTS = 16, 5
_MAGNITUDE_STEP = 0.05
_DISTANCE_STEP = 0.02  # of the distance, and 0.1 km at least


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShakingPrediction:
    """Median shaking at one or more places; every array has the shape of the question.

    Attributes
    ----------
    intensity : numpy.ndarray
        Median intensity on the model's scale, within the scale's range.
    sigma : numpy.ndarray
        Standard deviation of intensity for a *known* source: ``motion_sigma`` and
        ``conversion_sigma`` together. :meth:`ShakingModel.intensity_sigma_total` adds what is
        not known of the source.
    motion_sigma : numpy.ndarray
        The part that comes from the scatter of PGA and PGV. This alone is the scatter of
        intensities computed from measured motion, as :meth:`ShakingModel.observed_intensity`.
    conversion_sigma : float
        The part that comes from turning motion into intensity as people report it.
    pga_mps2, pgv_mps : numpy.ndarray
        Median peak motion.
    sigma_ln_pga, sigma_ln_pgv : numpy.ndarray
        Scatter of their natural logarithms.
    valid : numpy.ndarray of bool
        False where magnitude or distance is outside the data behind the model; the values are
        extrapolated there.
    """

    intensity: Floats
    sigma: Floats
    motion_sigma: Floats
    conversion_sigma: float
    pga_mps2: Floats
    pgv_mps: Floats
    sigma_ln_pga: Floats
    sigma_ln_pgv: Floats
    valid: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShakingModel:
    """A ground-motion model with its intensity scale; get one from :func:`shaking_model`.

    Attributes
    ----------
    name : str
        Name in ``shaking.toml``.
    scale : str
        ``mmi``, ``csi`` or ``jma``.
    relation : str
        The models behind it in words, for messages.
    default_vs30_mps : float
        Ground assumed where Vs30 is unknown.
    """

    name: str
    scale: str
    relation: str
    default_vs30_mps: float
    magnitude_range: tuple[float, float]
    distance_range_km: tuple[float, float]
    search_limit_km: float
    _motion: Motion
    _line_motion: Motion
    _scale: IntensityScale

    def predict(
        self,
        magnitude: ArrayLike,
        depth_km: ArrayLike,
        epicentral_distance_km: ArrayLike,
        vs30_mps: ArrayLike | None = None,
    ) -> ShakingPrediction:
        """Predict shaking at epicentral distances.

        Parameters
        ----------
        magnitude : array_like
            Moment magnitude (the Chinese relations are given it in place of Ms).
        depth_km : array_like
            Source depth in km; above the surface counts as 0.
        epicentral_distance_km : array_like
            Distances in km, >= 0. All arguments broadcast against each other.
        vs30_mps : array_like or None
            Ground of each site in m/s; None or NaN means :attr:`default_vs30_mps`.

        Returns
        -------
        ShakingPrediction
            NaN where an argument was NaN.
        """
        return self._predicted(self._motion, magnitude, depth_km, epicentral_distance_km, vs30_mps)

    def predict_beside_line(
        self,
        magnitude: ArrayLike,
        depth_km: ArrayLike,
        line_distance_km: ArrayLike,
        vs30_mps: ArrayLike | None = None,
    ) -> ShakingPrediction:
        """Predict shaking at distances from a rupture whose line is known.

        Arguments as in :meth:`predict`, but for the distance: that to the nearest point of the
        rupture's line on the surface, see :func:`eew.physics.rupture.distance_to_line_km`.
        """
        return self._predicted(self._line_motion, magnitude, depth_km, line_distance_km, vs30_mps)

    def _predicted(
        self,
        motion_of: Motion,
        magnitude: ArrayLike,
        depth_km: ArrayLike,
        distance_km: ArrayLike,
        vs30_mps: ArrayLike | None,
    ) -> ShakingPrediction:
        vs30 = floats(self.default_vs30_mps if vs30_mps is None else vs30_mps)
        vs30 = np.where(np.isnan(vs30), self.default_vs30_mps, vs30)
        m, depth, distance, vs30 = np.broadcast_arrays(
            floats(magnitude), floats(depth_km), floats(distance_km), vs30
        )
        motion = motion_of(m, np.maximum(depth, 0.0), distance, vs30)
        motion_sigma = self._scale.motion_sigma(motion)
        return ShakingPrediction(
            intensity=self._scale.from_motion(motion.pga_mps2, motion.pgv_mps),
            sigma=np.hypot(motion_sigma, self._scale.conversion_sigma),
            motion_sigma=motion_sigma,
            conversion_sigma=self._scale.conversion_sigma,
            pga_mps2=motion.pga_mps2,
            pgv_mps=motion.pgv_mps,
            sigma_ln_pga=motion.sigma_ln_pga,
            sigma_ln_pgv=motion.sigma_ln_pgv,
            valid=_inside(m, self.magnitude_range) & _inside(distance, self.distance_range_km),
        )

    def intensity_sigma_total(
        self,
        magnitude: ArrayLike,
        depth_km: ArrayLike,
        epicentral_distance_km: ArrayLike,
        *,
        magnitude_sigma: ArrayLike,
        distance_sigma_km: ArrayLike,
        vs30_mps: ArrayLike | None = None,
    ) -> Floats:
        """Return the standard deviation of intensity with the source uncertain, too.

        The errors of magnitude and distance are carried through the slopes of the median, and
        all four parts (motion, conversion, magnitude, distance) are taken as independent. The
        probability that a threshold is reached is then the normal distribution function of
        ``(intensity - threshold) / sigma``.
        """
        m, distance = floats(magnitude), floats(epicentral_distance_km)
        here = self.predict(m, depth_km, distance, vs30_mps)

        def median(m: Floats, distance: Floats) -> Floats:
            return self.predict(m, depth_km, distance, vs30_mps).intensity

        step = np.maximum(distance * _DISTANCE_STEP, 0.1)
        near = np.maximum(distance - step, 0.0)
        by_magnitude = (
            median(m + _MAGNITUDE_STEP, distance) - median(m - _MAGNITUDE_STEP, distance)
        ) / (2.0 * _MAGNITUDE_STEP)
        by_distance = (median(m, distance + step) - median(m, near)) / (distance + step - near)
        total: Floats = np.sqrt(
            here.sigma**2
            + (by_magnitude * floats(magnitude_sigma)) ** 2
            + (by_distance * floats(distance_sigma_km)) ** 2
        )
        return total

    def radius_km(
        self,
        intensity: float,
        magnitude: float,
        depth_km: float,
        *,
        correction: float = 0.0,
        from_line: bool = False,
    ) -> float:
        """Distance within which the median reaches an intensity; 0.0 if nowhere.

        On default ground, to within a metre. Radii beyond :attr:`search_limit_km` are given as
        that limit.

        Parameters
        ----------
        correction : float
            Added to the median everywhere.
        from_line : bool
            Count from the rupture's line and not from the epicentre.
        """
        wanted = floats([intensity - correction])
        return float(self._radii(wanted, magnitude, depth_km, from_line=from_line)[0])

    def radii_km(
        self,
        intensities: Iterable[int],
        magnitude: float,
        depth_km: float,
        *,
        correction: float = 0.0,
        from_line: bool = False,
    ) -> dict[int, float]:
        """Radii of several whole intensities at once; those not reached are left out."""
        wanted = list(intensities)
        radii = self._radii(floats(wanted) - correction, magnitude, depth_km, from_line=from_line)
        return {i: float(r) for i, r in zip(wanted, radii, strict=True) if r > 0.0}

    def observed_intensity(self, pga_mps2: ArrayLike, pgv_mps: ArrayLike) -> Floats:
        """Intensity of measured peak motion on the model's scale.

        ``csi`` is defined on the three-component vector sum, ``mmi`` on the largest horizontal
        component, ``jma`` approximated from the latter's PGV.
        """
        return self._scale.observed(pga_mps2, pgv_mps)

    def on_scale(self, intensity: ArrayLike) -> Floats:
        """Hold intensities within the range of the scale."""
        held: Floats = np.clip(floats(intensity), self._scale.lowest, self._scale.highest)
        return held

    def reaches_km(
        self,
        intensity: float,
        magnitudes: ArrayLike,
        depth_km: float,
        *,
        correction: float = 0.0,
        from_line: bool = False,
    ) -> Floats:
        """As :meth:`radius_km` for several magnitudes at once, shape (n,)."""
        wanted = floats(intensity - correction)
        return self._radii(wanted, floats(magnitudes), depth_km, from_line=from_line)

    def _radii(
        self, intensities: Floats, magnitude: ArrayLike, depth_km: float, *, from_line: bool
    ) -> Floats:
        default = floats(self.default_vs30_mps)
        motion_of = self._line_motion if from_line else self._motion

        def reached(distance: Floats) -> NDArray[np.bool_]:
            m, depth, r, vs30 = np.broadcast_arrays(
                floats(magnitude), np.maximum(floats(depth_km), 0.0), distance, default
            )
            motion = motion_of(m, depth, r, vs30)
            median = self._scale.from_motion(motion.pga_mps2, motion.pgv_mps)
            return np.asarray(median >= intensities)

        shape = np.broadcast_shapes(intensities.shape, floats(magnitude).shape)
        cuts = np.arange(_PARTS + 1).reshape(-1, *(1,) * len(shape))
        part_km = self.search_limit_km / _PARTS
        evenly = np.broadcast_to(floats(part_km * cuts), (_PARTS + 1, *shape))
        first = reached(evenly)
        # the median falls with distance: so many of the points in between are reached
        low = part_km * first[1:-1].sum(axis=0)
        for _ in range(_CUTS - 1):
            part_km /= _PARTS
            low = low + part_km * reached(low + part_km * cuts[1:-1]).sum(axis=0)
        return np.where(first[-1], self.search_limit_km, np.where(first[0], low, 0.0))


def shaking_model(name_or_region: str | Region) -> ShakingModel:
    """Return the model of a name in ``shaking.toml`` or of a region; one object per model.

    Raises
    ------
    ConfigError
        If there is no model of that name.
    """
    if isinstance(name_or_region, Region):
        return _model(name_or_region.shaking)
    return _model(name_or_region)


def shaking_model_at(lat: float, lon: float) -> ShakingModel:
    """Return the model of the region that holds a point."""
    return _model(region_of(lat, lon).shaking)


def shaking_model_names() -> tuple[str, ...]:
    """Return the names that :func:`shaking_model` knows."""
    return tuple(load_table("shaking")["models"])


@cache
def _model(name: str) -> ShakingModel:
    table = load_table("shaking")
    if name not in table["models"]:
        known = ", ".join(table["models"])
        raise ConfigError("shaking model", f"unknown: {name!r}", hint=f"one of {known}")
    row: dict[str, Any] = table["models"][name]
    limits = load_table("groundmotion")[_SECTIONS[row["motion"]]]
    return ShakingModel(
        name=name,
        scale=row["scale"],
        relation=row["relation"],
        default_vs30_mps=row["default_vs30_mps"],
        magnitude_range=(limits["magnitude_range"][0], limits["magnitude_range"][1]),
        distance_range_km=(limits["distance_range_km"][0], limits["distance_range_km"][1]),
        search_limit_km=table["search_limit_km"],
        _motion=motion_model(row["motion"], row),
        _line_motion=line_motion_model(row["motion"], row),
        _scale=intensity_scale(row["scale"]),
    )


_SECTIONS = {"bssa14": "bssa14", "gb18306": "gb18306", "si_midorikawa": "si_midorikawa_1999"}


def _inside(values: Floats, limits: tuple[float, float]) -> NDArray[np.bool_]:
    return np.asarray((values >= limits[0]) & (values <= limits[1]))
