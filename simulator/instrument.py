"""Kinds of station, from ground motion to counts: tables of ``eew/tables/instruments.toml``."""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.waveform import SensorKind
from eew.tables import load_table
from simulator.antialias import low_pass, low_pass_taps
from simulator.strict import read_struct

__all__ = ["Instrument", "instrument", "instrument_names"]

Floats = NDArray[np.float64]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]

_CLASS_BAND_HZ = (0.02, 50.0)  # in which the guidelines take the dynamic range


class Instrument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of sensor with its recorder.

    Attributes
    ----------
    kind : str
        ``acceleration`` or ``velocity``: what the counts stand for.
    full_scale : float
        Largest motion it can tell, m/s**2 or m/s.
    full_scale_counts : int
        Counts it gives then.
    self_noise_db : float
        Density of the self-noise at high frequency as ground acceleration, dB relative to
        1 (m/s**2)**2/Hz.
    flicker_hz : float
        Below this frequency the density grows as 1/f.
    offset_mps2 : float
        Standard deviation of the constant left on a channel.
    band_share, band_order : float
        Corner of the anti-alias filter over the Nyquist frequency, and its steepness.
    corner_period_s, damping : float
        Pendulum of a velocity sensor; not used otherwise.
    """

    kind: Literal["acceleration", "velocity"]
    full_scale: Positive
    full_scale_counts: Annotated[int, Meta(gt=0, le=2**30)]
    self_noise_db: float
    flicker_hz: NotNegative
    offset_mps2: NotNegative
    band_share: Annotated[float, Meta(gt=0.0, lt=1.0)]
    band_order: Annotated[float, Meta(ge=1.0, le=50.0)]
    corner_period_s: Positive = 120.0
    damping: Positive = 0.707

    @property
    def sensor_kind(self) -> SensorKind:
        """What its channels measure."""
        return SensorKind(self.kind)

    @property
    def instrument_code(self) -> str:
        """Second letter of a SEED channel code: N accelerometer, H high-gain seismometer."""
        return "N" if self.kind == "acceleration" else "H"

    @property
    def sensitivity(self) -> float:
        """Counts per m/s**2, or per m/s."""
        return self.full_scale_counts / self.full_scale

    @property
    def dynamic_range_db(self) -> float:
        """Full-scale sine over self-noise from 0.02 to 50 Hz, both rms; of an accelerometer."""
        low, high = _CLASS_BAND_HZ
        width_hz = high - low + self.flicker_hz * math.log(high / low)
        noise_db = self.self_noise_db + 10.0 * math.log10(width_hz)
        return 10.0 * math.log10(self.full_scale**2 / 2.0) - noise_db

    def self_noise_psd(self, frequency_hz: Floats) -> Floats:
        """Density of the self-noise as ground acceleration, (m/s**2)**2/Hz; at 0 Hz that of 1 mHz.

        White at high frequencies, 1/f below ``flicker_hz``.
        """
        flicker = self.flicker_hz / np.maximum(frequency_hz, 1e-3)
        density: Floats = 10.0 ** (self.self_noise_db / 10.0) * (1.0 + flicker)
        return density

    def digitise(self, acceleration_mps2: Floats, sampling_rate_hz: float) -> NDArray[np.int32]:
        """Turn ground acceleration into counts: sensor, its stops, low-pass, converter.

        Parameters
        ----------
        acceleration_mps2 : numpy.ndarray, shape (..., n)
            Ground motion with noise at the rate of the record. It is made from a spectrum that
            ends at the Nyquist frequency, so nothing is folded back; the low-pass is what the
            recorder's decimation leaves of the last octave.

        Returns
        -------
        numpy.ndarray of int32, shape (..., n)
            Whole counts from ``-full_scale_counts`` to ``full_scale_counts - 1``.
        """
        velocity = self.kind == "velocity"
        sensed = self._velocity(acceleration_mps2, sampling_rate_hz) if velocity else None
        moved = acceleration_mps2 if sensed is None else sensed
        reach = np.clip(moved, -self.full_scale, self.full_scale)
        passed = low_pass(reach, low_pass_taps(self.band_share, self.band_order, velocity))
        limit = self.full_scale_counts
        counts = np.rint(passed * self.sensitivity)
        return np.clip(counts, -limit, limit - 1).astype(np.int32)

    def _velocity(self, acceleration_mps2: Floats, sampling_rate_hz: float) -> Floats:
        """Output of the pendulum in m/s: velocity, high-passed twice at its corner, from rest."""
        from scipy.signal import bilinear, lfilter  # half a second, not for every command

        corner_rad_s = 2.0 * math.pi / self.corner_period_s
        b, a = bilinear(
            [1.0, 0.0],
            [1.0, 2.0 * self.damping * corner_rad_s, corner_rad_s**2],
            fs=sampling_rate_hz,
        )
        velocity: Floats = lfilter(b, a, acceleration_mps2, axis=-1)
        return velocity


def instrument_names() -> tuple[str, ...]:
    """Return the kinds there are, sorted."""
    return tuple(sorted(load_table("instruments")))


@cache
def instrument(name: str) -> Instrument:
    """Return a kind of instrument by name.

    Raises
    ------
    ConfigError
        If there is none of that name or its table does not fit the type.
    """
    table = load_table("instruments")
    if name not in table:
        known = ", ".join(instrument_names())
        raise ConfigError("sensor", f"no sensor {name!r}", hint=f"there are: {known}")
    value, problems = read_struct(Instrument, table[name])
    if value is None:
        raise ConfigError(f"eew/tables/instruments.toml [{name}]", "; ".join(problems))
    return value
