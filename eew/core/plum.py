"""Shaking that is passed on as it is seen, without asking where it comes from.

Propagation of local undamped motion (Kodera et al. 2018, doi:10.1785/0120170085): where a station
shakes, places within 30 km will. A single sensor is never believed: a station counts for at most
one class more than the strongest at another place within reach. What the source lets expect
anyway is not said again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.config import PlumConfig
from eew.core.network import Network
from eew.model.alert import ObservedShaking
from eew.physics.forecast import plum_reach_km
from eew.physics.geo import epicentral_distance_km

__all__ = ["Plum"]

FloatArray = NDArray[np.float64]


class Plum:
    """Chooses the observations that raise the forecast; one per network.

    Parameters
    ----------
    network : Network
        Its stations stand for the people around them, too.
    """

    def __init__(self, network: Network, config: PlumConfig) -> None:
        self._config = config
        self._lat, self._lon = network.lat, network.lon
        away_km = epicentral_distance_km(
            network.lat[:, None], network.lon[:, None], network.lat, network.lon
        )
        self._near = away_km <= plum_reach_km()
        self._witness = self._near & (network.place[:, None] != network.place)

    def confirmed(self, seen: FloatArray) -> FloatArray:
        """Hold intensities to what another place bears out, shape (n_stations,).

        ``-inf`` where no other place is within reach.
        """
        others = np.where(self._witness, seen, -np.inf).max(axis=1, initial=-np.inf)
        held: FloatArray = np.minimum(seen, others + self._config.guard_drop)
        return held

    def choose(
        self, confirmed: FloatArray, expected: FloatArray
    ) -> tuple[tuple[ObservedShaking, ...], FloatArray]:
        """Choose what to say, the most useful first.

        Parameters
        ----------
        confirmed : numpy.ndarray, shape (n_stations,)
            Intensity seen now and borne out, on the model's default ground.
        expected : numpy.ndarray, shape (n_stations,)
            Forecast from the source on the same ground.

        Returns
        -------
        observed : tuple of ObservedShaking
            At most ``max_observed``.
        forecast : numpy.ndarray, shape (n_stations,)
            With them: the larger of both.
        """
        config = self._config
        forecast = expected.copy()
        loud = np.flatnonzero(confirmed >= config.min_intensity)
        chosen: list[ObservedShaking] = []
        while loud.size and len(chosen) < config.max_observed:
            raised = np.where(self._near[loud], confirmed[loud, None] - forecast, 0.0)
            raised = np.where(raised >= config.min_gain, raised, 0.0)
            gain = raised.sum(axis=1)
            best = int(np.argmax(gain))
            if gain[best] <= 0.0:
                break
            row = int(loud[best])
            value = round(float(confirmed[row]), 1)
            chosen.append(
                ObservedShaking(
                    lat=round(float(self._lat[row]), 2),
                    lon=round(float(self._lon[row]), 2),
                    intensity=value,
                )
            )
            forecast = np.where(self._near[row], np.maximum(forecast, value), forecast)
            loud = np.delete(loud, best)
        return tuple(chosen), forecast
