"""Ground-motion models against golden values, and where we bridge what they leave open."""

from __future__ import annotations

import numpy as np
import pytest

from eew.errors import ConfigError
from eew.physics.groundmotion import (
    allen2012,
    bssa14,
    bssa14_scatter,
    bssa14_site,
    gb18306,
    gb18306_at_azimuth,
    gb18306_intensity,
    jma_fault_distance_km,
    mw_from_mj,
    pgv_site_factor,
    si_midorikawa,
)
from eew.physics.motion import GRAVITY_MPS2
from eew.physics.rupture import beyond_reference_depth_km, rjb_by_strike_km, rupture_length_km

GAL = 0.01
CM_S = 0.01
ZONES = ("qinghai_tibet", "xinjiang", "east_strong", "central_moderate")


@pytest.mark.parametrize(
    ("magnitude", "rjb_km", "vs30_mps", "pga_g", "pgv_cm_s"),
    [
        (6.0, 20.0, 760.0, 0.0954, 5.256),
        (6.0, 20.0, 360.0, 0.1359, 9.229),
        (7.0, 50.0, 760.0, 0.0630, 5.137),
        (7.5, 100.0, 760.0, 0.0383, 3.745),
        (5.0, 10.0, 760.0, 0.0595, 1.930),
    ],
)
def test_bssa14_medians(
    magnitude: float, rjb_km: float, vs30_mps: float, pga_g: float, pgv_cm_s: float
) -> None:
    found = bssa14(magnitude, rjb_km, vs30_mps)
    assert found.pga_mps2 / GRAVITY_MPS2 == pytest.approx(pga_g, rel=2e-3)
    assert found.pgv_mps / CM_S == pytest.approx(pgv_cm_s, rel=1e-3)


def test_bssa14_scatter_at_a_near_rock_site() -> None:
    found = bssa14(6.0, 20.0, 760.0)
    assert found.sigma_ln_pga == pytest.approx(0.605, abs=1e-3)
    assert found.sigma_ln_pgv == pytest.approx(0.651, abs=1e-3)


@pytest.mark.parametrize(
    ("magnitude", "rjb_km", "vs30_mps", "tau", "phi"),
    [
        (4.0, 20.0, 760.0, 0.398, 0.695),  # below both magnitudes
        (5.0, 20.0, 760.0, 0.373, 0.595),  # half way
        (6.0, 300.0, 760.0, 0.348, 0.595),  # far: all of DfR
        (6.0, (110.0 * 270.0) ** 0.5, 760.0, 0.348, 0.545),  # half of DfR
        (6.0, 20.0, 200.0, 0.348, 0.425),  # soft: all of DfV
        (6.0, 20.0, (225.0 * 300.0) ** 0.5, 0.348, 0.460),  # half of DfV
    ],
)
def test_bssa14_scatter_of_pga_by_magnitude_distance_and_ground(
    magnitude: float, rjb_km: float, vs30_mps: float, tau: float, phi: float
) -> None:
    assert bssa14_scatter(magnitude, rjb_km, vs30_mps)["pga"] == pytest.approx((tau, phi), abs=1e-9)


def test_bssa14_mechanism_moves_the_median_by_its_term() -> None:
    plain, normal = bssa14(6.0, 20.0, 760.0), bssa14(6.0, 20.0, 760.0, mechanism="normal")
    assert np.log(normal.pga_mps2 / plain.pga_mps2) == pytest.approx(0.2459 - 0.4473)


def test_bssa14_decays_more_slowly_in_turkey() -> None:
    world = bssa14(7.0, 150.0, 760.0)
    turkey = bssa14(7.0, 150.0, 760.0, attenuation="china_turkey")
    extra_km = np.hypot(150.0, 4.5) - 1.0
    assert np.log(turkey.pga_mps2 / world.pga_mps2) == pytest.approx(0.002858 * extra_km)


def test_bssa14_site_factor_is_the_ratio_of_its_predictions() -> None:
    rock, soil = bssa14(7.0, 5.0, 760.0), bssa14(7.0, 5.0, 250.0)
    on_pga, on_pgv = bssa14_site(250.0, 760.0, rock.pga_mps2)
    assert on_pga == pytest.approx(soil.pga_mps2 / rock.pga_mps2)
    assert on_pgv == pytest.approx(soil.pgv_mps / rock.pgv_mps)


