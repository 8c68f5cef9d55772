"""Signals that are no quake nearby: electronics, people, lightning.

Each function adds its signal to a recording and returns the sum. What comes through the ground
is given as peak acceleration in m/s**2 and integrated for velocity sensors; what the electronics
make of themselves is given as a share of the digitiser's full scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.waveform import Channel, Recording, SensorKind
from simulator.faults import edited, full_scale_counts
from simulator.seeds import rng

__all__ = [
    "boxcar",
    "calibration_sine",
    "calibration_step",
    "ground_counts",
    "lightning",
    "mass_motion",
    "noisy_ground",
    "recentering_pulse",
    "spike",
    "urban_burst",
]

Floats = NDArray[np.float64]

_STEP_RISE_S = 0.05  # a calibration coil charges; a relay (boxcar) does not
_SWING_S = 60.0  # period in which a broadband sensor swings back after it was recentred


# ---------------------------------------------------------------- electronics
def boxcar(
    recording: Recording, stations: Sequence[str], *, at_ns: int, lasts_s: float, share: float
) -> Recording:
    """Add a constant for a while, with edges of one sample: a relay, a bad contact."""

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        inside = (since_s >= 0.0) & (since_s < lasts_s)
        return counts + share * full_scale_counts(channel) * inside

    return edited(recording, stations, at_ns, change)


def spike(recording: Recording, stations: Sequence[str], *, at_ns: int, share: float) -> Recording:
    """Replace the one sample nearest to ``at_ns`` by a value far off."""

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        hit = np.rint(since_s * channel.sampling_rate_hz) == 0.0
        return np.where(hit, share * full_scale_counts(channel), counts)

    return edited(recording, stations, at_ns, change)


def recentering_pulse(
    recording: Recording,
    stations: Sequence[str],
    *,
    at_ns: int,
    share: float = 1.0,
    hold_s: float = 2.0,
) -> Recording:
    """Add the pulse of a broadband sensor whose masses are driven back to the middle.

    The signal stands at ``share`` of the range while the motors run, then swings to zero with
    the sensor's own long period.
    """

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        after_s = np.maximum(since_s - hold_s, 0.0)
        turn = 2.0 * np.pi * after_s / _SWING_S
        pulse = np.where(since_s >= 0.0, np.exp(-turn) * np.cos(turn), 0.0)
        return counts + share * full_scale_counts(channel) * pulse

    return edited(recording, stations, at_ns, change)


def calibration_sine(
    recording: Recording,
    stations: Sequence[str],
    *,
    at_ns: int,
    lasts_s: float,
    frequency_hz: float,
    share: float,
) -> Recording:
    """Add a sine through the calibration coil, switched on and off at zero crossings."""

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        whole_s = round(lasts_s * frequency_hz) / frequency_hz
        inside = (since_s >= 0.0) & (since_s < whole_s)
        sine = np.sin(2.0 * np.pi * frequency_hz * since_s)
        return counts + share * full_scale_counts(channel) * sine * inside

    return edited(recording, stations, at_ns, change)


def calibration_step(
    recording: Recording, stations: Sequence[str], *, at_ns: int, lasts_s: float, share: float
) -> Recording:
    """Add a step through the calibration coil, and the step back."""

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        step = _charged(since_s) - _charged(since_s - lasts_s)
        return counts + share * full_scale_counts(channel) * step

    return edited(recording, stations, at_ns, change)


# ---------------------------------------------------------------- through the ground
def lightning(
    recording: Recording,
    stations: Sequence[str] | None = None,
    *,
    at_ns: int,
    peak_mps2: float,
    seed: int,
    lasts_s: float = 0.4,
) -> Recording:
    """Jolt all stations in the same instant, each by a damped tone of its own.

    Parameters
    ----------
    stations : sequence of str, optional
        Only these.
    peak_mps2 : float
        Median over stations of the peak acceleration; they scatter by a factor of about two.
    lasts_s : float
        Time in which a jolt falls to 1/20.
    """

    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        station = rng(seed, "lightning", channel.stream_id.station_code)
        strength = float(np.exp(0.6 * station.standard_normal()))
        own = rng(seed, "lightning", str(channel.stream_id))
        tone_hz = own.uniform(0.05, 0.25) * channel.sampling_rate_hz
        size, phase = own.uniform(0.5, 1.0), own.uniform(0.0, 2.0 * np.pi)
        after_s = np.maximum(since_s, 0.0)
        shape = np.exp(-3.0 * after_s / lasts_s) * (since_s >= 0.0)
        jolt = size * shape * np.sin(2.0 * np.pi * tone_hz * after_s + phase)
        return counts + ground_counts(channel, peak_mps2 * strength * jolt)

    return edited(recording, _all(recording) if stations is None else stations, at_ns, change)


def mass_motion(
    recording: Recording,
    stations: Sequence[str] | None = None,
    *,
    at_ns: int,
    lasts_s: float,
    peak_mps2: float,
    seed: int,
) -> Recording:
    """Shake all stations (or those given) at the same moment, each in its own way.

    The many phones that a broadcast message lets vibrate at once; all people of a town who jump
    at a goal.
    """
    shaken = _all(recording) if stations is None else stations
    return _bursts(recording, shaken, at_ns, lasts_s, peak_mps2, (2.0, 20.0), seed)


def noisy_ground(
    recording: Recording, stations: Sequence[str], *, rms_mps2: float, seed: int
) -> Recording:
    """Add steady noise from 0.1 to 10 Hz to all of the record: the sea floor in a storm."""

    def change(channel: Channel, _: Floats, counts: Floats) -> Floats:
        noise = _band_noise(
            channel, len(counts), (0.1, 10.0), rng(seed, "ground", str(channel.stream_id))
        )
        return counts + ground_counts(channel, noise * (rms_mps2 / float(np.std(noise))))

    return edited(recording, stations, recording.start_ns, change)


def urban_burst(
    recording: Recording,
    stations: Sequence[str],
    *,
    at_ns: int,
    lasts_s: float,
    peak_mps2: float,
    seed: int,
) -> Recording:
    """Let a lorry or a pile driver pass some stations: band-limited noise that swells and goes."""
    return _bursts(recording, stations, at_ns, lasts_s, peak_mps2, (3.0, 15.0), seed)


def ground_counts(channel: Channel, acceleration_mps2: Floats) -> Floats:
    """Turn a motion of the ground into what a channel gives for it.

    Raises
    ------
    ConfigError
        For a channel that measures neither acceleration nor velocity.
    """
    if channel.kind is SensorKind.ACCELERATION:
        return acceleration_mps2 * channel.sensitivity
    if channel.kind is SensorKind.VELOCITY:
        velocity: Floats = np.cumsum(acceleration_mps2) / channel.sampling_rate_hz
        return velocity * channel.sensitivity
    raise ConfigError(str(channel.stream_id), f"cannot add ground motion to {channel.kind.value}")


# ---------------------------------------------------------------- parts
def _bursts(
    recording: Recording,
    stations: Sequence[str],
    at_ns: int,
    lasts_s: float,
    peak_mps2: float,
    band_hz: tuple[float, float],
    seed: int,
) -> Recording:
    def change(channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        own = rng(seed, "burst", str(channel.stream_id))
        share = np.clip(since_s / lasts_s, 0.0, 1.0)
        # a tenth of the time to rise, the rest to fade
        swell = np.minimum(share / 0.1, 1.0) * (1.0 - share)
        burst = _band_noise(channel, len(counts), band_hz, own) * swell
        largest = float(np.abs(burst).max())
        if largest == 0.0:  # the burst lies outside this segment
            return counts
        return counts + ground_counts(channel, burst * (peak_mps2 / largest))

    return edited(recording, stations, at_ns, change)


def _band_noise(
    channel: Channel, samples: int, band_hz: tuple[float, float], draw: np.random.Generator
) -> Floats:
    """Gaussian noise within a band."""
    spectrum = np.fft.rfft(draw.standard_normal(samples))
    frequency_hz = np.fft.rfftfreq(samples, 1.0 / channel.sampling_rate_hz)
    spectrum[(frequency_hz < band_hz[0]) | (frequency_hz > band_hz[1])] = 0.0
    noise: Floats = np.fft.irfft(spectrum, samples)
    return noise


def _charged(since_s: Floats) -> Floats:
    charged: Floats = -np.expm1(-np.maximum(since_s, 0.0) / _STEP_RISE_S)
    return charged


def _all(recording: Recording) -> list[str]:
    return [station.code for station in recording.stations]
