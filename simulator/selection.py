"""Which stations a fault hits: by name, by distance, by number, by chance."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated

import numpy as np
from msgspec import Meta

from eew.model.waveform import Recording, Station
from eew.physics.geo import epicentral_distance_km
from simulator.fields import Lat, Lon, Positive, Table
from simulator.seeds import rng

__all__ = ["Selection", "Zero", "missing_stations", "selected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """The moment and the place that the times and distances of a script count from.

    Attributes
    ----------
    at_ns : int
        UTC ns: the origin of the quake, or the first sample where no quake is known.
    lat, lon, depth_km : float or None
        Hypocentre of the quake; None where none is known.
    """

    at_ns: int
    lat: float | None = None
    lon: float | None = None
    depth_km: float | None = None

    def moved(self, by_ns: int) -> Zero:
        """Return the same place at a later moment."""
        return replace(self, at_ns=self.at_ns + by_ns)

    @classmethod
    def of(cls, recording: Recording) -> Zero:
        """Take the truth of a recording, or its first sample."""
        truth = recording.truth
        if truth is None:
            return cls(at_ns=recording.start_ns)
        return cls(
            at_ns=truth.origin_time_ns, lat=truth.lat, lon=truth.lon, depth_km=truth.depth_km
        )


class Selection(Table, frozen=True, kw_only=True):
    """Stations: each field that is given narrows the choice further, in this order.

    Attributes
    ----------
    all : bool
        Every station; stands alone.
    stations : tuple of str
        Codes ``NET.STA``; ``*`` and ``?`` stand for any letters.
    within_km : float or None
        Those within this distance of ``lat``, ``lon``.
    nearest : int or None
        So many, nearest to ``lat``, ``lon`` first.
    share : float or None
        This part of them, drawn from the seed; at least one.
    lat, lon : float or None
        Where distances count from; by default the epicentre of the event.
    """

    all: bool = False
    stations: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    within_km: Positive | None = None
    nearest: Annotated[int, Meta(ge=1)] | None = None
    share: Annotated[float, Meta(gt=0.0, le=1.0)] | None = None
    lat: Lat | None = None
    lon: Lon | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that some stations are asked for, and in one way."""
        given = [
            name for name in ("stations", "within_km", "nearest", "share") if getattr(self, name)
        ]
        if self.all and given:
            yield "all", f"expected false where {given[0]} chooses"
        if not self.all and not given:
            yield (
                "stations",
                "no stations chosen: expected stations, within_km, nearest, share or all",
            )
        if (self.lat is None) != (self.lon is None):
            yield "lat", "expected lat and lon together"

    @property
    def needs_place(self) -> bool:
        """Whether the place of the event has to be known."""
        return (self.within_km is not None or self.nearest is not None) and self.lat is None


def missing_stations(selection: Selection, codes: Sequence[str]) -> list[str]:
    """Say which names of a selection fit no station, with the name that comes closest."""
    found = []
    for name in selection.stations:
        if not any(fnmatchcase(code, name) for code in codes):
            near = difflib.get_close_matches(name, codes, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {_few(codes)}"
            found.append(f"{name!r} is no station of the network, {hint}")
    return found


def selected(
    selection: Selection, stations: Sequence[Station], zero: Zero, seed: int, *labels: str | int
) -> tuple[str, ...]:
    """Return the codes of the stations that a fault hits, sorted.

    Parameters
    ----------
    seed : int
        Of the run; with ``labels`` it decides the draw of ``share``. Each station draws for
        itself: another station changes nothing of its luck.
    """
    chosen = list(stations)
    if selection.stations:
        chosen = [
            one for one in chosen if any(fnmatchcase(one.code, n) for n in selection.stations)
        ]
    if selection.within_km is not None or selection.nearest is not None:
        lat = zero.lat if selection.lat is None else selection.lat
        lon = zero.lon if selection.lon is None else selection.lon
        assert lat is not None
        assert lon is not None
        away_km = {
            one.code: float(d)
            for one, d in zip(
                chosen,
                epicentral_distance_km(
                    lat,
                    lon,
                    np.array([one.lat for one in chosen]),
                    np.array([one.lon for one in chosen]),
                ),
                strict=True,
            )
        }
        if selection.within_km is not None:
            chosen = [one for one in chosen if away_km[one.code] <= selection.within_km]
        chosen.sort(key=lambda one: (away_km[one.code], one.code))
        if selection.nearest is not None:
            chosen = chosen[: selection.nearest]
    codes = [one.code for one in chosen]
    if selection.share is not None and codes:
        luck = {code: rng(seed, *labels, "share", code).uniform() for code in codes}
        number = max(1, math.floor(selection.share * len(codes) + 0.5))
        codes = sorted(codes, key=lambda code: (luck[code], code))[:number]
    return tuple(sorted(codes))


def _few(codes: Sequence[str]) -> str:
    shown = ", ".join(codes[:3])
    return f"{shown} and {len(codes) - 3} more" if len(codes) > 3 else shown
