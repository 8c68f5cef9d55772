"""Whom each fault of a scenario hits, when, and from where it takes its chance.

Each fault draws from a seed of its own, made of the run's seed, its kind and its number among those
of its kind: another fault changes nothing for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eew.clock import NS_PER_S
from eew.model.waveform import Recording, Station
from simulator import fault_fields as kinds
from simulator.fault_fields import Fault, LinkFault
from simulator.link_fields import Outage
from simulator.seeds import rng
from simulator.selection import Zero, selected

__all__ = ["FaultHits", "is_of_the_link", "kind_of"]

# what takes the power or the link of a place takes its GNSS receiver, too
_POWER_OR_LINK = LinkFault | Outage | kinds.Gaps | kinds.Silent | kinds.RegionDark


def kind_of(fault: Fault) -> str:
    """Return the word that a file has for a fault."""
    return str(fault.__struct_config__.tag)


def is_of_the_link(fault: Fault) -> bool:
    """Tell whether a fault happens on the way, so that no folder of records can hold it."""
    return isinstance(fault, LinkFault)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHits:
    """What all faults of one script share.

    Attributes
    ----------
    script : tuple of Fault
        In order of the file.
    zero : Zero
        What their times and distances count from.
    seed : int
        Of the run.
    """

    script: tuple[Fault, ...]
    zero: Zero
    seed: int

    def stations(self, fault: Fault, recording: Recording) -> tuple[str, ...]:
        """Return the codes of the stations that a fault hits, sorted."""
        if isinstance(fault, kinds.Teleseism):
            return tuple(sorted(station.code for station in recording.stations))
        return selected(fault, _reach(fault, recording), self.zero, self.seed, *self._labels(fault))

    def stations_of_outage(
        self, outage: Outage, number: int, recording: Recording
    ) -> tuple[str, ...]:
        """Return the codes of the stations that the nth outage of a link hits, sorted."""
        reach = _reach(outage, recording)
        return selected(outage, reach, self.zero, self.seed, "outage", number)

    def seed_of(self, fault: Fault) -> int:
        """Return the seed of a fault."""
        return int(rng(self.seed, *self._labels(fault)).integers(2**62))

    def ns(self, after_s: float) -> int:
        """Return a time of the script as UTC ns."""
        return self.zero.at_ns + round(after_s * NS_PER_S)

    def ns_or_none(self, after_s: float | None) -> int | None:
        """Return a time of the script as UTC ns; None stays None."""
        return None if after_s is None else self.ns(after_s)

    def _labels(self, fault: Fault) -> tuple[str, str, int]:
        same = [one for one in self.script if type(one) is type(fault)]
        return "fault", kind_of(fault), next(n for n, one in enumerate(same) if one is fault)


def _reach(fault: Fault | Outage, recording: Recording) -> Sequence[Station]:
    """Return the stations that a fault can hit."""
    if not isinstance(fault, _POWER_OR_LINK):
        return recording.stations
    codes = {station.code for station in recording.stations}
    return (*recording.stations, *(one for one in recording.gnss if one.code not in codes))
