"""The ``[link]`` of a scenario file: how packets get from the stations to the detector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from simulator.fields import AfterZero, Share, Table
from simulator.link import DEFAULT_MEDIAN_S, DEFAULT_SIGMA_LN
from simulator.selection import Selection

__all__ = ["Backlog", "LinkSpec", "Outage", "outage_contradictions"]

Delay = Annotated[float, Meta(ge=0.0, le=60.0)]
Lateness = Annotated[float, Meta(gt=0.0, le=600.0)]
Backlog = Literal["delivered", "lost"]


class Outage(Selection, frozen=True, kw_only=True):
    """Nothing comes from some stations for a while.

    Attributes
    ----------
    from_s : float
        Begin, s after the origin time.
    until_s : float or None
        End; if not given they never come back.
    backlog : str
        What the stations had sent meanwhile: ``delivered`` in one burst at the end, or ``lost``.
    """

    from_s: AfterZero
    until_s: AfterZero | None = None
    backlog: Backlog = "delivered"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that the outage ends after it begins."""
        yield from Selection.contradictions(self)
        yield from outage_contradictions(self.from_s, self.until_s, self.backlog)


def outage_contradictions(
    from_s: float, until_s: float | None, backlog: Backlog
) -> Iterator[tuple[str, str]]:
    """Check the times of an outage."""
    if until_s is not None and until_s <= from_s:
        yield "until_s", f"expected more than from_s, which is {from_s:g}"
    if until_s is None and backlog == "delivered":
        yield "backlog", 'expected "lost" where until_s is not given: nothing ever comes back'


class LinkSpec(Table, frozen=True, kw_only=True):
    """The way of the packets. Without this table: 0.5 s packets, a log-normal delay per station.

    Attributes
    ----------
    packet_s : float
        Length of a packet.
    median_s : float
        Median over stations of the delay from the end of a packet to its arrival.
    sigma_ln : float
        Spread of the logarithm of that delay over stations; 0 gives every station the median.
    fixed_s : float or None
        The same delay at every station, instead of median and spread.
    jitter_s : float
        Each packet is late by up to this much more, evenly drawn; packets of a station keep their
        order.
    loss_share : float
        This part of all packets never comes.
    reorder_share : float
        This part of all packets is late, so that later ones overtake them.
    reorder_most_s : float
        Those are late by up to so much, evenly drawn.
    duplicate_share : float
        This part of all packets comes a second time.
    duplicate_most_s : float
        Up to so much later, evenly drawn.
    outage : tuple of Outage
        Stations that are not heard of for a while, ``[[link.outage]]``.
    """

    packet_s: Annotated[float, Meta(ge=0.1, le=10.0)] = 0.5
    median_s: Delay = DEFAULT_MEDIAN_S
    sigma_ln: Annotated[float, Meta(ge=0.0, le=3.0)] = DEFAULT_SIGMA_LN
    fixed_s: Delay | None = None
    jitter_s: Annotated[float, Meta(ge=0.0, le=60.0)] = 0.0
    loss_share: Share = 0.0
    reorder_share: Share = 0.0
    reorder_most_s: Lateness = 2.0
    duplicate_share: Share = 0.0
    duplicate_most_s: Lateness = 2.0
    outage: tuple[Outage, ...] = ()

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that the delay is given in one way."""
        if self.fixed_s is not None and (self.median_s, self.sigma_ln) != (
            DEFAULT_MEDIAN_S,
            DEFAULT_SIGMA_LN,
        ):
            yield "fixed_s", "expected either fixed_s or median_s and sigma_ln"

    @property
    def delay_words(self) -> str:
        """The delay in words, for summaries."""
        if self.fixed_s is not None:
            return f"{self.fixed_s:g} s at every station"
        if self.sigma_ln == 0.0:
            return f"{self.median_s:g} s at every station"
        return f"log-normal per station, median {self.median_s:g} s"

    @property
    def trouble_words(self) -> tuple[str, ...]:
        """What else can go wrong on the way, for summaries."""
        shares = (
            (self.loss_share, "lost"),
            (self.reorder_share, "reordered"),
            (self.duplicate_share, "twice"),
        )
        outages = len(self.outage)
        return (
            *((f"jitter to {self.jitter_s:g} s",) if self.jitter_s else ()),
            *(f"{100.0 * share:g} % {words}" for share, words in shares if share),
            *((f"{outages} outage{'s' if outages > 1 else ''}",) if outages else ()),
        )
