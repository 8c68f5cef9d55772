"""From a set of picks to a located event: place, time, residuals, witnesses, probability."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eew.core.config import DetectorConfig
from eew.core.credibility import credibility
from eew.core.event_state import EventState, TrackedPick
from eew.core.locate import Located, Locator, Observed, Silent
from eew.core.network import Network
from eew.physics.traveltime import TravelTimesAt

NS = 1e9
_S_MINUS_P_S = (1.0, 40.0)  # of stations within the distances the locator is asked for
_BUSY_S = 5.0  # after a pick, its S and the loudest of its coda: no witness of silence


class Sources:
    """Locates events and keeps all that follows from where they are; holds no events itself.

    Parameters
    ----------
    network : Network
        Positions and liveness.
    config : DetectorConfig
        Tolerances, errors and rates.
    locator : Locator
        Finds the hypocentre of a set of picks.
    travel_times : TravelTimesAt
        P and S tables; those of the place of an event's first pick, as the locator's.
    """

    def __init__(
        self,
        network: Network,
        config: DetectorConfig,
        locator: Locator,
        travel_times: TravelTimesAt,
    ) -> None:
        self._network = network
        self._config = config
        self._locator = locator
        self._times = travel_times

    def new(self, picks: Iterable[TrackedPick], now_ns: int) -> EventState:
        """Locate an event from at least one pick, earliest first; it has no name yet."""
        group = list(picks)
        located, reference_ns = self._locate(group, now_ns, None)
        event = EventState(
            event_id="",
            picks=group,
            reference_ns=reference_ns,
            located=located,
            located_at_ns=now_ns,
            distance_km=np.empty(0),
            p_s=np.empty(0),
            s_s=np.empty(0),
            rows={t.row for t in group},
        )
        self._place(event, located, reference_ns, now_ns)
        return event

    def relocate(self, event: EventState, now_ns: int) -> None:
        """Locate an event anew from its present picks.

        A settled place is not given up for one that explains far fewer of them: where the picks
        of another quake have crept in, the search may jump to that one.
        """
        before, reference_ns, explained = event.located, event.reference_ns, self._explained(event)
        self._place(event, *self._locate(event.picks, now_ns, before), now_ns)
        settled = len(event.picks) >= self._config.location.settled_from
        if settled and self._explained(event) < self._config.location.settled_share * explained:
            self._place(event, before, reference_ns, now_ns)

    def _explained(self, event: EventState) -> int:
        return sum(
            abs(event.nearest_residual_s(t)) <= self.fit_tolerance_s(event, t.row)
            for t in event.picks
        )

    def weigh(self, event: EventState, now_ns: int) -> None:
        """Ask again how probable it is that the event is a quake."""
        config = self._config
        event.probability = credibility(
            event, self._network, config.credibility, config.association, config.location, now_ns
        ).probability

    def fit_tolerance_s(self, event: EventState, row: int) -> float:
        """Largest |residual| in s of a pick that took part in the location itself."""
        config = self._config.association
        return config.tolerance_s + config.tolerance_per_s * float(event.p_s[row])

    def tolerance_s(self, event: EventState, row: int) -> float:
        """Largest |residual| in s that a P pick yet to be taken may have at station ``row``."""
        config = self._config.association
        own = config.tolerance_sigma * event.located.h_sigma_km / 6.0
        return min(self.fit_tolerance_s(event, row) + own, config.tolerance_max_s)

    # ------------------------------------------------------------------ parts

    def _silent(self, picks: Iterable[TrackedPick], reference_ns: int, now_ns: int) -> list[Silent]:
        network = self._network
        live = network.live(now_ns, self._config.association.active_s)
        taken = np.zeros(live.size, dtype=bool)
        for tracked in picks:
            taken[tracked.row] = True
        recent = network.last_pick_ns >= reference_ns - round(_BUSY_S * NS)
        rows = np.flatnonzero(live & ~taken & ~recent)
        return [
            Silent(
                lat=float(network.lat[row]),
                lon=float(network.lon[row]),
                until_s=(int(network.quiet_until_ns[row]) - reference_ns) / NS,
                since_s=(int(network.watched_since_ns[row]) - reference_ns) / NS,
            )
            for row in rows
        ]

    def _locate(
        self, picks: list[TrackedPick], now_ns: int, near: Located | None
    ) -> tuple[Located, int]:
        reference_ns = picks[0].pick.time_ns
        few = len(picks) <= self._config.location.s_max_picks
        observed = [
            Observed(
                lat=t.lat,
                lon=t.lon,
                time_s=(t.pick.time_ns - reference_ns) / NS,
                sigma_s=t.pick.uncertainty_s,
                snr=t.pick.snr,
                second_s=self._second_s(t) if few else 0.0,
            )
            for t in picks
        ]
        start = None
        if near is not None and len(picks) > self._config.location.coarse_picks:
            start = (near.lat, near.lon, near.depth_km, near.h_sigma_km)
        silent = self._silent(picks, reference_ns, now_ns)
        return self._locator.locate(observed, silent, start), reference_ns

    def _second_s(self, tracked: TrackedPick) -> float:
        """Delay of the station's later trigger that may be S, s; 0 where there is none."""
        after_s = (int(self._network.shear_ns[tracked.row]) - tracked.pick.time_ns) / NS
        return after_s if _S_MINUS_P_S[0] < after_s < _S_MINUS_P_S[1] else 0.0

    def _place(self, event: EventState, located: Located, reference_ns: int, now_ns: int) -> None:
        event.located = located
        event.reference_ns = reference_ns
        event.located_at_ns = now_ns
        event.stale = False
        event.distance_km = self._network.distance_km(located.lat, located.lon)
        times = self._times.at(event.picks[0].lat, event.picks[0].lon)
        event.p_s = np.asarray(times.p_s(event.distance_km, located.depth_km))
        event.s_s = np.asarray(times.s_s(event.distance_km, located.depth_km))
        lat, lon, depth_km, time_s = located.best
        best_p_s = np.asarray(times.p_s(self._network.distance_km(lat, lon), depth_km))
        event.best_p_s = time_s - located.origin_time_s + best_p_s
        event.misfit_s = located.misfit_s
        event.triggered_ratio = self._triggered_ratio(event, now_ns)
        self.weigh(event, now_ns)
        event.changed = True

    def _triggered_ratio(self, event: EventState, now_ns: int) -> float:
        """EPIC's 40 % rule: triggered part of the stations inside the farthest triggered one."""
        live = self._network.live(now_ns, self._config.association.active_s)
        farthest = max(float(event.distance_km[t.row]) for t in event.picks)
        due = event.origin_time_ns + ((event.p_s + 1.0) * NS).astype(np.int64)
        seen = (self._network.quiet_until_ns >= due) & (self._network.watched_since_ns <= due)
        inside = live & (event.distance_km <= farthest) & seen
        for tracked in event.picks:
            inside[tracked.row] = True
        return len(event.picks) / max(1, int(np.count_nonzero(inside)))
