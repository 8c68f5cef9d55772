"""Moves the phones that travel, and has those that come into another area listen there."""

from __future__ import annotations

from clients.crowd.engine import Engine
from clients.crowd.interface import DeviceLogic
from clients.crowd.trips import Trips
from eew.clock import NS_PER_S, Clock

__all__ = ["Travellers"]

STEP_S = 10.0  # each moves so often: 280 m at 100 km/h, where areas are kilometres wide
_MOST = 25  # moved at once, some 2 ms: an alert does not wait for longer


class Travellers:
    """The travellers of one process, moved in turn.

    Parameters
    ----------
    start_ns : int
        Monotonic time at which all leave home.

    Attributes
    ----------
    n_moves, n_crossings : int
        How often one was moved, and came into another area by it.
    """

    def __init__(
        self, trips: Trips, logic: DeviceLogic, engine: Engine, clock: Clock, start_ns: int
    ) -> None:
        self._trips, self._logic, self._engine = trips, logic, engine
        self._clock, self._start_ns = clock, start_ns
        self._n_tried = 0  # since the start, those who could not be moved included
        self.n_moves = self.n_crossings = 0

    def __len__(self) -> int:
        return len(self._trips)

    def turn(self) -> None:
        """Move those whose turn it is, a few at a time.

        One whose radio is off, or whose connection is just being made, is moved when it is back.
        """
        n = len(self._trips)
        after_s = (self._clock.monotonic_ns() - self._start_ns) / NS_PER_S
        if not n or (due := int(after_s / STEP_S * n) - self._n_tried) <= 0:
            return
        first = self._n_tried % n
        chosen = slice(first, min(n, first + min(due, _MOST)))
        where = self._trips.at(chosen, after_s)
        for device, lat, lon in zip(
            self._trips.device[chosen].tolist(), *(column.tolist() for column in where), strict=True
        ):
            self._n_tried += 1
            if self._engine.is_reachable(device):
                leave, join = self._logic.move(device, lat, lon, self._clock.utc_ns())
                self._engine.resubscribe(device, leave, join)
                self.n_moves += 1
                self.n_crossings += bool(join)
