"""StationXML to the few fields the detector needs, per channel and epoch.

ObsPy reads the files: 0.17 s for the largest of the recorded quakes (1.5 MB, full responses), so a
parser of our own would save little and could be wrong.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eew.errors import MetadataError
from eew.ingest.limits import limits
from eew.model.waveform import DataProblem, SensorKind, StreamId

if TYPE_CHECKING:
    import obspy

__all__ = ["ChannelMetadata", "Metadata", "read_stationxml"]

_VS30 = re.compile(r"\bvs30\s*[=:]?\s*(\d+(?:\.\d+)?)\b", re.IGNORECASE)
_CLIP_COUNTS = re.compile(r"\bclip_counts\s*=\s*(inf|\d+(?:\.\d+)?(?:e[+-]?\d+)?)", re.IGNORECASE)
_BEGINNING_NS, _END_NS = -(2**80), 2**80


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMetadata:
    """One channel epoch.

    Attributes
    ----------
    start_ns, end_ns : int
        The epoch holds from ``start_ns`` up to ``end_ns``.
    lat, lon : float or None
        Degrees; None where the file has none or gives 0/0.
    azimuth_deg, dip_deg : float or None
        Of the sensor's axis; dip is positive downwards.
    sensitivity : float or None
        Counts per SI unit of ``kind``; None where there is none, or 0.
    kind : SensorKind or None
        None where the input units are not ground motion.
    digitiser_counts_per_v : float or None
        Gain of the first response stage from volts to counts.
    clip_counts : float or None
        Where the file states it in a comment ``clip_counts=...``.
    sampling_rate_hz : float or None
        As stated; the records of a file say it better, a live source has nothing else.
    """

    stream_id: StreamId
    start_ns: int
    end_ns: int
    lat: float | None
    lon: float | None
    elevation_m: float
    azimuth_deg: float | None
    dip_deg: float | None
    sensitivity: float | None
    kind: SensorKind | None
    input_units: str
    digitiser_counts_per_v: float | None
    clip_counts: float | None
    vs30_mps: float | None
    sampling_rate_hz: float | None = None


class Metadata:
    """Channel epochs by stream."""

    def __init__(self, inventories: Iterable[obspy.Inventory]) -> None:
        self._epochs: dict[StreamId, list[ChannelMetadata]] = {}
        for inventory in inventories:
            for epoch in _epochs(inventory):
                self._epochs.setdefault(epoch.stream_id, []).append(epoch)

    def streams(self) -> list[StreamId]:
        """Every stream with at least one epoch, sorted."""
        return sorted(self._epochs)

    def epochs(self, stream_id: StreamId) -> list[ChannelMetadata]:
        """All epochs of a stream, in the order of the files."""
        return self._epochs.get(stream_id, [])

    def at(self, stream_id: StreamId, time_ns: int) -> ChannelMetadata:
        """Return the epoch of a stream that holds at a time.

        Raises
        ------
        MetadataError
            If there is none, or it lacks coordinates or a sensitivity.
        """
        epochs = self.epochs(stream_id)
        if not epochs:
            raise MetadataError(str(stream_id), "not in the StationXML")
        epoch = next((e for e in epochs if e.start_ns <= time_ns < e.end_ns), None)
        if epoch is None:
            raise MetadataError(
                str(stream_id),
                f"none of {len(epochs)} epoch(s) in the StationXML holds at the time of the data",
            )
        if epoch.lat is None or epoch.lon is None:
            raise MetadataError(str(stream_id), "no coordinates, or 0/0")
        if epoch.sensitivity is None:
            raise MetadataError(str(stream_id), "no overall sensitivity, or 0")
        return epoch


def read_stationxml(data: bytes, *, name: str) -> tuple[obspy.Inventory, list[DataProblem]]:
    """Read the content of a StationXML file.

    Raises
    ------
    MetadataError
        If it is not StationXML.
    """
    import obspy

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            inventory = obspy.read_inventory(io.BytesIO(data), format="STATIONXML")
    except Exception as error:  # lxml and ObsPy raise many kinds
        text = " ".join(str(error).split())
        raise MetadataError(name, f"not readable as StationXML: {text}") from error
    # ObsPy warns about the channels that it leaves out (no coordinates) and about odd fields
    texts = sorted({" ".join(str(warning.message).split()) for warning in caught})
    problems = [DataProblem(kind="no_metadata", where=name, detail=text) for text in texts]
    return inventory, problems


def _epochs(inventory: obspy.Inventory) -> Iterable[ChannelMetadata]:
    for network in inventory:
        for station in network:
            for channel in station:
                yield _epoch(network, station, channel)


def _epoch(network: Any, station: Any, channel: Any) -> ChannelMetadata:
    lat, lon = _coordinates(station)
    if lat is None:
        lat, lon = _coordinates(channel)
    sensitivity, units = _overall_sensitivity(channel.response)
    unit = limits().unit(units)
    if sensitivity is not None and unit is not None:
        sensitivity /= unit[1]
    texts = [channel.description, *(comment.value for comment in channel.comments)]
    site_texts = [station.description, *(comment.value for comment in station.comments)]
    return ChannelMetadata(
        stream_id=StreamId(
            network.code.strip(),
            station.code.strip(),
            channel.location_code.strip(" -"),
            channel.code.strip(),
        ),
        start_ns=channel.start_date.ns if channel.start_date else _BEGINNING_NS,
        end_ns=channel.end_date.ns if channel.end_date else _END_NS,
        lat=lat,
        lon=lon,
        elevation_m=_number(station.elevation) or 0.0,
        azimuth_deg=_number(channel.azimuth),
        dip_deg=_number(channel.dip),
        sensitivity=sensitivity,
        kind=unit[0] if unit else None,
        input_units=units,
        digitiser_counts_per_v=_digitiser_gain(channel.response),
        clip_counts=_found(_CLIP_COUNTS, texts),
        vs30_mps=_vs30_mps(site_texts + texts),
        sampling_rate_hz=_number(channel.sample_rate) or None,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _coordinates(place: Any) -> tuple[float | None, float | None]:
    lat, lon = _number(place.latitude), _number(place.longitude)
    if lat is None or lon is None or (lat == 0.0 and lon == 0.0):
        return None, None
    return lat, lon


def _overall_sensitivity(response: Any) -> tuple[float | None, str]:
    """Take counts per input unit, and the unit's name (of the first stage if not given there)."""
    overall = response.instrument_sensitivity if response is not None else None
    if overall is None:
        return None, ""
    units = overall.input_units
    if not units and response.response_stages:
        units = response.response_stages[0].input_units
    return (float(overall.value) if overall.value else None), units or ""


def _digitiser_gain(response: Any) -> float | None:
    for stage in response.response_stages if response is not None else ():
        from_units = (stage.input_units or "").strip().upper()
        to_units = (stage.output_units or "").strip().upper()
        if from_units in ("V", "VOLT", "VOLTS") and to_units in ("COUNT", "COUNTS"):
            return _number(stage.stage_gain)
    return None


def _found(pattern: re.Pattern[str], texts: Iterable[str | None]) -> float | None:
    for text in texts:
        match = pattern.search(text or "")
        if match:
            return float(match.group(1))
    return None


def _vs30_mps(texts: Iterable[str | None]) -> float | None:
    value = _found(_VS30, texts)
    if value is None or not limits().min_vs30_mps <= value <= limits().max_vs30_mps:
        return None
    return value
