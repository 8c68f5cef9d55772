"""Kinds of strong-motion station: range, self-noise and counts (``eew/tables/accelerometers``)."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.strict import read_struct

__all__ = ["Accelerometer", "accelerometer", "accelerometer_names"]

Positive = Annotated[float, Meta(gt=0.0)]

_NOISE_BAND_HZ = 50.0  # the dynamic range is given for 0.02 to 50 Hz


class Accelerometer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of instrument with its recorder.

    Attributes
    ----------
    full_scale_mps2 : float
        Largest acceleration it can tell.
    full_scale_counts : int
        Counts it gives then.
    dynamic_range_db : float
        Full-scale sine over self-noise, both rms.
    offset_mps2 : float
        Standard deviation of the constant left on a channel.
    """

    full_scale_mps2: Positive
    full_scale_counts: Annotated[int, Meta(gt=0, le=2**30)]
    dynamic_range_db: Positive
    offset_mps2: Annotated[float, Meta(ge=0.0)]

    @property
    def sensitivity(self) -> float:
        """Counts per m/s**2."""
        return self.full_scale_counts / self.full_scale_mps2

    @property
    def self_noise_psd(self) -> float:
        """Density of the self-noise in (m/s**2)**2/Hz, white."""
        sine_power = self.full_scale_mps2**2 / 2.0
        power: float = sine_power / 10.0 ** (self.dynamic_range_db / 10.0)
        return power / _NOISE_BAND_HZ


def accelerometer_names() -> tuple[str, ...]:
    """Return the kinds there are, sorted."""
    return tuple(sorted(load_table("accelerometers")))


@cache
def accelerometer(name: str) -> Accelerometer:
    """Return a kind of instrument by name.

    Raises
    ------
    ConfigError
        If there is none of that name or its table does not fit the type.
    """
    table = load_table("accelerometers")
    if name not in table:
        known = ", ".join(accelerometer_names())
        raise ConfigError("sensor", f"no sensor {name!r}", hint=f"there are: {known}")
    value, problems = read_struct(Accelerometer, table[name])
    if value is None:
        raise ConfigError(f"eew/tables/accelerometers.toml [{name}]", "; ".join(problems))
    return value
