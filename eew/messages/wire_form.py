"""Alert messages as the values of ``eew.messages.wire_schema``, and back: rounding and offsets.

Of what the domain types hold, these travel rounded: times to the ms (``issued_ns`` exactly,
``sent`` to the us), positions to 4 decimals (11 m), depth and standard deviations to 0.1 km,
magnitudes to 0.01, the strongest intensity to 0.1, radii to 1 km, ends of the line and
observations to 0.01 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from eew.errors import WireError
from eew.messages import wire_schema
from eew.messages.wire_schema import FIRST_CLASS, MAX_OBSERVED
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    ObservedShaking,
)

__all__ = ["message_of", "sent_ns_of", "to_wire"]

_NS_PER_MS = 1_000_000
_NS_PER_US = 1_000


def _rounded(field: str, value: float, digits: int) -> float:
    if not math.isfinite(value):
        raise WireError(f"alert: {field} must be finite, was {value!r}")
    return round(float(value), digits) + 0.0  # no negative zero


def _ms(time_ns: int, issued_ns: int) -> int:
    """Return a time as whole ms after ``issued_ns``, to the nearest, in integers throughout."""
    return (int(time_ns) - issued_ns + _NS_PER_MS // 2) // _NS_PER_MS


def _exact_ms(time_ns: int, issued_ns: int) -> float:
    """Return a time as ms after ``issued_ns``, to the us."""
    return (int(time_ns) - issued_ns + _NS_PER_US // 2) // _NS_PER_US / 1_000


def to_wire(
    message: AlertMessage,
    *,
    schema: str,
    run_id: str,
    seed: int,
    sent_ns: int,
    shelter_version: int | None,
) -> wire_schema.Alert:
    """Return a message as it travels.

    Raises
    ------
    WireError
        If a number is not finite.
    """
    issued_ns = int(message.issued_ns)
    origin, magnitude, quality = message.origin, message.magnitude, message.quality
    prediction, trace = message.prediction, message.trace
    lat, lon = _rounded("origin.lat", origin.lat, 4), _rounded("origin.lon", origin.lon, 4)
    return wire_schema.Alert(
        schema=schema,
        simulation=True,
        status=message.status,
        run=f"{run_id}/{int(seed)}",
        event=message.event_id,
        serial=int(message.serial),
        type=message.msg_type,
        issued_ns=issued_ns,
        expires_ms=_ms(message.expires_ns, issued_ns),
        origin=wire_schema.Origin(
            time_ms=_ms(origin.time_ns, issued_ns),
            lat=lat,
            lon=lon,
            depth_km=_rounded("origin.depth_km", origin.depth_km, 1),
            time_sigma_s=_rounded("origin.time_sigma_s", origin.time_sigma_s, 2),
            h_sigma_km=_rounded("origin.h_sigma_km", origin.h_sigma_km, 1),
            z_sigma_km=_rounded("origin.z_sigma_km", origin.z_sigma_km, 1),
        ),
        magnitude=wire_schema.Magnitude(
            value=_rounded("magnitude.value", magnitude.value, 2),
            sigma=_rounded("magnitude.sigma", magnitude.sigma, 2),
            type=magnitude.type,
        ),
        quality=wire_schema.Quality(
            n_stations=int(quality.n_stations),
            n_picks=int(quality.n_picks),
            gap_deg=int(_rounded("quality.gap_deg", quality.gap_deg, 0)),
            likelihood=_rounded("quality.likelihood", quality.likelihood, 2),
        ),
        model=f"{prediction.scale}/{prediction.relation}",
        intensity=wire_schema.Intensity(
            max=_rounded("intensity.max", prediction.max_intensity, 1),
            correction=_rounded("intensity.correction", prediction.correction, 2),
        ),
        radii_km=_radii_to_wire(prediction.radii_km),
        trace_ms=wire_schema.Trace(
            first_pick=_ms(message.first_pick_ns, issued_ns),
            pick=_ms(trace.pick_ns, issued_ns),
            last_sample=_ms(trace.last_sample_ns, issued_ns),
            received=_ms(trace.received_ns, issued_ns),
            decided=_ms(trace.decided_ns, issued_ns),
            sent=_exact_ms(sent_ns, issued_ns),
        ),
        provisional=bool(origin.provisional),
        saturated=bool(magnitude.lower_bound),
        line=_offsets("line", prediction.line or (), lat, lon),
        observed=[
            number
            for one in prediction.observed[:MAX_OBSERVED]
            for number in (
                *_offsets("observed", (one.lat, one.lon), lat, lon),
                _whole("observed", one.intensity, 10),
            )
        ],
        cancel_reason=message.cancel_reason,
        shelter_version=shelter_version,
    )


def _whole(field: str, value: float, units: int) -> int:
    """Return a number in whole parts, ``units`` of which make one."""
    if not math.isfinite(value):
        raise WireError(f"alert: {field} must be finite, was {value!r}")
    return round(float(value) * units)


def _offsets(field: str, degrees: Sequence[float], lat: float, lon: float) -> list[int]:
    """Return latitudes and longitudes in turn, counted in 0.01 degrees from a place."""
    zero = _whole("origin.lat", lat, 100), _whole("origin.lon", lon, 100)
    return [_whole(field, value, 100) - zero[n % 2] for n, value in enumerate(degrees)]


def _radii_to_wire(radii_km: dict[int, float]) -> list[int]:
    """Return the radii class by class, whole km: the model's own scatter is tens of percent."""
    classes = sorted(int(k) for k in radii_km)
    if classes and classes[0] < FIRST_CLASS:
        raise WireError(f"alert: radii_km begins with {FIRST_CLASS}, was {classes[0]}")
    rounded = [
        _whole("radii_km", radii_km.get(k, 0.0), 1)
        for k in range(FIRST_CLASS, classes[-1] + 1 if classes else FIRST_CLASS)
    ]
    while rounded and rounded[-1] == 0:
        rounded.pop()
    return rounded


