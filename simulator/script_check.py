"""What a script asks for, against the stations and times that there are: before anything starts."""

from __future__ import annotations

from collections.abc import Iterator

from eew.clock import NS_PER_S
from eew.model.waveform import Recording
from simulator import fault_fields as kinds
from simulator.fault_fields import Fault
from simulator.fault_hits import FaultHits
from simulator.link_fields import Outage
from simulator.scenario import Script
from simulator.selection import missing_stations
from simulator.strict import Problem

__all__ = ["script_problems"]


def script_problems(script: Script, hits: FaultHits, recording: Recording) -> list[Problem]:
    """Find what cannot happen: unknown stations, nothing hit, a moment outside the records.

    Parameters
    ----------
    recording : Recording
        As it is before the faults; one without samples is checked for its stations alone.
    """
    problems: list[Problem] = []
    for i, outage in enumerate(script.link.outage):
        path = f"link.outage[{i}]"
        problems += _names(path, outage, hits, recording) or _nothing(
            path, hits.stations_of_outage(outage, i, recording)
        )
    for i, fault in enumerate(script.faults):
        path = f"fault[{i}]"
        if not isinstance(fault, kinds.Teleseism):
            wrong = _names(path, fault, hits, recording)
            if wrong:
                problems += wrong
                continue
            codes = hits.stations(fault, recording)
            problems += _nothing(path, codes) or _of_kind(path, fault, codes, hits, recording)
        problems += _moment(path, fault, hits, recording)
    return problems


def _names(
    path: str, fault: Fault | Outage, hits: FaultHits, recording: Recording
) -> list[Problem]:
    if isinstance(fault, kinds.Teleseism):
        return []
    codes = sorted({one.code for one in (*recording.stations, *recording.gnss)})
    where = f"{path}.stations"
    problems = [
        Problem(path=where, words=f"{where}: {words}") for words in missing_stations(fault, codes)
    ]
    if fault.needs_place and hits.zero.lat is None:
        name = "within_km" if fault.within_km is not None else "nearest"
        words = "no quake is known here to count from: expected lat and lon beside it"
        problems.append(Problem.found(f"{path}.{name}", getattr(fault, name), words))
    return problems


def _nothing(path: str, codes: tuple[str, ...]) -> list[Problem]:
    return [] if codes else [Problem(path=path, words=f"{path} hits no station of the network")]


def _of_kind(
    path: str, fault: Fault, codes: tuple[str, ...], hits: FaultHits, recording: Recording
) -> Iterator[Problem]:
    """Check what one kind alone needs."""
    places = {one.code: one for one in (*recording.stations, *recording.gnss)}
    if isinstance(fault, kinds.RegionDark) and hits.zero.depth_km is None:
        yield Problem(path=path, words=f"{path}: no quake is known here whose S wave could come")
    if isinstance(fault, kinds.SwappedCoordinates):
        far = [code for code in codes if abs(places[code].lon) > 90.0]
        if far:
            words = f"longitude {places[far[0]].lon:g} of {far[0]} cannot pass for a latitude"
            yield Problem(path=path, words=f"{path}: {words}")
    if isinstance(fault, kinds.ExchangedCoordinates) and len(codes) < 2:
        yield Problem(path=path, words=f"{path} hits one station: expected two or more")


def _moment(path: str, fault: Fault, hits: FaultHits, recording: Recording) -> list[Problem]:
    at_s = getattr(fault, "at_s", None)
    if at_s is None or not recording.segments:
        return []
    zero_ns = hits.zero.at_ns
    first_s, last_s = (
        (edge - zero_ns) / NS_PER_S for edge in (recording.start_ns, recording.end_ns)
    )
    if first_s <= at_s <= last_s:
        return []
    words = f"the records last from {first_s:.1f} to {last_s:.1f} s"
    return [Problem.found(f"{path}.at_s", at_s, words)]
