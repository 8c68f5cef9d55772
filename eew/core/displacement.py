"""Displacement of GNSS receivers: what each has shown, and what it says about the magnitude.

Peak ground displacement does not saturate: the largest length of the displacement vector since
the P wave, against its mean before, through Crowell et al. (2016). Receivers wander by
centimetres, so a peak counts only well above the wander before the quake, and never below
6 cm (G-FAST). One sample a second picks nothing; receivers add to events that seismometers found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.core.config import MagnitudeConfig
from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.source_growth import FloatArray, cauchy, growing_log_likelihood, may_grow, reached
from eew.model.waveform import Packet, Station, StreamId
from eew.physics.geo import epicentral_distance_km
from eew.physics.magnitude import half_duration_s, pgd_magnitude
from eew.physics.traveltime import TravelTimesAt

__all__ = ["Displacement", "GnssNetwork", "Receiver", "pgd_evidence"]

_DURATION_S = 2.0 * half_duration_s(MAGNITUDES)
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """One receiver as the magnitude sees it.

    ``since_s_s`` is the newest data time minus the S arrival due at the receiver, s.
    """

    station: str
    hypocentral_distance_km: float
    since_s_s: float
    pgd_m: float
    noise_m: float


class Receiver:
    """The last minutes of one receiver.

    Parameters
    ----------
    station : Station
        With channels of displacement.
    keep_s : float
        How much is kept: the life of an event and what came before.
    """

    def __init__(self, station: Station, keep_s: float) -> None:
        self.station = station
        self._keep_ns = round(keep_s * _NS)
        self._component = {c.stream_id: c.component.value for c in station.channels}
        self._sensitivity = {c.stream_id: c.sensitivity for c in station.channels}
        # by time, because packets may come late and the components apart
        self._samples: dict[int, list[float]] = {}
        self._whole: tuple[NDArray[np.int64], FloatArray] | None = None  # of all, until new ones

    def receive(self, packet: Packet) -> None:
        """Take a packet of one of its streams; the first sample of a time stays."""
        component = self._component[packet.stream_id]
        sensitivity = self._sensitivity[packet.stream_id]
        step_ns = _NS / packet.sampling_rate_hz
        for k, value in enumerate(packet.samples.tolist()):
            if not math.isfinite(value):
                continue
            at_ns = packet.start_ns + round(k * step_ns)
            row = self._samples.setdefault(at_ns, [math.nan] * 3)
            if math.isnan(row[component]):
                row[component] = value / sensitivity
        oldest_ns = packet.end_ns - self._keep_ns
        for at_ns in [t for t in self._samples if t < oldest_ns]:
            del self._samples[at_ns]
        self._whole = None

    def newest_ns(self) -> int | None:
        """Time of the newest sample, UTC ns."""
        return max(self._samples, default=None)

    def peak(self, p_ns: int, config: MagnitudeConfig) -> tuple[float, float] | None:
        """Largest displacement since ``p_ns`` and the wander before, both m.

        None without enough samples before, or none after. The wander is the root mean square of
        the vector before.
        """
        at, values = self._record()
        begin_ns = p_ns - round(config.pgd_before_s * _NS)
        before = values[(at >= begin_ns) & (at < p_ns)]
        after = values[at >= p_ns]
        if len(before) < config.pgd_before_samples or len(after) == 0:
            return None
        mean = before.sum(axis=0) / len(before)
        wander = before - mean
        noise_m = math.sqrt(float((wander * wander).sum()) / len(before))
        moved = after - mean
        return float(np.sqrt((moved * moved).sum(axis=1)).max()), noise_m

    def _record(self) -> tuple[NDArray[np.int64], FloatArray]:
        """Return times at which all components are there, and values, shape (n, components)."""
        if self._whole is None:
            present = sorted(self._component.values())
            rows = [(t, [self._samples[t][c] for c in present]) for t in sorted(self._samples)]
            rows = [(t, row) for t, row in rows if not any(map(math.isnan, row))]
            self._whole = (
                np.array([t for t, _ in rows], dtype=np.int64),
                np.array([row for _, row in rows]).reshape(len(rows), len(present)),
            )
        return self._whole


def pgd_evidence(displacements: Sequence[Displacement], config: MagnitudeConfig) -> Evidence | None:
    """Compare peak displacements with Crowell et al. (2016); None with too few receivers.

    Parameters
    ----------
    displacements : sequence of Displacement
        Receivers; used are those past their S arrival whose peak stands above the wander.
    config : MagnitudeConfig
        Limits and errors.
    """
    usable = [
        d
        for d in displacements
        if d.since_s_s >= config.shaking_after_s
        and d.pgd_m >= max(config.pgd_min_m, config.pgd_min_snr * d.noise_m)
        and d.hypocentral_distance_km <= config.pgd_km
    ]
    if len(usable) < config.pgd_stations:
        return None
    magnitudes: FloatArray = pgd_magnitude(
        [d.pgd_m for d in usable], [d.hypocentral_distance_km for d in usable]
    )
    each = cauchy((magnitudes[None, :] - MAGNITUDES[:, None]) / config.pgd_station_sigma)
    seen_s = np.array([d.since_s_s for d in usable])
    log_likelihood = growing_log_likelihood(
        each,
        each,
        seen_s,
        _DURATION_S,
        shared_sigma=config.pgd_event_sigma,
        config=config,
    )
    high = reached(log_likelihood) + config.pgd_event_sigma
    return Evidence(
        name="pgd",
        log_likelihood=log_likelihood,
        n_stations=len(usable),
        is_lower_bound=may_grow(high, seen_s, _DURATION_S, config.pgd_stations),
    )


class GnssNetwork:
    """All receivers of a pipeline.

    Parameters
    ----------
    stations : sequence of Station
        With channels of displacement.
    times : TravelTimesAt
        For the arrivals at the receivers.
    config : MagnitudeConfig
        Limits and errors.
    keep_s : float
        How much of each record is kept.
    """

    def __init__(
        self,
        stations: Sequence[Station],
        times: TravelTimesAt,
        config: MagnitudeConfig,
        *,
        keep_s: float,
    ) -> None:
        self._receivers = [Receiver(s, keep_s) for s in sorted(stations, key=lambda s: s.code)]
        self._owner = {c.stream_id: r for r in self._receivers for c in r.station.channels}
        self._lat = np.array([r.station.lat for r in self._receivers])
        self._lon = np.array([r.station.lon for r in self._receivers])
        self._times = times
        self._config = config

    def owns(self, stream_id: StreamId) -> bool:
        """Tell whether a stream is one of a receiver."""
        return stream_id in self._owner

    def receive(self, packet: Packet) -> None:
        """Take a packet of a stream that it owns."""
        self._owner[packet.stream_id].receive(packet)

    def evidence(
        self, lat: float, lon: float, depth_km: float, origin_time_ns: int
    ) -> tuple[Evidence, ...]:
        """Ask the receivers about a source; empty while they say nothing."""
        if not self._receivers:
            return ()
        distance_km = np.asarray(epicentral_distance_km(lat, lon, self._lat, self._lon))
        times = self._times.at(lat, lon)
        p_s = times.p_s(distance_km, depth_km)
        s_s = times.s_s(distance_km, depth_km)
        rows: list[Displacement] = []
        for k, receiver in enumerate(self._receivers):
            newest_ns = receiver.newest_ns()
            found = receiver.peak(origin_time_ns + round(float(p_s[k]) * _NS), self._config)
            if newest_ns is None or found is None:
                continue
            rows.append(
                Displacement(
                    station=receiver.station.code,
                    hypocentral_distance_km=math.hypot(float(distance_km[k]), depth_km),
                    since_s_s=(newest_ns - origin_time_ns) / _NS - float(s_s[k]),
                    pgd_m=found[0],
                    noise_m=found[1],
                )
            )
        evidence = pgd_evidence(rows, self._config)
        return () if evidence is None else (evidence,)
