"""``event.quakeml.xml``: what the detector found, as QuakeML 1.2.

One QuakeML event per event of the detector, in order of appearance. Its origins and magnitudes
are the solutions *as they were known*: the one behind each alert message, and the last.
(``solutions.csv`` has all of them; a big quake has hundreds, and a file with hundreds of origins
and their arrivals is of no use to the programs that read QuakeML.) ``creationInfo.creationTime``
is the data time at which a thing was known, ``evaluationMode`` is always automatic, and resource
ids are made from the run, so that two runs give the same bytes.
"""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

from eew.model.event import Solution
from eew.report.result import RunResult

if TYPE_CHECKING:
    from collections.abc import Sequence

AUTHOR = "eew-simulator"
KM_PER_DEG = 111.19492664455873  # on QuakeML's sphere: 6371 km


def quakeml_bytes(result: RunResult) -> bytes:
    """Return the QuakeML document of a run; an empty catalogue where nothing was found."""
    from obspy.core.event import Catalog  # heavy

    events = [
        _event(result, event_id, chosen) for event_id, chosen in chosen_solutions(result).items()
    ]
    catalog = Catalog(
        events=events,
        resource_id=_rid(result, "catalog"),
        description=f"SIMULATION {result.info.run_id}",
    )
    out = io.BytesIO()
    catalog.write(out, format="QUAKEML", validate=False)
    return out.getvalue()


def chosen_solutions(result: RunResult) -> dict[str, list[Solution]]:
    """Return, per event of two stations or more, the solutions behind its messages and the last."""
    by_event: dict[str, list[Solution]] = {}
    for solution in result.solutions:
        by_event.setdefault(solution.event_id, []).append(solution)
    chosen: dict[str, list[Solution]] = {}
    for event_id, solutions in by_event.items():
        if max(one.n_stations for one in solutions) < 2:
            continue  # a lone pick's first guess that nobody confirmed is no event
        wanted = {len(solutions) - 1}
        for message in result.messages:
            if message.event_id == event_id:
                known = sum(1 for one in solutions if one.at_ns <= message.issued_ns)
                wanted.add(max(0, known - 1))
        chosen[event_id] = [solutions[index] for index in sorted(wanted)]
    return chosen


def _event(result: RunResult, event_id: str, solutions: Sequence[Solution]) -> Any:
    from obspy.core.event import Event, EventDescription

    used = {arrival.pick_id for solution in solutions for arrival in solution.arrivals}
    origins = [_origin(result, solution, n) for n, solution in enumerate(solutions, start=1)]
    magnitudes = [_magnitude(result, solution, n) for n, solution in enumerate(solutions, start=1)]
    event = Event(
        resource_id=_rid(result, "event", event_id),
        event_type="earthquake",
        event_type_certainty="suspected",
        event_descriptions=[
            EventDescription(text=f"SIMULATION {result.info.event}", type="earthquake name")
        ],
        picks=[_pick(result, pick) for pick in result.picks if pick.pick_id in used],
        origins=origins,
        magnitudes=magnitudes,
        creation_info=_created(solutions[0].at_ns),
    )
    event.preferred_origin_id = origins[-1].resource_id.id
    event.preferred_magnitude_id = magnitudes[-1].resource_id.id
    return event


def _origin(result: RunResult, solution: Solution, number: int) -> Any:
    from obspy import UTCDateTime
    from obspy.core.event import Arrival, Origin, OriginQuality, OriginUncertainty, QuantityError

    arrivals = [
        Arrival(
            resource_id=_rid(result, "arrival", solution.event_id, number, one.pick_id),
            pick_id=_rid(result, "pick", one.pick_id),
            phase=one.phase.value,
            time_residual=round(one.residual_s, 3),
            distance=round(one.epicentral_distance_km / KM_PER_DEG, 4),
            time_weight=1.0 if one.used else 0.0,
        )
        for one in solution.arrivals
    ]
    lat_sigma_deg = solution.h_sigma_km / KM_PER_DEG
    lon_sigma_deg = lat_sigma_deg / max(0.01, math.cos(math.radians(solution.lat)))
    return Origin(
        resource_id=_rid(result, "origin", solution.event_id, number),
        time=UTCDateTime(ns=solution.origin_time_ns),
        time_errors=QuantityError(uncertainty=round(solution.origin_time_sigma_s, 3)),
        latitude=round(solution.lat, 4),
        latitude_errors=QuantityError(uncertainty=round(lat_sigma_deg, 4)),
        longitude=round(solution.lon, 4),
        longitude_errors=QuantityError(uncertainty=round(lon_sigma_deg, 4)),
        depth=round(solution.depth_km * 1000.0, 0),
        depth_errors=QuantityError(uncertainty=round(solution.z_sigma_km * 1000.0, 0)),
        arrivals=arrivals,
        quality=OriginQuality(
            used_phase_count=sum(1 for one in solution.arrivals if one.used),
            associated_phase_count=len(solution.arrivals),
            used_station_count=solution.n_stations,
            standard_error=round(solution.rms_s, 3),
            azimuthal_gap=round(solution.azimuthal_gap_deg, 1),
        ),
        origin_uncertainty=OriginUncertainty(
            preferred_description="uncertainty ellipse",
            max_horizontal_uncertainty=round(solution.ellipse_major_km * 1000.0, 0),
            min_horizontal_uncertainty=round(solution.ellipse_minor_km * 1000.0, 0),
            azimuth_max_horizontal_uncertainty=round(solution.ellipse_azimuth_deg, 1),
        ),
        evaluation_mode="automatic",
        evaluation_status="preliminary",
        creation_info=_created(solution.at_ns),
    )


def _magnitude(result: RunResult, solution: Solution, number: int) -> Any:
    from obspy.core.event import Magnitude, QuantityError

    return Magnitude(
        resource_id=_rid(result, "magnitude", solution.event_id, number),
        mag=round(solution.magnitude, 2),
        mag_errors=QuantityError(uncertainty=round(solution.magnitude_sigma, 2)),
        magnitude_type=solution.magnitude_type,
        origin_id=_rid(result, "origin", solution.event_id, number),
        station_count=len(solution.station_magnitudes) or solution.n_stations,
        evaluation_mode="automatic",
        evaluation_status="preliminary",
        creation_info=_created(solution.at_ns),
    )


def _pick(result: RunResult, pick: Any) -> Any:
    from obspy import UTCDateTime
    from obspy.core.event import Pick, QuantityError, WaveformStreamID

    return Pick(
        resource_id=_rid(result, "pick", pick.pick_id),
        time=UTCDateTime(ns=pick.time_ns),
        time_errors=QuantityError(uncertainty=round(pick.uncertainty_s, 3)),
        waveform_id=WaveformStreamID(seed_string=pick.stream),
        phase_hint=pick.phase.value,
        evaluation_mode="automatic",
        creation_info=_created(pick.known_ns),
    )


def _created(at_ns: int) -> Any:
    from obspy import UTCDateTime
    from obspy.core.event import CreationInfo

    return CreationInfo(author=AUTHOR, creation_time=UTCDateTime(ns=at_ns))


def _rid(result: RunResult, *parts: str | int) -> Any:
    from obspy.core.event import ResourceIdentifier

    path = "/".join(re.sub(r"[^\w.()*~'-]", "_", str(part), flags=re.ASCII) for part in parts)
    run = re.sub(r"[^\w.()*~'-]", "_", result.info.run_id, flags=re.ASCII)
    return ResourceIdentifier(id=f"smi:local/{AUTHOR}/{run}/{path}")
