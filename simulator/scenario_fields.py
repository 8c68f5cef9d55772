"""The tables of a scenario file as types: what a field is called and what it may be."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = [
    "EventSpec",
    "Expectation",
    "FaultSpec",
    "NetworkSpec",
    "NoiseSpec",
    "RecordSpec",
    "ScenarioFile",
    "SiteSpec",
]

Lat = Annotated[float, Meta(ge=-90.0, le=90.0)]
Lon = Annotated[float, Meta(ge=-180.0, le=180.0)]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Language = Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Za-z]{2,4})?$")]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a scenario file."""


class FaultSpec(_Table, frozen=True, kw_only=True):
    """The plane that breaks; see :class:`simulator.ruptures.Fault`."""

    strike_deg: Annotated[float, Meta(ge=0.0, le=360.0)]
    dip_deg: Annotated[float, Meta(gt=0.0, le=90.0)]
    rake_deg: Annotated[float, Meta(ge=-180.0, le=180.0)]
    length_km: Annotated[float, Meta(gt=0.0, le=2000.0)]
    width_km: Annotated[float, Meta(gt=0.0, le=300.0)]
    along_share: Share = 0.5
    down_share: Share = 0.5


class EventSpec(_Table, frozen=True, kw_only=True):
    """The quake. ``magnitude`` is what the generator takes as moment magnitude."""

    id: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
    origin_time: Annotated[dt.datetime, Meta(tz=True)]
    lat: Lat
    lon: Lon
    depth_km: Annotated[float, Meta(ge=0.0, le=700.0)]
    magnitude: Annotated[float, Meta(ge=3.0, le=8.0)]
    magnitude_type: Annotated[str, Meta(pattern="^[A-Za-z]{1,8}$")]
    stress_drop_bar: Annotated[float, Meta(ge=1.0, le=1000.0)] | None = None
    fault: FaultSpec | None = None

    @property
    def origin_time_ns(self) -> int:
        """UTC ns."""
        since = self.origin_time - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


class NetworkSpec(_Table, frozen=True, kw_only=True):
    """The stations: dense around the epicentre, thinner outwards, one at every site.

    Attributes
    ----------
    code : str
        FDSN network code; ``SY`` is the one kept for synthetic data.
    spacing_km : float
        Distance between neighbours out to ``dense_radius_km``.
    outer_spacing_km : float
        The same at ``radius_km``; grows evenly in between.
    radius_km : float
        No stations beyond, but those at sites.
    land : str or None
        Outline of ``eew/tables/coastlines.toml`` that stations keep to.
    seed : int or None
        Draws the same network for every seed of the run; None draws one for each.
    """

    code: Annotated[str, Meta(pattern="^[A-Z0-9]{1,2}$")] = "SY"
    spacing_km: Annotated[float, Meta(ge=3.0, le=100.0)]
    outer_spacing_km: Annotated[float, Meta(ge=3.0, le=200.0)]
    dense_radius_km: NotNegative
    radius_km: Annotated[float, Meta(gt=0.0, le=500.0)]
    sampling_rate_hz: Annotated[float, Meta(ge=20.0, le=250.0)]
    sensor: str
    land: str | None = None
    seed: Annotated[int, Meta(ge=0)] | None = None


class NoiseSpec(_Table, frozen=True, kw_only=True):
    """Ground noise: share of the way from the low to the high noise model, drawn per station."""

    level: Share
    spread: Annotated[float, Meta(ge=0.0, le=0.5)]


class RecordSpec(_Table, frozen=True, kw_only=True):
    """How long before and after the origin the records last."""

    before_s: Annotated[float, Meta(ge=5.0, le=600.0)]
    after_s: Annotated[float, Meta(ge=10.0, le=600.0)]


class Expectation(_Table, frozen=True, kw_only=True):
    """What a working detector must reach on this scenario; None where nothing is asked."""

    detected: bool = True
    first_alert_s: Positive | None = None
    epicentre_error_km: Positive | None = None
    magnitude_error: Positive | None = None


class SiteSpec(_Table, frozen=True, kw_only=True):
    """A town; ``country`` None is that of the scenario."""

    name: Annotated[str, Meta(min_length=1)]
    lat: Lat
    lon: Lon
    population: Annotated[int, Meta(ge=0)] = 0
    country: Country | None = None
    vs30_mps: Annotated[float, Meta(ge=100.0, le=2000.0)] | None = None


class ScenarioFile(_Table, frozen=True, kw_only=True):
    """A whole file; the fields are those of :class:`simulator.scenario.Scenario`."""

    title: Annotated[str, Meta(min_length=1)]
    region: str
    country: Country
    languages: Annotated[tuple[Language, ...], Meta(min_length=1)]
    event: EventSpec
    network: NetworkSpec
    noise: NoiseSpec
    record: RecordSpec
    expect: Expectation | None = None
    site: tuple[SiteSpec, ...] = ()
