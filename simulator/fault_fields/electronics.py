"""What the electronics of a station do wrong: sensor, digitiser, power."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from simulator.fault_fields.base import FaultAt, FaultKind, Lasting, SizeShare
from simulator.fields import AfterZero, Positive, Share

__all__ = [
    "Boxcar",
    "CalibrationSine",
    "CalibrationStep",
    "Clipping",
    "DeadComponent",
    "Gaps",
    "Garbage",
    "NoiseDrop",
    "Recentering",
    "RegionDark",
    "Silent",
    "Spike",
    "Stuck",
]


class Gaps(FaultAt, frozen=True, kw_only=True, tag="gaps"):
    """Samples are missing; the data go on behind.

    Attributes
    ----------
    lasts_s : float
        Length of each gap.
    number : int
        So many at each station, the first at ``at_s``.
    within_s : float
        The others are drawn within this time behind it, for each station its own.
    """

    lasts_s: Lasting
    number: Annotated[int, Meta(ge=1, le=1000)] = 1
    within_s: Annotated[float, Meta(ge=0.0, le=86_400.0)] = 0.0

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that several gaps have room."""
        yield from super().contradictions()
        if self.number > 1 and self.within_s <= 0.0:
            yield "within_s", f"expected more than 0 for {self.number} gaps"


class Stuck(FaultAt, frozen=True, kw_only=True, tag="stuck"):
    """One value is repeated.

    Attributes
    ----------
    lasts_s : float or None
        How long; to the end if not given.
    """

    lasts_s: Lasting | None = None


class Spike(FaultAt, frozen=True, kw_only=True, tag="spike"):
    """One sample is far off.

    Attributes
    ----------
    size_share : float
        Its value, as a share of the digitiser's full scale.
    """

    size_share: SizeShare = 0.5


class Boxcar(FaultAt, frozen=True, kw_only=True, tag="boxcar"):
    """A constant is added, with edges of one sample: a relay, a bad contact.

    Attributes
    ----------
    lasts_s : float
        How long.
    size_share : float
        The constant, as a share of full scale.
    """

    lasts_s: Lasting
    size_share: SizeShare = 0.2


class Recentering(FaultAt, frozen=True, kw_only=True, tag="recentering"):
    """The masses of a broadband sensor are driven back to the middle.

    Attributes
    ----------
    hold_s : float
        So long the motors run, before it swings back over a minute.
    size_share : float
        Height of the pulse, as a share of full scale.
    """

    hold_s: Lasting = 2.0
    size_share: SizeShare = 1.0


class CalibrationSine(FaultAt, frozen=True, kw_only=True, tag="calibration_sine"):
    """A sine goes through the calibration coil.

    Attributes
    ----------
    lasts_s : float
        How long, to a whole number of periods.
    frequency_hz : float
        Of the sine.
    size_share : float
        Its amplitude, as a share of full scale.
    """

    lasts_s: Lasting
    frequency_hz: Annotated[float, Meta(gt=0.0, le=125.0)] = 1.0
    size_share: SizeShare = 0.1


class CalibrationStep(FaultAt, frozen=True, kw_only=True, tag="calibration_step"):
    """A step goes through the calibration coil, and back.

    Attributes
    ----------
    lasts_s : float
        Time between the two.
    size_share : float
        Height, as a share of full scale.
    """

    lasts_s: Lasting
    size_share: SizeShare = 0.1


class Clipping(FaultKind, frozen=True, kw_only=True, tag="clipping"):
    """The range of the sensor ends early.

    Attributes
    ----------
    limit : float
        Where, in what the sensor measures: m/s**2 or m/s.
    """

    limit: Positive


class NoiseDrop(FaultAt, frozen=True, kw_only=True, tag="noise_drop"):
    """The signal falls to almost nothing, and comes back: what made Japan's false M7.8 of 2013.

    Attributes
    ----------
    lasts_s : float
        Time between fall and return.
    floor_share : float
        Part of the motion that is left meanwhile.
    """

    lasts_s: Lasting
    floor_share: Share = 0.001


class DeadComponent(FaultKind, frozen=True, kw_only=True, tag="dead_component"):
    """One component of three says nothing any more.

    Attributes
    ----------
    component : str
        ``vertical``, ``horizontal_1`` (north) or ``horizontal_2`` (east).
    at_s : float or None
        From when, s after the origin time; from the beginning if not given.
    missing : bool
        True: the channel is not sent at all; false: it is sent, and stands still.
    """

    component: Literal["vertical", "horizontal_1", "horizontal_2"] = "vertical"
    at_s: AfterZero | None = None
    missing: bool = False


class Garbage(FaultAt, frozen=True, kw_only=True, tag="garbage"):
    """Broken telemetry puts random words and runs of zeros between the true samples.

    Attributes
    ----------
    lasts_s : float
        How long.
    """

    lasts_s: Lasting


class Silent(FaultAt, frozen=True, kw_only=True, tag="silent"):
    """Nothing is recorded from a moment on."""


class RegionDark(FaultKind, frozen=True, kw_only=True, tag="region_dark"):
    """Power goes when the S wave of the event comes: nothing is recorded from then on.

    Attributes
    ----------
    after_s_wave_s : float
        Time from the arrival of S at each station until it is dark.
    """

    after_s_wave_s: Annotated[float, Meta(ge=-60.0, le=600.0)] = 0.0
