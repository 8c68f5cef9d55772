"""What the stations measured, as intensity: which of them can be believed, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eew.app.places import MAX_OBSERVATION_KM
from eew.clock import NS_PER_S
from eew.model.event import StationPeaks
from eew.model.waveform import Recording, Station
from eew.physics.geo import epicentral_distance_km
from eew.physics.shaking import ShakingModel

S_RECORDED_S = 5.0  # the strongest motion is on record only from this long after S on
# A PGA this many times off what the true source gives is a dead, cut or disturbed record: the
# scatter of PGA about the models is a factor of 2, so this is more than 5 standard deviations.
IMPLAUSIBLE_FACTOR = 50.0


class Observations:
    """Observed intensities of a run.

    Set aside are stations that clipped or lack a component, and, where the truth is known, those
    whose PGA is off by a factor of 50 from what the true source gives there.

    Parameters
    ----------
    played_ns : int
        Data time at which the run ended: nothing later was observed.
    """

    def __init__(
        self,
        recording: Recording,
        peaks: Sequence[StationPeaks],
        model: ShakingModel,
        *,
        played_ns: int,
    ) -> None:
        self._recording = recording
        self._model = model
        self._played_ns = played_ns
        whole = {
            one.station: one
            for one in peaks
            if not one.clipped and one.n_components == 3 and one.pga_mps2 > 0.0
        }
        self._spans_ns = _spans_ns(recording)
        expected = _expected_pga_mps2(recording, model)
        self.implausible = tuple(
            code
            for code, one in sorted(whole.items())
            if code in expected
            and abs(math.log(one.pga_mps2 / expected[code])) > math.log(IMPLAUSIBLE_FACTOR)
        )
        self._peaks = {
            code: one for code, one in whole.items() if code not in set(self.implausible)
        }

    def stations(self) -> list[Station]:
        """Return the stations that can be believed."""
        return [one for one in self._recording.stations if one.code in self._peaks]

    def intensity(self, station: str) -> float:
        """Return the observed intensity at a station of :meth:`stations`."""
        peaks = self._peaks[station]
        if self._model.scale == "csi":  # defined on the vector sum of three components
            pga, pgv = peaks.pga_vector_mps2, peaks.pgv_vector_mps
        else:
            pga, pgv = peaks.pga_mps2, peaks.pgv_mps
        return float(self._model.observed_intensity(pga, pgv))

    def has_recorded(self, station: str, s_arrival_ns: int) -> bool:
        """Tell whether the station's records begin before S and were played well past it.

        The strongest motion is taken to come within 5 s after S.
        """
        start_ns, end_ns = self._spans_ns[station]
        until_ns = min(end_ns, self._played_ns)
        return start_ns <= s_arrival_ns <= until_ns - round(S_RECORDED_S * NS_PER_S)

    def nearest(self, lat: float, lon: float, s_arrival_ns: int | None) -> str | None:
        """Return the nearest such station within 10 km of a place, or None.

        With ``s_arrival_ns``, the S arrival at the place, only stations count that have recorded
        what came.
        """
        found = [
            one
            for one in self.stations()
            if s_arrival_ns is None or self.has_recorded(one.code, s_arrival_ns)
        ]
        if not found:
            return None
        distances_km = epicentral_distance_km(
            lat, lon, np.array([one.lat for one in found]), np.array([one.lon for one in found])
        )
        best = int(np.argmin(distances_km))
        return found[best].code if float(distances_km[best]) <= MAX_OBSERVATION_KM else None


def _spans_ns(recording: Recording) -> dict[str, tuple[int, int]]:
    """Return per station where its records begin and end."""
    spans: dict[str, tuple[int, int]] = {}
    for segment in recording.segments:
        code = segment.stream_id.station_code
        start_ns, end_ns = spans.get(code, (segment.start_ns, segment.end_ns))
        spans[code] = (min(start_ns, segment.start_ns), max(end_ns, segment.end_ns))
    return spans


def _expected_pga_mps2(recording: Recording, model: ShakingModel) -> dict[str, float]:
    """Return the PGA that the true source gives at each station within the model's reach."""
    truth, stations = recording.truth, recording.stations
    if truth is None or not stations:
        return {}
    distances_km = epicentral_distance_km(
        truth.lat,
        truth.lon,
        np.array([one.lat for one in stations]),
        np.array([one.lon for one in stations]),
    )
    motion = model.predict(truth.magnitude, truth.depth_km, distances_km)
    return {
        one.code: float(pga)
        for one, pga, valid in zip(stations, motion.pga_mps2, motion.valid, strict=True)
        if valid
    }
