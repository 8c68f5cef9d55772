"""What ``eew fetch`` does: find out which quake is meant, then download it."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eew import __version__
from eew.app.source import event_name
from eew.clock import NS_PER_S, Clock
from eew.errors import ConfigError, DataError
from eew.ingest.fdsn_client import DataCentre, NoDataError
from eew.ingest.fdsn_fetch import Fetched, FetchRequest, fetch_quake
from eew.ingest.fetched_folder import check_target
from eew.ingest.truth import read_quakeml, truth_from_catalog
from eew.messages.fdsn_query import parse_time
from eew.model.waveform import Truth
from simulator.scenario import known_names, load_scenario

if TYPE_CHECKING:
    import obspy

__all__ = ["Wanted", "fetch_event"]

DEFAULT_DEPTH_KM = 10.0
_PASSWORD = "EEW_FDSN_PASSWORD"
_ANY_NS = 10**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The quake as the user named it: by a name or id, or by time, place and size.

    Attributes
    ----------
    event : str or None
        A built-in event, a scenario file, a quake folder, or an event id of the centre.
    time : str or None
        Origin time, UTC, ISO 8601.
    """

    event: str | None = None
    time: str | None = None
    lat: float | None = None
    lon: float | None = None
    magnitude: float | None = None
    depth_km: float | None = None

    def __post_init__(self) -> None:
        given = {
            "--time": self.time,
            "--lat": self.lat,
            "--lon": self.lon,
            "--mag": self.magnitude,
        }
        if self.event is not None:
            for key, value in {**given, "--depth": self.depth_km}.items():
                if value is not None:
                    raise ConfigError(key, "is known from EVENT; leave one of them out")
            return
        missing = [key for key, value in given.items() if value is None]
        if missing:
            raise ConfigError(
                missing[0],
                "is missing" if len(missing) == 1 else f"is missing, as {', '.join(missing[1:])}",
                hint="name an EVENT, or give --time, --lat, --lon and --mag",
            )
        for key, number, low, high in (
            ("--lat", self.lat, -90.0, 90.0),
            ("--lon", self.lon, -180.0, 180.0),
            ("--mag", self.magnitude, -1.0, 10.0),
            ("--depth", self.depth_km, 0.0, 800.0),
        ):
            if number is not None and not low <= number <= high:  # also refuses NaN
                raise ConfigError(key, f"must be {low:g} to {high:g}, was {number:g}")

    def as_truth(self) -> Truth:
        """Return the quake of time, place and size.

        Raises
        ------
        ConfigError
            If the time cannot be read.
        """
        text = self.time or ""
        try:
            origin_time_ns = parse_time(text.strip().replace(" ", "T"))
        except ValueError:
            raise ConfigError(
                "--time", f"{text!r} is no UTC time", hint="for example 2019-07-06T03:19:53.04"
            ) from None
        name = text.strip().split(".")[0].replace("-", "").replace(":", "").replace(" ", "T")
        return Truth(
            event_id=f"fetched-{name.rstrip('Z')}",
            origin_time_ns=origin_time_ns,
            lat=_known(self.lat),
            lon=_known(self.lon),
            depth_km=DEFAULT_DEPTH_KM if self.depth_km is None else self.depth_km,
            magnitude=_known(self.magnitude),
            magnitude_type="M",
        )


def fetch_event(
    wanted: Wanted,
    folder: Path,
    *,
    client: str,
    settings: Mapping[str, object],
    user: str | None,
    clock: Clock,
    say: Callable[[str], None],
) -> tuple[FetchRequest, Fetched]:
    """Download what is wanted into ``folder``.

    Parameters
    ----------
    settings : mapping
        Fields of :class:`FetchRequest` that the user has chosen.

    Raises
    ------
    ConfigError
        If something that was asked for cannot be understood, or the folder is in use.
    DataError
        If there is no such event, no station, or no data.
    TransportError
        If the centre is not there, wants a login, or gives up.
    """
    check_target(folder)
    truth = _local_truth(wanted)
    if truth is not None:
        FetchRequest(truth=truth, **settings)  # type: ignore[arg-type]  # refuses what is wrong

    def wait(seconds: float) -> None:
        asyncio.run(clock.sleep_until(clock.utc_ns() + round(seconds * NS_PER_S)))

    password = os.environ.get(_PASSWORD)
    if user is not None and password is None:
        raise ConfigError(_PASSWORD, "is not set; --user needs a password")
    say(f"asking {client} for its services")
    centre = DataCentre(client, user=user, password=password, wait=wait, say=say)
    catalog = None
    if truth is None:
        truth, catalog = _remote_truth(wanted.event or "", centre)
    request = FetchRequest(truth=truth, catalog=catalog, **settings)  # type: ignore[arg-type]
    day = datetime.fromtimestamp(clock.utc_ns() / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")
    note = f"fetched {day} with eew {__version__}"
    return request, fetch_quake(request, centre, folder, note=note, say=say)


def _local_truth(wanted: Wanted) -> Truth | None:
    """Return the quake if it is known without asking; None for an id of the centre's."""
    if wanted.event is None:
        return wanted.as_truth()
    if not wanted.event:
        raise ConfigError("EVENT", "is empty")
    try:
        event_name(wanted.event)
    except ConfigError:
        return None
    path = Path(wanted.event)
    if wanted.event not in known_names() and path.is_dir():
        return _truth_of_folder(path)
    spec = load_scenario(wanted.event).event
    return Truth(
        event_id=spec.id,
        origin_time_ns=spec.origin_time_ns,
        lat=spec.lat,
        lon=spec.lon,
        depth_km=spec.depth_km,
        magnitude=spec.magnitude,
        magnitude_type=spec.magnitude_type,
    )


def _truth_of_folder(path: Path) -> Truth:
    file = path / "event.xml"
    if not file.is_file():
        raise ConfigError("EVENT", f"{path} has no event.xml that says which quake it is")
    return _truth(read_quakeml(file.read_bytes(), name=str(file)), str(file))


def _remote_truth(event_id: str, centre: DataCentre) -> tuple[Truth, obspy.Catalog]:
    hint = "a name of eew events list, the path of a folder, or --time, --lat, --lon and --mag"
    try:
        catalog = centre.event(event_id)
    except NoDataError as error:
        raise DataError(centre.name, f"no event {event_id!r} there", hint=hint) from error
    return _truth(catalog, f"{centre.name} {event_id}"), catalog


def _truth(catalog: obspy.Catalog, where: str) -> Truth:
    truth, problems = truth_from_catalog(catalog, start_ns=-_ANY_NS, end_ns=_ANY_NS, where=where)
    if truth is None:
        raise DataError(where, problems[0].detail)
    return truth


def _known(value: float | None) -> float:
    return math.nan if value is None else value  # checked above