@pytest.mark.parametrize("option", [{"mechanism": "sideways"}, {"attenuation": "moon"}])
def test_bssa14_names_the_option_it_does_not_know(option: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: unknown to BSSA14"):
        bssa14(6.0, 20.0, 760.0, **option)


@pytest.mark.parametrize(
    ("magnitude", "distance_km", "axis", "intensity", "pga_gal", "pgv_cm_s"),
    [
        (6.1, 20.0, "long", 6.842, 216.2, 9.33),
        (6.1, 20.0, "short", 6.300, 95.7, 5.19),
        (7.0, 50.0, "long", 6.997, 107.4, 8.03),
        (7.0, 50.0, "short", 6.426, 64.8, 4.86),
        (7.9, 100.0, "long", 7.152, 64.97, 6.45),
        (7.9, 100.0, "short", 6.690, 44.66, 4.42),
    ],
)
def test_gb18306_in_qinghai_tibet(
    magnitude: float,
    distance_km: float,
    axis: str,
    intensity: float,
    pga_gal: float,
    pgv_cm_s: float,
) -> None:
    zone = "qinghai_tibet"
    found = gb18306(magnitude, distance_km, zone=zone, axis=axis)
    felt = gb18306_intensity(magnitude, distance_km, zone=zone, axis=axis)
    assert felt == pytest.approx(intensity, abs=1e-3)
    assert found.pga_mps2 / GAL == pytest.approx(pga_gal, rel=1e-3)
    assert found.pgv_mps / CM_S == pytest.approx(pgv_cm_s, rel=1e-3)
    assert found.sigma_ln_pga == pytest.approx(0.236 * np.log(10.0))


def test_gb18306_with_unknown_strike_is_the_mean_of_the_axes() -> None:
    axes = [gb18306(6.1, 20.0, zone="xinjiang", axis=axis).pga_mps2 for axis in ("long", "short")]
    mean = gb18306(6.1, 20.0, zone="xinjiang").pga_mps2
    assert mean == pytest.approx(np.sqrt(axes[0] * axes[1]))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("axis", ["long", "short"])
def test_gb18306_branches_meet_at_the_knee_when_joined(zone: str, axis: str) -> None:
    below, above = (gb18306(m, 30.0, zone=zone, axis=axis, joined=True) for m in (6.5, 6.5 + 1e-9))
    assert above.pga_mps2 == pytest.approx(below.pga_mps2, rel=1e-6)
    assert above.pgv_mps == pytest.approx(below.pgv_mps, rel=1e-6)


def test_joining_changes_little_but_where_the_published_number_looks_misprinted() -> None:
    shifts = {}
    for zone in ZONES:
        for axis in ("long", "short"):
            joined = gb18306(6.0, 30.0, zone=zone, axis=axis, joined=True)
            plain = gb18306(6.0, 30.0, zone=zone, axis=axis)
            shifts[zone, axis, "pga"] = float(np.log10(joined.pga_mps2 / plain.pga_mps2))
            shifts[zone, axis, "pgv"] = float(np.log10(joined.pgv_mps / plain.pgv_mps))
    assert shifts.pop(("qinghai_tibet", "long", "pga")) == pytest.approx(-0.101, abs=1e-9)
    assert max(abs(shift) for shift in shifts.values()) < 0.020


@pytest.mark.parametrize("measure", ["intensity", "pga", "pgv"])
def test_gb18306_between_the_axes_lies_on_the_ellipse(measure: str) -> None:
    def at(distance_km: float, angle_deg: float) -> float:
        return float(
            gb18306_at_azimuth(7.0, distance_km, angle_deg, zone="qinghai_tibet", measure=measure)
        )

    along, between, across = at(50.0, 0.0), at(50.0, 45.0), at(50.0, 90.0)
    assert along > between > across
    assert at(50.0, 135.0) == pytest.approx(between)  # symmetric
    # Half axes of the ellipse of that value, found independently along each axis.
    distances = np.linspace(1.0, 150.0, 14_901)
    a = np.interp(-between, [-at(r, 0.0) for r in distances[::100]], distances[::100])
    b = np.interp(-between, [-at(r, 90.0) for r in distances[::100]], distances[::100])
    half = 50.0 / np.sqrt(2.0)
    assert (half / a) ** 2 + (half / b) ** 2 == pytest.approx(1.0, abs=2e-3)


def test_gb18306_on_the_axes_is_the_relation_of_the_axis() -> None:
    zone = "east_strong"
    along = gb18306_at_azimuth(6.1, 20.0, 0.0, zone=zone, measure="pgv")
    relation = gb18306(6.1, 20.0, zone=zone, axis="long")
    assert 10.0**along * CM_S == pytest.approx(relation.pgv_mps)
    across = gb18306_at_azimuth(6.8, 20.0, 90.0, zone=zone, measure="intensity")
    assert across == pytest.approx(gb18306_intensity(6.8, 20.0, zone=zone, axis="short"))


def test_gb18306_names_what_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match=r"zone: .*'atlantis'.*qinghai_tibet"):
        gb18306(6.0, 20.0, zone="atlantis")
    with pytest.raises(ConfigError, match=r"zone: .*'knee_magnitude'"):
        gb18306(6.0, 20.0, zone="knee_magnitude")
    with pytest.raises(ConfigError, match="axis: must be"):
        gb18306(6.0, 20.0, zone="xinjiang", axis="third")
    with pytest.raises(ConfigError, match="measure: must be"):
        gb18306_at_azimuth(6.0, 20.0, 0.0, zone="xinjiang", measure="psa")


