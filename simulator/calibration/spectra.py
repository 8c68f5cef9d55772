"""The spectrum that comes out of a point source against the one that was asked for.

The target is written down again from Boore (2003), https://doi.org/10.1007/PL00012553, rather than
taken from the generator, so that an error there shows here. The transverse component is taken:
what the free surface does to SH is a factor of 2 at every angle.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eew.model.calibration import SpectrumComparison
from eew.physics.geo import azimuth_deg, destination
from eew.physics.traveltime import TravelTimes
from eew.tables import load_table
from simulator.attenuation import Attenuation, attenuation
from simulator.calibration.grid import region_row
from simulator.calibration.measure import Motion, fourier_amplitude
from simulator.calibration.records import Site, motion_at
from simulator.finite_fault import FiniteSource, finite_source
from simulator.rays import Late, sight_of
from simulator.ruptures import Quake, Rupture

__all__ = ["compare_spectra", "omega_squared_target"]

Floats = NDArray[np.float64]

_DEPTH_KM = 10.0


def omega_squared_target(
    constants: Attenuation, magnitude: float, distance_km: float, frequency_hz: Floats
) -> Floats:
    """Fourier amplitude of acceleration of the whole S vector with mean radiation, in m/s.

    Parameters
    ----------
    distance_km : float
        Hypocentral.
    """
    moment_nm = 10.0 ** (1.5 * magnitude + 9.05)
    stress_pa = constants.stress_drop(magnitude) * 1e5
    beta_mps = constants.beta_kms * 1e3
    corner_hz = 0.49 * beta_mps * (stress_pa / moment_nm) ** (1.0 / 3.0)
    effective_km = constants.effective_distance_km(distance_km, magnitude)
    source = moment_nm * (2.0 * np.pi * frequency_hz) ** 2 / (1.0 + (frequency_hz / corner_hz) ** 2)
    free_surface = 2.0
    radiated = constants.s.radiation * constants.s.amplitude * free_surface
    beta_kms, density_kgm3 = constants.amplification_from  # from there to the surface
    radiated *= math.sqrt(constants.density_kgm3 * constants.beta_kms / (density_kgm3 * beta_kms))
    radiated /= 4.0 * np.pi * constants.density_kgm3 * beta_mps**3
    spreading = constants.s.geometrical_spreading(effective_km) / 1e3  # relative to 1 km
    q = np.maximum(constants.q_min, constants.q0 * frequency_hz**constants.eta)
    loss = effective_km / (q * constants.beta_kms) + constants.kappa_s
    ground = constants.site_amplification(frequency_hz)
    ground *= np.exp(constants.log_vs30(frequency_hz, constants.vs30_mps))
    target: Floats = source * radiated * spreading * ground * np.exp(-np.pi * frequency_hz * loss)
    return target


def compare_spectra(region: str, seed: int, repeats: int) -> tuple[SpectrumComparison, ...]:
    """Average the power of the transverse component over many records, from S on."""
    settings = load_table("calibration")["spectrum"]
    return tuple(
        _compare(region, magnitude, distance_km, seed, repeats)
        for magnitude in settings["magnitudes"]
        for distance_km in settings["distances_km"]
    )


def _compare(
    region: str, magnitude: float, distance_km: float, seed: int, repeats: int
) -> SpectrumComparison:
    row, constants = region_row(region), attenuation(region)
    table = load_table("calibration")
    rate_hz = table["grid"]["sampling_rate_hz"]
    frequency_hz = np.array(table["spectrum"]["frequencies_hz"])
    asked = omega_squared_target(
        constants, magnitude, math.hypot(distance_km, _DEPTH_KM), frequency_hz
    )
    computed, target = np.zeros(len(frequency_hz)), np.zeros(len(frequency_hz))
    quake = Quake(lat=row["lat"], lon=row["lon"], depth_km=_DEPTH_KM, magnitude=magnitude)
    for number in range(repeats):
        source = finite_source(Rupture(parts=(quake,)), constants, seed, number)
        towards_deg = 360.0 * number / repeats
        lat, lon = (float(x) for x in destination(quake.lat, quake.lon, towards_deg, distance_km))
        labels = ("spectrum", region, round(10 * magnitude), round(distance_km), number)
        site = Site(lat=lat, lon=lon, vs30_mps=constants.vs30_mps, labels=labels)
        motion = motion_at(source, constants, site, seed, rate_hz, scatter=False)
        computed += fourier_amplitude(_transverse(motion, quake, site), frequency_hz) ** 2
        target += asked**2 * _share_of_sh(constants, source, site, frequency_hz)
    return SpectrumComparison(
        magnitude=magnitude,
        distance_km=distance_km,
        frequency_hz=frequency_hz,
        computed=np.sqrt(computed / repeats),
        target=np.sqrt(target / repeats),
    )


def _share_of_sh(
    constants: Attenuation, source: FiniteSource, site: Site, frequency_hz: Floats
) -> Floats:
    """Part of the power of S that moves the transverse component: its radiation, and the coda."""
    sight = sight_of(source, TravelTimes.load(), site.lat, site.lon, Late())
    mean = constants.s.radiation / math.sqrt(2.0)
    seen = max(abs(float(sight.s.patterns[1][0])) / mean, constants.pattern_least)
    # at long periods as radiated, at short ones mixed with all directions
    mixed = frequency_hz**2 / (frequency_hz**2 + constants.pattern_hz**2)
    direct = 0.5 * (seen**2 * (1.0 - mixed) + mixed)
    share: Floats = (1.0 - constants.s.coda_energy) * direct + constants.s.coda_energy / 3.0
    return share


def _transverse(motion: Motion, quake: Quake, site: Site) -> Motion:
    """Turn the horizontals and cut off what comes before S; one component."""
    turn = math.radians(float(azimuth_deg(site.lat, site.lon, quake.lat, quake.lon)))
    north, east = motion.acceleration_mps2[1:, motion.s_index :]
    return Motion(
        acceleration_mps2=(north * math.sin(turn) - east * math.cos(turn))[None],
        sampling_rate_hz=motion.sampling_rate_hz,
        p_s=0.0,
        s_s=0.0,
    )
