"""The state of all stations as arrays, and the one call that moves it on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.core import layout as k
from eew.core.config import ProcessingConfig
from eew.core.kernels import process
from eew.model.waveform import SensorKind, Station

_MAX_ROWS = 4096


def _highpass(corner_hz: float, rate_hz: float) -> tuple[float, float, float, float, float]:
    """Two-pole Butterworth high-pass as (b0, b1, b2, a1, a2), bilinear transform."""
    w = math.tan(math.pi * corner_hz / rate_hz)
    n = 1.0 / (1.0 + math.sqrt(2.0) * w + w * w)
    return n, -2.0 * n, n, 2.0 * (w * w - 1.0) * n, (1.0 - math.sqrt(2.0) * w + w * w) * n


def _lowpass(corner_hz: float, rate_hz: float) -> tuple[float, float, float, float, float]:
    """Two-pole Butterworth low-pass as (b0, b1, b2, a1, a2), bilinear transform."""
    w = math.tan(math.pi * corner_hz / rate_hz)
    n = 1.0 / (1.0 + math.sqrt(2.0) * w + w * w)
    b = w * w * n
    return b, 2.0 * b, b, 2.0 * (w * w - 1.0) * n, (1.0 - math.sqrt(2.0) * w + w * w) * n


def _band(centre_hz: float, quality: float, rate_hz: float) -> tuple[float, float, float]:
    """Two-pole band-pass with unit peak gain as (b0, a1, a2); b1 = 0 and b2 = -b0."""
    w = 2.0 * math.pi * centre_hz / rate_hz
    alpha = math.sin(w) / (2.0 * quality)
    return alpha / (1.0 + alpha), -2.0 * math.cos(w) / (1.0 + alpha), (1.0 - alpha) / (1.0 + alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One judged trigger.

    Attributes
    ----------
    station : int
        Row of the station.
    onset, decided : int
        Samples since the station's start.
    reason : str
        ``accepted`` or the gate that refused it.
    slot : int
        Where its peaks grow, -1 if refused.
    number : int
        Running number of accepted picks at this station, from 1; 0 if refused.
    """

    station: int
    onset: int
    decided: int
    reason: str
    slot: int
    number: int
    snr: float
    uncertainty_s: float
    h_to_z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowingPeaks:
    """Peaks behind one pick so far (views into live arrays: read, do not keep).

    Attributes
    ----------
    pd_m, pv_mps, pa_mps2 : numpy.ndarray, shape (n,)
        Running peak of displacement, velocity, acceleration (vertical) at steps of 0.1 s.
    pd_noise_m, pv_noise_mps, pa_noise_mps2 : float
        Largest value of the same before the onset.
    pgv_mps : float
        Largest horizontal velocity since the pick (to 120 s): P, S and surface waves.
    clipped_from : int
        Step from which the record is clipped or bridged over a gap, -1 if it is not.
    """

    pd_m: NDArray[np.float64]
    pv_mps: NDArray[np.float64]
    pa_mps2: NDArray[np.float64]
    pd_noise_m: float
    pv_noise_mps: float
    pa_noise_mps2: float
    tau_c_s: float
    tau_p_s: float
    pgv_mps: float
    clipped_from: int