def test_the_japanese_chain_of_mj_6_5_at_40_km() -> None:
    mw = mw_from_mj(6.5)
    fault_km = jma_fault_distance_km(mw, 40.0)
    found = si_midorikawa(mw, fault_km, 10.0)
    assert mw == pytest.approx(6.329)
    assert fault_km == pytest.approx(29.68, abs=5e-3)
    assert found.pgv_mps / CM_S == pytest.approx(6.774, rel=1e-3)


def test_the_fault_is_never_nearer_than_3_km() -> None:
    assert jma_fault_distance_km(8.0, 20.0) == 3.0


def test_si_midorikawa_holds_depth_and_knows_three_sources() -> None:
    assert si_midorikawa(7.0, 150.0, 300.0).pgv_mps == si_midorikawa(7.0, 150.0, 120.0).pgv_mps
    slab = si_midorikawa(7.0, 150.0, 60.0, source="intraslab")
    crust = si_midorikawa(7.0, 150.0, 60.0)
    assert np.log10(slab.pga_mps2 / crust.pga_mps2) == pytest.approx(0.22)
    with pytest.raises(ConfigError, match="source: unknown: 'space'"):
        si_midorikawa(7.0, 150.0, 60.0, source="space")


def test_firm_ground_does_not_amplify_and_soft_ground_does() -> None:
    assert pgv_site_factor(600.0) == pytest.approx(1.0)
    # log ARV = 1.83 - 0.66 log AVS30, over its value at 600 m/s
    expected = 10.0 ** (1.83 - 0.66 * np.log10(300.0)) / 10.0 ** (1.83 - 0.66 * np.log10(600.0))
    assert pgv_site_factor(300.0) == pytest.approx(expected)


@pytest.mark.parametrize(("magnitude", "km", "mmi"), [(6.0, 20.0, 6.405), (7.0, 100.0, 5.663)])
def test_allen_2012(magnitude: float, km: float, mmi: float) -> None:
    assert allen2012(magnitude, km) == pytest.approx(mmi, abs=1e-3)


def test_rupture_length_grows_by_wells_and_coppersmith() -> None:
    np.testing.assert_allclose(rupture_length_km([5.0, 7.0]), [3.236, 48.98], rtol=1e-3)


def test_a_small_rupture_leaves_the_distance_alone_and_a_large_one_shortens_it() -> None:
    assert rjb_by_strike_km(50.0, 3.0).mean() == pytest.approx(50.0, abs=0.1)
    by_strike = rjb_by_strike_km(50.0, 7.5)
    half_length = rupture_length_km(7.5) / 2.0
    assert by_strike.shape == (8,)
    assert (np.diff(by_strike) > 0.0).all()  # from along the strike to across it
    assert by_strike[0] == pytest.approx(np.hypot(50 * np.cos(0.0982) - half_length, 4.9), abs=0.1)
    assert by_strike[-1] == pytest.approx(50.0 * np.cos(np.pi / 32 * 1.0), abs=0.3)


def test_depth_counts_only_below_the_reach_of_the_crustal_models() -> None:
    np.testing.assert_allclose(beyond_reference_depth_km([-1.0, 0.0, 20.0, 35.0]), [0, 0, 0, 15])
