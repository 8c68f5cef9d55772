"""Motion at a place: onset, long periods, permanent displacement, spectrum of the point limit."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.attenuation import attenuation
from simulator.ground_motion import Ground, paths_of
from simulator.low_frequency import low_frequency_spectra, static_displacement_m
from simulator.radiation import surface_response
from simulator.ruptures import Fault
from simulator.source import moment_nm
from tests.unit.motion_cases import (
    BEFORE_P_S,
    RATE_HZ,
    ROCK,
    axis_of,
    motion_of,
    sight_from,
    source_of,
)

THRUST = Fault(strike_deg=30.0, dip_deg=40.0, rake_deg=80.0, length_km=50.0, width_km=25.0)


@pytest.mark.parametrize("magnitude", [4.0, 6.0, 7.5])
def test_nothing_moves_before_p(magnitude: float) -> None:
    source = source_of(magnitude)
    for k in range(3):
        seen = motion_of(source, 60.0, 100.0 * k, seed=k)
        onset = round(BEFORE_P_S * RATE_HZ)
        before = np.abs(seen.mps2[:, 50 : onset - 5]).max()
        assert before < 3e-5 * np.abs(seen.mps2).max()
        assert np.abs(seen.mps2[0, onset : onset + 200]).max() > 100.0 * before


def test_displacement_grows_as_long_as_the_rupture_lasts() -> None:
    shares = []
    for k in range(8):
        seen = motion_of(source_of(7.5, seed=k), 100.0, 40.0 * k, seed=k)
        moved = np.abs(np.cumsum(np.cumsum(seen.mps2[0])))
        peaks = [moved[500 : 500 + round(RATE_HZ * t)].max() for t in (1.0, 4.0, 10.0)]
        shares.append(np.array(peaks) / peaks[-1])
    one, four, _ = np.median(shares, axis=0)
    assert one < 0.1
    assert 2.0 * one < four < 0.9


def test_where_the_ground_stays_is_okada_s_answer() -> None:
    source, region = source_of(7.3, fault=THRUST), attenuation("california")
    for azimuth_deg in (0.0, 120.0, 250.0):
        sight = sight_from(source, 35.0, azimuth_deg)
        axis = axis_of(sight, rate_hz=20.0, after_s=120.0)
        p, s = paths_of(axis.frequencies_hz(), source, sight, region, ROCK)
        velocity = np.fft.irfft(
            low_frequency_spectra(axis, source, sight, region, filters=(p.filter, s.filter)),
            axis.samples,
        )
        moved_m = np.cumsum(velocity, axis=1) / 20.0
        stays_m = static_displacement_m(source, sight, region).sum(axis=1)
        assert np.abs(stays_m).max() > 0.02
        np.testing.assert_allclose(moved_m[:, -1], stays_m, atol=2e-3 * np.abs(stays_m).max())
        before = round((BEFORE_P_S - 0.2) * 20.0)
        assert np.abs(moved_m[:, :before]).max() < 1e-3 * np.abs(moved_m).max()


@pytest.mark.parametrize("magnitude", [6.5, 7.2, 7.8, 8.5])
def test_peak_displacement_scales_as_satellites_see_it(magnitude: float) -> None:
    # Crowell et al. (2016): log10 PGD[cm] = -6.687 + 1.500 M - 0.214 M log10 R
    region, over = attenuation("california"), []
    for k in range(6):
        source = source_of(magnitude, seed=20 + k)
        for distance_km in (60.0, 100.0, 200.0):
            sight = sight_from(source, distance_km, 77.0 * k)
            axis = axis_of(sight, rate_hz=10.0, after_s=80.0)
            p, s = paths_of(axis.frequencies_hz(), source, sight, region, ROCK)
            velocity = np.fft.irfft(
                low_frequency_spectra(axis, source, sight, region, filters=(p.filter, s.filter)),
                axis.samples,
            )
            pgd_cm = 100.0 * np.sqrt((np.cumsum(velocity, axis=1) ** 2).sum(axis=0)).max() / 10.0
            r_km = np.hypot(distance_km, 12.0)
            over.append(
                np.log10(pgd_cm) - (-6.687 + 1.5 * magnitude - 0.214 * magnitude * np.log10(r_km))
            )
    assert abs(np.median(over)) < 0.3
    assert np.std(over) < 0.5


def test_a_point_has_the_spectrum_of_brune_boore() -> None:
    region, magnitude, distance_km = attenuation("california"), 5.0, 40.0
    f = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    total, direct, n = np.zeros(1), np.zeros(len(f)), 24
    for k in range(n):
        # many mechanisms seen from all around
        source = source_of(magnitude, depth_km=10.0, seed=k)
        seen = motion_of(source, distance_km, 360.0 * k / n, seed=k)
        rays, surface = seen.sight.s, (region.p.surface_velocity_kms, region.s.surface_velocity_kms)
        _, (sv_up, sv_out) = surface_response(rays.slowness_s_km[0], *surface)
        gains = (float(np.hypot(sv_up, sv_out)) / 2.0, 1.0)
        for pattern, gain in zip(rays.patterns, gains, strict=True):
            # at long periods as radiated, at short ones the mean of all directions
            least = max(
                2.0 * float(pattern[0]) ** 2 / region.s.radiation**2, region.pattern_least**2
            )
            mixed = (least * region.pattern_hz**2 + f**2) / (region.pattern_hz**2 + f**2)
            direct += 0.5 * gain**2 * mixed / n
        axis, s_s = seen.axis, float(seen.sight.s.arrivals_s[0])
        after = axis.since(s_s) > 0.0
        spectrum = np.fft.rfft(seen.mps2 * after) / RATE_HZ
        total = total + (np.abs(spectrum) ** 2).sum(axis=0) / n
        frequency_hz = axis.frequencies_hz()
    r_km = float(region.effective_distance_km(np.hypot(distance_km, 10.0), magnitude))
    q = np.maximum(region.q_min, region.q0 * f**region.eta)
    boore = (
        region.s.radiation * region.s.amplitude * 2.0 * moment_nm(magnitude)
        / (4.0 * np.pi * region.density_kgm3 * (region.beta_kms * 1e3) ** 3 * 1e3)
        * region.s.geometrical_spreading(np.array([r_km]))
        * (2.0 * np.pi * f) ** 2 / (1.0 + (f / source.corner_hz) ** 2)
        * np.exp(-np.pi * f * (r_km / (q * region.beta_kms) + ROCK.kappa_s))
        * region.site_amplification(f)
    )  # fmt: skip
    boore *= np.sqrt((1.0 - region.s.coda_energy) * direct + region.s.coda_energy)
    for one, expected in zip(f, boore, strict=True):
        band = (frequency_hz > one / 1.2) & (frequency_hz < one * 1.2)
        assert np.sqrt(np.mean(total[band])) == pytest.approx(expected, rel=0.15)


def test_p_points_away_from_the_source() -> None:
    # To the north-east of the source the two horizontals of P move together, with the vertical.
    seen = motion_of(source_of(5.0), 60.0, 45.0)
    up, north, east = seen.mps2[:, 500 : 500 + 200]
    assert np.corrcoef(north, east)[0, 1] > 0.4
    assert np.corrcoef(up, north)[0, 1] > 0.4


def test_strong_shaking_softens_soft_ground_but_not_rock() -> None:
    source = source_of(7.0, depth_km=8.0)
    soft = Ground(vs30_mps=250.0, kappa_s=0.03)

    def ratio(distance_km: float) -> float:
        on_soft = motion_of(source, distance_km, ground=soft).mps2
        on_rock = motion_of(source, distance_km, ground=ROCK).mps2
        return float(np.abs(on_soft).max() / np.abs(on_rock).max())

    assert ratio(10.0) < 0.8 * ratio(250.0)


def test_a_station_on_top_of_a_source_at_the_surface_has_a_record() -> None:
    for magnitude in (5.0, 6.5):
        seen = motion_of(source_of(magnitude, depth_km=0.0), 0.0, 0.0)
        assert np.isfinite(seen.mps2).all()
        assert np.abs(seen.mps2).max() < 60.0


@pytest.mark.parametrize(("magnitude", "depth_km"), [(6.5, 200.0), (9.1, 25.0)])
def test_deep_and_great_quakes_have_records(magnitude: float, depth_km: float) -> None:
    region = "japan_intraslab" if depth_km > 50.0 else "japan_interface"
    source = source_of(magnitude, depth_km=depth_km, region=region)
    seen = motion_of(source, 150.0, region=region)
    assert np.isfinite(seen.mps2).all()
    assert 1e-3 < np.abs(seen.mps2).max() < 30.0
