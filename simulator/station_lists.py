"""Stations from a list: StationXML, FDSN station text, or the folder of a recorded quake.

Only what a place needs is taken: code, position, elevation. The instruments are those of the
computed network, so a list of broadband stations can be looked at as if it had accelerometers.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from eew.errors import ConfigError
from eew.model.waveform import Station
from simulator.channels import instrument_channels
from simulator.placed import PlacedStation

__all__ = ["read_station_list"]

_EXPECTED = (
    "StationXML, FDSN station text (level station or channel), or a folder with stations.xml"
)


def read_station_list(
    path: Path, *, sensor: str, sampling_rate_hz: float
) -> tuple[PlacedStation, ...]:
    """Read the stations of a list, each one once.

    Parameters
    ----------
    sensor : str
        Table of ``eew/tables/instruments.toml``; every station gets one.

    Returns
    -------
    tuple of PlacedStation
        By code. A station that the list has for several spans of time stands where it stood last.

    Raises
    ------
    ConfigError
        If the file cannot be read or holds no station.
    """
    file = path / "stations.xml" if path.is_dir() else path
    found: dict[str, Station] = {}
    for network in _inventory(file):
        for one in sorted(network, key=_start):
            lat, lon = float(one.latitude), float(one.longitude)
            if not (math.isfinite(lat) and math.isfinite(lon)):
                continue
            found[f"{network.code}.{one.code}"] = Station(
                code=f"{network.code}.{one.code}",
                lat=lat,
                lon=lon,
                elevation_m=float(one.elevation or 0.0),
                channels=instrument_channels(network.code, one.code, sensor, sampling_rate_hz),
            )
    if not found:
        raise ConfigError("network.file", f"{path} holds no station", hint=f"expected {_EXPECTED}")
    return tuple(PlacedStation(station=found[code], sensor=sensor) for code in sorted(found))


def _inventory(file: Path) -> Any:
    import warnings

    from obspy import read_inventory

    if not file.is_file():
        raise ConfigError("network.file", f"{file} is not there", hint=f"expected {_EXPECTED}")
    try:
        with warnings.catch_warnings():  # ObsPy warns of what has no bearing on a position
            warnings.simplefilter("ignore")
            return read_inventory(str(file))
    except Exception as error:  # ObsPy raises whatever its parsers do
        raise ConfigError(
            "network.file",
            f"{file} cannot be read: {str(error) or type(error).__name__}",
            hint=f"expected {_EXPECTED}",
        ) from error


def _start(station: Any) -> float:
    return float(station.start_date.timestamp) if station.start_date is not None else -math.inf
