"""The run as one list of moments in data time: ``timeline.jsonl`` and the terminal use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from eew.report.result import RunResult
from eew.report.summary import number
from eew.report.times import utc

# where several things fall into one moment, this is the order of cause and effect
_ORDER = ("origin", "pick", "rejected", "solution", "message", "told", "closed")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, or became known, at ``at_ns`` of data time."""

    at_ns: int
    what: str
    values: Mapping[str, object]


def moments(result: RunResult) -> list[Moment]:
    """Return all moments of a run, ordered by data time, then by cause and effect."""
    found = [
        *_origin(result),
        *(
            Moment(
                pick.known_ns,
                "pick",
                {
                    "station": pick.station,
                    "stream": pick.stream,
                    "phase": pick.phase.value,
                    "onset": utc(pick.time_ns),
                    "onset_s": number(result.since_zero_s(pick.time_ns), 3),
                    "uncertainty_s": number(pick.uncertainty_s, 3),
                    "snr": number(pick.snr, 1),
                },
            )
            for pick in result.picks
        ),
        *(
            Moment(one.known_ns, "rejected", {"station": one.station, "reason": one.reason})
            for one in result.rejected
        ),
        *(
            Moment(
                one.at_ns,
                "solution",
                {
                    "event_id": one.event_id,
                    "lat": number(one.lat, 4),
                    "lon": number(one.lon, 4),
                    "depth_km": number(one.depth_km, 2),
                    "magnitude": number(one.magnitude, 2),
                    "n_stations": one.n_stations,
                },
            )
            for one in result.solutions
        ),
        *_messages(result),
        *(
            Moment(
                one.at_ns,
                "told",
                {
                    "device": one.device,
                    "kind": one.kind,
                    "site": one.site,
                    "event_id": one.event_id,
                    "serial": one.serial,
                    "level": one.level.value,
                },
            )
            for one in result.told
        ),
        *(
            Moment(
                one.at_ns,
                "closed",
                {"event_id": one.event_id, "withdrawn": one.withdrawn, "reason": one.reason},
            )
            for one in result.closed
        ),
    ]
    return sorted(found, key=lambda moment: (moment.at_ns, _ORDER.index(moment.what)))


def _origin(result: RunResult) -> list[Moment]:
    truth = result.recording.truth
    if truth is None:
        return []
    values = {
        "lat": number(truth.lat, 4),
        "lon": number(truth.lon, 4),
        "depth_km": number(truth.depth_km, 2),
        "magnitude": number(truth.magnitude, 2),
    }
    return [Moment(truth.origin_time_ns, "origin", values)]


def _messages(result: RunResult) -> list[Moment]:
    return [
        Moment(
            message.issued_ns,
            "message",
            {
                "event_id": message.event_id,
                "serial": message.serial,
                "msg_type": message.msg_type.value,
                "magnitude": number(message.magnitude.value, 2),
                "lat": number(message.origin.lat, 4),
                "lon": number(message.origin.lon, 4),
                "depth_km": number(message.origin.depth_km, 2),
                "n_stations": message.quality.n_stations,
                "max_intensity": number(message.prediction.max_intensity, 2),
                "scale": message.prediction.scale,
            },
        )
        for message in result.messages
    ]


def timeline_jsonl(result: RunResult) -> str:
    """Return one JSON object per line: ``t`` (UTC), ``since_zero_s``, ``what``, and its values."""
    lines = [
        json.dumps(
            {
                "t": utc(moment.at_ns),
                "since_zero_s": number(result.since_zero_s(moment.at_ns), 3),
                "what": moment.what,
                **moment.values,
            },
            ensure_ascii=False,
        )
        for moment in moments(result)
    ]
    return "".join(line + "\n" for line in lines)


def messages_jsonl(result: RunResult) -> str:
    """Return the payloads, one per line, byte for byte as they went out."""
    return "".join(payload.decode("utf-8") + "\n" for payload in result.payloads)
