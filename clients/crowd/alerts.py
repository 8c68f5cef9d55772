"""Alerts on many devices: taken or refused, shown or not, by the rules of session and incident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clients.crowd.estimates import CrowdEstimator
from clients.crowd.incidents import LocalRows, begin, local_rows, promise, update, withdraw
from clients.crowd.link import CrowdLink
from clients.crowd.messages import MessageTable
from clients.crowd.outcome import Outcome
from clients.crowd.phases import ruling, urgency
from clients.crowd.slots import CANCELLED, FINAL, LIVE, NEVER, VANISHED, EventSlot, Ints, Rows
from clients.incident import Incident
from clients.policy import DevicePolicy
from eew.errors import ConfigError
from eew.messages.levels import default_thresholds
from eew.model.alert import AlertMessage, MsgType

__all__ = ["CrowdAlerts"]

_CUES = ("", "be_aware", "take_action", "cancelled")  # by rank of the level; then the withdrawal
_WITHDRAWN = 3
_TAKEN = -1
_STATE = {MsgType.CANCEL: CANCELLED, MsgType.FINAL: FINAL}


class CrowdAlerts:
    """The events that devices know, and what they have made of them.

    Parameters
    ----------
    counts : Counter
        Told how many deliveries were ``accepted``, refused for which reason, ``vanished``, shown.
    """

    def __init__(
        self,
        n: int,
        rules: DevicePolicy,
        estimator: CrowdEstimator,
        link: CrowdLink,
        counts: Counter[str],
    ) -> None:
        self._n = n
        self._rules = rules
        self._estimator = estimator
        self._link = link
        self._counts = counts
        self._slots: list[EventSlot] = []  # sorted by event
        self._n_known = np.zeros(n, dtype=np.int16)
        self._forgotten_ns = np.zeros(n, dtype=np.int64)  # no forgotten event expires later
        self._cue = np.zeros(n, dtype=np.int8)
        self._cue_at_ns = np.zeros(n, dtype=np.int64)

    # ------------------------------------------------------------------ time

    def advance(self, rows: Rows, service_ns: Ints) -> None:
        """Let time pass on devices that differ, to the service's times ``service_ns``."""
        for slot in self._slots:
            over = slot.known[rows] & (slot.expires_ns[rows] <= service_ns)
            over &= slot.state[rows] == LIVE
            if over.any():
                self._counts["vanished"] += int(np.count_nonzero(over))
                slot.vanish(rows[over], service_ns[over])
        self._follow(rows, service_ns)

    def _follow(self, rows: Rows, service_ns: Ints) -> None:
        """Note what is on the screens now."""
        rules = ruling(self._slots, rows, service_ns, self._rules)
        for place, slot in enumerate(self._slots):
            if slot.any_told:
                shown = slot.show(rows[rules == place])
                if shown:
                    self._counts["shown"] += shown
        self._drop(rows, service_ns)

    def _drop(self, rows: Rows, service_ns: Ints) -> None:
        """Drop events the sessions have forgotten and the screens have done with."""
        for slot in [slot for slot in self._slots if slot.any_forgotten]:
            loose = slot.held[rows] & ~slot.known[rows]
            if loose.any():
                idle = urgency(slot, rows, service_ns, self._rules) == 0
                slot.drop(rows[loose & idle])
            slot.any_forgotten = bool((slot.held & ~slot.known).any())
            if not (slot.held.any() or slot.known.any()):
                self._slots.remove(slot)

    # ------------------------------------------------------------------ messages

    def receive(
        self, rows: Rows, number: int, message: AlertMessage, now_ns: Ints, service_ns: Ints
    ) -> NDArray[np.int8] | Outcome:
        """Take one message on devices that differ, at their own times; returns the outcomes."""
        try:
            limits = default_thresholds(message.prediction.scale)
            many = self._estimator.of(message)
        except ConfigError:  # a model of a newer version: nothing can be said of here
            self._counts["unknown_model"] += len(rows)
            return Outcome.OTHER
        outcomes = self._judge(rows, message, now_ns, service_ns)
        taken = np.flatnonzero(outcomes == _TAKEN)
        self._count(outcomes, len(taken))
        if len(taken):
            mine, now_ns, service_ns = rows[taken], now_ns[taken], service_ns[taken]
            self._link.heard(mine, now_ns)
            self._link.note_future(mine, message.issued_ns, service_ns)
            slot = self._register(mine, number, message, service_ns)
            local = local_rows(many, mine, limits)
            louder = self._live(slot, mine, number, message, local, service_ns)
            self._follow(mine, service_ns)
            shown = slot.is_shown(mine, message.serial)
            outcomes[taken] = np.where(shown, Outcome.SHOWN, Outcome.RECEIVED)
            self._play(slot, mine, shown, louder, now_ns)
        return outcomes

    def _slot(self, event_id: str) -> EventSlot | None:
        return next((slot for slot in self._slots if slot.event_id == event_id), None)

    def _judge(
        self, rows: Rows, message: AlertMessage, now_ns: Ints, service_ns: Ints
    ) -> NDArray[np.int8]:
        """Return why each device does not take a message; ``_TAKEN`` where it does."""
        outcomes = np.full(len(rows), _TAKEN, dtype=np.int8)
        forgotten = message.expires_ns <= self._forgotten_ns[rows]
        slot = self._slot(message.event_id)
        if slot is None:
            outcomes[forgotten] = Outcome.EXPIRED
        else:
            known, state = slot.known[rows], slot.state[rows]
            closed = state == CANCELLED
            if message.msg_type is not MsgType.CANCEL:
                closed |= state == FINAL
            outcomes[~known & forgotten] = Outcome.EXPIRED
            outcomes[known & closed] = Outcome.CLOSED
            outcomes[known & (message.serial < slot.serial[rows])] = Outcome.OLD_SERIAL
        future = service_ns < message.issued_ns - self._link.clock.tolerance_ns
        if future.any():
            outcomes[future & self._link.clock.is_known(rows, now_ns)] = Outcome.FUTURE
        outcomes[message.expires_ns <= service_ns] = Outcome.EXPIRED
        bit = slot.bit_of(message.serial) if slot is not None else None
        if slot is not None and bit is not None:
            outcomes[slot.known[rows] & slot.seen.has(rows, bit)] = Outcome.DUPLICATE
        return outcomes

    def _count(self, outcomes: NDArray[np.int8], n_taken: int) -> None:
        if n_taken:
            self._counts["accepted"] += n_taken
        if n_taken < len(outcomes):
            refused = np.bincount(outcomes[outcomes != _TAKEN])
            for code in np.flatnonzero(refused).tolist():
                self._counts[Outcome(code).label] += int(refused[code])

    def _register(
        self, rows: Rows, number: int, message: AlertMessage, service_ns: Ints
    ) -> EventSlot:
        """Note the message as the newest of its event; what the session does."""
        slot = self._slot(message.event_id)
        if slot is None:
            slot = EventSlot(message.event_id, self._n)
            self._slots.append(slot)
            self._slots.sort(key=lambda one: one.event_id)
        new = ~slot.known[rows]
        if new.any():
            fresh = rows[new]
            self._forget(fresh, service_ns[new])
            slot.known[fresh] = True
            slot.remember_until_ns[fresh] = 0
            self._n_known[fresh] += 1
        bit = slot.new_bit(message.serial)
        slot.seen.add(rows, bit)
        slot.bit[rows] = bit
        slot.serial[rows] = message.serial
        slot.expires_ns[rows] = message.expires_ns
        until_ns = np.maximum(slot.remember_until_ns[rows], message.expires_ns)
        slot.remember_until_ns[rows] = until_ns
        slot.state[rows] = _STATE.get(message.msg_type, LIVE)
        slot.message[rows] = number
        return slot

    def _forget(self, rows: Rows, service_ns: Ints) -> None:
        """Keep memory bounded: drop expired events, whose messages stay refused all the same."""
        while len(rows):
            full = self._n_known[rows] >= self._rules.max_events
            rows, service_ns = rows[full], service_ns[full]
            if not len(rows):
                return
            never = np.iinfo(np.int64).max
            until_ns = np.stack(
                [np.where(s.known[rows], s.remember_until_ns[rows], never) for s in self._slots]
            )
            oldest = until_ns.argmin(axis=0)  # the first of equals: by name
            least_ns = until_ns.min(axis=0)
            over = least_ns <= service_ns
            rows, service_ns, oldest = rows[over], service_ns[over], oldest[over]
            self._forgotten_ns[rows] = np.maximum(self._forgotten_ns[rows], least_ns[over])
            for place in sorted(set(oldest.tolist())):
                self._slots[place].forget(rows[oldest == place])
            self._n_known[rows] -= 1

    def _live(
        self,
        slot: EventSlot,
        rows: Rows,
        number: int,
        message: AlertMessage,
        local: LocalRows,
        service_ns: Ints,
    ) -> NDArray[np.bool_]:
        """Let the devices live through the message; returns where it calls for a louder cue."""
        limits = default_thresholds(message.prediction.scale)
        held = slot.held[rows]
        louder = np.zeros(len(rows), dtype=np.bool_)
        first, again = np.flatnonzero(~held), np.flatnonzero(held)
        if len(first):
            louder[first] = begin(
                slot, rows[first], message, local.at(first), service_ns[first], self._rules
            )
            slot.estimated[rows[first]] = number
        if len(again) and message.msg_type is MsgType.CANCEL:
            withdraw(slot, rows[again], service_ns[again])
        elif len(again):
            louder[again] = update(
                slot, rows[again], message, local.at(again), service_ns[again], limits, self._rules
            )
            slot.estimated[rows[again]] = number
        return louder

    def _play(
        self,
        slot: EventSlot,
        rows: Rows,
        shown: NDArray[np.bool_],
        louder: NDArray[np.bool_],
        now_ns: Ints,
    ) -> None:
        level = slot.level[rows]
        cue = np.where(louder, level, np.where(slot.state[rows] == CANCELLED, _WITHDRAWN, 0))
        played = shown & (cue > 0)
        self._cue[rows[played]] = cue[played]
        self._cue_at_ns[rows[played]] = now_ns[played]

    # ------------------------------------------------------------------ elsewhere

    def relocate(self, device: int, now_ns: Ints, service_ns: Ints, messages: MessageTable) -> None:
        """Work the live events of a device out anew where it is now."""
        row: Rows = np.array([device], dtype=np.int32)
        for slot in list(self._slots):
            ended = slot.state[device] in (CANCELLED, VANISHED)
            if ended or not slot.held[device] or slot.expires_ns[device] <= service_ns[0]:
                continue
            number = int(slot.message[device])
            message = messages.alert(number).message
            limits = default_thresholds(message.prediction.scale)
            here: Rows = np.zeros(1, dtype=np.int32)
            local = local_rows(self._estimator.at(message, device), here, limits)
            if slot.told_ns[device] == NEVER:  # nothing was promised yet
                promise(slot, row, local)
            louder = update(slot, row, message, local, service_ns, limits, self._rules)
            slot.estimated[device] = number
            self._follow(row, service_ns)
            self._play(slot, row, slot.is_shown(row, message.serial), louder, now_ns)

    # ------------------------------------------------------------------ output

    def cue(self, device: int) -> tuple[str, int] | None:
        """Return the last cue of a device and when it began, its own time; None without any."""
        kind = int(self._cue[device])
        return (_CUES[kind], int(self._cue_at_ns[device])) if kind else None

    def incidents(self, device: int, messages: MessageTable) -> Iterator[Incident]:
        """Yield the events that a device has."""
        for slot in self._slots:
            if slot.held[device]:
                estimated = messages.alert(int(slot.estimated[device]))
                yield slot.incident(
                    device,
                    messages.alert(int(slot.message[device])),
                    estimated.message.prediction.scale,
                )

    def numbers(self) -> set[int]:
        """Return the numbers of messages that some device still needs."""
        numbers: set[int] = set()
        for slot in self._slots:
            numbers.update(slot.message.tolist(), slot.estimated.tolist())
        return numbers - {-1}

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        own = (
            self._n_known.nbytes
            + self._forgotten_ns.nbytes
            + self._cue.nbytes
            + self._cue_at_ns.nbytes
        )
        return own + sum(slot.nbytes for slot in self._slots)
