"""What all kinds of faults have in common: their stations, the moment, the ranges of figures."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.fields import AfterZero
from simulator.selection import Selection

__all__ = ["FaultAt", "FaultKind", "Lasting", "Peak", "SizeShare"]

Lasting = Annotated[float, Meta(gt=0.0, le=86_400.0)]
SizeShare = Annotated[float, Meta(ge=-1.0, le=1.0)]
Peak = Annotated[float, Meta(gt=0.0, le=100.0)]


class FaultKind(Selection, frozen=True, kw_only=True, tag_field="kind"):
    """One kind of fault, at the stations it names."""


class FaultAt(FaultKind, frozen=True, kw_only=True, tag_field="kind"):
    """A fault that begins at a moment.

    Attributes
    ----------
    at_s : float
        When, s after the origin time.
    """

    at_s: AfterZero
