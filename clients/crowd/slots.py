"""One event on all devices: a row of numbers per device instead of objects.

What ``clients.session`` keeps of an event (``known``: newest serial, which were taken, expiry,
state) and what ``clients.incident`` keeps (``held``: level, times, countdown, estimate) lie side by
side; the two begin together and end apart, as they do there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from clients.arrival import Countdown
from clients.incident import Incident
from clients.locality import LocalEstimate
from clients.session import EventState
from eew.messages.wire import ReceivedAlert
from eew.model.alert import Level

__all__ = [
    "CANCELLED",
    "FINAL",
    "LIVE",
    "NEVER",
    "VANISHED",
    "EventSlot",
    "Ints",
    "Rows",
]

Ints = NDArray[np.int64]
Rows = NDArray[np.int32]  # numbers of devices, each at most once

NEVER = np.iinfo(np.int64).min  # stands for None where a time may be missing
_STATES = (EventState.LIVE, EventState.FINAL, EventState.CANCELLED, EventState.VANISHED)
LIVE, FINAL, CANCELLED, VANISHED = range(4)
_LEVELS = (Level.NONE, Level.BE_AWARE, Level.TAKE_ACTION)  # by rank
_NO_CAP = -1
_BITS = 64
_ONE = np.uint64(1)


class SerialBits:
    """Sets of serials, one per device, as bits; a bit stands for a serial that was once set."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._planes: list[NDArray[np.uint64]] = []

    def has(self, rows: Rows, bit: int) -> NDArray[np.bool_]:
        """Tell for which devices a bit is set."""
        if bit // _BITS >= len(self._planes):
            return np.zeros(len(rows), dtype=np.bool_)
        plane = self._planes[bit // _BITS]
        found: NDArray[np.bool_] = (plane[rows] & (_ONE << np.uint64(bit % _BITS))) != 0
        return found

    def add(self, rows: Rows, bit: int) -> None:
        """Set one bit for devices."""
        while bit // _BITS >= len(self._planes):
            self._planes.append(np.zeros(self._n, dtype=np.uint64))
        self._planes[bit // _BITS][rows] |= _ONE << np.uint64(bit % _BITS)

    def clear(self, rows: Rows) -> None:
        """Set no bit for devices."""
        for plane in self._planes:
            plane[rows] = 0

    @property
    def nbytes(self) -> int:
        """Memory of all planes."""
        return sum(plane.nbytes for plane in self._planes)


class EventSlot:
    """Arrays of shape (n,) for one event; times are the service's, ns, ``NEVER`` for none.

    Attributes
    ----------
    known : bool
        The session knows the event.
    held : bool
        There is an incident: the screen has, had or may have something to say about the event.
    serial, bit, expires_ns, state : int
        Newest serial taken, the bit that stands for it, its expiry, of ``LIVE`` ... ``VANISHED``.
    message, estimated : int
        Numbers of the newest message taken, and of the one the estimate was made of.
    level, peak : int
        Ranks.
    ends_ns : int
        When strong motion is over here.
    """

    def __init__(self, event_id: str, n: int) -> None:
        self.event_id = event_id
        self.known = np.zeros(n, dtype=np.bool_)
        self.held = np.zeros(n, dtype=np.bool_)
        self.seen = SerialBits(n)
        self.shown = SerialBits(n)
        self._bit_of: dict[int, int] = {}
        self.serial = np.zeros(n, dtype=np.int64)
        self.bit = np.zeros(n, dtype=np.int16)
        self.expires_ns = np.zeros(n, dtype=np.int64)
        self.remember_until_ns = np.zeros(n, dtype=np.int64)  # latest expiry of all taken
        self.state = np.zeros(n, dtype=np.int8)
        self.message = np.full(n, -1, dtype=np.int32)
        self.estimated = np.full(n, -1, dtype=np.int32)
        self.level = np.zeros(n, dtype=np.int8)
        self.peak = np.zeros(n, dtype=np.int8)
        self.told_ns = np.full(n, NEVER, dtype=np.int64)
        self.raised_ns = np.full(n, NEVER, dtype=np.int64)
        self.ended_ns = np.full(n, NEVER, dtype=np.int64)
        self.received_ns = np.zeros(n, dtype=np.int64)
        self.s_arrival_ns = np.zeros(n, dtype=np.int64)  # of the countdown
        self.sigma_s = np.zeros(n, dtype=np.float64)
        self.cap_s = np.full(n, _NO_CAP, dtype=np.int64)
        self.ends_ns = np.zeros(n, dtype=np.int64)
        self.distance_km = np.zeros(n, dtype=np.float64)
        self.azimuth_deg = np.zeros(n, dtype=np.float64)
        self.intensity = np.zeros(n, dtype=np.float64)
        self.p_estimate_ns = np.zeros(n, dtype=np.int64)
        self.s_estimate_ns = np.zeros(n, dtype=np.int64)
        self.estimate_level = np.zeros(n, dtype=np.int8)
        self.seen_nearby = np.zeros(n, dtype=np.bool_)
        self.any_told = False  # on any device: spares the search for what rules the screens
        self.any_forgotten = False  # held where it is not known any more

    def bit_of(self, serial: int) -> int | None:
        """Return the bit that stands for a serial; None where no device has taken it."""
        return self._bit_of.get(serial)

    def new_bit(self, serial: int) -> int:
        """Return the bit that stands for a serial from now on."""
        return self._bit_of.setdefault(serial, len(self._bit_of))

    def is_shown(self, rows: Rows, serial: int) -> NDArray[np.bool_]:
        """Tell which devices have shown a serial."""
        return self.shown.has(rows, self._bit_of[serial])

    def show(self, rows: Rows) -> int:
        """Note that the newest serial is on these screens; returns on how many it is new."""
        n_new = 0
        bits = self.bit[rows]
        for bit in set(bits.tolist()):
            mine = rows[bits == bit]
            mine = mine[~self.shown.has(mine, bit)]
            if len(mine):
                self.shown.add(mine, bit)
                n_new += len(mine)
        return n_new

    def vanish(self, rows: Rows, service_ns: Ints) -> None:
        """Note that the event expired without a last word."""
        self.state[rows] = VANISHED
        ended_ns = self.ended_ns[rows]
        self.ended_ns[rows] = np.where(ended_ns == NEVER, service_ns, ended_ns)

    def forget(self, rows: Rows) -> None:
        """Forget what the session knows; the screen may still have something to say."""
        self.known[rows] = False
        self.seen.clear(rows)
        self.any_forgotten = True

    def drop(self, rows: Rows) -> None:
        """Forget what was on the screens too."""
        self.held[rows] = False
        self.shown.clear(rows)
        self.told_ns[rows] = self.raised_ns[rows] = self.ended_ns[rows] = NEVER
        self.level[rows] = self.peak[rows] = 0
        self.message[rows] = self.estimated[rows] = -1
        self.any_told = bool((self.told_ns != NEVER).any())

    def incident(self, device: int, alert: ReceivedAlert, scale: str) -> Incident:
        """Return the event as one device has it, but for the uncertainty of the intensity.

        No screen shows that, and it would double the cost of a message.

        Parameters
        ----------
        alert : ReceivedAlert
            Of number ``message[device]``.
        scale : str
            Of the message of number ``estimated[device]``.
        """
        d, cap_s = device, int(self.cap_s[device])
        return Incident(
            alert=alert,
            estimate=LocalEstimate(
                epicentral_distance_km=float(self.distance_km[d]),
                azimuth_deg=float(self.azimuth_deg[d]),
                p_arrival_ns=int(self.p_estimate_ns[d]),
                s_arrival_ns=int(self.s_estimate_ns[d]),
                s_arrival_sigma_s=float(self.sigma_s[d]),
                scale=scale,
                intensity=float(self.intensity[d]),
                intensity_sigma=math.nan,
                seen_nearby=bool(self.seen_nearby[d]),
                level=_LEVELS[self.estimate_level[d]],
            ),
            state=_STATES[self.state[d]],
            level=_LEVELS[self.level[d]],
            countdown=Countdown(
                s_arrival_ns=int(self.s_arrival_ns[d]),
                sigma_s=float(self.sigma_s[d]),
                cap_s=None if cap_s == _NO_CAP else cap_s,
            ),
            received_ns=int(self.received_ns[d]),
            told_ns=_time(self.told_ns[d]),
            raised_ns=_time(self.raised_ns[d]),
            peak=_LEVELS[self.peak[d]],
            ended_ns=_time(self.ended_ns[d]),
        )

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        arrays = [v for v in vars(self).values() if isinstance(v, np.ndarray)]
        return sum(array.nbytes for array in arrays) + self.seen.nbytes + self.shown.nbytes


def _time(value: np.int64) -> int | None:
    return None if value == NEVER else int(value)
