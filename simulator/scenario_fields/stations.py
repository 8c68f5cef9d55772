"""The stations of a scenario, the noise they hear, and how long they record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from simulator.fields import NotNegative, Share, Table

__all__ = [
    "NetworkSpec",
    "NoiseSpec",
    "RecordSpec",
]

_DRAWN = ("spacing_km", "outer_spacing_km", "dense_radius_km")


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
