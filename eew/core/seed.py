"""New events: the picks that nothing explains yet, and one source that fits them.

Picks must be pairwise within what P waves allow, and then have small residuals at the hypocentre
they give together. Three stations may found an event unless chance is ten times as likely; two, or
more in the coda of a live event, where chance is out of the question
(:mod:`eew.core.credibility`): codas make picks of their own.
There is no blackout in space or time: a second quake anywhere, at any time, is an event as soon
as its picks fit a source.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eew.core.config import DetectorConfig
from eew.core.event_state import EventState, TrackedPick
from eew.core.network import Network
from eew.core.sources import NS, Sources
from eew.core.verdict import coda_lasts_s

_GROUP = 10  # picks tried at once for a new event
_TRIES = 4  # of them dropped one by one, worst first
_BEFORE_S = 30.0  # the pick of a station that had one so shortly before may be S


class Seeder:
    """Looks for new events in the pool.

    Parameters
    ----------
    network : Network
        Positions and liveness.
    config : DetectorConfig
        Tolerances; what an alert in the coda of another event will ask for: nothing less is
        born there.
    sources : Sources
        Locates what is tried.
    """

    def __init__(self, network: Network, config: DetectorConfig, sources: Sources) -> None:
        self._network = network
        self._config = config.association
        self._policy = config.alert
        self._sources = sources

    def find(
        self,
        newest: TrackedPick,
        pool: Sequence[TrackedPick],
        events: Sequence[EventState],
        now_ns: int,
    ) -> EventState | None:
        """Return the event that ``newest`` completes together with others of the pool, or None.

        Parameters
        ----------
        newest : TrackedPick
            A pick of the pool.
        pool : sequence of TrackedPick
            All picks that no event explains.
        events : sequence of EventState
            Live events, for their codas.
        now_ns : int
            UTC ns.
        """
        config = self._config
        group = self._group(newest, pool)
        in_coda = self._in_announced_coda(newest, events)
        for _ in range(_TRIES):
            if in_coda and not self._stands_in_coda(group):
                return None
            few = len({t.place for t in group if t.coda_of is None}) < config.min_picks
            if few and len({t.place for t in group}) < 2:
                return None
            event = self._sources.new(group, now_ns)
            needed = self._policy.min_probability if few else config.born_probability
            residuals = [
                abs(event.best_residual_s(t)) / self._sources.fit_tolerance_s(event, t.row)
                for t in event.picks
            ]
            worst = int(np.argmax(residuals))
            fits = residuals[worst] <= 1.0 and event.misfit_s <= config.max_misfit_s
            if fits and not event.located.on_edge:
                sound = event.triggered_ratio >= config.ratio_min
                return event if sound and event.probability >= needed else None
            if few:
                return None
            del group[worst]
        return None

    # ------------------------------------------------------------------ parts

    def _group(self, newest: TrackedPick, pool: Sequence[TrackedPick]) -> list[TrackedPick]:
        """``newest`` and the clearest picks that could come from one source with it."""
        near = [
            t
            for t in pool
            if t is not newest and t.row != newest.row and self._compatible(t, newest)
        ]
        group = [newest]
        for tracked in sorted(near, key=lambda t: (-_clarity(t, pool), t.pick.pick_id)):
            if len(group) >= _GROUP:
                break
            if any(t.row == tracked.row for t in group):
                continue
            if all(self._compatible(t, tracked) for t in group):
                group.append(tracked)
        return sorted(group, key=lambda t: (t.pick.time_ns, t.pick.pick_id))

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

    def _in_announced_coda(self, tracked: TrackedPick, events: Sequence[EventState]) -> bool:
        for event in events:
            if not event.announced or event.magnitude is None:
                continue
            after_s = (tracked.pick.time_ns - event.origin_time_ns) / NS
            near = float(event.distance_km[tracked.row]) < self._policy.coda_km
            if near and 0.0 < after_s < coda_lasts_s(event.magnitude.value, self._policy):
                return True
        return False

    def _stands_in_coda(self, group: list[TrackedPick]) -> bool:
        places = len({t.place for t in group})
        loud = sum(t.pick.snr >= self._config.coda_snr for t in group)
        return places >= self._policy.coda_min_stations and loud >= self._policy.coda_loud


def _clarity(tracked: TrackedPick, pool: Sequence[TrackedPick]) -> float:
    """SNR, halved where the station had picked shortly before: that one may be the P."""
    before = any(
        t.row == tracked.row and 0 < tracked.pick.time_ns - t.pick.time_ns < round(_BEFORE_S * NS)
        for t in pool
    )
    return tracked.pick.snr * (0.5 if before else 1.0)
