"""Alert messages as JSON, schema ``eew.alert/1``: strict both ways.

Unknown fields are ignored, so that a newer minor version can be read; an unknown major version,
a missing or non-finite number, a value out of its range or a status other than ``exercise`` or
``test`` is refused with the field and the value found. There is no ``actual``: this software
cannot say it and does not listen to it. What :func:`encode` writes has been read back first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from eew.errors import WireError
from eew.messages import wire_schema
from eew.messages.levels import default_thresholds
from eew.messages.validation import check_schema, refuse, schema_of
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    Level,
    MsgType,
    ObservedShaking,
)

__all__ = ["MAX_PAYLOAD_BYTES", "SCHEMA", "ReceivedAlert", "decode", "encode"]

SCHEMA = "eew.alert/1"
MAX_PAYLOAD_BYTES = 16_384  # an alert is under 1 kB; anything this long is not one


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAlert:
    """A decoded message with what travels beside it.

    Attributes
    ----------
    message : AlertMessage
        Positions to 4 decimals, magnitudes to 2, lengths to 0.1 km, as they were sent.
    text_key : str
        Which words suit the strongest shaking anywhere (``take_action``, ``be_aware`` or
        ``cancelled``); a device that knows where it is decides for itself.
    references : tuple of str
        The message before this one, ``event_id/serial``.
    shelter_version : int or None
        Newest version of help packs the service holds, where it says so.
    """

    message: AlertMessage
    text_key: str
    references: tuple[str, ...]
    sent_ns: int
    run_id: str
    seed: int
    shelter_version: int | None


def encode(
    message: AlertMessage,
    *,
    run_id: str,
    seed: int,
    sent_ns: int,
    shelter_version: int | None = None,
) -> bytes:
    """Write a message as UTF-8 JSON; the same input gives the same bytes.

    Raises
    ------
    WireError
        If a value may not be sent (not finite, out of range, unknown status).
    """
    alert = _to_wire(message, run_id, seed, sent_ns, shelter_version)
    payload = wire_schema.ENCODER.encode(alert)
    decode(payload)
    return payload


@lru_cache(maxsize=256)
def decode(payload: bytes) -> ReceivedAlert:
    """Read a message; the result is shared by all devices of a process that receive it.

    Raises
    ------
    WireError
        If it is not a valid ``eew.alert/1`` message; field and value found are named.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError(f"alert: {len(payload)} bytes, more than {MAX_PAYLOAD_BYTES}")
    try:
        alert = wire_schema.DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        schema = schema_of(payload)
        if schema is not None:
            check_schema("alert", SCHEMA, schema)
        raise refuse("alert", payload, error) from error
    check_schema("alert", SCHEMA, alert.schema)
    _check_consistent(alert)
    return _from_wire(alert)


def _check_consistent(alert: wire_schema.Alert) -> None:
    """Refuse what the types alone let pass."""
    if alert.simulation is not True:
        raise WireError(f"alert: simulation must be true, was {alert.simulation!r}")
    if alert.expires_ns <= alert.issued_ns:
        raise WireError(
            f"alert: expires_ns must be after issued_ns ({alert.issued_ns}), was {alert.expires_ns}"
        )
    kind = alert.msg_type
    if alert.is_final != (kind in (MsgType.FINAL, MsgType.CANCEL)):
        raise WireError(f"alert: is_final does not suit {kind.value!r}, was {alert.is_final}")
    if (kind is MsgType.CANCEL) != (alert.cancel_reason is not None):
        raise WireError(
            f"alert: cancel_reason does not suit {kind.value!r}, was {alert.cancel_reason!r}"
        )


def _text_key(message: AlertMessage) -> str:
    if message.msg_type is MsgType.CANCEL:
        return "cancelled"
    prediction = message.prediction
    level = default_thresholds(prediction.scale).level_of(prediction.max_intensity)
    return Level.TAKE_ACTION.value if level is Level.TAKE_ACTION else Level.BE_AWARE.value


def _rounded(field: str, value: float, digits: int) -> float:
    if not math.isfinite(value):
        raise WireError(f"alert: {field} must be finite, was {value!r}")
    return round(float(value), digits) + 0.0  # no negative zero


