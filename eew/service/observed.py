"""The detector with a meter on it: the same results, and the service hears of every round."""

from __future__ import annotations

from collections.abc import Sequence

from eew.clock import NS_PER_S, Clock
from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.model.waveform import DataProblem, Packet, Station
from eew.service.state import ServiceState

_STATES_EVERY_NS = NS_PER_S  # of data time


class ObservedPipeline(Pipeline):
    """A :class:`Pipeline` that reports its rounds to a :class:`ServiceState`.

    Parameters
    ----------
    found : sequence of DataProblem
        What was found before the detector, when the data were read.
    """

    def __init__(
        self,
        stations: Sequence[Station],
        config: DetectorConfig,
        *,
        state: ServiceState,
        clock: Clock,
        found: Sequence[DataProblem] = (),
        gnss: Sequence[Station] = (),
    ) -> None:
        super().__init__(stations, config, gnss=gnss)
        self._state = state
        self._clock = clock
        self._found = tuple(found)
        self._reported_ns: int | None = None
        state.receive_stations(self.stations)
        state.receive_problems(self._found)
        state.part("pipeline", ready=True, reason=f"{len(self.stations)} stations")

    def receive(self, packets: Sequence[Packet], now_ns: int) -> list[CoreEvent]:
        """Take packets, as :meth:`Pipeline.receive`."""
        start_ns = self._clock.monotonic_ns()
        events = super().receive(packets, now_ns)
        self._state.receive_step(
            now_ns, packets, (self._clock.monotonic_ns() - start_ns) / NS_PER_S
        )
        return events

    def advance(self, now_ns: int) -> list[CoreEvent]:
        """Let time pass, as :meth:`Pipeline.advance`."""
        start_ns = self._clock.monotonic_ns()
        events = super().advance(now_ns)
        self._state.receive_step(now_ns, (), (self._clock.monotonic_ns() - start_ns) / NS_PER_S)
        if self._reported_ns is None or now_ns - self._reported_ns >= _STATES_EVERY_NS:
            self._report(now_ns)
        return events

    def finish(self, now_ns: int) -> list[CoreEvent]:
        """End of input, as :meth:`Pipeline.finish`."""
        events = super().finish(now_ns)
        self._report(now_ns)
        return events

    def _report(self, now_ns: int) -> None:
        self._reported_ns = now_ns
        self._state.receive_states(self.station_states(now_ns))
        self._state.receive_problems((*self._found, *self.problems()))
