"""A network of living stations, and waves that pass through it as picks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eew.core.associate import Associator
from eew.core.event_state import EventState, TrackedPick
from eew.core.locate import Locator
from eew.core.magnitude import PeakSeries
from eew.core.network import Network
from eew.model.event import Phase, Pick, Solution, Trace
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from tests.unit.core_cases import NS, START_NS, Floats, config, make_station

TIMES = TravelTimes.load()
DELAY_S = 0.5  # from onset until the pick is known

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quake:
    """A source, its time in s after START_NS."""

    lat: float
    lon: float
    depth_km: float = 10.0
    at_s: float = 0.0

    def distance_km(self, points: Points) -> Floats:
        return np.asarray(
            epicentral_distance_km(
                self.lat, self.lon, [p[0] for p in points], [p[1] for p in points]
            )
        )

    def p_s(self, points: Points) -> Floats:
        return self.at_s + np.asarray(TIMES.p_s(self.distance_km(points), self.depth_km))

    def s_s(self, points: Points) -> Floats:
        return self.at_s + np.asarray(TIMES.s_s(self.distance_km(points), self.depth_km))

    def miss_km(self, event: EventState) -> float:
        return float(
            epicentral_distance_km(self.lat, self.lon, event.located.lat, event.located.lon)
        )


@dataclass(frozen=True, slots=True, order=True)
class Onset:
    """A pick to come: s after START_NS, station row, SNR."""

    at_s: float
    row: int
    snr: float = 20.0


def p_waves(quake: Quake, points: Points, *, within_km: float = 150.0) -> list[Onset]:
    near = quake.distance_km(points) <= within_km
    return [Onset(float(t), row) for row, t in enumerate(quake.p_s(points)) if near[row]]


def s_waves(quake: Quake, points: Points, *, within_km: float = 150.0) -> list[Onset]:
    near = quake.distance_km(points) <= within_km
    return [Onset(float(t), row) for row, t in enumerate(quake.s_s(points)) if near[row]]


def first_at_each(onsets: Iterable[Onset], *, dead_s: float = 4.0) -> list[Onset]:
    """Leave out what a station still shaking from the last onset would not trigger on."""
    kept: list[Onset] = []
    last_s: dict[int, float] = {}
    for onset in sorted(onsets):
        if onset.at_s - last_s.get(onset.row, -1e9) >= dead_s:
            kept.append(onset)
            last_s[onset.row] = onset.at_s
    return kept


class Listening:
    """An associator with its network; all stations alive unless ``dead`` names their rows."""

    def __init__(self, points: Points, *, dead: Sequence[int] = ()) -> None:
        self.points = list(points)
        self.network = Network(
            [
                make_station(f"XX.S{i:03d}", components="Z", lat=lat, lon=lon)
                for i, (lat, lon) in enumerate(points)
            ]
        )
        self.dead = list(dead)
        settings = config()
        self.associator = Associator(
            self.network,
            settings,
            Locator(settings.location, TIMES),
            TIMES,
        )
        self.peaks = PeakSeries()  # the motion behind the next picks
        self._number = 0
        self._last_tick_s = -1e9

    def hear(self, onsets: Iterable[Onset], *, until_s: float | None = None) -> list[EventState]:
        """Hand in onsets in order of time, with a tick each half second between."""
        ordered = sorted(onsets)
        for onset in ordered:
            self._tick_until(onset.at_s + DELAY_S)
            self._add(onset)
        self._tick_until((until_s or ordered[-1].at_s + 3.0) + DELAY_S)
        return self.associator.events

    def _tick_until(self, now_s: float) -> None:
        if self._last_tick_s < -1e8:
            self._last_tick_s = now_s - 1.0
        while self._last_tick_s + 0.5 <= now_s:
            self._last_tick_s += 0.5
            self._watch(self._last_tick_s)
            self.associator.advance(_ns(self._last_tick_s))

    def _watch(self, now_s: float) -> None:
        """Every living station has been looked at until the packet that came last."""
        self.network.quiet_until_ns[:] = _ns(now_s - DELAY_S + 0.1)
        for row in self.dead:
            self.network.quiet_until_ns[row] = _ns(now_s - 600.0)

    def _add(self, onset: Onset) -> None:
        now_s = onset.at_s + DELAY_S
        self._watch(now_s)
        self._number += 1
        row = onset.row
        station = self.network.stations[row]
        pick = Pick(
            pick_id=self._number,
            station=station.code,
            stream=str(station.channels[0].stream_id),
            phase=Phase.P,
            time_ns=_ns(onset.at_s),
            known_ns=_ns(now_s),
            uncertainty_s=0.06,
            snr=onset.snr,
        )
        self.network.last_pick_ns[row] = pick.time_ns
        self.associator.add(
            TrackedPick(
                pick=pick,
                row=row,
                place=int(self.network.place[row]),
                slot=0,
                number=1,
                lat=station.lat,
                lon=station.lon,
                peaks=self.peaks,
            ),
            _ns(now_s),
        )


def announced(quake: Quake, magnitude: float) -> Solution:
    """What is known of a quake that the public was told of."""
    at_ns = _ns(quake.at_s)
    return Solution(
        event_id="announced",
        at_ns=at_ns + 10 * NS,
        origin_time_ns=at_ns,
        lat=quake.lat,
        lon=quake.lon,
        depth_km=quake.depth_km,
        origin_time_sigma_s=0.2,
        h_sigma_km=2.0,
        z_sigma_km=4.0,
        ellipse_major_km=2.0,
        ellipse_minor_km=2.0,
        ellipse_azimuth_deg=0.0,
        azimuthal_gap_deg=90.0,
        rms_s=0.1,
        magnitude=magnitude,
        magnitude_sigma=0.3,
        magnitude_type="Mpd",
        magnitude_is_lower_bound=False,
        n_picks=10,
        n_stations=10,
        likelihood=1.0,
        first_pick_ns=at_ns + 2 * NS,
        trace=Trace(last_sample_ns=at_ns, received_ns=at_ns, pick_ns=at_ns),
    )


def louder(onsets: Iterable[Onset], snr: float) -> list[Onset]:
    return [replace(o, snr=snr) for o in onsets]


def _ns(seconds: float) -> int:
    return START_NS + round(seconds * NS)
