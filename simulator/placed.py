"""A station of a computed network: where it stands, and on what, and with which instrument."""

from __future__ import annotations

from dataclasses import dataclass

from eew.model.waveform import Station

__all__ = ["PlacedStation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedStation:
    """What the generator has to know of a station beside what the detector is told.

    Attributes
    ----------
    station : Station
        As the detector knows it.
    sensor : str
        Kind of instrument, a table of ``eew/tables/instruments.toml``.
    site_class : str
        What the ground and the neighbourhood are like, a class of ``eew/tables/site_classes.toml``;
        empty where the scenario's noise says it.
    """

    station: Station
    sensor: str
    site_class: str = ""

    @property
    def code(self) -> str:
        """``NET.STA``."""
        return self.station.code

    @property
    def lat(self) -> float:
        """Degrees north."""
        return self.station.lat

    @property
    def lon(self) -> float:
        """Degrees east."""
        return self.station.lon
