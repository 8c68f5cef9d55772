"""Picks to events.

A pick goes to the live event that explains it best as a P arrival; as S it is laid to that
event and not used. What no event explains waits in a pool. A new event is born when picks of
the pool fit one source: pairwise within what P waves allow, and then with small residuals at
the located hypocentre. A pick may leave its event again when the location has moved away.

Picks in the coda of a live event are suspect: they found a new event only in larger numbers,
unless their first motion stands well above the coda. There is no blackout in space or time:
a second quake anywhere, at any time, is an event as soon as its picks fit a source.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eew.core.config import DetectorConfig
from eew.core.credibility import credibility
from eew.core.event_state import EventState, TrackedPick
from eew.core.locate import Located, Locator, Observed, Silent
from eew.core.network import Network
from eew.core.verdict import coda_lasts_s
from eew.physics.traveltime import TravelTimes

NS = 1e9
_GROUP = 10  # picks tried at once for a new event
_TRIES = 4  # of them dropped one by one, worst first


class Associator:
    """Keeps the pool and the live events.

    Parameters
    ----------
    network : Network
        Positions and liveness.
    config : DetectorConfig
        Tolerances; rates of quakes and of false picks; what an alert in the coda of another
        event will ask for: nothing less is born there.
    locator : Locator
        Finds the hypocentre of a set of picks.
    travel_times : TravelTimes
        P and S tables.
    """

    def __init__(
        self,
        network: Network,
        config: DetectorConfig,
        locator: Locator,
        travel_times: TravelTimes,
    ) -> None:
        self._network = network
        self._detector = config
        self._config = config.association
        self._location = config.location
        self._policy = config.alert
        self._locator = locator
        self._times = travel_times
        self._pool: list[TrackedPick] = []
        self._count = 0
        self.events: list[EventState] = []
        self.merged: list[EventState] = []  # gone into another since the caller last looked

    # ------------------------------------------------------------------ input

    def add(self, tracked: TrackedPick, now_ns: int) -> None:
        """Take a new pick."""
        event = self._best_event(tracked)
        if event is not None:
            self._join(event, tracked, now_ns)
            return
        if self._explained_as_s_or_again(tracked):
            return
        self._mark_coda(tracked)
        self._pool.append(tracked)
        self._try_new_event(tracked, now_ns)

    def advance(self, now_ns: int) -> None:
        """Let time pass: relocate young events, forget what is old."""
        config = self._config
        self._forget(now_ns - round(config.pool_s * NS))
        for event in self.events:
            young = len(event.picks) < self._location.relocate_picks and (
                now_ns - event.first_pick_ns <= round(self._location.relocate_until_s * NS)
            )
            due = now_ns - event.located_at_ns >= round(self._location.relocate_s * NS)
            if due and (young or event.stale):
                self._relocate(event, now_ns)
        self._merge(now_ns)

    def _forget(self, before_ns: int) -> None:
        """Drop old picks of the pool: nothing explained them, and their stations answer for it."""
        kept: list[TrackedPick] = []
        for tracked in self._pool:
            if tracked.pick.time_ns >= before_ns:
                kept.append(tracked)
            elif tracked.coda_of is None:
                self._network.unexplained[tracked.row] += 1
        self._pool = kept

    def remove(self, event: EventState) -> None:
        """Forget an event (closed by the caller); its picks do not come back."""
        self.events = [e for e in self.events if e is not event]

    # ------------------------------------------------------------------ joining

    def tolerance_s(self, event: EventState, row: int) -> float:
        """Largest |residual| a P pick at station ``row`` may have."""
        config = self._config
        own = event.located.h_sigma_km / 6.0
        total = (
            config.tolerance_s
            + config.tolerance_per_s * float(event.p_s[row])
            + config.tolerance_sigma * own
        )
        return min(total, config.tolerance_max_s)

    def _fit_tolerance_s(self, event: EventState, row: int) -> float:
        """Largest |residual| of a pick that took part in the location itself."""
        config = self._config
        return config.tolerance_s + config.tolerance_per_s * float(event.p_s[row])

    def _best_event(self, tracked: TrackedPick) -> EventState | None:
        best: EventState | None = None
        best_score = 1.0
        for event in self.events:
            if tracked.row in event.rows:
                continue
            score = abs(event.residual_s(tracked)) / self.tolerance_s(event, tracked.row)
            if score < best_score:
                best, best_score = event, score
        return best

    def _explained_as_s_or_again(self, tracked: TrackedPick) -> bool:
        """S of a live event, or a second trigger on the P of an event that has this station."""
        for event in self.events:
            seconds = (tracked.pick.time_ns - event.origin_time_ns) / NS
            spread = event.located.h_sigma_km / 3.5
            s_s = float(event.s_s[tracked.row])
            tolerance = min(
                self._config.s_tolerance_s + self._config.s_per_s * s_s + spread,
                self._config.tolerance_max_s,
            )
            if tracked.row in event.rows:
                if abs(seconds - s_s) <= tolerance:
                    return True
                if 0.0 <= seconds - float(event.p_s[tracked.row]) <= 2.0:
                    return True
            elif abs(seconds - s_s) <= tolerance and len(event.picks) >= self._config.min_picks + 1:
                return True
        return False

    def _mark_coda(self, tracked: TrackedPick) -> None:
        for event in self.events:
            seconds = (tracked.pick.time_ns - event.origin_time_ns) / NS
            p_s, s_s = float(event.p_s[tracked.row]), float(event.s_s[tracked.row])
            end_s = self._config.coda_factor * s_s + self._config.coda_s
            loud = tracked.pick.snr >= self._config.coda_snr
            if p_s - 2.0 <= seconds <= end_s and not loud:
                tracked.coda_of = event.event_id

    def _join(self, event: EventState, tracked: TrackedPick, now_ns: int) -> None:
        event.picks.append(tracked)
        event.picks.sort(key=lambda t: (t.pick.time_ns, t.pick.pick_id))
        event.rows.add(tracked.row)
        event.changed = True
        if len(event.picks) <= self._location.every_pick_until:
            self._relocate(event, now_ns)
        elif len(event.picks) <= self._location.settled_picks:
            event.stale = True

    # ------------------------------------------------------------------ locating

    def _silent(self, picks: Iterable[TrackedPick], reference_ns: int, now_ns: int) -> list[Silent]:
        network = self._network
        live = network.live(now_ns, self._config.active_s)
        taken = np.zeros(live.size, dtype=bool)
        for tracked in picks:
            taken[tracked.row] = True
        # a station that picked anything in these minutes is not a witness of silence
        recent = network.last_pick_ns >= reference_ns - round(15 * NS)
        rows = np.flatnonzero(live & ~taken & ~recent)
        return [
            Silent(
                lat=float(network.lat[row]),
                lon=float(network.lon[row]),
                until_s=(int(network.quiet_until_ns[row]) - reference_ns) / NS,
            )
            for row in rows
        ]

    def _locate(
        self, picks: list[TrackedPick], now_ns: int, near: Located | None = None
    ) -> tuple[Located, int]:
        reference_ns = picks[0].pick.time_ns
        observed = [
            Observed(
                lat=t.lat,
                lon=t.lon,
                time_s=(t.pick.time_ns - reference_ns) / NS,
                sigma_s=t.pick.uncertainty_s,
            )
            for t in picks
        ]
        start = None
        if near is not None and len(picks) > self._location.coarse_picks:
            start = (near.lat, near.lon, near.depth_km, near.h_sigma_km)
        silent = self._silent(picks, reference_ns, now_ns)
        return self._locator.locate(observed, silent, start), reference_ns

    def _place(self, event: EventState, located: Located, reference_ns: int, now_ns: int) -> None:
        event.located = located
        event.reference_ns = reference_ns
        event.located_at_ns = now_ns
        event.stale = False
        event.distance_km = self._network.distance_km(located.lat, located.lon)
        event.p_s = np.asarray(self._times.p_s(event.distance_km, located.depth_km))
        event.s_s = np.asarray(self._times.s_s(event.distance_km, located.depth_km))
        residuals = [abs(event.residual_s(t)) for t in event.picks]
        event.misfit_s = float(np.mean(residuals))
        event.triggered_ratio = self._triggered_ratio(event, now_ns)
        self.weigh(event, now_ns)
        event.changed = True

    def weigh(self, event: EventState, now_ns: int) -> None:
        """Ask again how probable it is that the event is a quake."""
        event.probability = credibility(
            event,
            self._network,
            self._detector.credibility,
            self._config,
            self._location,
            now_ns,
        ).probability

    def _relocate(self, event: EventState, now_ns: int) -> None:
        """Locate anew; let go of picks that no longer fit, take up those that now do."""
        for _ in range(3):
            located, reference_ns = self._locate(event.picks, now_ns, event.located)
            self._place(event, located, reference_ns, now_ns)
            if not self._release(event) and not self._adopt(event):
                return
        located, reference_ns = self._locate(event.picks, now_ns, event.located)
        self._place(event, located, reference_ns, now_ns)

    def _release(self, event: EventState) -> bool:
        """Send picks with large residuals back to the pool; True if any went."""
        bad = [
            t
            for t in event.picks
            if t.released < 2
            and abs(event.residual_s(t)) > 1.3 * self._fit_tolerance_s(event, t.row)
        ]
        if not bad or len(event.picks) - len(bad) < self._config.min_picks:
            return False
        for tracked in bad:
            tracked.released += 1
            event.picks.remove(tracked)
            event.rows.discard(tracked.row)
            self._pool.append(tracked)
        return True

    def _adopt(self, event: EventState) -> bool:
        """Take over picks of the pool that the moved event explains; True if any came."""
        fitting = sorted(
            (
                (abs(event.residual_s(t)), t.pick.pick_id, t)
                for t in self._pool
                if t.row not in event.rows
                and t.released < 2
                and abs(event.residual_s(t)) < 0.8 * self._fit_tolerance_s(event, t.row)
            ),
            key=lambda x: x[:2],
        )
        for _, _, tracked in fitting:
            if tracked.row in event.rows:
                continue  # a better one of the same station was taken
            self._pool.remove(tracked)
            event.picks.append(tracked)
            event.rows.add(tracked.row)
        event.picks.sort(key=lambda t: (t.pick.time_ns, t.pick.pick_id))
        return bool(fitting)

    def _triggered_ratio(self, event: EventState, now_ns: int) -> float:
        """EPIC's 40 % rule: triggered part of the stations inside the farthest triggered one."""
        live = self._network.live(now_ns, self._config.active_s)
        farthest = max(float(event.distance_km[t.row]) for t in event.picks)
        due = event.origin_time_ns + ((event.p_s + 1.0) * NS).astype(np.int64)
        seen = self._network.quiet_until_ns >= due
        inside = live & (event.distance_km <= farthest) & seen
        for tracked in event.picks:
            inside[tracked.row] = True
        return len(event.picks) / max(1, int(np.count_nonzero(inside)))

    # ------------------------------------------------------------------ birth

    def _compatible(self, a: TrackedPick, b: TrackedPick) -> bool:
        config = self._config
        difference_s = abs(a.pick.time_ns - b.pick.time_ns) / NS
        if difference_s > config.window_s:
            return False
        distance = self._network.pair_km(a.row, b.row)
        return (
            distance <= config.max_distance_km
            and difference_s <= distance / config.pair_velocity_km_s + config.pair_slack_s
        )

    def _try_new_event(self, newest: TrackedPick, now_ns: int) -> None:
        config = self._config
        near = [
            t
            for t in self._pool
            if t is not newest and t.row != newest.row and self._compatible(t, newest)
        ]
        group = [newest]
        for tracked in sorted(near, key=lambda t: (-self._clarity(t), t.pick.pick_id)):
            if len(group) >= _GROUP:
                break
            if any(t.row == tracked.row for t in group):
                continue
            if all(self._compatible(t, tracked) for t in group):
                group.append(tracked)
        group.sort(key=lambda t: (t.pick.time_ns, t.pick.pick_id))
        in_coda = self._in_announced_coda(newest)
        for _ in range(_TRIES):
            few = self._weight(group) < config.min_picks
            if in_coda and not self._stands_in_coda(group):
                return
            if few and (len({t.place for t in group}) < 2 or self._any_in_coda(group)):
                return
            event = self._hypothesis(group, now_ns)
            if few and event.probability < self._policy.min_probability:
                return  # two stations found an event only where chance is out of the question
            residuals = [
                abs(event.residual_s(t)) / self._fit_tolerance_s(event, t.row) for t in event.picks
            ]
            worst = int(np.argmax(residuals))
            fits = residuals[worst] <= 1.0 and event.misfit_s <= config.max_misfit_s
            if fits and not event.located.on_edge:
                if event.triggered_ratio >= config.ratio_min:
                    self._born(event, now_ns)
                return
            del group[worst]

    def _in_announced_coda(self, tracked: TrackedPick) -> bool:
        for event in self.events:
            if not event.announced or event.magnitude is None:
                continue
            after_s = (tracked.pick.time_ns - event.origin_time_ns) / NS
            near = float(event.distance_km[tracked.row]) < self._policy.coda_km
            if near and 0.0 < after_s < coda_lasts_s(event.magnitude.value, self._policy):
                return True
        return False

    def _any_in_coda(self, group: list[TrackedPick]) -> bool:
        return any(t.coda_of is not None for t in group)

    def _stands_in_coda(self, group: list[TrackedPick]) -> bool:
        places = len({t.place for t in group})
        loud = sum(t.pick.snr >= self._config.coda_snr for t in group)
        return places >= self._policy.coda_min_stations and loud >= self._policy.coda_loud

    def _clarity(self, tracked: TrackedPick) -> float:
        """SNR, halved where the station had picked shortly before: that one may be the P."""
        before = any(
            t.row == tracked.row and 0 < tracked.pick.time_ns - t.pick.time_ns < round(30 * NS)
            for t in self._pool
        )
        return tracked.pick.snr * (0.5 if before else 1.0)

    def _weight(self, group: list[TrackedPick]) -> float:
        """Count of picks; those in a live coda count less, colocated stations once."""
        total = 0.0
        for i, tracked in enumerate(group):
            if any(tracked.place == t.place for t in group[:i]):
                continue
            total += self._config.coda_weight if tracked.coda_of is not None else 1.0
        return total

    def _hypothesis(self, group: list[TrackedPick], now_ns: int) -> EventState:
        located, reference_ns = self._locate(group, now_ns)
        event = EventState(
            event_id="",
            picks=list(group),
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

    def _born(self, event: EventState, now_ns: int) -> None:
        self._count += 1
        stamp = np.datetime64(event.first_pick_ns, "ns").astype("datetime64[s]").item()
        event.event_id = f"{stamp:%Y%m%dT%H%M%S}-{self._count}"
        self._pool = [t for t in self._pool if not any(t is p for p in event.picks)]
        self.events.append(event)
        if self._adopt(event):
            self._relocate(event, now_ns)

    def _merge(self, now_ns: int) -> None:
        """Make two hypotheses of one quake one: the one that was announced keeps its name."""
        for first in self.events:
            for second in self.events:
                if first is second or _before(second, first):
                    continue
                shared = [
                    t
                    for t in second.picks
                    if abs(first.residual_s(t)) <= 1.5 * self.tolerance_s(first, t.row)
                ]
                if len(shared) < 0.6 * len(second.picks):
                    continue
                self.remove(second)
                self.merged.append(second)
                for tracked in second.picks:
                    if tracked.row not in first.rows:
                        first.picks.append(tracked)
                        first.rows.add(tracked.row)
                first.picks.sort(key=lambda t: (t.pick.time_ns, t.pick.pick_id))
                self._relocate(first, now_ns)
                return


def _before(a: EventState, b: EventState) -> bool:
    """Tell whether ``a`` comes before ``b`` when two events merge."""
    return (a.announced, len(a.picks)) > (b.announced, len(b.picks))
