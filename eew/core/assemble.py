"""From packets of single streams to aligned three-component blocks of one station.

Networks send each channel by itself; packets come late, twice, out of order, with holes and
NaN. The assembler puts them on the station's sample grid and gives out gapless blocks:

* a packet that is ahead waits ``reorder_s`` for the missing one, then the hole is a gap;
* a gap up to ``bridge_s`` is bridged by a straight line and flagged, a longer one restarts the
  station (new filters, new warm-up);
* samples already seen are dropped (duplicate, overlap), NaN become flagged held values;
* a component that lags more than ``lag_s`` behind the others no longer holds them up, until it
  is back with data in time;
* a component that speaks for the first time after others were given out restarts the station:
  its first sample must not look like a step. The vertical's first sample is the station's.

All times are data times; "now" is the arrival time of a packet, so a replay is reproducible.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.model.waveform import Packet, Station

NS = 1_000_000_000


@dataclass(slots=True, eq=False)
class Block:
    """Aligned samples of one station.

    Attributes
    ----------
    frames : numpy.ndarray, shape (3, n)
        Counts; absent components are zero.
    filled : numpy.ndarray of uint8, shape (n,)
        1 where the vertical (or what stands for it) was interpolated.
    restart_ns : int or None
        Time of the first sample if the station starts anew here, else None.
    """

    frames: NDArray[np.float64]
    filled: NDArray[np.uint8]
    restart_ns: int | None


class StationAssembler:
    """Carries the alignment state of one station.

    Parameters
    ----------
    station : Station
        Its channels give components and the common sampling rate.
    reorder_s, bridge_s, lag_s : float
        See the module docstring.
    """

    def __init__(
        self, station: Station, *, reorder_s: float, bridge_s: float, lag_s: float
    ) -> None:
        self.station = station
        self.rate_hz = station.channels[0].sampling_rate_hz
        self.problems: Counter[str] = Counter()
        self._components = {c.stream_id: c.component.value for c in station.channels}
        self._rows = sorted(self._components.values())
        self._lead_row = self._rows[0]
        self._reorder_ns = round(reorder_s * NS)
        self._bridge = round(bridge_s * self.rate_hz)
        self._lag = round(lag_s * self.rate_hz)
        self._anchor_ns: int | None = None
        self._emitted = 0  # index of the next sample to give out
        self._next: dict[int, int] = {}  # per component: index after its newest gapless sample
        self._ready: dict[int, list[NDArray[np.float64]]] = {row: [] for row in self._rows}
        self._fills: list[tuple[int, int]] = []  # index ranges of the lead row that are made up
        self._last: dict[int, float] = {}
        self._waiting: dict[int, list[tuple[int, int, NDArray[np.float64]]]] = {
            row: [] for row in self._rows
        }
        self._restarting = False
        self._given_up: set[int] = set()  # rows nobody waits for; membership tests only

    def receive(self, packet: Packet, now_ns: int) -> None:
        """Take one packet that arrived at ``now_ns``; call :meth:`take` afterwards."""
        row = self._components.get(packet.stream_id)
        if row is None:
            self.problems["no_metadata"] += 1
            return
        if abs(packet.sampling_rate_hz / self.rate_hz - 1.0) > 1e-3:
            self.problems["rate"] += 1
            return
        samples = np.asarray(packet.samples, dtype=np.float64)
        skipped = self._leading_nan(row, samples)
        samples = samples[skipped:]
        if samples.size == 0:
            return
        start_ns = packet.start_ns + round(skipped * NS / self.rate_hz)
        if self._anchor_ns is None:
            self._begin(start_ns)
        assert self._anchor_ns is not None
        index = round((start_ns - self._anchor_ns) * self.rate_hz / NS)
        expected = self._next.get(row, 0)
        unspoken = self._is_unspoken(row)
        if index == expected and not self._waiting[row] and not unspoken:
            self._append(row, samples)
            return
        if index + samples.size <= expected:
            self.problems["late" if row in self._given_up else "duplicate"] += 1
            return
        if self._waiting[row] or index > expected or unspoken:
            if self._waiting[row] and index < self._waiting[row][-1][0]:
                self.problems["reordered"] += 1
            self._waiting[row].append((index, now_ns, samples))
            self._waiting[row].sort(key=lambda w: w[0])
        else:
            self.problems["overlap"] += 1
            self._append(row, samples[expected - index :])
        self._drain(row, now_ns)

    @property
    def has_waiting(self) -> bool:
        """True while a packet waits for the one before it."""
        return any(self._waiting[row] for row in self._rows)

    def take(self, now_ns: int) -> list[Block]:
        """Give out what is complete at ``now_ns``, oldest first."""
        blocks: list[Block] = []
        for row in self._rows:
            if self._waiting[row]:
                self._drain(row, now_ns)
        block = self._emit(now_ns)
        if block is not None:
            blocks.append(block)
        at = self._restart_due(now_ns)
        if at is not None:
            self.problems["gap"] += 1
            self._restart(at, now_ns)
            block = self._emit(now_ns)
            if block is not None:
                blocks.append(block)
        return blocks

    # ------------------------------------------------------------------ parts

    def _begin(self, start_ns: int) -> None:
        self._anchor_ns = start_ns
        self._emitted = 0
        self._next = {}
        self._last = {}
        self._fills = []
        self._given_up = set()
        self._restarting = True
        for row in self._rows:
            self._ready[row] = []

    def _leading_nan(self, row: int, samples: NDArray[np.float64]) -> int:
        """Count the samples before a component's first value: there is nothing to hold yet."""
        if row in self._last:
            return 0
        good = np.flatnonzero(np.isfinite(samples))
        skipped = int(good[0]) if good.size else samples.size
        if skipped:
            self.problems["nan"] += skipped
        return skipped

    def _append(self, row: int, samples: NDArray[np.float64]) -> None:
        self._given_up.discard(row)
        finite = np.isfinite(samples)
        if not finite.all():
            self.problems["nan"] += int(samples.size - np.count_nonzero(finite))
            samples = self._hold(row, samples, finite)
        self._ready[row].append(samples)
        self._next[row] = self._next.get(row, 0) + samples.size
        self._last[row] = float(samples[-1])

    def _hold(
        self, row: int, samples: NDArray[np.float64], finite: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Replace what is not finite by the last good value before it."""
        good = np.flatnonzero(finite)
        begin = self._last.get(row, float(samples[good[0]]) if good.size else 0.0)
        index = np.where(finite, np.arange(samples.size), -1)
        index = np.maximum.accumulate(index)
        held = np.where(index >= 0, samples[np.maximum(index, 0)], begin)
        if row == self._lead_row:
            at = self._next.get(row, 0)
            self._fills.extend((at + int(i), at + int(i) + 1) for i in np.flatnonzero(~finite))
        return held

    def _is_unspoken(self, row: int) -> bool:
        """Tell whether the station was given out so far without a sample of this component."""
        return row not in self._last and self._emitted > 0

    def _drain(self, row: int, now_ns: int) -> None:
        """Use waiting packets whose turn has come, or whose predecessor is given up."""
        waiting = self._waiting[row]
        while waiting:
            index, arrived_ns, samples = waiting[0]
            expected = self._next.get(row, 0)
            if self._is_unspoken(row) and index + samples.size > self._emitted:
                self.problems["lagging"] += 1
                self._restart(max(index, self._emitted), now_ns)
                return
            if index > expected:
                if now_ns - arrived_ns < self._reorder_ns:
                    return
                if row not in self._next and row == self._lead_row:
                    self._restart(index, now_ns)  # the station begins with its vertical
                    return
                if row not in self._next and index <= self._lag + self._bridge:
                    self._append(row, np.full(index, samples[0]))  # starts a little later
                    continue
                if index - expected > self._bridge or row not in self._next:
                    return  # too long: the whole station restarts
                self._bridge_gap(row, index - expected, samples)
                continue
            waiting.pop(0)
            if index + samples.size <= expected:
                self.problems["duplicate"] += 1
                continue
            if index < expected:
                self.problems["overlap"] += 1
            self._append(row, samples[expected - index :])

    def _bridge_gap(self, row: int, n: int, samples: NDArray[np.float64]) -> None:
        at = self._next[row]
        self.problems["gap"] += 1
        first = float(samples[0])
        before = self._last.get(row, first)
        ramp = np.linspace(before, first if np.isfinite(first) else before, n + 2)[1:-1]
        if row == self._lead_row:
            self._fills.append((at, at + n))
        self._append(row, ramp)

    def _restart_due(self, now_ns: int) -> int | None:
        """Return where to begin anew, if what waits lies behind a gap that cannot be bridged.

        Only when all that came in order is out. The vertical says where, if it is back.
        """
        heads = {row: self._waiting[row][0] for row in self._rows if self._waiting[row]}
        if not heads or any(self._next.get(row, 0) > self._emitted for row in self._rows):
            return None
        due = any(
            index - self._next.get(row, 0) > self._bridge and now_ns - since_ns >= self._reorder_ns
            for row, (index, since_ns, _) in heads.items()
        )
        if not due:
            return None
        if self._lead_row in heads:
            return heads[self._lead_row][0]
        return min(index for index, _, _ in heads.values())

    def _restart(self, at: int, now_ns: int) -> None:
        """Begin anew at sample ``at``; keep what lies behind it and is not given out yet."""
        assert self._anchor_ns is not None
        kept = {row: self._not_given_out(row, now_ns) + self._waiting[row] for row in self._rows}
        self._begin(self._anchor_ns + round(at * NS / self.rate_hz))
        for row in self._rows:
            self._waiting[row] = []
            for index, arrived_ns, samples in kept[row]:
                cut = max(0, at - index)
                if cut < samples.size:
                    self._waiting[row].append((index + cut - at, arrived_ns, samples[cut:]))
            self._drain(row, now_ns)

    def _not_given_out(self, row: int, now_ns: int) -> list[tuple[int, int, NDArray[np.float64]]]:
        at = self._next.get(row, 0) - sum(part.size for part in self._ready[row])
        pieces = []
        for part in self._ready[row]:
            pieces.append((at, now_ns, part))
            at += part.size
        return pieces

    def _emit(self, now_ns: int) -> Block | None:
        if self._anchor_ns is None:
            return None
        newest = max(self._next.values(), default=0)
        for row in self._rows:
            if self._waiting[row] and newest - self._next.get(row, 0) > self._lag:
                self._drain(row, now_ns + self._reorder_ns)  # before it is given up
        until = newest = max(self._next.values(), default=0)
        for row in self._rows:
            if newest - self._next.get(row, 0) > self._lag:
                self._given_up.add(row)
            if row not in self._given_up:
                until = min(until, self._next.get(row, 0))
        n = until - self._emitted
        if n <= 0:
            return None
        frames = np.zeros((3, n))
        for row in self._rows:
            self._take_row(row, n, frames[row])
        filled = np.zeros(n, dtype=np.uint8)
        if self._fills:
            for lo, hi in self._fills:
                filled[max(0, lo - self._emitted) : max(0, min(hi - self._emitted, n))] = 1
            self._fills = [f for f in self._fills if f[1] > until]
        restart_ns = self._anchor_ns if self._restarting else None
        self._restarting = False
        self._emitted = until
        return Block(frames=frames, filled=filled, restart_ns=restart_ns)

    def _take_row(self, row: int, n: int, into: NDArray[np.float64]) -> None:
        ready = self._ready[row]
        done = 0
        while ready and done < n:
            part = ready[0]
            take = min(n - done, part.size)
            into[done : done + take] = part[:take]
            done += take
            if take == part.size:
                ready.pop(0)
            else:
                ready[0] = part[take:]
        if done < n:
            # a lagging component: hold its last value, and mark the vertical as not usable
            into[done:] = self._last.get(row, 0.0)
            self.problems["lagging"] += 1
            if row == self._lead_row:
                self._fills.append((self._emitted + done, self._emitted + n))
            self._next[row] = self._emitted + n
