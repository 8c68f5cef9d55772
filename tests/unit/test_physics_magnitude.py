"""Magnitude relations against values worked out by hand from the papers."""

from __future__ import annotations

import numpy as np
import pytest

from eew.errors import ConfigError
from eew.physics.envelope import envelope, envelope_amplitude
from eew.physics.magnitude import (
    kuyuk_allen_2013,
    lancieri_zollo_2008,
    magnitude_from_tau_c,
    magnitude_from_tau_p,
    network_uncertainty,
    pd_magnitude,
    pd_relation,
    pgd_magnitude,
    pgv_from_pd,
    virtual_seismologist,
    virtual_seismologist_is_p,
    wu_zhao_2006,
)

CM = 0.01


def test_kuyuk_allen_of_a_millimetre_at_30_km() -> None:
    assert kuyuk_allen_2013(0.1 * CM, 30.0) == pytest.approx(6.198, abs=5e-4)


def test_wu_zhao_of_a_millimetre_at_30_km() -> None:
    assert wu_zhao_2006(0.1 * CM, 30.0) == pytest.approx(6.163, abs=5e-4)


@pytest.mark.parametrize(("window", "magnitude"), [("p2", 5.959), ("p4", 5.659), ("s2", 5.209)])
def test_lancieri_zollo_of_a_millimetre_at_30_km(window: str, magnitude: float) -> None:
    assert lancieri_zollo_2008(0.001, 30.0, window=window) == pytest.approx(magnitude, abs=1e-3)


def test_a_pd_relation_takes_the_distance_it_was_made_for() -> None:
    assert pd_magnitude(0.001, 30.0, 40.0) == kuyuk_allen_2013(0.001, 30.0)
    assert pd_magnitude(0.001, 30.0, 40.0, "wu_zhao_2006") == wu_zhao_2006(0.001, 50.0)


def test_stations_above_the_source_do_not_shrink_the_magnitude_without_end() -> None:
    floor = pd_relation("kuyuk_allen_2013").min_distance_km
    assert kuyuk_allen_2013(0.001, 0.0) == kuyuk_allen_2013(0.001, floor)


def test_no_amplitude_gives_no_magnitude() -> None:
    found = kuyuk_allen_2013([0.0, -1.0, np.nan], 30.0)
    assert found[0] == -np.inf
    assert np.isnan(found[1:]).all()


def test_an_unknown_relation_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no relation 'richter'.*kuyuk_allen_2013"):
        pd_magnitude(0.001, 30.0, 10.0, "richter")


@pytest.mark.parametrize(
    ("relation", "magnitude"),
    [
        ("crowell_2013", 7.778),
        ("melgar_2015", 7.955),
        ("crowell_2016", 7.823),
        ("ruhl_2019", 7.814),
    ],
)
def test_half_a_metre_of_displacement_at_100_km(relation: str, magnitude: float) -> None:
    assert pgd_magnitude(0.50, 100.0, relation) == pytest.approx(magnitude, abs=1e-3)


def test_period_relations() -> None:
    # Forward form of the same paper: log tau_c = 0.296 M - 1.462
    assert magnitude_from_tau_c(10.0 ** (0.296 * 6.0 - 1.462)) == pytest.approx(6.0, abs=0.9)
    assert magnitude_from_tau_c(1.0) == pytest.approx(5.787)
    assert magnitude_from_tau_c(1.0, "wu_kanamori_2005") == pytest.approx(5.036)
    assert magnitude_from_tau_p(10.0) == pytest.approx(11.8804)


def test_velocity_to_come_from_half_a_centimetre_of_pd() -> None:
    assert pgv_from_pd(0.5 * CM) == pytest.approx(0.2318, rel=1e-3)  # 10**(1.642-0.277) cm/s
    assert pgv_from_pd(1.0 * CM, "taiwan_2005") == pytest.approx(0.3027, rel=1e-3)


@pytest.mark.parametrize(
    ("phase", "za_cgs", "zd_cgs", "magnitude"),
    [("P", 0.357, 1.62e-4, 3.467), ("S", 0.819, 6.91e-4, 3.833)],
)
def test_virtual_seismologist(phase: str, za_cgs: float, zd_cgs: float, magnitude: float) -> None:
    found = virtual_seismologist(za_cgs * CM, zd_cgs * CM, phase=phase)
    assert found == pytest.approx(magnitude, abs=1e-3)


def test_virtual_seismologist_refuses_another_phase() -> None:
    with pytest.raises(ConfigError, match="must be 'P' or 'S', was 'Q'"):
        virtual_seismologist(0.1, 0.1, phase="Q")


def test_virtual_seismologist_tells_p_from_s_by_the_ratio_of_components() -> None:
    vertical = {"vertical_mps2": 0.10, "vertical_mps": 0.010}
    p = virtual_seismologist_is_p(**vertical, horizontal_mps2=0.05, horizontal_mps=0.005)
    s = virtual_seismologist_is_p(**vertical, horizontal_mps2=0.30, horizontal_mps=0.030)
    assert bool(p)
    assert not bool(s)


@pytest.mark.parametrize(
    ("n", "magnitude", "location_km", "time_s", "likelihood"),
    [(4, 0.398, 14.27, 2.518, 0.909), (6, 0.302, 9.276, 1.244, 0.941)],
)
def test_network_uncertainty(
    n: int, magnitude: float, location_km: float, time_s: float, likelihood: float
) -> None:
    found = network_uncertainty(n)
    assert found.magnitude_sigma == pytest.approx(magnitude, abs=1e-3)
    assert found.location_sigma_km == pytest.approx(location_km, abs=5e-3)
    assert found.origin_time_sigma_s == pytest.approx(time_s, abs=1e-3)
    assert found.likelihood == pytest.approx(likelihood, abs=1e-3)


def test_network_uncertainty_is_held_outside_the_counts_it_was_fitted_for() -> None:
    assert network_uncertainty(1) == network_uncertainty(3)
    assert network_uncertainty(100) == network_uncertainty(15)
    assert network_uncertainty(100).magnitude_sigma == pytest.approx(0.2317, abs=5e-4)


@pytest.mark.parametrize(
    ("phase", "component", "quantity", "cgs"),
    [
        ("P", "vertical", "acceleration", 35.78),
        ("P", "vertical", "displacement", 0.0905),
        ("S", "horizontal", "acceleration", 66.98),
        ("S", "horizontal", "velocity", 4.447),
        ("S", "vertical", "displacement", 0.2987),
    ],
)
def test_envelopes_of_m6_at_20_km_on_rock(
    phase: str, component: str, quantity: str, cgs: float
) -> None:
    found = envelope_amplitude(6.0, 20.0, phase=phase, component=component, quantity=quantity)
    assert found / CM == pytest.approx(cgs, rel=1e-3)


def test_the_p_envelope_and_the_pd_relation_tell_the_same_magnitude() -> None:
    pd_m = envelope_amplitude(6.0, 20.0, phase="P", component="vertical", quantity="displacement")
    assert kuyuk_allen_2013(pd_m, 20.0) == pytest.approx(5.90, abs=5e-3)


def test_an_unknown_envelope_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"p\.vertical\.jerk\.rock.*'jerk'"):
        envelope("P", "vertical", "jerk", "rock")
