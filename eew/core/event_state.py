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
    probability: float = 0.0  # that it is a quake: see eew.core.credibility
    announced: bool = False  # the public was told
    stale: bool = False  # picks have come since the last location
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
        """Observed minus predicted P time, s."""
        seconds = (tracked.pick.time_ns - self.reference_ns) / 1e9
        return float(seconds - self.located.origin_time_s - self.p_s[tracked.row])
