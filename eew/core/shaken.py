"""How an event has shaken each station so far: what line source and residuals are taken from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.core.config import ForecastConfig
from eew.core.event_state import EventState
from eew.core.network import Network
from eew.core.shaking_history import PGA, PGA_VECTOR, PGV, PGV_VECTOR, ShakingHistory
from eew.physics.geo import azimuth_deg
from eew.physics.shaking import ShakingModel

__all__ = ["Shaken", "observed_intensity", "shaken_by"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shaken:
    """All stations of a network as seen from one event; arrays of shape (n_stations,).

    Attributes
    ----------
    lat, lon, depth_km : float
        Hypocentre.
    peaks : numpy.ndarray, shape (n_stations, 4)
        Largest motion since shortly before P, columns of :mod:`eew.core.shaking_history`.
    since_origin_s : numpy.ndarray
        Age of the newest sample.
    past_s : numpy.ndarray of bool
        S has come.
    heard, heard_slow : numpy.ndarray of bool
        P has come, and the horizontal acceleration (the velocity, too) stands well above what was
        there before. The noise of small sensors grows when it is integrated.
    clipped : numpy.ndarray of bool
        A sample since P was: the motion is a lower bound.
    """

    lat: float
    lon: float
    depth_km: float
    distance_km: FloatArray
    azimuth_deg: FloatArray
    vs30_mps: FloatArray
    peaks: FloatArray
    since_origin_s: FloatArray
    past_s: BoolArray
    heard: BoolArray
    heard_slow: BoolArray
    clipped: BoolArray

    @property
    def pga_mps2(self) -> FloatArray:
        """Largest horizontal acceleration."""
        return self.peaks[:, PGA]

    @property
    def pgv_mps(self) -> FloatArray:
        """Largest horizontal velocity."""
        return self.peaks[:, PGV]

    def ground(self, use: BoolArray, model: ShakingModel) -> tuple[FloatArray, FloatArray]:
        """Return what the ground of stations ``use`` adds to ln PGA and ln PGV, shape (n_used,).

        Taken at M6 and each station's distance: the nonlinear part depends little on it.
        """
        vs30 = self.vs30_mps[use]
        if np.isnan(vs30).all():
            return np.zeros(vs30.size), np.zeros(vs30.size)
        there = model.predict_beside_line(6.0, self.depth_km, self.distance_km[use], vs30)
        default = model.predict_beside_line(6.0, self.depth_km, self.distance_km[use])
        on_pga: FloatArray = np.log(there.pga_mps2 / default.pga_mps2)
        on_pgv: FloatArray = np.log(there.pgv_mps / default.pgv_mps)
        return on_pga, on_pgv


def shaken_by(
    event: EventState,
    network: Network,
    history: ShakingHistory,
    vs30_mps: FloatArray,
    config: ForecastConfig,
) -> Shaken:
    """Look at all stations from an event.

    Motion counts from ``before_p_s`` before the predicted P; it must stand ``deaf_ratio`` times
    above the largest of the ``noise_s`` before that.
    """
    located = event.located
    p_ns = event.origin_time_ns + np.rint(event.p_s * _NS).astype(np.int64)
    from_ns = p_ns - round(config.before_p_s * _NS)
    peaks = history.between(from_ns, history.end_ns)
    noise = history.between(from_ns - round(config.noise_s * _NS), from_ns - _NS)
    clear = peaks > config.deaf_ratio * noise
    since_origin_s = (history.end_ns - event.origin_time_ns) / _NS
    arrived = (history.end_ns > p_ns) & (peaks[:, [PGA, PGV]] > 0.0).all(axis=1)
    arrived &= ~network.held  # what a station in quarantine shows is no motion of the ground
    return Shaken(
        lat=located.lat,
        lon=located.lon,
        depth_km=located.depth_km,
        distance_km=event.distance_km,
        azimuth_deg=azimuth_deg(located.lat, located.lon, network.lat, network.lon),
        vs30_mps=vs30_mps,
        peaks=peaks,
        since_origin_s=since_origin_s,
        past_s=since_origin_s > event.s_s,
        heard=arrived & clear[:, PGA],
        heard_slow=arrived & clear[:, PGA] & clear[:, PGV],
        clipped=history.clipped_ns > from_ns,
    )


def observed_intensity(model: ShakingModel, peaks: FloatArray) -> FloatArray:
    """Intensity of peaks, shape (n_stations,): by vector sums where the scale is defined so."""
    if model.scale == "csi":
        return model.observed_intensity(peaks[:, PGA_VECTOR], peaks[:, PGV_VECTOR])
    return model.observed_intensity(peaks[:, PGA], peaks[:, PGV])
