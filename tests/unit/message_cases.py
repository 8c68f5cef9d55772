"""Alert messages for tests, made with the real shaking models."""

from __future__ import annotations

from typing import Any

from eew.app.development_key import development_key
from eew.messages.seal import Keyring
from eew.messages.wire import encode
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    CancelReason,
    MsgType,
    Status,
)
from eew.physics.shaking import shaking_model

S = 1_000_000_000
ORIGIN_NS = 1_662_353_565_000_000_000  # 2022-09-05T04:52:45 UTC
ISSUED_S = 6.0
LUDING = (29.59, 102.08)
KEYS = {tree: development_key(7, tree) for tree in Status}
KEY = KEYS[Status.EXERCISE]


def keyring() -> Keyring:
    """Return what the devices of these tests trust."""
    return Keyring(key.public for key in KEYS.values())


def make_message(
    *,
    magnitude: float = 6.8,
    lat: float = LUDING[0],
    lon: float = LUDING[1],
    depth_km: float = 16.0,
    model: str = "gb18306_qinghai_tibet",
    event_id: str = "ev-1",
    serial: int = 1,
    msg_type: MsgType | None = None,
    issued_s: float = ISSUED_S,
    expire_s: float = 180.0,
    origin_ns: int = ORIGIN_NS,
    h_sigma_km: float = 5.0,
    time_sigma_s: float = 0.8,
    lower_bound: bool = False,
    status: Status = Status.EXERCISE,
) -> AlertMessage:
    """Return a message; times in s after the origin."""
    shaking = shaking_model(model)
    kind = msg_type or (MsgType.ALERT if serial == 1 else MsgType.UPDATE)
    issued_ns = origin_ns + round(issued_s * S)
    return AlertMessage(
        event_id=event_id,
        serial=serial,
        msg_type=kind,
        status=status,
        issued_ns=issued_ns,
        expires_ns=issued_ns + round(expire_s * S),
        origin=AlertOrigin(
            time_ns=origin_ns,
            lat=lat,
            lon=lon,
            depth_km=depth_km,
            h_sigma_km=h_sigma_km,
            z_sigma_km=8.0,
            time_sigma_s=time_sigma_s,
            provisional=False,
        ),
        magnitude=AlertMagnitude(value=magnitude, type="Mpd", sigma=0.4, lower_bound=lower_bound),
        quality=AlertQuality(n_stations=6, n_picks=6, gap_deg=87.0, likelihood=0.93),
        prediction=AlertPrediction(
            scale=shaking.scale,
            relation=model,
            max_intensity=float(shaking.predict(magnitude, depth_km, 0.0).intensity),
            radii_km=shaking.radii_km(range(3, 10), magnitude, depth_km),
        ),
        first_pick_ns=origin_ns + 3 * S,
        trace=AlertTrace(
            last_sample_ns=issued_ns - 800_000_000,
            received_ns=issued_ns - 500_000_000,
            pick_ns=issued_ns - 1_200_000_000,
            decided_ns=issued_ns,
        ),
        cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
    )


def payload_of(message: AlertMessage, **kwargs: Any) -> bytes:
    """Return the message as it travels."""
    values: dict[str, Any] = {
        "run_id": "luding-2022-7",
        "seed": 7,
        "sent_ns": message.issued_ns,
        "signer": KEYS[message.status],
    }
    return encode(message, **(values | kwargs))
