"""The three channels of a computed station, named as SEED names them."""

from __future__ import annotations

from functools import cache

from eew.model.waveform import Channel, Component, StreamId
from eew.tables import load_table
from simulator.instrument import instrument

__all__ = ["instrument_channels"]

_COMPONENTS = {
    "Z": Component.VERTICAL,
    "N": Component.HORIZONTAL_1,
    "E": Component.HORIZONTAL_2,
}
_HIGH_RATE_HZ = 80.0  # SEED band codes: H from here, B below


def instrument_channels(
    network: str, station: str, sensor: str, sampling_rate_hz: float
) -> tuple[Channel, ...]:
    """Describe vertical, north and east of a station.

    Parameters
    ----------
    sensor : str
        Table of ``eew/tables/instruments.toml``.
    """
    kind = instrument(sensor)
    band = "H" if sampling_rate_hz >= _HIGH_RATE_HZ else "B"
    return tuple(
        Channel(
            stream_id=StreamId(network, station, "", f"{band}{kind.instrument_code}{letter}"),
            component=component,
            kind=kind.sensor_kind,
            sensitivity=kind.sensitivity,
            sampling_rate_hz=sampling_rate_hz,
            clip_counts=_usable_share() * kind.full_scale_counts,
        )
        for letter, component in _COMPONENTS.items()
    )


@cache
def _usable_share() -> float:
    """Return the limit that a reader of the same station's metadata would set."""
    return float(load_table("ingest")["clipping"]["usable_fraction"])
