"""What time it is in the data: the wall clock's, or a constant apart where a server replays.

A server may play a quake of last year with its original times. Then everything that counts in
data time (age of a packet, timers of the detector, time of an alert) goes by a clock that is
behind the wall clock by a constant, fixed once from the first packets and never moved.
"""

from __future__ import annotations

from eew.clock import NS_PER_S, Clock
from eew.model.waveform import Packet

FAR_NS = 60 * NS_PER_S  # data so far from the wall clock are not of now
_SETTLED_NS = 2 * NS_PER_S
_FIRST_NS = NS_PER_S  # by then most stations have sent their first packet
_RISE_NS = NS_PER_S // 2


class DataClock:
    """Tells data time once it has heard enough packets.

    Live data are less than a minute from the wall clock. Anything else may be old data that a
    server sends first, to catch up: they come nearer to its newest with each packet. So the
    difference counts when it has not come nearer for 2 s; until then there is no data time. The
    newest data heard by then have age 0: the delay of the fastest station cannot be known, and an
    alert's age does not include it. Nothing is settled in the first second, in which most
    stations are heard for the first time.

    Parameters
    ----------
    clock : Clock
        The wall clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lead_ns: int | None = None  # newest data minus wall clock
        self._began_ns = 0
        self._rose_ns = 0
        self._offset_ns: int | None = None
        self._last_ns = 0
        self.first_sample_ns: int | None = None  # of the packets heard before it was settled

    @property
    def offset_s(self) -> float | None:
        """Data time minus wall clock, s; None while it is not known."""
        return None if self._offset_ns is None else self._offset_ns / NS_PER_S

    @property
    def lead_s(self) -> float | None:
        """Newest data heard minus wall clock, s."""
        return None if self._lead_ns is None else self._lead_ns / NS_PER_S

    @property
    def waits_for(self) -> str:
        """Say what is missing until there is a data time; empty if there is one."""
        if self._offset_ns is not None:
            return ""
        if self._lead_ns is None:
            return "waiting for data"
        return f"data of {abs(self._lead_ns) / NS_PER_S:.0f} s from now, waiting for its newest"

    def hear(self, packet: Packet, arrival_ns: int) -> None:
        """Take a packet and when it came, UTC ns; once settled this changes nothing."""
        if self._offset_ns is not None:
            return
        if self.first_sample_ns is None or packet.start_ns < self.first_sample_ns:
            self.first_sample_ns = packet.start_ns
        lead_ns = packet.end_ns - arrival_ns
        if self._lead_ns is None:
            self._began_ns = arrival_ns
        if self._lead_ns is None or lead_ns > self._lead_ns + _RISE_NS:
            self._rose_ns = arrival_ns
        if self._lead_ns is None or lead_ns > self._lead_ns:
            self._lead_ns = lead_ns

    def is_settled(self) -> bool:
        """Tell whether data time is known, and fix it if it can be."""
        if self._offset_ns is None and self._lead_ns is not None:
            now_ns = self._clock.utc_ns()
            if abs(self._lead_ns) < FAR_NS:
                if now_ns - self._began_ns >= _FIRST_NS:
                    self._offset_ns = 0
            elif now_ns - self._rose_ns >= _SETTLED_NS:
                self._offset_ns = self._lead_ns
        return self._offset_ns is not None

    def now_ns(self) -> int:
        """Return data time, UTC ns; it stands still where the wall clock is set back.

        Raises
        ------
        RuntimeError
            Before it is settled.
        """
        if self._offset_ns is None:
            raise RuntimeError("there is no data time yet")
        self._last_ns = max(self._last_ns, self._clock.utc_ns() + self._offset_ns)
        return self._last_ns

    def wall_ns(self, data_ns: int) -> int:
        """Return when the wall clock shows a data time, UTC ns."""
        return data_ns - (self._offset_ns or 0)
