"""The tables of a scenario file as types: what a field is called and what it may be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from simulator.fault_fields import Fault
from simulator.fields import (
    AfterZero,
    Country,
    Language,
    Lat,
    Lon,
    NotNegative,
    Positive,
    Share,
    Table,
)
from simulator.link_fields import LinkSpec

__all__ = [
    "COMPUTED_NEEDS",
    "AftershocksSpec",
    "DevicesSpec",
    "EventSpec",
    "Expectation",
    "FaultSpec",
    "HelpSpec",
    "LineSpec",
    "NetworkSpec",
    "NoiseSpec",
    "RecordSpec",
    "ScenarioFile",
    "SiteSpec",
    "SourceSpec",
    "utc_ns",
]

# what a file must have that computes a quake
COMPUTED_NEEDS = ("region", "country", "languages", "event", "network")

Depth = Annotated[float, Meta(ge=0.0, le=700.0)]
Magnitude = Annotated[float, Meta(ge=3.0, le=9.3)]
Azimuth = Annotated[float, Meta(ge=0.0, le=360.0)]
StressDrop = Annotated[float, Meta(ge=1.0, le=1000.0)]
Devices = Annotated[int, Meta(ge=0, le=100_000)]

_DRAWN = ("spacing_km", "outer_spacing_km", "dense_radius_km")


class FaultSpec(Table, frozen=True, kw_only=True):
    """The plane that breaks, and where on it the rupture begins.

    Attributes
    ----------
    strike_deg, dip_deg, rake_deg : float
        As of Aki & Richards: the plane dips to the right of its strike.
    length_km, width_km : float
        Along strike and down dip.
    along_share : float
        Where the rupture begins along the strike: 0 at its beginning, 1 at its end.
    down_share : float
        Where it begins down dip: 0 at the upper edge, 1 at the lower.
    """

    strike_deg: Azimuth
    dip_deg: Annotated[float, Meta(gt=0.0, le=90.0)]
    rake_deg: Annotated[float, Meta(ge=-180.0, le=180.0)]
    length_km: Annotated[float, Meta(gt=0.0, le=2000.0)]
    width_km: Annotated[float, Meta(gt=0.0, le=300.0)]
    along_share: Share = 0.5
    down_share: Share = 0.5


class LineSpec(Table, frozen=True, kw_only=True):
    """A straight line of point sources that go off one after the other, instead of a plane.

    Attributes
    ----------
    strike_deg : float
        Direction of the line.
    length_km : float
        From the first to the last part.
    velocity_kms : float
        Speed of the rupture front.
    weights : tuple of float
        Share of the moment of each part, in any unit, in order along the strike.
    begins_share : float
        Where along the line the hypocentre is: 0 at its beginning, 1 at its end.
    """

    strike_deg: Azimuth
    length_km: Annotated[float, Meta(gt=0.0, le=2000.0)]
    velocity_kms: Annotated[float, Meta(ge=0.5, le=6.0)] = 2.5
    weights: Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=200)] = (1.0,) * 8
    begins_share: Share = 0.0


class EventSpec(Table, frozen=True, kw_only=True):
    """The quake that times and distances count from.

    Attributes
    ----------
    catalogue : str or None
        Name of a known quake (``eew events list``): whatever else the file leaves out of this
        table, and title, region, country, languages and places, are those of that quake.
    id : str
        Letters, digits, dot, hyphen and underscore.
    origin_time : datetime
        With its time zone, ``Z`` for UTC.
    lat, lon : float
        Epicentre, degrees north and east.
    depth_km : float
        Of the hypocentre.
    magnitude : float
        What the generator takes as moment magnitude.
    magnitude_type : str
        What the alert's truth calls it.
    stress_drop_bar : float or None
        That of the region if not given.
    fault : FaultSpec or None
        The plane that breaks, ``[event.fault]``.
    line : LineSpec or None
        A line that breaks, ``[event.line]``.
    """

    catalogue: Annotated[str, Meta(min_length=1)] | None = None
    id: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
    origin_time: Annotated[dt.datetime, Meta(tz=True)]
    lat: Lat
    lon: Lon
    depth_km: Depth
    magnitude: Magnitude
    magnitude_type: Annotated[str, Meta(pattern="^[A-Za-z]{1,8}$")] = "Mw"
    stress_drop_bar: StressDrop | None = None
    fault: FaultSpec | None = None
    line: LineSpec | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that one thing breaks."""
        if self.fault is not None and self.line is not None:
            yield "line", "expected either a fault or a line"

    @property
    def origin_time_ns(self) -> int:
        """UTC ns."""
        return utc_ns(self.origin_time)


