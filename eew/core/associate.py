"""Picks to events.

A pick goes to the live event that explains it best as a P arrival, by its time and by its
amplitude; as S it is laid to that event and not used. What no event explains waits in a pool,
with a first guess of where it might come from (:class:`Tentative`), until it founds a new event
together with others (:mod:`eew.core.seed`). A pick may leave its event again when the location
has moved away, and two events whose picks one of them explains become one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from eew.core.config import DetectorConfig
from eew.core.event_state import EventState, TrackedPick
from eew.core.locate import Locator
from eew.core.network import Network
from eew.core.seed import Seeder
from eew.core.sources import NS, Sources
from eew.physics.magnitude import kuyuk_allen_2013
from eew.physics.traveltime import TravelTimesAt


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An event that the associator itself has ended, and why."""

    event: EventState
    reason: str


class Associator:
    """Keeps the pool, the live events and the first guesses.

    Parameters
    ----------
    network : Network
        Positions and liveness.
    config : DetectorConfig
        Tolerances and rates.
    locator : Locator
        Finds the hypocentre of a set of picks.
    travel_times : TravelTimesAt
        P and S tables of each place.

    Attributes
    ----------
    events : list of EventState
        Live events, two stations or more.
    tentative : list of EventState
        First guesses from a single pick, each the last few seconds' only.
    ended : list of Ended
        What has gone since the caller last looked; the caller clears it.
    """

    def __init__(
        self,
        network: Network,
        config: DetectorConfig,
        locator: Locator,
        travel_times: TravelTimesAt,
    ) -> None:
        self._network = network
        self._config = config.association
        self._location = config.location
        self._sources = Sources(network, config, locator, travel_times)
        self._seeder = Seeder(network, config, self._sources)
        self._pool: list[TrackedPick] = []
        self._count = 0
        self.events: list[EventState] = []
        self.tentative: list[EventState] = []
        self.ended: list[Ended] = []

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
        born = self._seeder.find(tracked, self._pool, self.events, now_ns)
        if born is not None:
            self._take_in(born, now_ns)
        elif tracked.coda_of is None:
            self._guess(tracked, now_ns)

    def advance(self, now_ns: int) -> None:
        """Let time pass: relocate young events, forget what is old."""
        self._forget(now_ns - round(self._config.pool_s * NS))
        for event in self.events:
            young = len(event.picks) < self._location.relocate_picks and (
                now_ns - event.first_pick_ns <= round(self._location.relocate_until_s * NS)
            )
            if self._is_due(event, now_ns) and (young or event.stale):
                self._relocate(event, now_ns)
        self._merge(now_ns)
        self._review_guesses(now_ns)

    def weigh(self, event: EventState, now_ns: int) -> None:
        """Ask again how probable it is that the event is a quake."""
        self._sources.weigh(event, now_ns)

    def remove(self, event: EventState) -> None:
        """Forget an event (closed by the caller); its picks do not come back."""
        self.events = [e for e in self.events if e is not event]

    def _is_due(self, event: EventState, now_ns: int) -> bool:
        return now_ns - event.located_at_ns >= round(self._location.relocate_s * NS)

    def _forget(self, before_ns: int) -> None:
        """Drop old picks of the pool: nothing explained them, and their stations answer for it."""
        kept: list[TrackedPick] = []
        for tracked in self._pool:
            if tracked.pick.time_ns >= before_ns:
                kept.append(tracked)
            elif tracked.coda_of is None:
                self._network.unexplained[tracked.row] += 1
        self._pool = kept

    # ------------------------------------------------------------------ first guesses

    def _guess(self, tracked: TrackedPick, now_ns: int) -> None:
        """Say where a lone pick may come from: near its station, far from those still silent."""
        event = self._sources.new([tracked], now_ns)
        self._name(event)
        self.tentative.append(event)

    def _review_guesses(self, now_ns: int) -> None:
        """Ask the silent stations again; end what was explained, or nobody else confirmed."""
        oldest_ns = now_ns - round(self._config.guess_s * NS)
        for event in list(self.tentative):
            tracked = event.picks[0]
            if not any(t is tracked for t in self._pool):
                self._drop_guess(event, "explained by another event")
            elif tracked.pick.time_ns < oldest_ns:
                self._drop_guess(event, "no other station confirmed it")
            elif self._is_due(event, now_ns):
                self._sources.relocate(event, now_ns)

    def _drop_guess(self, event: EventState, reason: str) -> None:
        self.tentative = [e for e in self.tentative if e is not event]
        self.ended.append(Ended(event=event, reason=reason))

    # ------------------------------------------------------------------ joining

    def _best_event(self, tracked: TrackedPick) -> EventState | None:
        best: EventState | None = None
        best_score = 1.0
        for event in self.events:
            if tracked.row in event.rows:
                continue
            away = event.nearest_residual_s(tracked) / self._sources.tolerance_s(event, tracked.row)
            score = away * away + self._too_large(event, tracked)
            if score < best_score:
                best, best_score = event, score
        return best

    def _too_large(self, event: EventState, tracked: TrackedPick) -> float:
        """How far the first motion exceeds what the event can make there; 0 where it does not.

        Only the excess counts: the first moments of a wave are smaller than its peak. A pick
        two units above the event belongs to another, or to a sensor with a wrong gain.
        """
        peaks = tracked.peaks
        pd_m = peaks.pd_at(peaks.length_s)
        if event.magnitude is None or pd_m <= self._config.excess_snr * peaks.pd_noise_m:
            return 0.0
        distance_km = max(float(event.distance_km[tracked.row]), 1.0)
        own = float(kuyuk_allen_2013(pd_m, distance_km))
        excess = (own - event.magnitude.value) / self._config.excess_magnitude
        return max(0.0, excess - 1.0) ** 2

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
        _in_order(event)
        event.rows.add(tracked.row)
        event.changed = True
        if len(event.picks) <= self._location.every_pick_until:
            self._relocate(event, now_ns)
        elif len(event.picks) <= self._location.settled_picks:
            event.stale = True

    def _relocate(self, event: EventState, now_ns: int) -> None:
        """Locate anew; let go of picks that no longer fit, take up those that now do."""
        for _ in range(3):
            self._sources.relocate(event, now_ns)
            if not self._release(event) and not self._adopt(event):
                return
        self._sources.relocate(event, now_ns)

    def _release(self, event: EventState) -> bool:
        """Send picks with large residuals back to the pool; True if any went."""
        bad = [
            t
            for t in event.picks
            if t.released < 2
            and abs(event.nearest_residual_s(t)) > 1.3 * self._sources.fit_tolerance_s(event, t.row)
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
                (abs(event.nearest_residual_s(t)), t.pick.pick_id, t)
                for t in self._pool
                if t.row not in event.rows
                and t.released < 2
                and abs(event.nearest_residual_s(t))
                < 0.8 * self._sources.fit_tolerance_s(event, t.row)
                and self._too_large(event, t) < 1.0
            ),
            key=lambda x: x[:2],
        )
        for _, _, tracked in fitting:
            if tracked.row in event.rows:
                continue  # a better one of the same station was taken
            self._pool.remove(tracked)
            event.picks.append(tracked)
            event.rows.add(tracked.row)
        _in_order(event)
        return bool(fitting)

    # ------------------------------------------------------------------ birth and union

    def _take_in(self, event: EventState, now_ns: int) -> None:
        """Give a new event its name (that of its first guess, if there was one) and its picks."""
        guesses = [e for e in self.tentative if any(e.picks[0] is t for t in event.picks)]
        if guesses:
            event.event_id, event.ordinal = guesses[0].event_id, guesses[0].ordinal
            self.tentative = [e for e in self.tentative if e is not guesses[0]]
            for other in guesses[1:]:
                self._drop_guess(other, "explained by another event")
        else:
            self._name(event)
        self._pool = [t for t in self._pool if not any(t is p for p in event.picks)]
        self.events.append(event)
        if self._adopt(event):
            self._relocate(event, now_ns)

    def _name(self, event: EventState) -> None:
        self._count += 1
        first = datetime.fromtimestamp(event.first_pick_ns // 1_000_000_000, tz=UTC)
        event.ordinal = self._count
        event.event_id = f"{first:%Y%m%dT%H%M%S}-{self._count}"

    def _merge(self, now_ns: int) -> None:
        """Make two hypotheses of one quake one: the one that was announced keeps its name."""
        for first in self.events:
            for second in self.events:
                if first is second or _before(second, first):
                    continue
                shared = [
                    t
                    for t in second.picks
                    if abs(first.nearest_residual_s(t))
                    <= 1.5 * self._sources.tolerance_s(first, t.row)
                    and self._too_large(first, t) < 1.0
                ]
                if len(shared) < 0.6 * len(second.picks):
                    continue
                self.remove(second)
                self.ended.append(Ended(event=second, reason="merged"))
                for tracked in second.picks:
                    if tracked.row not in first.rows:
                        first.picks.append(tracked)
                        first.rows.add(tracked.row)
                _in_order(first)
                self._relocate(first, now_ns)
                return


def _in_order(event: EventState) -> None:
    event.picks.sort(key=lambda t: (t.pick.time_ns, t.pick.pick_id))


def _before(a: EventState, b: EventState) -> bool:
    """Tell whether ``a`` comes before ``b`` when two events merge."""
    return (a.announced, len(a.picks)) > (b.announced, len(b.picks))
