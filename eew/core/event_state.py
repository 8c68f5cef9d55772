"""An event in the making: its picks, where it is, how large it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eew.core.locate import Located
from eew.core.magnitude import NetworkMagnitude, PeakSeries
from eew.model.event import Pick

FloatArray = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class TrackedPick:
    """A pick with the peaks that grow behind it.

    ``coda_of`` names the live event in whose coda it came, unless it stood well above that coda.
    """

    pick: Pick
    row: int
    place: int  # see Network.place
    slot: int
    number: int  # running number of this station's picks, to know whose peaks a slot holds
    lat: float
    lon: float
    peaks: PeakSeries
    coda_of: str | None = None
    released: int = 0

    @property
    def clarity(self) -> float:
        """How far the first motion stands above the noise, an amplitude ratio."""
        return max(self.pick.snr, self.peaks.clarity)


@dataclass(slots=True, eq=False)
class EventState:
    """One hypothesis that an earthquake happened; times absolute ns."""

    event_id: str
    picks: list[TrackedPick]
    reference_ns: int  # all float seconds of this event count from here
    located: Located
    located_at_ns: int
    distance_km: FloatArray  # of every station
    p_s: FloatArray  # P travel time to every station
    s_s: FloatArray
    misfit_s: float = 0.0
    magnitude: NetworkMagnitude | None = None
    triggered_ratio: float = 1.0
    changed: bool = True
    ordinal: int = 0  # running number, from 1
    probability: float = 0.0  # that it is a quake: see eew.core.credibility
    announced: bool = False  # the public was told
    stale: bool = False  # picks have come since the last location
    best_p_s: FloatArray | None = None  # P after the told origin time, from the best-fitting place
    rows: set[int] = field(default_factory=set)  # membership tests only, never iterated

    @property
    def origin_time_ns(self) -> int:
        """Origin time, UTC ns."""
        return self.reference_ns + round(self.located.origin_time_s * 1e9)

    @property
    def first_pick_ns(self) -> int:
        """Earliest onset, UTC ns."""
        return min(p.pick.time_ns for p in self.picks)

    def residual_s(self, tracked: TrackedPick) -> float:
        """Observed minus predicted P time at the told place, s."""
        return float(self._since_origin_s(tracked) - self.p_s[tracked.row])

    def best_residual_s(self, tracked: TrackedPick) -> float:
        """Observed minus predicted P time at the best-fitting place, s.

        The told place is a mean, which need not fit the picks; the best one says whether they
        belong together.
        """
        if self.best_p_s is None:
            return self.residual_s(tracked)
        return float(self._since_origin_s(tracked) - self.best_p_s[tracked.row])

    def nearest_residual_s(self, tracked: TrackedPick) -> float:
        """Return the smaller of both: a pick that either place explains belongs to the event."""
        return min(self.residual_s(tracked), self.best_residual_s(tracked), key=abs)

    def _since_origin_s(self, tracked: TrackedPick) -> float:
        return (tracked.pick.time_ns - self.reference_ns) / 1e9 - self.located.origin_time_s