# ---------------------------------------------------------------- from the wire


def _degrees(offsets: Sequence[int], origin: wire_schema.Origin) -> list[float]:
    """Return latitudes and longitudes; the inverse of :func:`_offsets`."""
    zero = _whole("origin.lat", origin.lat, 100), _whole("origin.lon", origin.lon, 100)
    return [(value + zero[n % 2]) / 100 for n, value in enumerate(offsets)]


def _line(alert: wire_schema.Alert) -> tuple[float, float, float, float] | None:
    if not alert.line:
        return None
    lat1, lon1, lat2, lon2 = _degrees(alert.line, alert.origin)
    return lat1, lon1, lat2, lon2


def _observed(alert: wire_schema.Alert) -> tuple[ObservedShaking, ...]:
    found = []
    for n in range(0, len(alert.observed), 3):
        lat, lon = _degrees(alert.observed[n : n + 2], alert.origin)
        found.append(ObservedShaking(lat=lat, lon=lon, intensity=alert.observed[n + 2] / 10))
    return tuple(found)


def _check_places(message: AlertMessage) -> None:
    """Refuse places beyond the poles, and intensities beyond every scale."""
    line, observed = message.prediction.line, message.prediction.observed
    places = [] if line is None else [("line", *line[:2]), ("line", *line[2:])]
    places += [("observed", one.lat, one.lon) for one in observed]
    for field, lat, lon in places:
        if abs(lat) > 90.0 or abs(lon) > 180.0:
            raise WireError(f"alert: {field} must be on the Earth, was {lat:g}, {lon:g}")
    for one in observed:
        if not -10.0 <= one.intensity <= 12.0:
            raise WireError(
                f"alert: observed intensity must be within -10 and 12, was {one.intensity:g}"
            )


def message_of(alert: wire_schema.Alert) -> AlertMessage:
    """Return the message that travelled.

    Raises
    ------
    WireError
        If what the types alone let pass makes no sense.
    """
    if len(alert.line) not in (0, 4):
        raise WireError(f"alert: line must have 4 numbers, was {len(alert.line)}")
    if len(alert.observed) % 3:
        raise WireError(f"alert: observed must be groups of 3, was {len(alert.observed)} numbers")
    origin, quality, trace = alert.origin, alert.quality, alert.trace_ms
    issued_ns = alert.issued_ns
    scale, relation = alert.model.split("/", 1)
    message = AlertMessage(
        event_id=alert.event,
        serial=alert.serial,
        msg_type=alert.type,
        status=alert.status,
        issued_ns=issued_ns,
        expires_ns=issued_ns + alert.expires_ms * _NS_PER_MS,
        origin=AlertOrigin(
            time_ns=issued_ns + origin.time_ms * _NS_PER_MS,
            lat=origin.lat,
            lon=origin.lon,
            depth_km=origin.depth_km,
            h_sigma_km=origin.h_sigma_km,
            z_sigma_km=origin.z_sigma_km,
            time_sigma_s=origin.time_sigma_s,
            provisional=alert.provisional,
        ),
        magnitude=AlertMagnitude(
            value=alert.magnitude.value,
            type=alert.magnitude.type,
            sigma=alert.magnitude.sigma,
            lower_bound=alert.saturated,
        ),
        quality=AlertQuality(
            n_stations=quality.n_stations,
            n_picks=quality.n_picks,
            gap_deg=float(quality.gap_deg),
            likelihood=quality.likelihood,
        ),
        prediction=AlertPrediction(
            scale=scale,
            relation=relation,
            max_intensity=alert.intensity.max,
            radii_km={
                intensity: float(radius_km)
                for intensity, radius_km in enumerate(alert.radii_km, start=FIRST_CLASS)
                if radius_km > 0
            },
            line=_line(alert),
            correction=alert.intensity.correction,
            observed=_observed(alert),
        ),
        first_pick_ns=issued_ns + trace.first_pick * _NS_PER_MS,
        trace=AlertTrace(
            last_sample_ns=issued_ns + trace.last_sample * _NS_PER_MS,
            received_ns=issued_ns + trace.received * _NS_PER_MS,
            pick_ns=issued_ns + trace.pick * _NS_PER_MS,
            decided_ns=issued_ns + trace.decided * _NS_PER_MS,
        ),
        cancel_reason=alert.cancel_reason,
    )
    _check_places(message)
    return message


def sent_ns_of(alert: wire_schema.Alert) -> int:
    """Return when a message left the service, UTC ns, to the us."""
    return alert.issued_ns + round(alert.trace_ms.sent * 1_000) * _NS_PER_US
