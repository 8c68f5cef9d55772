"""A quake out of an FDSN data centre into a quake folder.

Per station the kinds of channels are tried in the order given, so that a velocity sensor is asked
for only where there is no accelerometer with data. Requests go in bulk, some stations at a time;
one that fails is halved until the station that makes it fail is alone, which is then left out and
listed. The folder appears in one move when everything is in it.

ObsPy's mass downloader is not used: it writes one file per station and channel into a tree of its
own, asks every centre it knows, tells of failures only in its log, and cannot be told to prefer
an accelerometer station by station.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from eew.errors import ConfigError, DataError, TransportError
from eew.ingest.export import catalog_of
from eew.ingest.fdsn_client import DataCentre, NoDataError, TooLargeError
from eew.ingest.fdsn_download import BulkDownload, Station, stations_in
from eew.ingest.fetched_folder import as_bytes, check_target, put_folder
from eew.ingest.quake_folder import (
    EVENT_FILE,
    SOURCE_FILE,
    STATIONS_FILE,
    WAVEFORMS_FILE,
)
from eew.model.waveform import DataProblem, Recording, Truth
from eew.physics.geo import epicentral_distance_km

if TYPE_CHECKING:
    import obspy

__all__ = ["DEFAULT_CHANNELS", "FetchRequest", "Fetched", "fetch_quake"]

DEFAULT_CHANNELS = ("HN?", "HL?", "BN?", "EN?", "HH?", "BH?", "EH?")
NS = 1_000_000_000
_KM_PER_DEGREE = 111.19
_STATIONS_AT_ONCE = 20

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What is wanted.

    Attributes
    ----------
    truth : Truth
        The quake: where and when to look.
    catalog : obspy.Catalog or None
        Its QuakeML as the centre has it; None where ``truth`` is all that is known.
    radius_km : float
        Epicentral distance of the furthest station.
    before_s, after_s : float
        Data before and after the origin.
    channels : tuple of str
        Patterns of channel codes, the most wanted first.
    max_stations : int
        Only so many, the nearest.
    """

    truth: Truth
    catalog: obspy.Catalog | None = None
    radius_km: float = 200.0
    before_s: float = 60.0
    after_s: float = 180.0
    channels: tuple[str, ...] = DEFAULT_CHANNELS
    max_stations: int = 200

    def __post_init__(self) -> None:
        limits = {
            "--radius-km": (self.radius_km, 1.0, 5000.0),
            "--before-s": (self.before_s, 10.0, 3600.0),
            "--after-s": (self.after_s, 10.0, 7200.0),
            "--max-stations": (self.max_stations, 1, 5000),
        }
        for key, (value, low, high) in limits.items():
            if not low <= value <= high:  # also refuses NaN
                raise ConfigError(key, f"must be {low:g} to {high:g}, was {value:g}")
        if not self.channels:
            raise ConfigError("--channels", "no pattern, for example HN?,HH?")


@dataclass(slots=True)
class Fetched:
    """What has been got.

    Attributes
    ----------
    recording : Recording or None
        The folder as the replay will read it.
    problems : list of DataProblem
        Stations without data, or that could not be fetched.
    """

    n_bytes: int = 0
    n_offered: int = 0
    problems: list[DataProblem] = field(default_factory=list)
    recording: Recording | None = None


def fetch_quake(
    request: FetchRequest,
    centre: DataCentre,
    folder: Path,
    *,
    note: str,
    say: Say = lambda _: None,
) -> Fetched:
    """Download a quake and write it as a folder.

    Parameters
    ----------
    note : str
        Added to ``SOURCE.txt``: when and with what this was fetched.
    say : callable
        Told how far it is.

    Raises
    ------
    ConfigError
        If there is something at ``folder`` already.
    DataError
        If there are no stations, or no data that can be used.
    TransportError
        If the centre cannot or will not answer, before anything has been got.
    """
    check_target(folder)
    say("asking for stations")
    inventory = _stations(request, centre)
    wanted = _nearest(inventory, request)
    fetched = Fetched(n_offered=len(wanted))
    waveforms = _waveforms(request, centre, inventory, wanted, fetched, say)
    with_data = stations_in(waveforms)
    for network, station in wanted:
        known = {problem.where for problem in fetched.problems}
        if (network, station) not in with_data and f"{network}.{station}" not in known:
            fetched.problems.append(
                DataProblem(
                    kind="no_waveform",
                    where=f"{network}.{station}",
                    detail=f"no data for {','.join(request.channels)} in this time",
                )
            )
    if not waveforms:
        raise DataError(
            centre.name,
            f"{len(wanted)} stations, but no data of this time",
            hint="another --client, --channels, or a larger --radius-km",
        )
    kept = _pruned(inventory, with_data)
    contents = {
        WAVEFORMS_FILE: waveforms,
        STATIONS_FILE: as_bytes(kept, "STATIONXML"),
        EVENT_FILE: as_bytes(request.catalog or catalog_of(request.truth), "QUAKEML"),
        SOURCE_FILE: _source_text(request, centre, kept, fetched.problems, note).encode(),
    }
    fetched.n_bytes = sum(len(content) for content in contents.values())
    say("writing and checking")
    fetched.recording = put_folder(contents, folder)
    return fetched