class SourceSpec(Table, frozen=True, kw_only=True):
    """A further quake on the same network.

    Attributes
    ----------
    after_s : float or None
        Its origin time, s after that of the event; or ``origin_time``.
    origin_time : datetime or None
        Its origin time as a moment, with its time zone.
    lat, lon : float or None
        Its epicentre; or ``distance_km`` and ``azimuth_deg``.
    distance_km : float or None
        From the event's epicentre to its own.
    azimuth_deg : float or None
        In this direction, from north over east.
    depth_km : float or None
        That of the event if not given.
    magnitude : float
        Moment magnitude.
    stress_drop_bar : float or None
        That of the region if not given.
    fault : FaultSpec or None
        The plane that breaks, ``[source.fault]`` behind its ``[[source]]``.
    line : LineSpec or None
        A line that breaks.
    """

    after_s: AfterZero | None = None
    origin_time: Annotated[dt.datetime, Meta(tz=True)] | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    distance_km: Annotated[float, Meta(ge=0.0, le=2000.0)] | None = None
    azimuth_deg: Azimuth | None = None
    depth_km: Depth | None = None
    magnitude: Magnitude
    stress_drop_bar: StressDrop | None = None
    fault: FaultSpec | None = None
    line: LineSpec | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that time, place and rupture are each given once."""
        if (self.after_s is None) == (self.origin_time is None):
            yield "after_s", "expected either after_s or origin_time"
        absolute = self.lat is not None, self.lon is not None
        relative = self.distance_km is not None, self.azimuth_deg is not None
        if not ((all(absolute) and not any(relative)) or (all(relative) and not any(absolute))):
            yield "lat", "expected either lat and lon, or distance_km and azimuth_deg"
        if self.fault is not None and self.line is not None:
            yield "line", "expected either a fault or a line"


class AftershocksSpec(Table, frozen=True, kw_only=True):
    """A storm of quakes: places over a disc, times over an interval, sizes by their number.

    Attributes
    ----------
    number : int
        How many.
    after_s : float
        None comes earlier after the origin time of the event.
    within_s : float
        All come within so much from then.
    magnitude : tuple of float
        Smallest and largest; the largest is among them for certain.
    b_value : float
        Of the law of Gutenberg and Richter.
    radius_km : float
        Of the disc around ``lat``, ``lon``.
    depth_km : tuple of float
        Smallest and largest.
    lat, lon : float or None
        Middle of the disc; the epicentre of the event if not given.
    seed : int or None
        Draws the same storm for every seed of the run.
    """

    number: Annotated[int, Meta(ge=1, le=1000)]
    after_s: AfterZero = 0.0
    within_s: Annotated[float, Meta(gt=0.0, le=86_400.0)]
    magnitude: tuple[Magnitude, Magnitude]
    b_value: Annotated[float, Meta(ge=0.3, le=3.0)] = 1.0
    radius_km: Annotated[float, Meta(gt=0.0, le=1000.0)]
    depth_km: tuple[Depth, Depth] = (5.0, 15.0)
    lat: Lat | None = None
    lon: Lon | None = None
    seed: Annotated[int, Meta(ge=0)] | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that the pairs are in order."""
        for name in ("magnitude", "depth_km"):
            low, high = getattr(self, name)
            if low > high:
                yield name, "expected the smaller one first"
        if (self.lat is None) != (self.lon is None):
            yield "lat", "expected lat and lon together"


