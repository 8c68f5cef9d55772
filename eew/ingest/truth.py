"""QuakeML to the catalogue's word on a quake; for scoring only."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eew.errors import MetadataError
from eew.model.waveform import DataProblem, Truth

if TYPE_CHECKING:
    import obspy

__all__ = ["read_quakeml", "truth_from_catalog"]


def read_quakeml(data: bytes, *, name: str) -> obspy.Catalog:
    """Read the content of a QuakeML file.

    Raises
    ------
    MetadataError
        If it is not QuakeML.
    """
    import obspy

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd resource ids do not matter here
            return obspy.read_events(io.BytesIO(data), format="QUAKEML")
    except Exception as error:  # lxml and ObsPy raise many kinds
        text = " ".join(str(error).split())
        raise MetadataError(name, f"not readable as QuakeML: {text}") from error


def truth_from_catalog(
    catalog: obspy.Catalog, *, start_ns: int, end_ns: int, where: str
) -> tuple[Truth | None, list[DataProblem]]:
    """Take the quake of a recording out of a catalogue.

    Of several events the largest with its origin inside the recording counts; where none lies
    inside, the first event.

    Returns
    -------
    truth : Truth or None
        None where the catalogue is empty or a value is missing.
    problems : list of DataProblem
        ``unreadable``, with the missing value's name.
    """
    events = list(catalog)
    if not events:
        return None, [DataProblem(kind="unreadable", where=where, detail="no event in the QuakeML")]
    inside = [event for event in events if _is_inside(event, start_ns, end_ns)]
    event = max(inside, key=_size) if inside else events[0]
    origin = _preferred(event.origins, event.preferred_origin_id)
    magnitude = _preferred(event.magnitudes, event.preferred_magnitude_id)
    values = {
        "origin time": getattr(origin, "time", None),
        "latitude": getattr(origin, "latitude", None),
        "longitude": getattr(origin, "longitude", None),
        "depth": getattr(origin, "depth", None),
        "magnitude": getattr(magnitude, "mag", None),
    }
    missing = [name for name, value in values.items() if value is None]
    if origin is None or magnitude is None or missing:
        detail = f"no {', '.join(missing)} in the QuakeML: the quake's truth is not known"
        return None, [DataProblem(kind="unreadable", where=where, detail=detail)]
    truth = Truth(
        event_id=str(event.resource_id.id).rpartition("/")[2],
        origin_time_ns=origin.time.ns,
        lat=float(origin.latitude),
        lon=float(origin.longitude),
        depth_km=float(origin.depth) / 1000.0,
        magnitude=float(magnitude.mag),
        magnitude_type=magnitude.magnitude_type or "M",
    )
    return truth, []


def _preferred(values: Sequence[Any], preferred_id: Any) -> Any:
    """Find the preferred origin or magnitude of an event, else its first; None where it has none.

    ObsPy would look the id up in a registry of the whole process, and may find another event's.
    """
    wanted = None if preferred_id is None else preferred_id.id
    return next(
        (value for value in values if value.resource_id.id == wanted),
        values[0] if values else None,
    )


def _is_inside(event: Any, start_ns: int, end_ns: int) -> bool:
    origin = _preferred(event.origins, event.preferred_origin_id)
    return origin is not None and origin.time is not None and start_ns <= origin.time.ns < end_ns


def _size(event: Any) -> float:
    magnitude = _preferred(event.magnitudes, event.preferred_magnitude_id)
    return -99.0 if magnitude is None or magnitude.mag is None else float(magnitude.mag)
