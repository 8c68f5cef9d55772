"""What a message means at one place: distance, arrivals, intensity, level, nearest shelter.

Computed on the device with the detector's own travel times and shaking models, so that the
screen, the map and the publisher's choice of cells agree. The exact position goes in here and
nowhere else.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eew.messages.levels import Thresholds, default_thresholds
from eew.messages.prediction_model import model_of
from eew.model.alert import AlertMessage, Level
from eew.model.place import Shelter
from eew.physics.forecast import from_nearby, from_source, site_shift, source_distance_km
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.traveltime import RegionalTravelTimes

__all__ = [
    "Estimates",
    "LocalEstimate",
    "NearestShelter",
    "SharedEstimator",
    "ShelterIndex",
    "estimate_here",
    "estimate_many",
    "nearest_shelter",
]

_NS_PER_S = 1_000_000_000
_STEP_KM = 1.0  # for slopes where an uncertainty is zero
_REMEMBERED = 16  # messages, newest first
_LAST_NS = 2**62  # the year 2116: sums of times stay within 64 bits

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEstimate:
    """One message at one place.

    Attributes
    ----------
    epicentral_distance_km : float
        From the place to the epicentre, along the surface.
    azimuth_deg : float
        Direction of the epicentre as seen from the place, clockwise from north.
    p_arrival_ns, s_arrival_ns : int
        Predicted first P and S arrivals, UTC ns.
    s_arrival_sigma_s : float
        One standard deviation, from the uncertainties of origin time, epicentre and depth.
    intensity, intensity_sigma : float
        Forecast in ``scale``: the larger of the median prediction from the source and of what
        stations nearby see; and one standard deviation from the model's scatter and the
        uncertainties of magnitude and distance.
    seen_nearby : bool
        The forecast comes from the stations nearby: it shakes there now.
    level : Level
        By the thresholds, before any hysteresis.
    """

    epicentral_distance_km: float
    azimuth_deg: float
    p_arrival_ns: int
    s_arrival_ns: int
    s_arrival_sigma_s: float
    scale: str
    intensity: float
    intensity_sigma: float
    seen_nearby: bool
    level: Level


def estimate_here(
    message: AlertMessage,
    lat: float,
    lon: float,
    *,
    vs30_mps: float | None = None,
    thresholds: Thresholds | None = None,
) -> LocalEstimate:
    """Work out what a message means at a place.

    Parameters
    ----------
    message : AlertMessage
        Origin, magnitude and the name of the shaking model are used.
    lat, lon : float
        Place, degrees.
    vs30_mps : float, optional
        Ground at the place; the model's reference where unknown.
    thresholds : Thresholds, optional
        The user's own; those of the message's scale by default.

    Raises
    ------
    ConfigError
        If the message names a shaking model that this version does not have.
    """
    vs30 = np.array([np.nan if vs30_mps is None else vs30_mps])
    many = estimate_many(message, np.array([lat]), np.array([lon]), vs30)
    return many.at(0, thresholds or default_thresholds(message.prediction.scale))


class SharedEstimator:
    """Estimates for many devices of one process: each message is worked out for all at once.

    The same numbers as :func:`estimate_here` for each; a vectorised call for a thousand places
    costs little more than one for a single place. A real phone has one place and no need of it.
    """

    def __init__(self) -> None:
        self._lat: list[float] = []
        self._lon: list[float] = []
        self._vs30: list[float] = []
        self._done: deque[tuple[AlertMessage, Estimates, int]] = deque(maxlen=_REMEMBERED)
        self._n_moves = 0
        self._moved: dict[int, int] = {}  # place -> number of its last move

    def add(self, lat: float, lon: float, vs30_mps: float | None = None) -> int:
        """Take a place in; returns its number for :meth:`estimate`."""
        self._lat.append(lat)
        self._lon.append(lon)
        self._vs30.append(math.nan if vs30_mps is None else vs30_mps)
        return len(self._lat) - 1

    def move(self, index: int, lat: float, lon: float) -> None:
        """Put the place of that number elsewhere; what was worked out for others stays."""
        self._lat[index], self._lon[index] = lat, lon
        self._n_moves += 1
        self._moved[index] = self._n_moves

    def estimate(
        self, message: AlertMessage, index: int, thresholds: Thresholds | None = None
    ) -> LocalEstimate:
        """Return what a message means at the place of that number; see :func:`estimate_here`."""
        limits = thresholds or default_thresholds(message.prediction.scale)
        for known, many, n_moves in self._done:
            # Devices of one process share the decoded message, so identity is enough; a place
            # that was added since is not in the arrays yet.
            if known is message and index < len(many.intensity):
                if self._moved.get(index, 0) <= n_moves:
                    return many.at(index, limits)
                return self._work_out(message, slice(index, index + 1)).at(0, limits)
        many = self._work_out(message, slice(None))
        self._done.appendleft((message, many, self._n_moves))
        return many.at(index, limits)

    def _work_out(self, message: AlertMessage, places: slice) -> Estimates:
        lat, lon, vs30 = self._lat[places], self._lon[places], self._vs30[places]
        return estimate_many(message, np.array(lat), np.array(lon), np.array(vs30))


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates:
    """One message at many places: arrays of shape (n,), fields as :class:`LocalEstimate`.

    ``intensity_sigma`` decides nothing and costs as much as all the rest: it is worked out when
    somebody asks for it.
    """

    scale: str
    epicentral_distance_km: Floats
    azimuth_deg: Floats
    p_arrival_ns: NDArray[np.int64]
    s_arrival_ns: NDArray[np.int64]
    s_arrival_sigma_s: Floats
    intensity: Floats
    seen_nearby: NDArray[np.bool_]
    sigma_of: Callable[[], Floats]

    @cached_property
    def intensity_sigma(self) -> Floats:
        """One standard deviation of the intensity."""
        return self.sigma_of()

    def at(self, index: int, limits: Thresholds) -> LocalEstimate:
        """Return the estimate of one place."""
        intensity = float(self.intensity[index])
        return LocalEstimate(
            epicentral_distance_km=float(self.epicentral_distance_km[index]),
            azimuth_deg=float(self.azimuth_deg[index]),
            p_arrival_ns=int(self.p_arrival_ns[index]),
            s_arrival_ns=int(self.s_arrival_ns[index]),
            s_arrival_sigma_s=float(self.s_arrival_sigma_s[index]),
            scale=self.scale,
            intensity=intensity,
            intensity_sigma=float(self.intensity_sigma[index]),
            seen_nearby=bool(self.seen_nearby[index]),
            level=limits.level_of(intensity),
        )


def estimate_many(message: AlertMessage, lat: Floats, lon: Floats, vs30_mps: Floats) -> Estimates:
    """Work a message out at places.

    Parameters
    ----------
    message : AlertMessage
        As for :func:`estimate_here`.
    lat, lon : ndarray, shape (n,)
        Places, degrees.
    vs30_mps : ndarray, shape (n,)
        Ground at the places; NaN where unknown.

    Raises
    ------
    ConfigError
        If the message names a shaking model that this version does not have.
    """
    origin, magnitude = message.origin, message.magnitude
    distance_km = epicentral_distance_km(lat, lon, origin.lat, origin.lon)
    # Rows: the median, one step in the epicentre, one in the depth.
    distance_step_km = max(origin.h_sigma_km, _STEP_KM)
    depth_step_km = max(origin.z_sigma_km, _STEP_KM)
    distances = np.stack([distance_km, distance_km + distance_step_km, distance_km])
    depths = np.array([[0.0], [0.0], [depth_step_km]]) + origin.depth_km
    times = RegionalTravelTimes().at(origin.lat, origin.lon)
    s_s, s_farther_s, s_deeper_s = times.s_s(distances, np.broadcast_to(depths, distances.shape))
    p_s = times.p_s(distance_km, np.full_like(distance_km, origin.depth_km))
    s_sigma_s = np.sqrt(
        origin.time_sigma_s**2
        + ((s_farther_s - s_s) * origin.h_sigma_km / distance_step_km) ** 2
        + ((s_deeper_s - s_s) * origin.z_sigma_km / depth_step_km) ** 2
    )
    model, prediction = model_of(message.prediction), message.prediction
    source_km = source_distance_km(prediction, origin.lat, origin.lon, lat, lon)
    shaking = from_source(model, prediction, magnitude.value, origin.depth_km, source_km, vs30_mps)
    median = shaking.intensity

    def intensity_sigma() -> Floats:
        magnitudes = np.array([[0.0], [magnitude.sigma]]) + magnitude.value
        source_kms = np.stack([source_km + distance_step_km, source_km])
        farther, larger = from_source(
            model, prediction, magnitudes, origin.depth_km, source_kms, vs30_mps
        ).intensity
        sigma: Floats = np.sqrt(
            shaking.sigma**2
            + ((farther - median) * origin.h_sigma_km / distance_step_km) ** 2
            + (larger - median) ** 2
        )
        return sigma

    intensity = model.on_scale(median + prediction.correction)
    nearby = np.full_like(intensity, -np.inf)
    if prediction.observed:
        shift = site_shift(model, prediction, magnitude.value, origin.depth_km, source_km, vs30_mps)
        nearby = from_nearby(prediction.observed, lat, lon, shift)
    origin_ns = min(origin.time_ns, _LAST_NS)
    return Estimates(
        scale=message.prediction.scale,
        epicentral_distance_km=distance_km,
        azimuth_deg=azimuth_deg(lat, lon, origin.lat, origin.lon),
        p_arrival_ns=origin_ns + np.rint(p_s * _NS_PER_S).astype(np.int64),
        s_arrival_ns=origin_ns + np.rint(s_s * _NS_PER_S).astype(np.int64),
        s_arrival_sigma_s=s_sigma_s,
        intensity=np.maximum(intensity, nearby),
        seen_nearby=nearby > intensity,
        sigma_of=intensity_sigma,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestShelter:
    """A shelter, and the way there from a place."""

    shelter: Shelter
    distance_km: float
    azimuth_deg: float


class ShelterIndex:
    """Shelters of a pack with their positions as arrays; unsuited ones are left out."""

    def __init__(self, shelters: Sequence[Shelter]) -> None:
        self.shelters = tuple(s for s in shelters if s.suited_for_earthquake)
        self._lat: Floats = np.array([s.lat for s in self.shelters], dtype=np.float64)
        self._lon: Floats = np.array([s.lon for s in self.shelters], dtype=np.float64)

    def nearest(self, lat: float, lon: float) -> NearestShelter | None:
        """Return the nearest shelter to a place in degrees; None where there is none at all."""
        if not self.shelters:
            return None
        distances = epicentral_distance_km(lat, lon, self._lat, self._lon)
        index = int(np.argmin(distances))  # the first of equals: the order is the pack's
        shelter = self.shelters[index]
        return NearestShelter(
            shelter=shelter,
            distance_km=float(distances[index]),
            azimuth_deg=float(azimuth_deg(lat, lon, shelter.lat, shelter.lon)),
        )


def nearest_shelter(lat: float, lon: float, shelters: Sequence[Shelter]) -> NearestShelter | None:
    """Return the nearest shelter suited for earthquakes; None where there is none."""
    return ShelterIndex(shelters).nearest(lat, lon)