class NetworkSpec(Table, frozen=True, kw_only=True):
    """The stations: a named network, a list of stations, or drawn around the epicentre.

    Drawn ones are dense around the epicentre, thinner outwards, on land, and one stands at every
    site.

    Attributes
    ----------
    name : str or None
        Table of ``eew/tables/networks.toml``: the stations of that network within ``radius_km``.
    file : str or None
        StationXML, FDSN station text, or a folder with ``stations.xml``: its stations within
        ``radius_km``, with accelerometers of kind ``sensor``. A relative path is taken from the
        scenario file.
    code : str
        FDSN network code; ``SY`` is the one kept for synthetic data.
    spacing_km : float
        Of drawn stations: distance between neighbours out to ``dense_radius_km``.
    outer_spacing_km : float
        The same at ``radius_km``; grows evenly in between.
    dense_radius_km : float
        Of drawn stations: ``spacing_km`` holds out to here.
    radius_km : float
        No stations beyond, but those at sites.
    sampling_rate_hz, sensor : float and str
        Of drawn stations and those of a file.
    on_land : bool
        False lets drawn stations stand at sea, as cabled ones do.
    seed : int or None
        Draws the same network for every seed of the run; None draws one for each.
    gnss_spacing_km : float or None
        Distance between satellite receivers, which stand beside stations; None has none.
    """

    name: str | None = None
    file: str | None = None
    code: Annotated[str, Meta(pattern="^[A-Z0-9]{1,2}$")] = "SY"
    spacing_km: Annotated[float, Meta(ge=3.0, le=100.0)] | None = None
    outer_spacing_km: Annotated[float, Meta(ge=3.0, le=200.0)] | None = None
    dense_radius_km: NotNegative | None = None
    radius_km: Annotated[float, Meta(gt=0.0, le=1000.0)]
    sampling_rate_hz: Annotated[float, Meta(ge=20.0, le=250.0)] | None = None
    sensor: str | None = None
    on_land: bool = True
    seed: Annotated[int, Meta(ge=0)] | None = None
    gnss_spacing_km: Annotated[float, Meta(ge=5.0, le=500.0)] | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Give what no single field shows: pairs of a field and what is expected of it."""
        if self.name is not None and self.file is not None:
            yield "file", "expected either a name or a file"
        listed = self.name is not None or self.file is not None
        needed = () if self.name is not None else ("sampling_rate_hz", "sensor")
        for field in needed if listed else (*_DRAWN, *needed):
            if getattr(self, field) is None:
                yield field, "is missing"
        for field in _DRAWN if listed else ():
            if getattr(self, field) is not None:
                yield field, "expected nothing where the stations are those of a name or a file"
        if self.dense_radius_km is not None and self.dense_radius_km > self.radius_km:
            yield "dense_radius_km", f"expected at most radius_km, which is {self.radius_km!r}"
        inner_km, outer_km = self.spacing_km, self.outer_spacing_km
        if inner_km is not None and outer_km is not None and outer_km < inner_km:
            yield "outer_spacing_km", f"expected at least spacing_km, which is {self.spacing_km!r}"

    @property
    def words(self) -> str:
        """The network in a few words."""
        if self.name is not None:
            return f"stations of {self.name}, out to {self.radius_km:g} km"
        if self.file is not None:
            return f"stations of {self.file}, out to {self.radius_km:g} km"
        return (
            f"a station every {self.spacing_km:g} km, every {self.outer_spacing_km:g} km at the "
            f"edge, out to {self.radius_km:g} km"
        )


class NoiseSpec(Table, frozen=True, kw_only=True):
    """Ground noise: share of the way from the low to the high noise model, drawn per station.

    Attributes
    ----------
    level : float
        Middle over stations: 0 is the low noise model, 1 the high one.
    spread : float
        Stations lie this far to either side of it.
    """

    level: Share = 0.5
    spread: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.2


class RecordSpec(Table, frozen=True, kw_only=True):
    """How long before and after the origin the records last.

    Attributes
    ----------
    before_s, after_s : float
        Before and after the origin time of the event.
    """

    before_s: Annotated[float, Meta(ge=5.0, le=600.0)] = 30.0
    after_s: Annotated[float, Meta(ge=10.0, le=3600.0)] = 120.0


class DevicesSpec(Table, frozen=True, kw_only=True):
    """Phones and televisions, placed by population.

    Attributes
    ----------
    phones, tvs : int or None
        How many; 20 and 4 if not given.
    languages : tuple of str
        Of the devices in turn; those of the file if not given.
    """

    phones: Devices | None = None
    tvs: Devices | None = None
    languages: tuple[Literal["en", "zh", "ja", "es", "tr"], ...] = ()


class HelpSpec(Table, frozen=True, kw_only=True):
    """Help packs that are on the devices before anything happens.

    Attributes
    ----------
    packs : tuple of str
        Files made by ``eew help-pack build``; paths count from the folder of this file.
    """

    packs: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]


class Expectation(Table, frozen=True, kw_only=True):
    """What a working detector must reach on this scenario; nothing is asked of what is left out.

    Attributes
    ----------
    detected : bool or None
        Whether the quake is alerted.
    no_alert : bool
        True: nobody may be alerted at all.
    events : int or None
        So many events are alerted.
    first_alert_s : float or None
        The first alert is decided within so much of the origin time.
    epicentre_error_km : float or None
        The final message is at most so far off.
    magnitude_error : float or None
        The final magnitude is at most so far off, either way.
    """

    detected: bool | None = None
    no_alert: bool = False
    events: Annotated[int, Meta(ge=0, le=1000)] | None = None
    first_alert_s: Positive | None = None
    epicentre_error_km: Positive | None = None
    magnitude_error: Positive | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that silence is not asked for together with an alert."""
        if self.no_alert:
            for name in ("detected", "events", "first_alert_s", "epicentre_error_km"):
                if getattr(self, name):
                    yield name, "expected nothing of an alert where no_alert is true"


