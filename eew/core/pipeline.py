"""The whole detector as one object: packets in, domain events out.

Pure and synchronous: no I/O, no clock, no thread. Replay, live service, tests and benchmarks
drive the same object; time exists only as ``now_ns``, the arrival time of what is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eew.core.associate import Associator
from eew.core.config import DetectorConfig
from eew.core.displacement import GnssNetwork
from eew.core.event_magnitude import event_magnitude
from eew.core.event_state import EventState, TrackedPick
from eew.core.evidence import Evidence
from eew.core.forecast import Forecaster, Outlook
from eew.core.lifecycle import AlertLifecycle
from eew.core.locate import Locator
from eew.core.magnitude import MagnitudeInput
from eew.core.network import Network
from eew.core.plum import Plum
from eew.core.shaking_history import ShakingHistory
from eew.core.solution import make_solution
from eew.core.station_work import StationWork
from eew.core.verdict import coda_lasts_s, is_ready, refuted, still_growing
from eew.model.alert import AlertMessage
from eew.model.event import (
    EventClosed,
    Pick,
    PickRejected,
    Solution,
    StationPeaks,
    StationState,
    Trace,
)
from eew.model.waveform import DataProblem, Packet, Station
from eew.physics.shaking import shaking_model_at
from eew.physics.traveltime import travel_times

CoreEvent = Pick | PickRejected | Solution | AlertMessage | EventClosed

NS = 1_000_000_000


class Pipeline:
    """Detector, locator, magnitude and alert lifecycle for one network.

    Parameters
    ----------
    stations : sequence of Station
        Fixed for the life of the pipeline.
    config : DetectorConfig, optional
        Defaults to ``eew/tables/detector.toml``.
    gnss : sequence of Station
        Receivers of displacement: they take part in magnitudes only.
    """

    def __init__(
        self,
        stations: Sequence[Station],
        config: DetectorConfig | None = None,
        *,
        gnss: Sequence[Station] = (),
    ) -> None:
        self.config = config or DetectorConfig.load()
        processing = self.config.processing
        self.stations = tuple(sorted(stations, key=lambda s: s.code))
        self._network = Network(self.stations)
        times = travel_times(self.config.travel_time_model)
        self._gnss = GnssNetwork(
            gnss, times, self.config.magnitude, keep_s=2.0 * self.config.association.event_s
        )
        self._history = ShakingHistory(len(self.stations))
        self._station_work = StationWork(
            self.stations,
            self._network,
            self._history,
            self._gnss,
            processing,
            shear_ratio=self.config.location.s_min_h_to_z,
        )
        self._bank = self._station_work.bank
        self._last_sample_ns = self._station_work.last_sample_ns
        self._associator = Associator(
            self._network,
            self.config,
            Locator(self.config.location, times),
            times,
        )
        self._lifecycles: dict[str, AlertLifecycle] = {}
        self._last_solution: dict[str, Solution] = {}
        self._announced: dict[str, Solution] = {}  # until the coda is over, not only the event
        self._trace = Trace(last_sample_ns=0, received_ns=0, pick_ns=0)
        self._plum = Plum(self._network, self.config.plum)
        self._vs30 = np.array(
            [math.nan if s.vs30_mps is None else s.vs30_mps for s in self.stations]
        )
        self._forecasters: dict[str, Forecaster] = {}

    # ------------------------------------------------------------------ data in

    def receive(self, packets: Sequence[Packet], now_ns: int) -> list[CoreEvent]:
        """Take packets that arrived at ``now_ns``; return what they caused, in order.

        Unknown streams, wrong rates and data older than the limit are counted, not raised.
        """
        events: list[CoreEvent] = []
        for row in self._station_work.admit(packets, now_ns):
            events.extend(self._work(row, now_ns))
        if any(isinstance(e, Pick) for e in events):
            events.extend(self._solve(now_ns, only_changed=True))
        return events

    def advance(self, now_ns: int) -> list[CoreEvent]:
        """Let time pass (at least twice a second): timers, growing windows, ends of events."""
        events: list[CoreEvent] = []
        for row in self._station_work.waiting():
            events.extend(self._work(row, now_ns))
        self._associator.advance(now_ns)
        events.extend(self._bury(now_ns))
        events.extend(self._solve(now_ns))
        events.extend(self._close(now_ns))
        return events

    def finish(self, now_ns: int) -> list[CoreEvent]:
        """End of input: give every open event its last word."""
        events: list[CoreEvent] = list(self._solve(now_ns, last=True))
        for event in (*self._associator.events, *self._associator.tentative):
            lifecycle = self._lifecycles.get(event.event_id)
            if lifecycle is not None:
                events.extend(lifecycle.finish(now_ns))
            events.append(self._end(event, now_ns, withdrawn=False, reason="end of input"))
        return events

    def _work(self, row: int, now_ns: int) -> list[CoreEvent]:
        """Let a station work through its new data; what it picks goes to the associator."""
        events: list[CoreEvent] = []
        for found in self._station_work.work(row, now_ns):
            if isinstance(found, PickRejected):
                events.append(found)
                continue
            events.append(found.pick)
            self._hear(found.pick.time_ns)
            self._associator.add(found, now_ns)
        self._hear(self._trace.pick_ns)
        return events

    def _hear(self, pick_ns: int) -> None:
        """Remember what the newest data were, for the solutions that come of them."""
        work = self._station_work
        self._trace = Trace(
            last_sample_ns=work.newest_ns, received_ns=work.newest_at_ns, pick_ns=pick_ns
        )

    # ------------------------------------------------------------------ events

    def _can_wait(self, event: EventState, now_ns: int, by_pick: bool) -> bool:
        """Tell whether an announced event has time: updates come once a second at most.

        Young ones are looked at each tick, not at each pick; older ones at each second tick, in
        turns, so that not all fall on one.
        """
        young = now_ns - event.first_pick_ns < round(self.config.alert.young_s * NS)
        return by_pick or (not young and (now_ns // (NS // 2) + event.ordinal) % 2 == 1)

    def _solve(
        self, now_ns: int, *, only_changed: bool = False, last: bool = False
    ) -> list[CoreEvent]:
        """Magnitude and alert decision of every live event that has not had its last word."""
        events: list[CoreEvent] = []
        for event in (*self._associator.events, *self._associator.tentative):
            known = self._lifecycles.get(event.event_id)
            if (known is not None and known.closed) or (only_changed and not event.changed):
                continue
            if event.announced and not last and self._can_wait(event, now_ns, only_changed):
                continue
            forecaster = self._forecasters.get(event.event_id)
            if forecaster is None:
                forecaster = self._forecasters[event.event_id] = Forecaster(
                    self._network, self._history, self._plum, self._vs30, self.config
                )
            self._grow(event, forecaster, now_ns)
            self._associator.weigh(event, now_ns)
            solution = make_solution(event, self.stations, now_ns, self._trace)
            if solution is None:
                continue
            lifecycle = self._lifecycles.setdefault(
                event.event_id, AlertLifecycle(self.config.alert)
            )
            if self._is_new(solution):
                events.append(solution)
                self._last_solution[event.event_id] = solution
            event.changed = False
            others = [s for key, s in self._announced.items() if key != event.event_id]
            ready = lifecycle.issued or is_ready(
                event, self.config.alert, self.config.association, others
            )
            outlook = self._look(event, forecaster, solution, now_ns) if ready else None
            events.extend(lifecycle.receive_solution(solution, ready=ready, outlook=outlook))
            if lifecycle.issued:
                event.announced = True
                self._announced[event.event_id] = solution
        return events

    def _is_new(self, solution: Solution) -> bool:
        last = self._last_solution.get(solution.event_id)
        return last is None or (
            (last.lat, last.lon, last.depth_km, last.origin_time_ns, last.n_picks)
            != (
                solution.lat,
                solution.lon,
                solution.depth_km,
                solution.origin_time_ns,
                solution.n_picks,
            )
            or abs(last.magnitude - solution.magnitude) >= 0.01
        )

    def _look(
        self, event: EventState, forecaster: Forecaster, solution: Solution, now_ns: int
    ) -> Outlook:
        """Renew what the stations are to expect of the event, beside the other announced ones."""
        others = [
            one.outlook.from_source
            for key, one in self._forecasters.items()
            if key != event.event_id and one.outlook is not None and key in self._lifecycles
        ]
        most = np.max(others, axis=0) if others else None
        return forecaster.look(event, solution.magnitude, most, now_ns)

    def _grow(self, event: EventState, forecaster: Forecaster, now_ns: int) -> None:
        """Copy the newest peaks of the event's picks and combine them."""
        inputs: list[MagnitudeInput] = []
        for tracked in event.picks:
            if self._bank.slot_holds(tracked.row, tracked.slot, tracked.number):
                tracked.peaks.update(
                    self._bank.growing(tracked.row, tracked.slot),
                    self._last_sample_ns[tracked.row] or 0,
                )
            tracked.peaks.free_s = self._free_s(event, tracked)
            distance_km = float(event.distance_km[tracked.row])
            inputs.append(
                MagnitudeInput(
                    station=tracked.pick.station,
                    epicentral_distance_km=distance_km,
                    hypocentral_distance_km=math.hypot(distance_km, event.located.depth_km),
                    since_s_s=((self._last_sample_ns[tracked.row] or 0) - event.origin_time_ns) / NS
                    - float(event.s_s[tracked.row]),
                    peaks=tracked.peaks,
                )
            )
        place = event.located
        # the line reads all stations: where a larger quake shakes most of them, it would read that
        overlaid = sum(math.isfinite(t.peaks.free_s) for t in event.picks)
        alone = 2 * overlaid <= len(event.picks)

        def line(magnitude: float) -> Evidence | None:
            return forecaster.evidence(event, magnitude, now_ns) if alone else None

        event.magnitude = event_magnitude(
            inputs,
            self.config.magnitude,
            depth_km=place.depth_km,
            distance_sigma_km=place.h_sigma_km,
            model=shaking_model_at(place.lat, place.lon),
            others=self._gnss.evidence(place.lat, place.lon, place.depth_km, event.origin_time_ns),
            line=line,
        )

    def _free_s(self, event: EventState, tracked: TrackedPick) -> float:
        """Seconds from a pick until the waves of a larger live quake are due at its station.

        0 where the pick itself came between their P and S, or may be that S. Larger is what more
        stations have seen and what had the larger magnitude so far.
        """
        free_s = math.inf
        config = self.config.association
        for other in self._associator.events:
            if other is event or len(other.picks) <= len(event.picks):
                continue
            if event.magnitude is None or other.magnitude is None:
                continue
            if other.magnitude.value <= event.magnitude.value:
                continue
            after_s = (tracked.pick.time_ns - other.origin_time_ns) / NS
            s_s = float(other.s_s[tracked.row])
            if after_s < s_s * (1.0 + config.s_per_s) + config.s_tolerance_s:
                free_s = min(free_s, max(0.0, float(other.p_s[tracked.row]) - after_s))
        return free_s

    def _close(self, now_ns: int) -> list[CoreEvent]:
        events: list[CoreEvent] = []
        for event in list(self._associator.events):
            lifecycle = self._lifecycles.get(event.event_id)
            age_s = (now_ns - event.origin_time_ns) / NS
            if lifecycle is not None and not lifecycle.closed:
                first = lifecycle.first_alert_ns
                if first is not None and now_ns - first >= round(
                    self.config.alert.cancel_after_s * NS
                ):
                    why = refuted(event, self.config.alert)
                    if why:
                        events.extend(lifecycle.withdraw(now_ns))
                        events.append(self._end(event, now_ns, withdrawn=True, reason=why))
                        continue
                growing = still_growing(event, self.config.alert, self.config.magnitude, now_ns)
                events.extend(lifecycle.advance(now_ns, growing=growing))
            if age_s > self.config.association.event_s:
                if lifecycle is not None:
                    events.extend(lifecycle.finish(now_ns))
                events.append(self._end(event, now_ns, withdrawn=False, reason="over"))
        self._forget_codas(now_ns)
        return events

    def _forget_codas(self, now_ns: int) -> None:
        """Drop the announced events in whose coda no live event can have begun."""
        oldest_ns = now_ns - round(self.config.association.event_s * NS)  # of live events
        self._announced = {
            key: one
            for key, one in self._announced.items()
            if one.origin_time_ns + round(coda_lasts_s(one.magnitude, self.config.alert) * NS)
            >= oldest_ns
        }

    def _bury(self, now_ns: int) -> list[CoreEvent]:
        """Say the last word of events that the associator has ended."""
        events: list[CoreEvent] = []
        for ended in self._associator.ended:
            lifecycle = self._lifecycles.get(ended.event.event_id)
            if lifecycle is not None:
                events.extend(lifecycle.finish(now_ns))
            events.append(self._end(ended.event, now_ns, withdrawn=False, reason=ended.reason))
        self._associator.ended.clear()
        return events

    def _end(self, event: EventState, now_ns: int, *, withdrawn: bool, reason: str) -> EventClosed:
        self._associator.remove(event)
        self._lifecycles.pop(event.event_id, None)
        self._last_solution.pop(event.event_id, None)
        self._forecasters.pop(event.event_id, None)
        return EventClosed(
            event_id=event.event_id, at_ns=now_ns, withdrawn=withdrawn, reason=reason
        )

    # ------------------------------------------------------------------ what is known

    def station_peaks(self) -> list[StationPeaks]:
        """Largest motion of each station since its records began."""
        return self._station_work.peaks()

    def station_states(self, now_ns: int) -> list[StationState]:
        """State of each station at ``now_ns``."""
        return self._station_work.states(now_ns)

    def problems(self) -> list[DataProblem]:
        """Everything set aside so far, with counts."""
        return self._station_work.problems()