def _stations(request: FetchRequest, centre: DataCentre) -> obspy.Inventory:
    truth = request.truth
    start, end = _span(request)
    try:
        return centre.stations(
            latitude=truth.lat,
            longitude=truth.lon,
            maxradius=request.radius_km / _KM_PER_DEGREE,
            starttime=start,
            endtime=end,
            channel=",".join(request.channels),
        )
    except NoDataError as error:
        raise DataError(
            centre.name,
            f"no station with {','.join(request.channels)} within {request.radius_km:g} km at "
            "that time",
            hint="a larger --radius-km, other --channels, or another --client",
        ) from error
    except TooLargeError as error:
        raise TransportError(
            centre.name, "finds this too many stations", hint="a smaller --radius-km"
        ) from error


def _nearest(inventory: obspy.Inventory, request: FetchRequest) -> list[Station]:
    truth = request.truth
    distances: dict[Station, float] = {}
    for network in inventory:
        for station in network:
            distance_km = float(
                epicentral_distance_km(truth.lat, truth.lon, station.latitude, station.longitude)
            )
            distances[network.code, station.code] = distance_km
    ordered = sorted(distances, key=lambda station: (distances[station], station))
    return ordered[: request.max_stations]


# ---------------------------------------------------------------- waveforms
def _waveforms(
    request: FetchRequest,
    centre: DataCentre,
    inventory: obspy.Inventory,
    wanted: Sequence[Station],
    fetched: Fetched,
    say: Say,
) -> bytes:
    download = BulkDownload(centre, _span(request))
    parts = download.parts
    have: set[Station] = set()
    for pattern in request.channels:
        offering = _offering(inventory, pattern)
        asked = [one for one in wanted if one in offering and one not in have]
        for first in range(0, len(asked), _STATIONS_AT_ONCE):
            some = asked[first : first + _STATIONS_AT_ONCE]
            say(
                f"waveforms {pattern}: stations {first + 1} to {first + len(some)} of "
                f"{len(asked)}, {sum(map(len, parts)) / 1e6:.1f} MB so far"
            )
            before = len(parts)
            download.get(some, pattern)
            have |= stations_in(b"".join(parts[before:]))
    fetched.problems += download.problems
    if not parts and download.failure is not None:
        raise download.failure
    return b"".join(parts)


def _span(request: FetchRequest) -> tuple[obspy.UTCDateTime, obspy.UTCDateTime]:
    import obspy

    origin = obspy.UTCDateTime(ns=request.truth.origin_time_ns)
    return origin - request.before_s, origin + request.after_s


def _offering(inventory: obspy.Inventory, pattern: str) -> set[Station]:
    chosen = inventory.select(channel=pattern)
    return {(network.code, station.code) for network in chosen for station in network}


def _pruned(inventory: obspy.Inventory, stations: set[Station]) -> obspy.Inventory:
    for network in inventory:
        network.stations = [one for one in network if (network.code, one.code) in stations]
    inventory.networks = [network for network in inventory if network.stations]
    return inventory


def _source_text(
    request: FetchRequest,
    centre: DataCentre,
    inventory: obspy.Inventory,
    problems: Sequence[DataProblem],
    note: str,
) -> str:
    truth = request.truth
    networks = sorted({network.code for network in inventory})
    where = f"{truth.lat:g}, {truth.lon:g}, {truth.depth_km:g} km"
    span = f"{request.before_s:g} s before to {request.after_s:g} s after the origin"
    lines = [
        f"Quake: {truth.event_id}, M{truth.magnitude:g} {truth.magnitude_type}, {where}.",
        f"From: {centre.name} (FDSN dataselect and station), {note}.",
        f"Asked for: {','.join(request.channels)} within {request.radius_km:g} km, {span}.",
        "Event: as the centre has it." if request.catalog else "Event: as it was asked for.",
        "Licences and citations, network by network: "
        + ", ".join(f"https://www.fdsn.org/networks/detail/{code}/" for code in networks),
        "Waveforms are the centre's own records; nothing was filtered, cut or scaled.",
        f"Left out: {len(problems)} stations.",
    ]
    lines += [f"  {problem.where}: {problem.detail}" for problem in problems]
    return "\n".join(lines) + "\n"