class SiteSpec(Table, frozen=True, kw_only=True):
    """A town; it gets devices, a station beside it and a line in the table of lead times.

    Attributes
    ----------
    name : str
        As people call it.
    lat, lon : float
        Degrees north and east.
    population : int
        Decides how many devices it gets.
    country : str or None
        ISO 3166-1 alpha-2; that of the file if not given.
    vs30_mps : float or None
        Mean S velocity of the upper 30 m.
    """

    name: Annotated[str, Meta(min_length=1)]
    lat: Lat
    lon: Lon
    population: Annotated[int, Meta(ge=0)] = 0
    country: Country | None = None
    vs30_mps: Annotated[float, Meta(ge=100.0, le=2000.0)] | None = None


class ScenarioFile(Table, frozen=True, kw_only=True):
    """A scenario: a computed quake and what goes wrong, or a script laid over a recorded one.

    Attributes
    ----------
    title : str
        One line for people.
    recorded : str or None
        Folder of a recorded quake, counted from the folder of this file. Then region, event,
        source, aftershocks, network, noise and record have no place here.
    region : str or None
        Table of ``eew/tables/attenuation.toml``: how waves fade there.
    country : str or None
        ISO 3166-1 alpha-2; chooses the help pack.
    languages : tuple of str
        Spoken there, the first one by most.
    event : EventSpec or None
        The quake.
    source : tuple of SourceSpec
        Further quakes.
    aftershocks : tuple of AftershocksSpec
        Storms of quakes.
    network : NetworkSpec or None
        The stations.
    noise : NoiseSpec
        What they hear without a quake.
    record : RecordSpec
        How long they record.
    link : LinkSpec
        The way to the detector.
    fault : tuple of Fault
        What goes wrong, by ``kind``.
    devices : DevicesSpec
        Phones and televisions.
    site : tuple of SiteSpec
        Towns.
    help : HelpSpec or None
        Help packs.
    expect : Expectation or None
        What must come out.
    """

    title: Annotated[str, Meta(min_length=1)]
    recorded: Annotated[str, Meta(min_length=1)] | None = None
    region: str | None = None
    country: Country | None = None
    languages: tuple[Language, ...] = ()
    event: EventSpec | None = None
    source: tuple[SourceSpec, ...] = ()
    aftershocks: tuple[AftershocksSpec, ...] = ()
    network: NetworkSpec | None = None
    noise: NoiseSpec = NoiseSpec()
    record: RecordSpec = RecordSpec()
    link: LinkSpec = LinkSpec()
    fault: tuple[Fault, ...] = ()
    devices: DevicesSpec = DevicesSpec()
    site: tuple[SiteSpec, ...] = ()
    help: HelpSpec | None = None
    expect: Expectation | None = None


def utc_ns(moment: dt.datetime) -> int:
    """Return a moment as UTC ns, exactly."""
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
