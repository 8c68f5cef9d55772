"""What a station's own record says: its motion, what it is good for, and when what was felt.

For scoring only: the whole record is known here, as it never is to the detector. The motion is
made as the ground-motion practice of the detector makes it (Chung et al. 2019,
doi:10.1785/0220180088): mean taken off, causal two-pole 0.075 Hz high-pass, trapezoid integration
to velocity and the same high-pass again; velocity sensors are differentiated first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.waveform import Segment, SensorKind, Station
from eew.physics.shaking import ShakingModel
from simulator.score_rules import ScoreRules

__all__ = ["Exceedance", "RecordState", "StationMotion", "running_intensity", "state_of"]

Floats = NDArray[np.float64]
_HORIZONTALS = (1, 2)


class RecordState(Enum):
    """What a record can be used for, by the record itself; ``implausible`` by the truth as well.

    ``GOOD`` alone takes part in residuals and in outcomes at places.
    """

    GOOD = "good"
    LATE = "late"  # no sample at the moment P is due: it began later, or was not there
    SHORT = "short"  # ends before the strongest motion
    INCOMPLETE = "incomplete"  # a horizontal component is missing
    CLIPPED = "clipped"  # at the end of the number range, or a flat top
    DEAD = "dead"  # a horizontal stands still from P on
    DEAF = "deaf"  # the largest motion after P does not stand out of the noise before it
    IMPLAUSIBLE = "implausible"  # 50 times off what the true source gives there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationMotion:
    """Motion of one station on its own sample grid.

    Attributes
    ----------
    start_ns : int
        UTC of sample 0.
    acceleration_mps2, velocity_mps : numpy.ndarray, shape (3, n)
        Vertical and two horizontals; NaN where nothing was recorded.
    clipped : numpy.ndarray of bool, shape (n,)
        Samples at the clip limit or inside a flat top, on any component.
    """

    station: str
    start_ns: int
    rate_hz: float
    acceleration_mps2: Floats
    velocity_mps: Floats
    clipped: NDArray[np.bool_]

    @staticmethod
    def of(
        station: Station, segments: Sequence[Segment], *, quiet_until_ns: int
    ) -> StationMotion | None:
        """Make the motion of a station from its segments; None without a sample.

        Parameters
        ----------
        segments : sequence of Segment
            All of the recording; those of other stations are passed over.
        quiet_until_ns : int
            Samples before this are noise: their mean is the baseline (of a segment that has less
            than a second of it, the first second).
        """
        mine = [one for one in segments if one.stream_id.station_code == station.code]
        mine = [one for one in mine if len(one.samples)]
        if not mine:
            return None
        rate_hz = station.channels[0].sampling_rate_hz
        start_ns = min(one.start_ns for one in mine)
        n = round((max(one.end_ns for one in mine) - start_ns) * rate_hz / NS_PER_S)
        acceleration, velocity = np.full((3, n), np.nan), np.full((3, n), np.nan)
        clipped = np.zeros(n, dtype=bool)
        channels = {one.stream_id: one for one in station.channels}
        for one in mine:
            channel = channels[one.stream_id]
            counts = np.asarray(one.samples, dtype=np.float64)
            first = round((one.start_ns - start_ns) * rate_hz / NS_PER_S)
            counts = counts[: n - first]
            quiet = round((quiet_until_ns - one.start_ns) * rate_hz / NS_PER_S)
            place = slice(first, first + counts.size)
            row = channel.component.value
            acceleration[row, place], velocity[row, place] = _motion(
                counts / channel.sensitivity,
                rate_hz,
                quiet if quiet >= rate_hz else round(rate_hz),
                is_velocity=channel.kind is SensorKind.VELOCITY,
            )
            clipped[place] |= _clipped(counts, channel.clip_counts)
        return StationMotion(
            station=station.code,
            start_ns=start_ns,
            rate_hz=rate_hz,
            acceleration_mps2=acceleration,
            velocity_mps=velocity,
            clipped=clipped,
        )

    def index(self, at_ns: int) -> int:
        """Return the first sample at or after a moment, within 0 and the number of samples."""
        n = self.clipped.size
        return int(np.clip(np.ceil((at_ns - self.start_ns) * self.rate_hz / NS_PER_S), 0, n))

    def has_sample_at(self, at_ns: int) -> bool:
        """Tell whether any component has a sample at a moment."""
        i = self.index(at_ns)
        inside = at_ns - self.start_ns >= 0 and i < self.clipped.size
        return inside and not bool(np.isnan(self.acceleration_mps2[:, i]).all())

    @property
    def end_ns(self) -> int:
        """UTC after the last sample."""
        return self.start_ns + round(self.clipped.size * NS_PER_S / self.rate_hz)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exceedance:
    """How the intensity of a record grew.

    Attributes
    ----------
    times_ns, intensity : numpy.ndarray, shape (k,)
        Moments at which the largest motion so far grew, and the intensity of that motion; both
        rising, empty for a record without motion.
    pga_mps2 : float
        Largest horizontal acceleration of all, as the ground-motion models mean it.
    """

    times_ns: NDArray[np.int64]
    intensity: Floats
    pga_mps2: float

    @property
    def largest(self) -> float:
        """Intensity of the whole record; ``-inf`` for one without motion."""
        return float(self.intensity[-1]) if self.intensity.size else -np.inf

    def reached_ns(self, intensity: float) -> int | None:
        """Return when the record first had an intensity, or None."""
        at = int(np.searchsorted(self.intensity, intensity, side="left"))
        return int(self.times_ns[at]) if at < self.intensity.size else None


def running_intensity(motion: StationMotion, model: ShakingModel, *, from_ns: int) -> Exceedance:
    """Return how the intensity at a station grew from a moment on, on the scale of ``model``.

    From the largest single horizontal component so far (MMI, JMA), or from the largest vector sum
    of three components (China, GB/T 17742-2020), as the observed intensities of a run.
    """
    first = motion.index(from_ns)
    pga_h = _running(motion.acceleration_mps2, first, vector=False)
    if model.scale == "csi":
        pga = _running(motion.acceleration_mps2, first, vector=True)
        pgv = _running(motion.velocity_mps, first, vector=True)
    else:
        pga, pgv = pga_h, _running(motion.velocity_mps, first, vector=False)
    grew = np.zeros(pga.size, dtype=bool)
    for peak in (pga, pgv):
        grew |= np.diff(peak, prepend=0.0) > 0.0
    at = np.flatnonzero(grew)
    intensity = np.asarray(model.observed_intensity(pga[at], pgv[at]), dtype=np.float64)
    times_ns = motion.start_ns + np.rint((first + at) * (NS_PER_S / motion.rate_hz)).astype(
        np.int64
    )
    return Exceedance(
        times_ns=times_ns,
        intensity=np.maximum.accumulate(intensity) if intensity.size else intensity,
        pga_mps2=float(pga_h[-1]) if pga_h.size else 0.0,
    )


def state_of(
    motion: StationMotion | None, *, p_ns: int, until_ns: int, rules: ScoreRules
) -> RecordState:
    """Say what a record can be used for.

    Parameters
    ----------
    p_ns : int
        When P is due by the truth.
    until_ns : int
        The record must last so long for its strongest motion to be on it.
    """
    if motion is None or not motion.has_sample_at(p_ns):
        return RecordState.LATE
    if motion.end_ns < until_ns:
        return RecordState.SHORT
    after = motion.index(p_ns - round(rules.before_p_s * NS_PER_S))
    horizontals = motion.acceleration_mps2[_HORIZONTALS, after:]
    if np.isnan(horizontals).all(axis=1).any():
        return RecordState.INCOMPLETE
    if motion.clipped[after:].any():
        return RecordState.CLIPPED
    peaks = np.nanmax(np.abs(horizontals), axis=1)
    if (peaks <= 0.0).any():
        return RecordState.DEAD
    end = motion.index(p_ns - round(rules.noise_gap_s * NS_PER_S))
    begin = max(0, end - round(rules.noise_s * motion.rate_hz))
    noise = np.abs(motion.acceleration_mps2[_HORIZONTALS, begin:end])
    if np.count_nonzero(~np.isnan(noise[0])) >= rules.noise_min_s * motion.rate_hz:
        loud = np.nanmax(noise)
        if float(peaks.max()) < rules.deaf_ratio * float(loud):
            return RecordState.DEAF
    return RecordState.GOOD


# ---------------------------------------------------------------------- parts

# a flat top, as the detector's test: so many equal samples beyond half of the largest deviation,
# on a record whose counts are large enough to tell it from an idle sensor
_FLAT_SAMPLES = 6
_FLAT_MIN_COUNTS = 1e4


def _motion(
    values: Floats, rate_hz: float, quiet: int, *, is_velocity: bool
) -> tuple[Floats, Floats]:
    """Return high-passed acceleration and velocity; NaN samples are held."""
    from scipy.signal import sosfilt  # half a second, not for every command

    good = np.isfinite(values)
    if not good.any():
        return np.full_like(values, np.nan), np.full_like(values, np.nan)
    if not good.all():
        values = np.interp(np.arange(values.size), np.flatnonzero(good), values[good])
    values = values - values[:quiet].mean()
    if is_velocity:
        values = np.diff(values, prepend=values[0]) * rate_hz
    sos = _highpass(rate_hz)
    acceleration: Floats = sosfilt(sos, values)
    steps = (acceleration + np.concatenate(([0.0], acceleration[:-1]))) * (0.5 / rate_hz)
    velocity: Floats = sosfilt(sos, np.cumsum(steps))
    return acceleration, velocity


@cache
def _highpass(rate_hz: float) -> Floats:
    from scipy.signal import butter  # half a second, not for every command

    sos: Floats = butter(2, ScoreRules.load().highpass_hz, "highpass", fs=rate_hz, output="sos")
    return sos


def _clipped(counts: Floats, limit: float) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.abs(counts) >= limit
    away = np.abs(counts - np.nanmedian(counts))
    largest = float(np.nanmax(away, initial=0.0))
    if largest <= _FLAT_MIN_COUNTS:
        return found
    still = np.concatenate(([False], counts[1:] == counts[:-1])) & (away > 0.5 * largest)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], still, [False])).astype(np.int8)))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= _FLAT_SAMPLES:
            found[begin:end] = True
    return found


def _running(values: Floats, first: int, *, vector: bool) -> Floats:
    """Return the largest horizontal (or vector sum) so far; 0 while there was nothing."""
    part = values[:, first:]
    if vector:
        size = np.sqrt(np.nansum(part * part, axis=0))
    else:
        size = np.nan_to_num(np.abs(part[_HORIZONTALS, :]), nan=0.0).max(axis=0)
    return np.maximum.accumulate(size) if size.size else size
