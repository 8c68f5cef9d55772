"""The ``[[fault]]`` of a scenario file: one type for each kind of thing that goes wrong.

Every kind names its stations (:class:`simulator.selection.Selection`) and its own figures. Those of
:data:`DataFault` are in the records, those of :data:`LinkFault` happen on the way and cannot be
written to a folder of records.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from simulator.fields import AfterZero, Positive, Share, Table
from simulator.link_fields import Backlog, outage_contradictions
from simulator.selection import Selection

__all__ = [
    "Boxcar",
    "CalibrationSine",
    "CalibrationStep",
    "Clipping",
    "ClockDrift",
    "ClockOffset",
    "DataFault",
    "DeadComponent",
    "Duplicates",
    "ExchangedCoordinates",
    "Fault",
    "GainError",
    "Gaps",
    "Garbage",
    "Lightning",
    "LinkFault",
    "Loss",
    "MassMotion",
    "MovedCoordinates",
    "NoiseDrop",
    "NoisyGround",
    "OutageFault",
    "Polarity",
    "Recentering",
    "RegionDark",
    "Reorder",
    "SignalFault",
    "Silent",
    "Spike",
    "Stuck",
    "SwappedCoordinates",
    "Teleseism",
    "UrbanBurst",
]

Lasting = Annotated[float, Meta(gt=0.0, le=86_400.0)]
SizeShare = Annotated[float, Meta(ge=-1.0, le=1.0)]
Peak = Annotated[float, Meta(gt=0.0, le=100.0)]


class _Kind(Selection, frozen=True, kw_only=True, tag_field="kind"):
    """One kind of fault."""


class _At(_Kind, frozen=True, kw_only=True, tag_field="kind"):
    """A fault that begins at a moment.

    Attributes
    ----------
    at_s : float
        When, s after the origin time.
    """

    at_s: AfterZero


# ---------------------------------------------------------------- what the electronics do
class Gaps(_At, frozen=True, kw_only=True, tag="gaps"):
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


class Stuck(_At, frozen=True, kw_only=True, tag="stuck"):
    """One value is repeated.

    Attributes
    ----------
    lasts_s : float or None
        How long; to the end if not given.
    """

    lasts_s: Lasting | None = None


class Spike(_At, frozen=True, kw_only=True, tag="spike"):
    """One sample is far off.

    Attributes
    ----------
    size_share : float
        Its value, as a share of the digitiser's full scale.
    """

    size_share: SizeShare = 0.5


class Boxcar(_At, frozen=True, kw_only=True, tag="boxcar"):
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


class Recentering(_At, frozen=True, kw_only=True, tag="recentering"):
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


class CalibrationSine(_At, frozen=True, kw_only=True, tag="calibration_sine"):
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


class CalibrationStep(_At, frozen=True, kw_only=True, tag="calibration_step"):
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


class Clipping(_Kind, frozen=True, kw_only=True, tag="clipping"):
    """The range of the sensor ends early.

    Attributes
    ----------
    limit : float
        Where, in what the sensor measures: m/s**2 or m/s.
    """

    limit: Positive


class NoiseDrop(_At, frozen=True, kw_only=True, tag="noise_drop"):
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


class DeadComponent(_Kind, frozen=True, kw_only=True, tag="dead_component"):
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


class Garbage(_At, frozen=True, kw_only=True, tag="garbage"):
    """Broken telemetry puts random words and runs of zeros between the true samples.

    Attributes
    ----------
    lasts_s : float
        How long.
    """

    lasts_s: Lasting


class Silent(_At, frozen=True, kw_only=True, tag="silent"):
    """Nothing is recorded from a moment on."""


class RegionDark(_Kind, frozen=True, kw_only=True, tag="region_dark"):
    """Power goes when the S wave of the event comes: nothing is recorded from then on.

    Attributes
    ----------
    after_s_wave_s : float
        Time from the arrival of S at each station until it is dark.
    """

    after_s_wave_s: Annotated[float, Meta(ge=-60.0, le=600.0)] = 0.0


# ---------------------------------------------------------------- what the metadata say
class GainError(_Kind, frozen=True, kw_only=True, tag="gain_error"):
    """The sensitivity in the metadata is wrong.

    Attributes
    ----------
    factor : float
        The motion seems so many times larger than it is.
    """

    factor: Annotated[float, Meta(gt=0.0, le=1e6)]


class Polarity(_Kind, frozen=True, kw_only=True, tag="polarity"):
    """All components are upside down."""


class MovedCoordinates(_Kind, frozen=True, kw_only=True, tag="moved_coordinates"):
    """The metadata have a station where it is not.

    Attributes
    ----------
    distance_km : float
        So far from its true place.
    azimuth_deg : float
        In this direction, from north over east.
    """

    distance_km: Annotated[float, Meta(gt=0.0, le=20_000.0)]
    azimuth_deg: Annotated[float, Meta(ge=0.0, le=360.0)] = 0.0


class SwappedCoordinates(_Kind, frozen=True, kw_only=True, tag="swapped_coordinates"):
    """The metadata have latitude for longitude (only where the longitude can pass for one)."""


class ExchangedCoordinates(_Kind, frozen=True, kw_only=True, tag="exchanged_coordinates"):
    """The metadata have each of two stations at the place of the other, pair by pair in order."""


# ---------------------------------------------------------------- what comes through the ground
class Lightning(_At, frozen=True, kw_only=True, tag="lightning"):
    """All stations chosen are jolted in the same instant.

    Attributes
    ----------
    peak_mps2 : float
        Median over stations of the peak.
    lasts_s : float
        Time in which a jolt falls to 1/20.
    """

    peak_mps2: Peak
    lasts_s: Lasting = 0.4


class UrbanBurst(_At, frozen=True, kw_only=True, tag="urban_burst"):
    """A lorry or a pile driver passes: 3 to 15 Hz that swells and goes.

    Attributes
    ----------
    lasts_s : float
        How long.
    peak_mps2 : float
        Largest acceleration.
    """

    lasts_s: Lasting
    peak_mps2: Peak


class MassMotion(_At, frozen=True, kw_only=True, tag="mass_motion"):
    """All stations chosen shake at the same time, each its own way: people who jump at a goal.

    Attributes
    ----------
    lasts_s : float
        How long.
    peak_mps2 : float
        Largest acceleration.
    """

    lasts_s: Lasting
    peak_mps2: Peak


class NoisyGround(_Kind, frozen=True, kw_only=True, tag="noisy_ground"):
    """Steady noise from 0.1 to 10 Hz is in all of the record: the sea floor in a storm.

    Attributes
    ----------
    rms_mps2 : float
        Root mean square.
    """

    rms_mps2: Peak


class Teleseism(Table, frozen=True, kw_only=True, tag_field="kind", tag="teleseism"):
    """The waves of a far, large quake cross the whole network.

    Attributes
    ----------
    at_s : float
        When they reach its middle, s after the origin time.
    peak_displacement_m : float
        Largest vertical displacement; 0.0001 to 0.001 for an M8.
    backazimuth_deg : float
        Where they come from.
    apparent_velocity_kms : float
        Along the surface: 8 km/s from 1,500 km away, 24 km/s from 10,000 km.
    corner_hz : float
        Of the source: 0.05 is an M7.5, 0.02 an M8.3.
    """

    at_s: AfterZero
    peak_displacement_m: Annotated[float, Meta(gt=0.0, le=0.1)]
    backazimuth_deg: Annotated[float, Meta(ge=0.0, le=360.0)] = 0.0
    apparent_velocity_kms: Annotated[float, Meta(ge=4.0, le=100.0)] = 12.0
    corner_hz: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.04


# ---------------------------------------------------------------- what happens on the way
class _Between(_Kind, frozen=True, kw_only=True, tag_field="kind"):
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


class OutageFault(_Kind, frozen=True, kw_only=True, tag="outage"):
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


class ClockOffset(_Kind, frozen=True, kw_only=True, tag="clock_offset"):
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


class ClockDrift(_Kind, frozen=True, kw_only=True, tag="clock_drift"):
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


SignalFault = (
    Stuck
    | Spike
    | Boxcar
    | Recentering
    | CalibrationSine
    | CalibrationStep
    | Clipping
    | NoiseDrop
    | Garbage
    | Lightning
    | UrbanBurst
    | MassMotion
    | NoisyGround
)
DataFault = (
    SignalFault
    | Gaps
    | Silent
    | RegionDark
    | DeadComponent
    | GainError
    | Polarity
    | MovedCoordinates
    | SwappedCoordinates
    | ExchangedCoordinates
    | Teleseism
)
LinkFault = Loss | Reorder | Duplicates | OutageFault | ClockOffset | ClockDrift
Fault = DataFault | LinkFault
