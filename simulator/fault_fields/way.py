"""What happens on the way from station to detector: the link, and clocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from simulator.fault_fields.base import FaultKind, Lasting
from simulator.fields import AfterZero, Share
from simulator.link_fields import Backlog, outage_contradictions

__all__ = [
    "ClockDrift",
    "ClockOffset",
    "Duplicates",
    "Loss",
    "OutageFault",
    "Reorder",
]


class _Between(FaultKind, frozen=True, kw_only=True, tag_field="kind"):
    """A fault of the link that holds for a while.

    Attributes
    ----------
    from_s, until_s : float or None
        Between these moments of arrival, s after the origin time; all the time if not given.
    """

    from_s: AfterZero | None = None
    until_s: AfterZero | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that it ends after it begins."""
        yield from super().contradictions()
        if self.from_s is not None and self.until_s is not None and self.until_s <= self.from_s:
            yield "until_s", f"expected more than from_s, which is {self.from_s:g}"


class Loss(_Between, frozen=True, kw_only=True, tag="loss"):
    """Packets are lost for good.

    Attributes
    ----------
    loss_share : float
        This part of them.
    """

    loss_share: Share


class Reorder(_Between, frozen=True, kw_only=True, tag="reorder"):
    """Packets are late, so that later ones overtake them.

    Attributes
    ----------
    late_share : float
        This part of them.
    most_s : float
        By up to so much, evenly drawn.
    """

    late_share: Share
    most_s: Lasting = 2.0


class Duplicates(_Between, frozen=True, kw_only=True, tag="duplicates"):
    """Packets come twice.

    Attributes
    ----------
    again_share : float
        This part of them.
    most_s : float
        The second time up to so much later, evenly drawn.
    """

    again_share: Share
    most_s: Lasting = 2.0


class OutageFault(FaultKind, frozen=True, kw_only=True, tag="outage"):
    """Nothing comes for a while; then all of it in one burst, or it is lost.

    Attributes
    ----------
    from_s : float
        Begin, s after the origin time.
    until_s : float or None
        End; if not given they never come back.
    backlog : str
        What was sent meanwhile is ``delivered`` in one burst at the end, or ``lost``.
    """

    from_s: AfterZero
    until_s: AfterZero | None = None
    backlog: Backlog = "delivered"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that the outage ends after it begins."""
        yield from super().contradictions()
        yield from outage_contradictions(self.from_s, self.until_s, self.backlog)


class ClockOffset(FaultKind, frozen=True, kw_only=True, tag="clock_offset"):
    """The clock is wrong: stamps move, arrivals do not.

    Attributes
    ----------
    offset_s : float
        Stamps are later by so much (earlier if negative).
    from_s : float or None
        From this moment of arrival on, s after the origin time; always if not given.
    """

    offset_s: Annotated[float, Meta(ge=-1e9, le=1e9)]
    from_s: AfterZero | None = None


class ClockDrift(FaultKind, frozen=True, kw_only=True, tag="clock_drift"):
    """The clock has lost its reference and runs fast or slow: stamps go off more and more.

    Attributes
    ----------
    drift_ppm : float
        So many microseconds later for every second; 1 to 50 for a quartz without GPS.
    from_s : float or None
        Since when, s after the origin time; since the first packet if not given.
    """

    drift_ppm: Annotated[float, Meta(ge=-1e5, le=1e5)]
    from_s: AfterZero | None = None
