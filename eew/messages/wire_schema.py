"""The shape of ``eew.alert/2``: fields, units and allowed ranges of every number.

One time is absolute, ``issued_ns`` (UTC, ns); every other is counted from it in ms, negative
before it. A group of numbers is an array in the order of the fields here: the names stand in this
file, in docs/asyncapi.json and in what ``eew msg decode`` prints, and not in each message. Lengths
are km, angles degrees. What a message leaves out has the default given here. Key and signature are
no part of this shape: ``eew.messages.seal`` adds them.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from eew.messages.topics import ID_PATTERN
from eew.model.alert import CancelReason, MsgType, Status

__all__ = [
    "DECODER",
    "ENCODER",
    "FIRST_CLASS",
    "GROUPS",
    "MAX_OBSERVED",
    "Alert",
    "Intensity",
    "Magnitude",
    "Origin",
    "Quality",
    "Trace",
]

FIRST_CLASS = 3
"""Intensity of the first of ``radii_km``; below it nobody is told."""
LAST_CLASS = 12
MAX_OBSERVED = 8
"""As many as the detector gives (``plum.max_observed`` in its table)."""
_HALF_WAY_ROUND_KM = 20_040
_TEN_DAYS_MS = 864_000_000

Ns = Annotated[int, Meta(ge=0, le=2**62)]  # with any offset added it still fits 64 bits
Ms = Annotated[int, Meta(ge=-_TEN_DAYS_MS, le=_TEN_DAYS_MS)]
ExactMs = Annotated[float, Meta(ge=-float(_TEN_DAYS_MS), le=float(_TEN_DAYS_MS))]
Km = Annotated[float, Meta(ge=0.0, le=float(_HALF_WAY_ROUND_KM))]
WholeKm = Annotated[int, Meta(ge=0, le=_HALF_WAY_ROUND_KM)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Offset = Annotated[int, Meta(ge=-36_000, le=36_000)]


class Origin(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """When and where the rupture began, ms from ``issued_ns``, and standard deviations."""

    time_ms: Ms
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    depth_km: Annotated[float, Meta(ge=-10.0, le=800.0)]
    time_sigma_s: Annotated[float, Meta(ge=0.0, le=3600.0)]
    h_sigma_km: Km
    z_sigma_km: Km


class Magnitude(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How large, one standard deviation, and how it was determined."""

    value: Annotated[float, Meta(ge=-2.0, le=10.5)]
    sigma: Annotated[float, Meta(ge=0.0, le=10.0)]
    type: Annotated[str, Meta(min_length=1, max_length=16)]


class Quality(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How well supported: stations, picks, azimuthal gap, probability of being a real quake."""

    n_stations: Count
    n_picks: Count
    gap_deg: Annotated[int, Meta(ge=0, le=360)]
    likelihood: Annotated[float, Meta(ge=0.0, le=1.0)]


class Intensity(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Strongest shaking expected anywhere, and what is added to the model's of the source."""

    max: Annotated[float, Meta(ge=-10.0, le=12.0)]
    correction: Annotated[float, Meta(ge=-3.0, le=3.0)]


class Trace(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Data times along the chain, for the delay budget, ms from ``issued_ns``."""

    first_pick: Ms
    pick: Ms
    last_sample: Ms
    received: Ms
    decided: Ms
    sent: ExactMs


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of one event; the message before it is the one with ``serial`` less by one."""

    schema: str
    simulation: Annotated[bool, Meta(description="Always true: this software sends nothing else.")]
    status: Status
    run: Annotated[
        str,
        Meta(
            pattern=r"^.{1,128}/[0-9]{1,20}\Z",
            description="Which run of the simulator this belongs to, and its seed.",
        ),
    ]
    event: Annotated[str, Meta(pattern=ID_PATTERN)]
    serial: Annotated[int, Meta(ge=1, le=1_000_000, description="Counts up, never repeats.")]
    type: MsgType
    issued_ns: Annotated[Ns, Meta(description="UTC, ns since 1970; all other times count from it.")]
    expires_ms: Annotated[int, Meta(ge=1, le=_TEN_DAYS_MS, description="ms from issued_ns.")]
    origin: Origin
    magnitude: Magnitude
    quality: Quality
    model: Annotated[
        str,
        Meta(
            pattern=r"^(mmi|csi|jma)/[A-Za-z0-9_.-]{1,64}\Z",
            description="Intensity scale, and name of the shaking model.",
        ),
    ]
    intensity: Intensity
    radii_km: Annotated[
        list[WholeKm],
        Meta(
            max_length=LAST_CLASS - FIRST_CLASS + 1,
            description="Inside which distance each whole intensity is expected, from 3 upwards; "
            "0 where a class is not reached. Round the epicentre, or round line where there is "
            "one.",
        ),
    ]
    trace_ms: Trace
    provisional: Annotated[
        bool, Meta(description="Fewer stations or a wider gap than a settled origin needs.")
    ] = False
    saturated: Annotated[bool, Meta(description="The magnitude is only a lower bound.")] = False
    line: Annotated[
        list[Offset],
        Meta(
            max_length=4,
            description="Latitude and longitude of both ends of the rupture, in 0.01 degrees from "
            "the epicentre (that rounded to 0.01 degrees).",
        ),
    ] = []
    observed: Annotated[
        list[Offset],
        Meta(
            max_length=3 * MAX_OBSERVED,
            description="Shaking that stations see now, the most useful first, at most 8: for "
            "each, latitude and longitude as in line, and ten times the intensity.",
        ),
    ] = []
    cancel_reason: CancelReason | None = None
    shelter_version: Annotated[
        int | None, Meta(description="Newest version of help packs the service holds.")
    ] = None


GROUPS: dict[str, tuple[str, ...]] = {
    name: kind.__struct_fields__
    for name, kind in (
        ("origin", Origin),
        ("magnitude", Magnitude),
        ("quality", Quality),
        ("intensity", Intensity),
        ("trace_ms", Trace),
    )
}
"""What the elements of each array are called."""

DECODER = msgspec.json.Decoder(Alert)
ENCODER = msgspec.json.Encoder()
