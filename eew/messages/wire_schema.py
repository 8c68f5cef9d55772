"""The shape of ``eew.alert/1``: fields, units and allowed ranges of every number.

Names follow the domain types with one exception: ``magnitude.saturated`` is their
``lower_bound``. Times are integer ns of UTC, lengths km, angles degrees.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from eew.messages.topics import ID_PATTERN
from eew.model.alert import CancelReason, MsgType, Status

__all__ = ["DECODER", "ENCODER", "Alert", "Magnitude", "Origin", "Prediction", "Quality", "Sim"]

HALF_WAY_ROUND_KM = 20_040.0

Ns = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Km = Annotated[float, Meta(ge=0.0, le=HALF_WAY_ROUND_KM)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
IntensityClass = Annotated[int, Meta(ge=0, le=12)]


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where and when."""

    time_ns: Ns
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    depth_km: Annotated[float, Meta(ge=-10.0, le=800.0)]
    h_sigma_km: Km
    z_sigma_km: Km
    time_sigma_s: Annotated[float, Meta(ge=0.0, le=3600.0)]
    provisional: bool = False


class Magnitude(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How large, and whether that is only a lower bound."""

    value: Annotated[float, Meta(ge=-2.0, le=10.5)]
    type: Annotated[str, Meta(min_length=1, max_length=16)]
    sigma: Annotated[float, Meta(ge=0.0, le=10.0)]
    saturated: bool = False


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How well supported."""

    n_stations: Count
    n_picks: Count
    gap_deg: Annotated[float, Meta(ge=0.0, le=360.0)]
    likelihood: Annotated[float, Meta(ge=0.0, le=1.0)]


Lat = Annotated[float, Meta(ge=-90.0, le=90.0)]
Lon = Annotated[float, Meta(ge=-180.0, le=180.0)]
Intensity = Annotated[float, Meta(ge=-10.0, le=12.0)]


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Expected shaking: strongest anywhere, and the radius of each whole intensity.

    ``line`` holds latitude and longitude of both ends of the rupture (the radii then count from
    it), ``correction`` is added to what the model says of the source, and each of ``observed`` is
    a latitude, a longitude and the intensity seen there now. What is left out is not known yet.
    """

    scale: Annotated[str, Meta(pattern=r"^(mmi|csi|jma)\Z")]
    relation: Annotated[str, Meta(min_length=1, max_length=64)]
    max_intensity: Intensity
    radii_km: dict[IntensityClass, Km]
    line: tuple[Lat, Lon, Lat, Lon] | None = None
    correction: Annotated[float, Meta(ge=-3.0, le=3.0)] | None = None
    observed: Annotated[list[tuple[Lat, Lon, Intensity]], Meta(max_length=64)] = []


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Data times along the chain, for the delay budget."""

    last_sample_ns: Ns
    received_ns: Ns
    pick_ns: Ns
    decided_ns: Ns
    sent_ns: Ns


class Sim(msgspec.Struct, frozen=True, kw_only=True):
    """Which run this belongs to."""

    run_id: Annotated[str, Meta(min_length=1, max_length=128)]
    seed: Annotated[int, Meta(ge=0)]


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message."""

    schema: str
    simulation: bool
    event_id: Annotated[str, Meta(pattern=ID_PATTERN)]
    serial: Annotated[int, Meta(ge=1, le=1_000_000)]
    msg_type: MsgType
    status: Status
    issued_ns: Ns
    expires_ns: Ns
    first_pick_ns: Ns
    text_key: Annotated[str, Meta(min_length=1, max_length=32)]
    origin: Origin
    magnitude: Magnitude
    quality: Quality
    prediction: Prediction
    trace: Trace
    sim: Sim
    # What is left out says "no"; each of these is checked against msg_type or has one meaning.
    is_final: bool = False
    references: Annotated[list[Annotated[str, Meta(max_length=96)]], Meta(max_length=16)] = []
    cancel_reason: CancelReason | None = None
    shelter_version: Annotated[int, Meta(ge=0)] | None = None


DECODER = msgspec.json.Decoder(Alert)
ENCODER = msgspec.json.Encoder()
