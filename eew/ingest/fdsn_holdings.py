"""What the project's own FDSN services can give: quake folders and recordings, held in memory."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eew.errors import DataError, MetadataError
from eew.ingest.export import catalog_of, inventory_of, stream_of
from eew.ingest.inventory import read_stationxml
from eew.ingest.truth import read_quakeml
from eew.messages.fdsn_selection import DataQuery, EventQuery, StationQuery, Window
from eew.model.waveform import Recording

if TYPE_CHECKING:
    import obspy

__all__ = ["FdsnHoldings"]

_RECORD_BYTES = 512
_EVENT_HEADER = (
    "#EventID|Time|Latitude|Longitude|Depth/km|Author|Catalog|Contributor|ContributorID|"
    "MagType|Magnitude|MagAuthor|EventLocationName"
)


class FdsnHoldings:
    """Waveforms, inventories and events of any number of quakes.

    Nothing is changed after it has been added, so several threads may ask at a time.
    """

    def __init__(self) -> None:
        self._traces: list[obspy.Trace] = []
        self._networks: list[Any] = []  # obspy's Network objects, as they stand in the files
        self._events: list[Any] = []

    @property
    def n_stations(self) -> int:
        """Stations with waveforms."""
        return len({(trace.stats.network, trace.stats.station) for trace in self._traces})

    @property
    def n_events(self) -> int:
        """Events."""
        return len(self._events)

    def add_folder(self, path: Path) -> None:
        """Add a quake folder as it is: files are not mended, and no sensor is chosen.

        Raises
        ------
        DataError
            If a file cannot be read, or there is no MiniSEED or no StationXML.
        """
        import obspy

        mseed, xml = sorted(path.glob("*.mseed")), sorted(path.glob("*.xml"))
        if not mseed:
            raise DataError(str(path), "no MiniSEED file (*.mseed) in this folder")
        n_networks = len(self._networks)
        for file in mseed:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what is odd in the file goes out as it is
                    self._traces += obspy.read(str(file), format="MSEED")
            except Exception as error:  # ObsPy raises anything here
                text = " ".join(str(error).split())
                raise DataError(str(file), f"not readable as MiniSEED: {text}") from error
        for file in xml:
            data = file.read_bytes()
            try:
                self._networks += _dated(read_stationxml(data, name=str(file))[0])
            except MetadataError:
                self._events += read_quakeml(data, name=str(file)).events
        if len(self._networks) == n_networks:
            raise DataError(str(path), "no StationXML (*.xml) in this folder")

    def add_recording(self, recording: Recording) -> None:
        """Add a computed quake."""
        self._traces += stream_of(recording)
        self._networks += _dated(inventory_of(recording))
        if recording.truth is not None:
            self._events += catalog_of(recording.truth).events

    # ------------------------------------------------------------------ dataselect
    def waveforms(self, query: DataQuery) -> bytes:
        """Return the samples inside the windows as MiniSEED 2, records of 512 bytes."""
        pieces = list(self._pieces(query.windows))
        if query.min_length_s:
            pieces = [one for one in pieces if _length_s(one) >= query.min_length_s]
        if query.longest_only:
            longest: dict[str, obspy.Trace] = {}
            for one in pieces:
                if one.id not in longest or _length_s(one) > _length_s(longest[one.id]):
                    longest[one.id] = one
            pieces = list(longest.values())
        buffer = io.BytesIO()
        for one in pieces:
            encoding = one.stats.get("mseed", {}).get("encoding")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about types that are widened for an encoding
                one.write(buffer, format="MSEED", reclen=_RECORD_BYTES, encoding=encoding)
        return buffer.getvalue()

    def _pieces(self, windows: Iterable[Window]) -> Iterator[obspy.Trace]:
        import obspy

        seen: set[tuple[int, int, int]] = set()
        for window in windows:
            for number, trace in enumerate(self._traces):
                stats = trace.stats
                key = (number, window.start_ns, window.end_ns)
                if key in seen or not window.codes.matches(*_codes(trace)):
                    continue
                if stats.endtime.ns < window.start_ns or stats.starttime.ns > window.end_ns:
                    continue
                seen.add(key)
                start_ns = max(window.start_ns, stats.starttime.ns)
                end_ns = min(window.end_ns, stats.endtime.ns)
                piece = trace.slice(
                    obspy.UTCDateTime(ns=start_ns),
                    obspy.UTCDateTime(ns=end_ns),
                    nearest_sample=False,
                )
                if piece.stats.npts:
                    yield piece

    # ------------------------------------------------------------------ station
    def stations(self, query: StationQuery) -> bytes:
        """Return the inventory that a query selects, down to its level."""
        import obspy

        networks = [
            kept
            for network in self._networks
            if (kept := self._network(network, query)) is not None
        ]
        if not networks:
            return b""
        inventory = obspy.Inventory(
            networks=networks,
            source="eew-simulator",
            module="eew fdsnws",
            module_uri="",
            created=min(trace.stats.starttime for trace in self._traces),
        )
        if query.as_text:
            text = io.StringIO()
            inventory.write(text, format="STATIONTXT", level=query.level)
            return f"{text.getvalue()}\n".encode()
        buffer = io.BytesIO()
        inventory.write(buffer, format="STATIONXML", level=query.level)
        return buffer.getvalue()

    def _network(self, network: Any, query: StationQuery) -> Any | None:
        stations = []
        for station in network.stations:
            if not query.area.holds(float(station.latitude), float(station.longitude)):
                continue
            channels = [
                channel
                for channel in station.channels
                if self._is_wanted((network.code, station.code), channel, query)
            ]
            if channels:
                kept = copy.copy(station)
                kept.channels = channels
                stations.append(kept)
        if not stations:
            return None
        kept_network = copy.copy(network)
        kept_network.stations = stations
        return kept_network

    def _is_wanted(self, place: tuple[str, str], channel: Any, query: StationQuery) -> bool:
        codes = (*place, channel.location_code.strip(" -"), channel.code)
        start_ns = channel.start_date.ns if channel.start_date else None
        end_ns = channel.end_date.ns if channel.end_date else None
        if start_ns is not None and not query.start_after_ns <= start_ns <= query.start_before_ns:
            return False
        if end_ns is not None and not query.end_after_ns <= end_ns <= query.end_before_ns:
            return False
        for window in query.windows:
            if not window.codes.matches(*codes):
                continue
            if start_ns is not None and start_ns > window.end_ns:
                continue
            if end_ns is not None and end_ns < window.start_ns:
                continue
            if not query.with_data_only or self._has_data(codes, window):
                return True
        return False

    def _has_data(self, codes: tuple[str, str, str, str], window: Window) -> bool:
        return any(
            _codes(trace) == codes
            and trace.stats.starttime.ns <= window.end_ns
            and trace.stats.endtime.ns >= window.start_ns
            for trace in self._traces
        )

    # ------------------------------------------------------------------ event
    def events(self, query: EventQuery) -> bytes:
        """Return the events that a query selects, in its order."""
        import obspy

        found = [event for event in self._events if _is_meant(event, query)]
        by_magnitude = query.order_by.startswith("magnitude")
        found.sort(
            key=lambda event: _magnitude(event)[0] if by_magnitude else _origin(event).time.ns,
            reverse=not query.order_by.endswith("-asc"),
        )
        first = query.offset - 1
        last = None if query.limit is None else first + query.limit
        found = found[first:last]
        if not found:
            return b""
        if query.as_text:
            return "".join(f"{line}\n" for line in [_EVENT_HEADER, *map(_row, found)]).encode()
        buffer = io.BytesIO()
        catalog = obspy.Catalog(
            events=found, resource_id=obspy.core.event.ResourceIdentifier("smi:local/eew-fdsnws")
        )
        catalog.write(buffer, format="QUAKEML")
        return buffer.getvalue()


def _dated(inventory: obspy.Inventory) -> list[Any]:
    """Return the networks, with a start where there is none: clients cannot do without.

    1970 stands for "always": nothing else is known.
    """
    import obspy

    networks: list[Any] = list(inventory.networks)
    for network in networks:
        network.total_number_of_stations = network.total_number_of_stations or len(network)
        channels = [channel for station in network for channel in station]
        for one in (network, *network.stations, *channels):
            one.start_date = one.start_date or obspy.UTCDateTime(0)
    return networks


def _codes(trace: obspy.Trace) -> tuple[str, str, str, str]:
    stats = trace.stats
    return stats.network, stats.station, stats.location.strip(" -"), stats.channel


def _length_s(trace: obspy.Trace) -> float:
    return float(trace.stats.npts / trace.stats.sampling_rate)


def _origin(event: Any) -> Any:
    return event.preferred_origin() or (event.origins[0] if event.origins else None)


def _magnitude(event: Any) -> tuple[float, str]:
    chosen = event.preferred_magnitude() or (event.magnitudes[0] if event.magnitudes else None)
    return (float("-inf"), "") if chosen is None else (chosen.mag, chosen.magnitude_type or "")


def _is_meant(event: Any, query: EventQuery) -> bool:
    origin = _origin(event)
    if origin is None or origin.latitude is None or origin.longitude is None:
        return False
    magnitude, kind = _magnitude(event)
    depth_km = (origin.depth or 0.0) / 1000.0
    return (
        (not query.event_id or query.event_id in (_event_id(event), event.resource_id.id))
        and query.start_ns <= origin.time.ns <= query.end_ns
        and query.area.holds(origin.latitude, origin.longitude)
        and query.min_depth_km <= depth_km <= query.max_depth_km
        and query.min_magnitude <= magnitude <= query.max_magnitude
        and query.magnitude_type.lower() in ("", kind.lower())
    )


def _event_id(event: Any) -> str:
    return str(event.resource_id.id).rpartition("/")[2]


def _row(event: Any) -> str:
    origin = _origin(event)
    magnitude, kind = _magnitude(event)
    info = origin.creation_info
    author = (info.agency_id if info else None) or ""
    place = event.event_descriptions[0].text if event.event_descriptions else ""
    depth = "" if origin.depth is None else f"{origin.depth / 1000.0:g}"
    size = "" if magnitude == float("-inf") else f"{magnitude:g}"
    time = origin.time.strftime("%Y-%m-%dT%H:%M:%S.%f")
    name = _event_id(event)
    cells = [name, time, f"{origin.latitude:g}", f"{origin.longitude:g}", depth, author]
    return "|".join([*cells, "eew", "eew", name, kind, size, author, place or ""])
