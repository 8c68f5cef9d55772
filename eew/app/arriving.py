"""What arrives where data are received: packets of a run with all that goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from eew.app.options import RunOptions
from eew.model.waveform import Packet, Recording
from simulator.arrivals import RecordedArrivals
from simulator.link import LinkDelay
from simulator.link_script import apply_link, delay_of
from simulator.schedule import Schedule, Step
from simulator.selection import Zero

__all__ = ["Arrivals", "arriving_steps", "link_delay", "make_schedule"]

Arrivals = Sequence[tuple[int, tuple[Packet, ...]]]


def make_schedule(
    recording: Recording, options: RunOptions, arrivals: Arrivals = ()
) -> Schedule | RecordedArrivals:
    """Return when each packet would arrive were nothing to go wrong.

    Parameters
    ----------
    arrivals : sequence
        Packets with the time of their arrival, UTC ns, where that was recorded.
    """
    if arrivals:
        return RecordedArrivals(recording, arrivals, until_s=options.until_s)
    return Schedule(
        recording,
        packet_s=options.profile.packet_s,
        link=link_delay(options),
        until_s=options.until_s,
        seed=options.seed,
    )


def link_delay(options: RunOptions) -> LinkDelay:
    """Return the delays per station, as the user or the scenario wants them."""
    return delay_of(options.profile, options.seed)


def arriving_steps(
    schedule: Schedule | RecordedArrivals, recording: Recording, options: RunOptions
) -> Iterator[Step]:
    """Let what the scenario says go wrong on the way."""
    steps = apply_link(
        schedule,
        options.profile,
        options.faults,
        recording,
        zero=options.zero or Zero.of(recording),
        seed=options.seed,
    )
    until_ns = schedule.until_ns  # what was held back may come later than that
    return takewhile(lambda step: until_ns is None or step.now_ns <= until_ns, steps)
