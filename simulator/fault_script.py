"""Applies the faults of a scenario to the records, in the order of the file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import assert_never

from eew.model.waveform import Component, Recording
from simulator import fault_fields as kinds
from simulator import faults, missing_data, nuisance
from simulator.fault_fields import DataFault, Fault, LinkFault, SignalFault
from simulator.fault_hits import FaultHits
from simulator.selection import Zero
from simulator.teleseism import WaveTrain, teleseism

__all__ = ["apply_faults"]


def apply_faults(
    recording: Recording, script: Sequence[Fault], *, zero: Zero, seed: int
) -> Recording:
    """Let everything go wrong that goes wrong at the stations.

    Parameters
    ----------
    script : sequence of Fault
        Those of the link are passed over: :func:`simulator.link_script.apply_link`.
    zero : Zero
        What their times and distances count from.
    seed : int
        Of the run.

    Returns
    -------
    Recording
        The one handed in stays as it is.

    Raises
    ------
    ConfigError
        If a fault cannot be applied to these records.
    """
    hits = FaultHits(script=tuple(script), zero=zero, seed=seed)
    unbroken = recording
    for fault in script:
        if not isinstance(fault, LinkFault):
            # by where the stations truly are: a fault may state them elsewhere
            recording = _applied(fault, recording, hits, hits.stations(fault, unbroken))
    return recording


def _applied(
    fault: DataFault, recording: Recording, hits: FaultHits, codes: tuple[str, ...]
) -> Recording:
    seed, zero = hits.seed_of(fault), hits.zero
    if isinstance(fault, kinds.Teleseism):
        train = WaveTrain(
            apparent_velocity_kms=fault.apparent_velocity_kms,
            backazimuth_deg=fault.backazimuth_deg,
            peak_displacement_m=fault.peak_displacement_m,
            corner_hz=fault.corner_hz,
        )
        return teleseism(recording, train, at_ns=hits.ns(fault.at_s), seed=seed)
    if not codes:
        return recording
    at_s = getattr(fault, "at_s", None)
    at_ns = recording.start_ns if at_s is None else hits.ns(at_s)
    match fault:
        case kinds.Gaps():
            return missing_data.gaps(
                recording,
                codes,
                at_ns=at_ns,
                lasts_s=fault.lasts_s,
                number=fault.number,
                within_s=fault.within_s,
                seed=seed,
            )
        case kinds.Silent():
            return missing_data.silent(recording, codes, at_ns=at_ns)
        case kinds.RegionDark():
            assert zero.lat is not None
            assert zero.lon is not None
            assert zero.depth_km is not None
            return missing_data.dark_from_s_wave(
                recording,
                codes,
                origin_ns=zero.at_ns,
                lat=zero.lat,
                lon=zero.lon,
                depth_km=zero.depth_km,
                after_s_wave_s=fault.after_s_wave_s,
            )
        case kinds.DeadComponent():
            which = Component[fault.component.upper()]
            if fault.missing:
                return missing_data.without_component(recording, codes, which, at_ns=at_ns)
            return faults.dead_component(recording, codes, which, at_ns=at_ns)
        case kinds.GainError():
            return faults.wrong_gain(recording, codes, fault.factor)
        case kinds.Polarity():
            return faults.reversed_polarity(recording, codes)
        case kinds.MovedCoordinates():
            return faults.moved_coordinates(
                recording, codes, distance_km=fault.distance_km, azimuth_deg=fault.azimuth_deg
            )
        case kinds.SwappedCoordinates():
            for code in codes:
                recording = faults.swapped_lat_lon(recording, code)
            return recording
        case kinds.ExchangedCoordinates():
            for first, second in zip(codes[::2], codes[1::2], strict=False):  # an odd one stays
                recording = faults.exchanged_coordinates(recording, first, second)
            return recording
        case _:
            return _signal(fault, recording, codes, at_ns, seed)


def _signal(
    fault: SignalFault, recording: Recording, codes: tuple[str, ...], at_ns: int, seed: int
) -> Recording:
    """Change the samples."""
    match fault:
        case kinds.Stuck():
            lasts_s = math.inf if fault.lasts_s is None else fault.lasts_s
            return faults.stuck(recording, codes, at_ns=at_ns, lasts_s=lasts_s)
        case kinds.Spike():
            return nuisance.spike(recording, codes, at_ns=at_ns, share=fault.size_share)
        case kinds.Boxcar():
            return nuisance.boxcar(
                recording, codes, at_ns=at_ns, lasts_s=fault.lasts_s, share=fault.size_share
            )
        case kinds.Recentering():
            return nuisance.recentering_pulse(
                recording, codes, at_ns=at_ns, share=fault.size_share, hold_s=fault.hold_s
            )
        case kinds.CalibrationSine():
            return nuisance.calibration_sine(
                recording,
                codes,
                at_ns=at_ns,
                lasts_s=fault.lasts_s,
                frequency_hz=fault.frequency_hz,
                share=fault.size_share,
            )
        case kinds.CalibrationStep():
            return nuisance.calibration_step(
                recording, codes, at_ns=at_ns, lasts_s=fault.lasts_s, share=fault.size_share
            )
        case kinds.Clipping():
            return faults.clipped(recording, codes, limit=fault.limit)
        case kinds.NoiseDrop():
            return faults.noise_dropout(
                recording, codes, at_ns=at_ns, lasts_s=fault.lasts_s, floor=fault.floor_share
            )
        case kinds.Garbage():
            return faults.garbage(recording, codes, at_ns=at_ns, lasts_s=fault.lasts_s, seed=seed)
        case kinds.Lightning():
            return nuisance.lightning(
                recording,
                codes,
                at_ns=at_ns,
                peak_mps2=fault.peak_mps2,
                seed=seed,
                lasts_s=fault.lasts_s,
            )
        case kinds.UrbanBurst() | kinds.MassMotion():
            shake = (
                nuisance.urban_burst
                if isinstance(fault, kinds.UrbanBurst)
                else nuisance.mass_motion
            )
            return shake(
                recording,
                codes,
                at_ns=at_ns,
                lasts_s=fault.lasts_s,
                peak_mps2=fault.peak_mps2,
                seed=seed,
            )
        case kinds.NoisyGround():
            return nuisance.noisy_ground(recording, codes, rms_mps2=fault.rms_mps2, seed=seed)
        case _:
            assert_never(fault)
