"""Station by station: packets in, judged picks out, and what is known of each station.

A station can be in quarantine with a reason: its kernel found broken telemetry, a calibration, a
noise floor that fell away, or too many picks; or its clock runs ahead of ours. It then gives no
pick, its peaks are not used, and its silence is no witness against an event. It is taken up again
by itself when the reason has been gone for the time that ``[processing.quarantine]`` states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from eew.core.assemble import StationAssembler
from eew.core.bank import Judged, StationBank
from eew.core.config import ProcessingConfig
from eew.core.displacement import GnssNetwork
from eew.core.event_state import TrackedPick
from eew.core.magnitude import PeakSeries
from eew.core.network import NEVER, Network
from eew.core.shaking_history import ShakingHistory
from eew.model.event import Phase, Pick, PickRejected, StationPeaks, StationState
from eew.model.waveform import DataProblem, Packet, Station

NS = 1_000_000_000
_ONSETS = ("accepted", "horizontal_first")  # verdicts on triggers that are waves


class StationWork:
    """The part of the detector that knows each station by itself.

    Parameters
    ----------
    stations : sequence of Station
        In the order of ``network``'s rows.
    network : Network
        Told who is watched, dead, or in quarantine.
    history : ShakingHistory
        Told how strongly each has shaken.
    gnss : GnssNetwork
        Given the packets of its receivers.
    config : ProcessingConfig
        Filters, gates, gaps, quarantine.
    shear_ratio : float
        An onset this much stronger on the horizontals than on the vertical may be S.

    Attributes
    ----------
    bank : StationBank
        Filters and growing peaks.
    last_sample_ns : list of int or None
        End of the newest sample worked through, UTC ns.
    newest_ns, newest_at_ns : int
        The same of whichever station was worked last, and when that was.
    """

    def __init__(
        self,
        stations: Sequence[Station],
        network: Network,
        history: ShakingHistory,
        gnss: GnssNetwork,
        config: ProcessingConfig,
        *,
        shear_ratio: float,
    ) -> None:
        self.stations = tuple(stations)
        self.bank = StationBank(self.stations, config)
        self._network = network
        self._history = history
        self._gnss = gnss
        self._config = config
        self._shear_ratio = shear_ratio
        self._assemblers = [
            StationAssembler(
                s, reorder_s=config.reorder_s, bridge_s=config.bridge_s, lag_s=config.lag_s
            )
            for s in self.stations
        ]
        n = len(self.stations)
        self._start_ns = [0] * n  # data time of sample 0 since the restart
        self._sample_count = [0] * n
        self.last_sample_ns: list[int | None] = [None] * n
        self.newest_ns = 0
        self.newest_at_ns = 0
        self._delay_s: list[float | None] = [None] * n
        self._n_packets = [0] * n
        self._n_picks = [0] * n
        self._clipped = [False] * n
        self._ahead_ns: list[int | None] = [None] * n  # when its clock last was ahead of ours
        self._problems: Counter[tuple[str, str]] = Counter()
        self._pick_count = 0

    # ------------------------------------------------------------------ data in

    def admit(self, packets: Sequence[Packet], now_ns: int) -> list[int]:
        """Hand packets that arrived at ``now_ns`` to their stations; return whose turn it is.

        Unknown streams, wrong rates, data older than the limit and data from the future are
        counted, not raised.
        """
        touched: list[int] = []
        for packet in packets:
            row = self._network.row_of.get(packet.stream_id.station_code)
            receiver = self._gnss.owns(packet.stream_id)
            if row is None and not receiver:
                self._problems["no_metadata", str(packet.stream_id)] += 1
                continue
            if row is not None and not receiver:
                self._n_packets[row] += 1
            if now_ns - packet.end_ns > round(self._config.max_age_s * NS):
                self._problems["late", str(packet.stream_id)] += 1
                continue
            if packet.end_ns - now_ns > round(self._config.max_ahead_s * NS):
                # data from the future: the station's clock is wrong, its onsets are too
                self._problems["clock", str(packet.stream_id)] += 1
                if row is not None and not receiver:
                    self._ahead_ns[row] = now_ns
                continue
            if row is None or receiver:
                self._gnss.receive(packet)
                continue
            self._assemblers[row].receive(packet, now_ns)
            self._delay_s[row] = (now_ns - packet.end_ns) / NS
            if row not in touched:
                touched.append(row)
        return touched

    def waiting(self) -> list[int]:
        """Stations that hold packets for which others are missing."""
        return [row for row, one in enumerate(self._assemblers) if one.has_waiting]

    def work(self, row: int, now_ns: int) -> Iterator[PickRejected | TrackedPick]:
        """Work through what is complete at a station; yield picks and what was refused."""
        for block in self._assemblers[row].take(now_ns):
            rate = self._assemblers[row].rate_hz
            if block.restart_ns is not None:
                self.bank.restart(row)
                self._start_ns[row] = block.restart_ns
                warm_up_ns = round(self._config.picker["warm_up_s"] * NS)
                self._network.watched_since_ns[row] = block.restart_ns + warm_up_ns
                self._sample_count[row] = 0
            judged = self.bank.process([row], [(block.frames, block.filled)])
            self._sample_count[row] += block.frames.shape[1]
            end_ns = self._start_ns[row] + round(self._sample_count[row] * NS / rate)
            self.last_sample_ns[row] = end_ns
            self._network.watched_s[row] += block.frames.shape[1] / rate
            self.newest_ns, self.newest_at_ns = end_ns, now_ns
            self._watch(row, end_ns, now_ns, bool(block.filled[-1]))
            for item in judged:
                yield self._judged(item, row, rate, now_ns)

    def _watch(self, row: int, end_ns: int, now_ns: int, filled: bool) -> None:
        """Tell the network whether the silence of a station means anything."""
        self._network.dead[row] = self.bank.is_still(row)
        self._network.held[row] = self._held_for(row, now_ns) != ""
        watched_s = self._sample_count[row] / self._assemblers[row].rate_hz
        if watched_s < self._config.picker["warm_up_s"]:
            self._network.quiet_until_ns[row] = NEVER
        elif not filled and not self.bank.is_pending(row) and not self._network.held[row]:
            self._network.quiet_until_ns[row] = end_ns
        clipped = self.bank.is_clipped(row)
        self._clipped[row] |= clipped
        peaks = self.bank.take_peaks(row)
        self._history.note(row, end_ns, peaks, clipped=clipped)

    def _judged(
        self, item: Judged, row: int, rate: float, now_ns: int
    ) -> PickRejected | TrackedPick:
        station = self.stations[row]
        time_ns = self._start_ns[row] + round(item.onset * NS / rate)
        reason = item.reason
        if reason in _ONSETS and item.h_to_z >= self._shear_ratio:
            self._network.shear_ns[row] = time_ns
        if reason == "accepted" and self._is_ahead(row, now_ns):
            reason = "clock"
        if reason != "accepted":
            return PickRejected(
                station=station.code, time_ns=time_ns, known_ns=now_ns, reason=reason
            )
        self._pick_count += 1
        self._n_picks[row] += 1
        self._network.last_pick_ns[row] = time_ns
        tracked = TrackedPick(
            pick=Pick(
                pick_id=self._pick_count,
                station=station.code,
                stream=str(station.channels[0].stream_id),
                phase=Phase.P,
                time_ns=time_ns,
                known_ns=now_ns,
                uncertainty_s=item.uncertainty_s,
                snr=max(item.snr, 1e-3),
            ),
            row=row,
            place=int(self._network.place[row]),
            slot=item.slot,
            number=item.number,
            lat=station.lat,
            lon=station.lon,
            peaks=PeakSeries(),
        )
        tracked.peaks.update(self.bank.growing(row, item.slot), self.last_sample_ns[row] or time_ns)
        return tracked

    # ------------------------------------------------------------------ what is known

    def _is_ahead(self, row: int, now_ns: int) -> bool:
        at_ns = self._ahead_ns[row]
        return at_ns is not None and now_ns - at_ns <= round(self._config.max_age_s * NS)

    def _held_for(self, row: int, now_ns: int) -> str:
        return "clock" if self._is_ahead(row, now_ns) else self.bank.held_for(row)

    def peaks(self) -> list[StationPeaks]:
        """Largest motion of each station since its records began."""
        result: list[StationPeaks] = []
        for row, station in enumerate(self.stations):
            pga, pgv, pga_vector, pgv_vector = self._history.largest[row].tolist()
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

    def states(self, now_ns: int) -> list[StationState]:
        """State of each station at ``now_ns``, with its reason where it is not used."""
        result: list[StationState] = []
        for row, station in enumerate(self.stations):
            state, reason = self._state_of(row, now_ns)
            result.append(
                StationState(
                    station=station.code,
                    state=state,
                    reason=reason,
                    last_sample_ns=self.last_sample_ns[row],
                    delay_s=self._delay_s[row],
                    n_packets=self._n_packets[row],
                    n_picks=self._n_picks[row],
                    problems=dict(sorted(self._assemblers[row].problems.items())),
                )
            )
        return result

    def _state_of(self, row: int, now_ns: int) -> tuple[str, str]:
        if self._is_ahead(row, now_ns):
            return "quarantined", "clock"
        last = self.last_sample_ns[row]
        if last is None:
            return "silent", ""
        if now_ns - last > round(self._config.max_age_s * NS):
            return "late", ""
        if self._network.dead[row]:
            return "dead", "flat"
        held_for = self.bank.held_for(row)
        if held_for:
            return "quarantined", held_for
        if self.bank.is_clipped(row):
            return "clipped", "clipping"
        return ("starting" if self._network.quiet_until_ns[row] == NEVER else "live"), ""

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
