"""When what arrived: the steps of a replay from recorded times of arrival.

Does for packets whose way was recorded what :class:`simulator.schedule.Schedule` does with
modelled links; both give the same kind of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eew.model.waveform import Packet, Recording
from simulator.schedule import Step, check_tick_s, zero_and_end_ns

__all__ = ["RecordedArrivals"]


class RecordedArrivals:
    """The order in which recorded packets reached whoever recorded them.

    Ticks come every ``tick_s`` from the start until everything has arrived; at one instant data
    come before the tick. Can be iterated any number of times.

    Parameters
    ----------
    recording : Recording
        The same data as a recording: gives start and true origin.
    arrivals : iterable of (int, tuple of Packet)
        Packets with their time of arrival, UTC ns; in any order.
    tick_s : float
        Interval of ticks in s, > 0.
    until_s : float, optional
        Last data time that is played, in s after :attr:`zero_ns`.

    Attributes
    ----------
    start_ns, zero_ns, until_ns
        As of :class:`simulator.schedule.Schedule`.

    Raises
    ------
    ConfigError
        If a parameter is out of range, or ``until_s`` ends before the recording starts.
    """

    def __init__(
        self,
        recording: Recording,
        arrivals: Iterable[tuple[int, tuple[Packet, ...]]],
        tick_s: float = 0.5,
        until_s: float | None = None,
    ) -> None:
        self._tick_ns = check_tick_s(tick_s)
        together: dict[int, tuple[Packet, ...]] = {}
        for at_ns, packets in sorted(arrivals, key=lambda arrival: arrival[0]):
            together[at_ns] = together.get(at_ns, ()) + packets
        self._steps = [Step(at_ns, packets) for at_ns, packets in together.items()]
        self.start_ns = min([recording.start_ns, *list(together)[:1]])
        self.zero_ns, self.until_ns = zero_and_end_ns(recording, self.start_ns, until_s)

    def __iter__(self) -> Iterator[Step]:
        tick_ns = self.start_ns + self._tick_ns
        for step in self._steps:
            while tick_ns < step.now_ns:
                if self._is_over(tick_ns):
                    return
                yield Step(tick_ns, ())
                tick_ns += self._tick_ns
            if self._is_over(step.now_ns):
                return
            yield step
        if not self._is_over(tick_ns):
            yield Step(tick_ns, ())  # after the last data time passes once more

    def _is_over(self, now_ns: int) -> bool:
        return self.until_ns is not None and now_ns > self.until_ns