def _to_wire(
    message: AlertMessage, run_id: str, seed: int, sent_ns: int, shelter_version: int | None
) -> wire_schema.Alert:
    serial = int(message.serial)
    trace = message.trace
    return wire_schema.Alert(
        schema=SCHEMA,
        simulation=True,
        event_id=message.event_id,
        serial=serial,
        msg_type=message.msg_type,
        status=message.status,
        is_final=message.is_final,
        references=[f"{message.event_id}/{serial - 1}"] if serial > 1 else [],
        issued_ns=int(message.issued_ns),
        expires_ns=int(message.expires_ns),
        first_pick_ns=int(message.first_pick_ns),
        text_key=_text_key(message),
        origin=_origin_to_wire(message.origin),
        magnitude=wire_schema.Magnitude(
            value=_rounded("magnitude.value", message.magnitude.value, 2),
            type=message.magnitude.type,
            sigma=_rounded("magnitude.sigma", message.magnitude.sigma, 2),
            saturated=bool(message.magnitude.lower_bound),
        ),
        quality=wire_schema.Quality(
            n_stations=int(message.quality.n_stations),
            n_picks=int(message.quality.n_picks),
            gap_deg=_rounded("quality.gap_deg", message.quality.gap_deg, 0),
            likelihood=_rounded("quality.likelihood", message.quality.likelihood, 2),
        ),
        prediction=_prediction_to_wire(message.prediction),
        trace=wire_schema.Trace(
            last_sample_ns=int(trace.last_sample_ns),
            received_ns=int(trace.received_ns),
            pick_ns=int(trace.pick_ns),
            decided_ns=int(trace.decided_ns),
            sent_ns=int(sent_ns),
        ),
        sim=wire_schema.Sim(run_id=run_id, seed=int(seed)),
        cancel_reason=message.cancel_reason,
        shelter_version=shelter_version,
    )


def _origin_to_wire(origin: AlertOrigin) -> wire_schema.Origin:
    return wire_schema.Origin(
        time_ns=int(origin.time_ns),
        lat=_rounded("origin.lat", origin.lat, 4),
        lon=_rounded("origin.lon", origin.lon, 4),
        depth_km=_rounded("origin.depth_km", origin.depth_km, 1),
        h_sigma_km=_rounded("origin.h_sigma_km", origin.h_sigma_km, 1),
        z_sigma_km=_rounded("origin.z_sigma_km", origin.z_sigma_km, 1),
        time_sigma_s=_rounded("origin.time_sigma_s", origin.time_sigma_s, 2),
        provisional=bool(origin.provisional),
    )


def _prediction_to_wire(prediction: AlertPrediction) -> wire_schema.Prediction:
    line = prediction.line
    return wire_schema.Prediction(
        scale=prediction.scale,
        relation=prediction.relation,
        max_intensity=_rounded("prediction.max_intensity", prediction.max_intensity, 2),
        radii_km={
            int(k): _rounded(f"prediction.radii_km.{k}", v, 1)
            for k, v in sorted(prediction.radii_km.items())
        },
        # 2 decimals are 1.1 km: a rupture is not known better
        line=None
        if line is None
        else (
            _rounded("prediction.line", line[0], 2),
            _rounded("prediction.line", line[1], 2),
            _rounded("prediction.line", line[2], 2),
            _rounded("prediction.line", line[3], 2),
        ),
        correction=_rounded("prediction.correction", prediction.correction, 2) or None,
        observed=[
            (
                _rounded("prediction.observed", one.lat, 2),
                _rounded("prediction.observed", one.lon, 2),
                _rounded("prediction.observed", one.intensity, 1),
            )
            for one in prediction.observed
        ],
    )


def _prediction_from_wire(prediction: wire_schema.Prediction) -> AlertPrediction:
    return AlertPrediction(
        scale=prediction.scale,
        relation=prediction.relation,
        max_intensity=prediction.max_intensity,
        radii_km=prediction.radii_km,
        line=prediction.line,
        correction=prediction.correction or 0.0,
        observed=tuple(
            ObservedShaking(lat=lat, lon=lon, intensity=intensity)
            for lat, lon, intensity in prediction.observed
        ),
    )


def _from_wire(alert: wire_schema.Alert) -> ReceivedAlert:
    origin, prediction, trace = alert.origin, alert.prediction, alert.trace
    message = AlertMessage(
        event_id=alert.event_id,
        serial=alert.serial,
        msg_type=alert.msg_type,
        status=alert.status,
        issued_ns=alert.issued_ns,
        expires_ns=alert.expires_ns,
        origin=AlertOrigin(**msgspec.structs.asdict(origin)),
        magnitude=AlertMagnitude(
            value=alert.magnitude.value,
            type=alert.magnitude.type,
            sigma=alert.magnitude.sigma,
            lower_bound=alert.magnitude.saturated,
        ),
        quality=AlertQuality(**msgspec.structs.asdict(alert.quality)),
        prediction=_prediction_from_wire(prediction),
        first_pick_ns=alert.first_pick_ns,
        trace=AlertTrace(
            last_sample_ns=trace.last_sample_ns,
            received_ns=trace.received_ns,
            pick_ns=trace.pick_ns,
            decided_ns=trace.decided_ns,
        ),
        cancel_reason=alert.cancel_reason,
    )
    return ReceivedAlert(
        message=message,
        text_key=alert.text_key,
        references=tuple(alert.references),
        sent_ns=trace.sent_ns,
        run_id=alert.sim.run_id,
        seed=alert.sim.seed,
        shelter_version=alert.shelter_version,
    )
