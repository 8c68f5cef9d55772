"""OpenEEW's trace packets: about a second of three-axis acceleration as JSON.

The fields are those of the OpenEEW data set (Grillo; AWS Registry of Open Data,
``s3://grillo-openeew``, described in ``data/README.md`` of github.com/openeew/openeew), which
keeps the packets as its devices send them:

============= ==================================================================================
country_code  two letters, lower case; may be missing
device_id     name of the device, of any length; unique per country
x, y, z       acceleration in gal (cm/s**2), the same number of values each
device_t      Unix time of the *last* values by the device's clock, s
cloud_t       Unix time of arrival by the server's clock, s; missing on a wire where the receiver
              is the first server
sr            nominal sampling rate, Hz; the clocks of the devices are some per cent off it
============= ==================================================================================

Fields that are not in this table are ignored. No I/O and no clock in here.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from eew.errors import WireError
from eew.messages.validation import refuse

__all__ = ["GAL_MPS2", "MAX_PAYLOAD_BYTES", "TracePacket", "decode_trace", "encode_trace", "unix_s"]

GAL_MPS2 = 0.01  # 1 gal in m/s**2
MAX_PAYLOAD_BYTES = 262_144  # a packet is 1 kB; 10 s at 200 Hz would be 50 kB
_MAX_SAMPLES = 4096
_WHAT = "OpenEEW packet"
_LARGEST_GAL = 98_066.5  # 100 g is beyond any such accelerometer: a value that is not in gal
_US_PER_S, _NS_PER_US = 1_000_000, 1000  # a float of Unix seconds holds microseconds, no more

_Axis = Annotated[list[float], Meta(min_length=1, max_length=_MAX_SAMPLES)]
_UnixS = Annotated[float, Meta(gt=0.0, le=1e11)]


class TracePacket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One packet as it travels; units and meaning of the fields are in the module's text."""

    country_code: Annotated[str, Meta(pattern=r"^([a-z]{2})?\Z")] = ""
    device_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}\Z")]
    x: _Axis
    y: _Axis
    z: _Axis
    device_t: _UnixS
    cloud_t: _UnixS | None = None
    sr: Annotated[float, Meta(gt=0.0, le=1000.0)]

    @property
    def device_ns(self) -> int:
        """Time of the last values by the device's clock, UTC ns."""
        return _ns(self.device_t)

    @property
    def cloud_ns(self) -> int | None:
        """Time of arrival by the server's clock, UTC ns; None where no server has seen it."""
        return None if self.cloud_t is None else _ns(self.cloud_t)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(TracePacket)


def encode_trace(packet: TracePacket) -> bytes:
    """Write a packet as UTF-8 JSON.

    Raises
    ------
    WireError
        If :func:`decode_trace` would refuse it.
    """
    payload = _ENCODER.encode(packet)
    decode_trace(payload)
    return payload


def decode_trace(payload: bytes) -> TracePacket:
    """Read a packet.

    Raises
    ------
    WireError
        Naming the field, the value found and what is expected.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError(f"{_WHAT}: {len(payload)} bytes, expected at most {MAX_PAYLOAD_BYTES}")
    try:
        packet = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(_WHAT, payload, error) from error
    if not len(packet.x) == len(packet.y) == len(packet.z):
        raise WireError(
            f"{_WHAT}: x, y and z must have the same number of values, "
            f"had {len(packet.x)}, {len(packet.y)} and {len(packet.z)}"
        )
    for axis, values in (("x", packet.x), ("y", packet.y), ("z", packet.z)):
        if max(values) > _LARGEST_GAL or min(values) < -_LARGEST_GAL:
            index = next(i for i, value in enumerate(values) if abs(value) > _LARGEST_GAL)
            raise WireError(
                f"{_WHAT}: {axis}[{index}]: must be within ±{_LARGEST_GAL:g} gal, "
                f"was {values[index]:g}"
            )
    return packet


def unix_s(time_ns: int) -> float:
    """Return UTC ns as Unix seconds, rounded to the microsecond that a float can hold."""
    return ((time_ns + _NS_PER_US // 2) // _NS_PER_US) / _US_PER_S


def _ns(seconds: float) -> int:
    return round(seconds * _US_PER_S) * _NS_PER_US