class StationBank:
    """Filters, triggers and peaks of all stations.

    Parameters
    ----------
    stations : sequence of Station
        Fixed for the life of the bank; the row is the index.
    config : ProcessingConfig
        Corners, thresholds, gates.
    """

    def __init__(self, stations: Sequence[Station], config: ProcessingConfig) -> None:
        n = len(stations)
        self._parameters = k.PickerParameters(**config.picker)
        self._quarantine = k.QuarantineParameters(**config.quarantine)
        self._still_s = config.still_s
        rates = [s.channels[0].sampling_rate_hz for s in stations]
        ring = math.ceil(k.RING_S * max(rates, default=100.0)) + k.PIECE
        self.state = k.State(
            coefficients=np.zeros((n, k.N_COEFFICIENTS)),
            band_coefficients=np.zeros((n, k.N_BANDS, 4)),
            inverse_sensitivity=np.zeros((n, 3)),
            clip_counts=np.full((n, 3), np.inf),
            jump_counts=np.full((n, 3), np.inf),
            filters=np.zeros((n, 3, k.N_FILTER)),
            detect=np.zeros((n, k.N_DETECT)),
            band=np.zeros((n, k.N_BANDS, k.N_BAND_STATE)),
            counters=np.zeros((n, k.N_COUNTERS), dtype=np.int64),
            ring=np.zeros((n, k.N_RING, ring)),
            slot_onset=np.full((n, k.N_SLOTS), -1, dtype=np.int64),
            slot_length=np.zeros((n, k.N_SLOTS), dtype=np.int64),
            slot_clipped=np.full((n, k.N_SLOTS), -1, dtype=np.int64),
            slot_values=np.zeros((n, k.N_SLOTS, k.N_SLOT_VALUES)),
            series=np.zeros((n, k.N_SLOTS, 3, k.N_SERIES)),
            peaks=np.zeros((n, k.N_PEAKS)),
        )
        self._out = np.zeros((_MAX_ROWS, k.N_OUT))
        for row, (station, rate) in enumerate(zip(stations, rates, strict=True)):
            self._prepare(row, station, rate, config)

    def _prepare(self, row: int, station: Station, rate: float, config: ProcessingConfig) -> None:
        co = self.state.coefficients[row]
        co[k.RATE] = rate
        co[k.B0 : k.C2 + 1] = _highpass(config.highpass_hz, rate)
        co[k.L0 : k.M2 + 1] = _lowpass(config.tau_p_lowpass_hz, rate)
        co[k.H0 : k.G2 + 1] = _highpass(config.pv_highpass_hz, rate)
        co[k.IS_VELOCITY] = float(station.channels[0].kind is SensorKind.VELOCITY)
        for band, centre_hz in enumerate(config.bands_hz):
            if centre_hz * 1.5 >= 0.5 * rate:
                continue  # the band would reach over the Nyquist frequency
            sta_s = max(config.band_sta_min_s, config.band_sta_periods / centre_hz)
            alpha = min(1.0, 1.0 / (rate * sta_s))
            self.state.band_coefficients[row, band] = (
                *_band(centre_hz, config.band_quality, rate),
                alpha,
            )
        for channel in station.channels:
            component = channel.component.value
            self.state.inverse_sensitivity[row, component] = 1.0 / channel.sensitivity
            self.state.clip_counts[row, component] = channel.clip_counts
            limit = channel.clip_counts
            if channel.kind is SensorKind.ACCELERATION:
                limit = min(limit, self._quarantine.jump_unknown_mps2 * abs(channel.sensitivity))
            self.state.jump_counts[row, component] = self._quarantine.jump_share * limit
            if component == 0:
                step = 1.0 / abs(channel.sensitivity) * (rate if co[k.IS_VELOCITY] else 1.0)
                self.state.detect[row, k.LEAST] = math.log10(
                    step * self._quarantine.floor_least_counts
                )
        self.restart(row)

    def restart(self, row: int) -> None:
        """Forget the filters and triggers of one station; keep its running PGA and PGV."""
        state = self.state
        state.filters[row] = 0.0
        least = state.detect[row, k.LEAST]
        state.detect[row] = 0.0
        state.detect[row, k.LEAST] = least
        state.band[row] = 0.0
        n_picks = state.counters[row, k.N_PICKS]
        slot = state.counters[row, k.SLOT]
        state.counters[row] = 0
        state.counters[row, k.N_PICKS] = n_picks
        state.counters[row, k.SLOT] = slot
        state.counters[row, k.CLIP_UNTIL] = -1
        state.counters[row, k.FILL_UNTIL] = -1
        state.counters[row, k.LAST_ONSET] = -(10**9)
        state.counters[row, k.BARRIER_FROM] = -(10**9)
        state.counters[row, k.BARRIER] = -(10**9)
        state.counters[row, k.JUMP_LAST] = -(10**9)
        state.counters[row, k.DEAF_SINCE] = -1
        state.counters[row, k.HELD_UNTIL] = -1
        state.slot_onset[row] = -1
        state.ring[row] = 0.0

    def process(
        self, rows: Sequence[int], blocks: Sequence[tuple[NDArray[np.float64], NDArray[np.uint8]]]
    ) -> list[Judged]:
        """Work through one block per station row; return the triggers judged in it.

        Parameters
        ----------
        rows : sequence of int
            Station rows.
        blocks : sequence of (frames, filled)
            Frames of shape (3, n) in counts and the mask of made-up samples, shape (n,).
        """
        if len(blocks) == 1:
            frames, filled = blocks[0]
            offsets = np.array([0, frames.shape[1]])
        else:
            frames = np.concatenate([b[0] for b in blocks], axis=1)
            filled = np.concatenate([b[1] for b in blocks])
            offsets = np.zeros(len(blocks) + 1, dtype=np.int64)
            np.cumsum([b[0].shape[1] for b in blocks], out=offsets[1:])
        return self.process_frames(np.asarray(rows, dtype=np.int64), offsets, frames, filled)

    def process_frames(
        self,
        rows: NDArray[np.int64],
        offsets: NDArray[np.int64],
        frames: NDArray[np.float64],
        filled: NDArray[np.uint8],
    ) -> list[Judged]:
        """Work through blocks that already stand one behind the other.

        Parameters
        ----------
        rows : numpy.ndarray, shape (m,)
            Station rows.
        offsets : numpy.ndarray, shape (m + 1,)
            Bounds of their blocks in ``frames`` (3, n) and ``filled`` (n,).
        """
        n = process(
            rows, offsets, frames, filled, self.state, self._parameters, self._quarantine, self._out
        )
        return [self._judged(row) for row in self._out[:n]]

    def _judged(self, row: NDArray[np.float64]) -> Judged:
        return Judged(
            station=int(row[k.OUT_STATION]),
            onset=int(row[k.OUT_ONSET]),
            decided=int(row[k.OUT_DECIDED]),
            reason=k.REASONS[int(row[k.OUT_REASON])],
            slot=int(row[k.OUT_SLOT]),
            number=int(row[k.OUT_NUMBER]),
            snr=float(row[k.OUT_SNR]),
            uncertainty_s=float(row[k.OUT_UNCERTAINTY_S]),
            h_to_z=float(row[k.OUT_H_TO_Z]),
        )

    def slot_holds(self, row: int, slot: int, pick_number: int) -> bool:
        """Tell whether ``slot`` still belongs to the station's pick number ``pick_number``."""
        n_picks = int(self.state.counters[row, k.N_PICKS])
        return pick_number > n_picks - k.N_SLOTS and self.state.slot_onset[row, slot] >= 0

    def growing(self, row: int, slot: int) -> GrowingPeaks:
        """Peaks behind the pick in ``slot`` of station ``row``, so far."""
        state = self.state
        length = int(state.slot_length[row, slot])
        values = state.slot_values[row, slot]
        series = state.series[row, slot]
        tau_c = 0.0
        if values[k.SUM_V2] > 0.0 and values[k.SUM_D2] > 0.0:
            tau_c = 2.0 * math.pi * math.sqrt(values[k.SUM_D2] / values[k.SUM_V2])
        return GrowingPeaks(
            pd_m=series[0, :length],
            pv_mps=series[1, :length],
            pa_mps2=series[2, :length],
            pd_noise_m=float(values[k.PD_NOISE]),
            pv_noise_mps=float(values[k.PV_NOISE]),
            pa_noise_mps2=float(values[k.PA_NOISE]),
            tau_c_s=tau_c,
            tau_p_s=float(values[k.TAU_P]),
            pgv_mps=float(values[k.PGV_H]),
            clipped_from=int(state.slot_clipped[row, slot]),
        )

    def peaks(self, row: int) -> tuple[float, float, float, float]:
        """(PGA, PGV, vector PGA, vector PGV) of one station so far, m/s**2 and m/s."""
        p = self.state.peaks[row]
        return (
            float(p[k.PGA]),
            float(p[k.PGV]),
            math.sqrt(p[k.PGA_VECTOR]),
            math.sqrt(p[k.PGV_VECTOR]),
        )

    def take_peaks(self, row: int) -> tuple[float, float, float, float]:
        """Return :meth:`peaks` and begin anew: what came since the last call."""
        taken = self.peaks(row)
        self.state.peaks[row] = 0.0
        return taken

    def is_pending(self, row: int) -> bool:
        """Tell whether a trigger of the station waits to be judged."""
        return bool(self.state.counters[row, k.MODE] == k.PENDING)

    def is_still(self, row: int) -> bool:
        """Tell whether the vertical shows one count again and again: dead, or held."""
        run = self.state.filters[row, 0, k.RUN_EQUAL]
        return bool(run >= self._still_s * self.state.coefficients[row, k.RATE])

    def held_for(self, row: int) -> str:
        """Why the station is in quarantine at its newest sample, or an empty string."""
        counters = self.state.counters[row]
        if counters[k.HELD_UNTIL] >= counters[k.COUNT]:
            return k.REASONS[int(counters[k.HELD_FOR])]
        return k.REASONS[k.NOISE_FLOOR] if counters[k.DEAF_SINCE] >= 0 else ""

    def is_clipped(self, row: int) -> bool:
        """Tell whether a clipped or flat-topped sample is less than the hold time ago."""
        counters = self.state.counters[row]
        return bool(counters[k.CLIP_UNTIL] >= counters[k.COUNT])
