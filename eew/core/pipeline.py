"""The whole detector as one object: packets in, domain events out.

Pure and synchronous: no I/O, no clock, no thread. Replay, live service, tests and benchmarks
drive the same object; time exists only as ``now_ns``, the arrival time of what is handed in.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from eew.core.assemble import StationAssembler
from eew.core.associate import Associator
from eew.core.bank import Judged, StationBank
from eew.core.config import DetectorConfig
from eew.core.event_state import EventState, TrackedPick
from eew.core.lifecycle import AlertLifecycle
from eew.core.locate import Locator
from eew.core.magnitude import MagnitudeInput, PeakSeries, network_magnitude
from eew.core.network import NEVER, Network
from eew.core.shaking_magnitude import combine, shaking_magnitude
from eew.core.solution import make_solution
from eew.core.verdict import is_ready, refuted
from eew.model.alert import AlertMessage
from eew.model.event import (
    EventClosed,
    Phase,
    Pick,
    PickRejected,
    Solution,
    StationPeaks,
    StationState,
    Trace,
)
from eew.model.waveform import DataProblem, Packet, Station
from eew.physics.shaking import shaking_model_at
from eew.physics.traveltime import TravelTimes

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
    """

    def __init__(self, stations: Sequence[Station], config: DetectorConfig | None = None) -> None:
        self.config = config or DetectorConfig.load()
        processing = self.config.processing
        self.stations = tuple(sorted(stations, key=lambda s: s.code))
        self._network = Network(self.stations)
        self._bank = StationBank(self.stations, processing)
        self._assemblers = [
            StationAssembler(
                s,
                reorder_s=processing.reorder_s,
                bridge_s=processing.bridge_s,
                lag_s=processing.lag_s,
            )
            for s in self.stations
        ]
        times = TravelTimes.load(self.config.travel_time_model)
        self._associator = Associator(
            self._network,
            self.config,
            Locator(self.config.location, times),
            times,
        )
        n = len(self.stations)
        self._start_ns = [0] * n  # data time of sample 0 since the restart
        self._sample_count = [0] * n
        self._last_sample_ns: list[int | None] = [None] * n
        self._delay_s: list[float | None] = [None] * n
        self._n_packets = [0] * n
        self._n_picks = [0] * n
        self._clipped = [False] * n
        self._problems: Counter[tuple[str, str]] = Counter()
        self._pick_count = 0
        self._lifecycles: dict[str, AlertLifecycle] = {}
        self._last_solution: dict[str, Solution] = {}
        self._announced: dict[str, Solution] = {}  # kept after the end, for their codas
        self._trace = Trace(last_sample_ns=0, received_ns=0, pick_ns=0)

    # ------------------------------------------------------------------ data in

    def receive(self, packets: Sequence[Packet], now_ns: int) -> list[CoreEvent]:
        """Take packets that arrived at ``now_ns``; return what they caused, in order.

        Unknown streams, wrong rates and data older than the limit are counted, not raised.
        """
        touched: list[int] = []
        for packet in packets:
            row = self._network.row_of.get(packet.stream_id.station_code)
            if row is None:
                self._problems["no_metadata", str(packet.stream_id)] += 1
                continue
            self._n_packets[row] += 1
            if now_ns - packet.end_ns > round(self.config.processing.max_age_s * NS):
                self._problems["late", str(packet.stream_id)] += 1
                continue
            if packet.end_ns - now_ns > round(self.config.processing.max_ahead_s * NS):
                # data from the future: the station's clock is wrong, its onsets are too
                self._problems["clock", str(packet.stream_id)] += 1
                continue
            self._assemblers[row].receive(packet, now_ns)
            self._delay_s[row] = (now_ns - packet.end_ns) / NS
            if row not in touched:
                touched.append(row)
        events: list[CoreEvent] = []
        for row in touched:
            events.extend(self._work(row, now_ns))
        if any(isinstance(e, Pick) for e in events):
            events.extend(self._solve(now_ns, only_changed=True))
        return events

    def advance(self, now_ns: int) -> list[CoreEvent]:
        """Let time pass (at least twice a second): timers, growing windows, ends of events."""
        events: list[CoreEvent] = []
        for row, assembler in enumerate(self._assemblers):
            if assembler.has_waiting:
                events.extend(self._work(row, now_ns))
        self._associator.advance(now_ns)
        events.extend(self._bury(now_ns))
        events.extend(self._solve(now_ns))
        events.extend(self._close(now_ns))
        return events

    def finish(self, now_ns: int) -> list[CoreEvent]:
        """End of input: give every open event its last word."""
        events: list[CoreEvent] = list(self._solve(now_ns))
        for event in (*self._associator.events, *self._associator.tentative):
            lifecycle = self._lifecycles.get(event.event_id)
            if lifecycle is not None:
                events.extend(lifecycle.finish(now_ns))
            events.append(self._end(event, now_ns, withdrawn=False, reason="end of input"))
        return events

    # ------------------------------------------------------------------ station work

    def _work(self, row: int, now_ns: int) -> list[CoreEvent]:
        events: list[CoreEvent] = []
        for block in self._assemblers[row].take(now_ns):
            n = block.frames.shape[1]
            rate = self._assemblers[row].rate_hz
            if block.restart_ns is not None:
                self._bank.restart(row)
                self._start_ns[row] = block.restart_ns
                self._sample_count[row] = 0
            judged = self._bank.process([row], [(block.frames, block.filled)])
            self._sample_count[row] += n
            end_ns = self._start_ns[row] + round(self._sample_count[row] * NS / rate)
            self._last_sample_ns[row] = end_ns
            self._network.watched_s[row] += n / rate
            self._network.dead[row] = self._bank.is_still(row)
            watched_s = self._sample_count[row] / rate
            if watched_s < self.config.processing.picker["warm_up_s"]:
                self._network.quiet_until_ns[row] = NEVER
            elif not block.filled[-1] and not self._bank.is_pending(row):
                self._network.quiet_until_ns[row] = end_ns
            if self._bank.is_clipped(row):
                self._clipped[row] = True
            self._trace = Trace(
                last_sample_ns=end_ns, received_ns=now_ns, pick_ns=self._trace.pick_ns
            )
            events.extend(self._judged(judged, row, rate, now_ns))
        return events

    def _judged(
        self, judged: Iterable[Judged], row: int, rate: float, now_ns: int
    ) -> list[CoreEvent]:
        events: list[CoreEvent] = []
        station = self.stations[row]
        for item in judged:
            time_ns = self._start_ns[row] + round(item.onset * NS / rate)
            if item.reason != "accepted":
                events.append(
                    PickRejected(
                        station=station.code, time_ns=time_ns, known_ns=now_ns, reason=item.reason
                    )
                )
                continue
            self._pick_count += 1
            self._n_picks[row] += 1
            pick = Pick(
                pick_id=self._pick_count,
                station=station.code,
                stream=str(station.channels[0].stream_id),
                phase=Phase.P,
                time_ns=time_ns,
                known_ns=now_ns,
                uncertainty_s=item.uncertainty_s,
                snr=max(item.snr, 1e-3),
            )
            events.append(pick)
            self._network.last_pick_ns[row] = time_ns
            tracked = TrackedPick(
                pick=pick,
                row=row,
                place=int(self._network.place[row]),
                slot=item.slot,
                number=item.number,
                lat=station.lat,
                lon=station.lon,
                peaks=PeakSeries(),
            )
            tracked.peaks.update(self._bank.growing(row, item.slot))
            self._trace = Trace(
                last_sample_ns=self._trace.last_sample_ns,
                received_ns=now_ns,
                pick_ns=time_ns,
            )
            self._associator.add(tracked, now_ns)
        return events

    # ------------------------------------------------------------------ events

    def _solve(self, now_ns: int, *, only_changed: bool = False) -> list[CoreEvent]:
        """Magnitude and alert decision of every live event that has not had its last word."""
        events: list[CoreEvent] = []
        for event in (*self._associator.events, *self._associator.tentative):
            known = self._lifecycles.get(event.event_id)
            if (known is not None and known.closed) or (only_changed and not event.changed):
                continue
            self._grow(event)
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
            events.extend(lifecycle.receive_solution(solution, ready=ready))
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

    def _grow(self, event: EventState) -> None:
        """Copy the newest peaks of the event's picks and combine them."""
        inputs: list[MagnitudeInput] = []
        for tracked in event.picks:
            if self._bank.slot_holds(tracked.row, tracked.slot, tracked.number):
                tracked.peaks.update(self._bank.growing(tracked.row, tracked.slot))
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
        first = network_magnitude(inputs, self.config.magnitude)
        event.magnitude = first
        if first is not None and first.value >= self.config.magnitude.saturation_ramp[0] - 1.0:
            model = shaking_model_at(event.located.lat, event.located.lon)
            whole = shaking_magnitude(inputs, event.located.depth_km, model, self.config.magnitude)
            event.magnitude = combine(first, whole, self.config.magnitude)

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
                events.extend(lifecycle.advance(now_ns))
            if age_s > self.config.association.event_s:
                if lifecycle is not None:
                    events.extend(lifecycle.finish(now_ns))
                events.append(self._end(event, now_ns, withdrawn=False, reason="over"))
        return events

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
        return EventClosed(
            event_id=event.event_id, at_ns=now_ns, withdrawn=withdrawn, reason=reason
        )

    # ------------------------------------------------------------------ what is known

    def station_peaks(self) -> list[StationPeaks]:
        """Largest motion of each station since its records began."""
        result: list[StationPeaks] = []
        for row, station in enumerate(self.stations):
            pga, pgv, pga_vector, pgv_vector = self._bank.peaks(row)
            result.append(
                StationPeaks(
                    station=station.code,
                    pga_mps2=pga,
                    pgv_mps=pgv,
                    pga_vector_mps2=pga_vector,
                    pgv_vector_mps=pgv_vector,
                    clipped=self._clipped[row],
                    n_components=len(station.channels),
                )
            )
        return result

    def station_states(self, now_ns: int) -> list[StationState]:
        """State of each station at ``now_ns``."""
        return [
            StationState(
                station=station.code,
                state=self._state_of(row, now_ns),
                last_sample_ns=self._last_sample_ns[row],
                delay_s=self._delay_s[row],
                n_packets=self._n_packets[row],
                n_picks=self._n_picks[row],
                problems=dict(sorted(self._assemblers[row].problems.items())),
            )
            for row, station in enumerate(self.stations)
        ]

    def _state_of(self, row: int, now_ns: int) -> str:
        last = self._last_sample_ns[row]
        if last is None:
            return "silent"
        if now_ns - last > round(self.config.processing.max_age_s * NS):
            return "late"
        if self._network.dead[row]:
            return "dead"
        if self._bank.is_clipped(row):
            return "clipped"
        return "starting" if self._network.quiet_until_ns[row] == NEVER else "live"

    def problems(self) -> list[DataProblem]:
        """Everything set aside so far, with counts."""
        rows = [
            DataProblem(kind=kind, where=where, detail=f"{count} packets", count=count)
            for (kind, where), count in self._problems.items()
        ]
        for station, assembler in zip(self.stations, self._assemblers, strict=True):
            rows.extend(
                DataProblem(kind=kind, where=station.code, detail=f"{count} x {kind}", count=count)
                for kind, count in sorted(assembler.problems.items())
            )
        return sorted(rows, key=lambda p: (p.kind, p.where))
