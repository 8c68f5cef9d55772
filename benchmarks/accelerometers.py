"""Stations of three accelerometers, for benchmarks that need many and no quake."""

from __future__ import annotations

from eew.model.waveform import Channel, Component, SensorKind, Station, StreamId

__all__ = ["accelerometer"]


def accelerometer(
    code: str,
    lat: float,
    lon: float,
    *,
    channels: tuple[str, str, str],
    sensitivity: float,
    sampling_rate_hz: float,
) -> Station:
    """Return a station of network XX; ``channels`` are vertical, north and east."""
    return Station(
        code=f"XX.{code}",
        lat=lat,
        lon=lon,
        elevation_m=0.0,
        channels=tuple(
            Channel(
                stream_id=StreamId("XX", code, "", name),
                component=component,
                kind=SensorKind.ACCELERATION,
                sensitivity=sensitivity,
                sampling_rate_hz=sampling_rate_hz,
            )
            for name, component in zip(channels, Component, strict=True)
        ),
    )
