"""An alert message and devices to tell it to, made from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.locality import SharedEstimator
from clients.phone import Phone
from eew.app.development_key import development_keyring
from eew.clock import NS_PER_S
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    MsgType,
    Status,
)

EPICENTRE = (29.6, 102.1)
NOW_NS = 1_700_000_000 * NS_PER_S


def sample_alert(serial: int, *, radius_km: float) -> AlertMessage:
    """Return message ``serial`` of one M6.8 event felt out to ``radius_km``."""
    return AlertMessage(
        event_id="bench",
        serial=serial,
        msg_type=MsgType.ALERT if serial == 1 else MsgType.UPDATE,
        status=Status.EXERCISE,
        issued_ns=NOW_NS,
        expires_ns=NOW_NS + 3600 * NS_PER_S,
        origin=AlertOrigin(
            time_ns=NOW_NS - 6 * NS_PER_S,
            lat=EPICENTRE[0],
            lon=EPICENTRE[1],
            depth_km=12.0,
            h_sigma_km=2.0,
            z_sigma_km=4.0,
            time_sigma_s=0.4,
            provisional=False,
        ),
        magnitude=AlertMagnitude(value=6.8, type="Mpd", sigma=0.3, lower_bound=False),
        quality=AlertQuality(n_stations=6, n_picks=8, gap_deg=110.0, likelihood=0.95),
        prediction=AlertPrediction(
            scale="csi",
            relation="gb18306_qinghai_tibet",
            max_intensity=8.4,
            radii_km={3: radius_km, 5: radius_km / 3.0, 7: radius_km / 10.0},
        ),
        first_pick_ns=NOW_NS - 4 * NS_PER_S,
        trace=AlertTrace(
            last_sample_ns=NOW_NS - NS_PER_S,
            received_ns=NOW_NS - NS_PER_S // 2,
            pick_ns=NOW_NS - 2 * NS_PER_S,
            decided_ns=NOW_NS,
        ),
    )


def sample_positions(
    n: int, seed: int, *, within_km: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitudes and longitudes spread evenly over a circle round the epicentre."""
    rng = np.random.default_rng(seed)
    radius_km = within_km * np.sqrt(rng.uniform(size=n))
    angle = rng.uniform(0.0, 2.0 * np.pi, size=n)
    lat = EPICENTRE[0] + radius_km * np.cos(angle) / 111.2
    lon = EPICENTRE[1] + radius_km * np.sin(angle) / (111.2 * np.cos(np.radians(lat)))
    return lat, lon


def sample_phones(n: int, seed: int, *, within_km: float, **settings: Any) -> list[Phone]:
    """Return ``n`` phones spread evenly over a circle round the epicentre."""
    lat, lon = sample_positions(n, seed, within_km=within_km)
    estimator, keyring = SharedEstimator(), development_keyring(seed)
    return [
        Phone(
            id=f"phone-{i:05d}",
            lat=float(lat[i]),
            lon=float(lon[i]),
            language="zh",
            country="CN",
            estimator=estimator,
            keyring=keyring,
            **settings,
        )
        for i in range(n)
    ]
