"""What P waves, S envelopes and the shaking say about the magnitude."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.core.event_magnitude import event_magnitude
from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.evidence_p import p_evidence, station_magnitude
from eew.core.evidence_vs import vs_evidence
from eew.core.magnitude import MagnitudeInput, NetworkMagnitude, PeakSeries
from eew.core.shaking_magnitude import shaking_evidence, shaking_weight
from eew.core.source_growth import reached
from eew.model.event import StationMagnitude
from eew.physics.envelope import envelope_amplitude
from eew.physics.magnitude import half_duration_s
from eew.physics.shaking import shaking_model
from tests.unit.core_cases import config
from tests.unit.magnitude_cases import pd_of, ring_of, s_wave, station, universal_onset

SETTINGS = config().magnitude
MODEL = shaking_model("bssa14")


def p_of(*inputs: MagnitudeInput) -> tuple[Evidence, tuple[StationMagnitude, ...]]:
    found = p_evidence(inputs, SETTINGS, distance_sigma_km=0.0)
    assert found is not None
    return found


def magnitude_of(*inputs: MagnitudeInput) -> NetworkMagnitude:
    found = event_magnitude(inputs, SETTINGS, depth_km=10.0, distance_sigma_km=0.0, model=MODEL)
    assert found is not None
    return found


# ---------------------------------------------------------------- stations
@pytest.mark.parametrize(
    ("pd_cm", "distance_km", "golden"),
    [(0.1, 50.0, 6.5046), (0.01, 30.0, 4.9684), (1.0, 100.0, 8.15)],
)
def test_kuyuk_and_allen_come_through_a_station(
    pd_cm: float, distance_km: float, golden: float
) -> None:
    row = station_magnitude(station(0.01 * pd_cm, distance_km), SETTINGS)

    assert row is not None
    assert row.magnitude == pytest.approx(golden, abs=5e-4)
    assert row.relation == "pd"


def test_noise_is_taken_off_in_power() -> None:
    row = station_magnitude(station(5e-4, 50.0, pd_noise_m=1e-4), SETTINGS)
    assert row is not None
    assert row.pd_m == pytest.approx(math.sqrt(24.0) * 1e-4)


def test_the_station_window_is_what_there_is_up_to_four_seconds() -> None:
    for seconds, window_s in ((0.2, 0.2), (1.0, 1.0), (3.9, 3.9), (4.0, 4.0), (12.0, 4.0)):
        row = station_magnitude(station(1e-4, 60.0, seconds=seconds), SETTINGS)
        assert row is not None
        assert (row.window_s, row.weight) == pytest.approx((window_s, window_s))
    assert station_magnitude(station(1e-4, 60.0, seconds=0.1), SETTINGS) is None
    assert p_evidence([], SETTINGS, distance_sigma_km=0.0) is None


def test_the_window_ends_where_s_is_due() -> None:
    near = station(1e-4, 15.0, depth_km=8.0)  # S 2.02 s after P
    near.peaks.pd_m[20:] = 1.0  # S itself
    row = station_magnitude(near, SETTINGS)

    assert row is not None
    assert row.window_s == pytest.approx(17.0 / SETTINGS.s_velocity_km_s, abs=1e-3)
    assert row.pd_m == pytest.approx(1e-4)


def test_a_clipped_record_counts_until_it_clips() -> None:
    whole = station(1e-4, 60.0, clipped_from=15)
    whole.peaks.pd_m[15:] = 1.0
    row = station_magnitude(whole, SETTINGS)

    assert row is not None
    assert row.window_s == pytest.approx(1.5)
    assert row.pd_m == pytest.approx(1e-4)
    assert station_magnitude(station(1e-4, 60.0, clipped_from=0), SETTINGS) is None


def test_displacement_within_its_noise_gives_way_to_velocity() -> None:
    # a MEMS sensor: twice-integrated noise looks like displacement
    velocity = float(
        envelope_amplitude(
            5.0, math.hypot(50.0, 3.0), phase="p", component="vertical", quantity="velocity"
        )
    )
    item = station(2e-4, 50.0, depth_km=3.0, pd_noise_m=1e-4, pv_mps=velocity)
    evidence, rows = p_of(item)

    assert evidence.name == "pv"
    assert rows[0].magnitude == pytest.approx(5.0, abs=0.02)
    assert rows[0].weight == pytest.approx(0.5 * SETTINGS.window_s)
    drowned = station(2e-4, 50.0, pd_noise_m=1e-4, pv_mps=1e-5, pv_noise_mps=1e-5)
    assert p_evidence([drowned], SETTINGS, distance_sigma_km=0.0) is None


def test_far_stations_are_used_only_where_no_near_one_is() -> None:
    near_km, middle_km, far_km = SETTINGS.taper_km
    for nearest_km, limit_km in ((60.0, near_km), (near_km + 5.0, middle_km), (160.0, far_km)):
        distances = [nearest_km, limit_km - 1.0, limit_km + 1.0]
        _, rows = p_of(*[station(pd_of(6.0, d), d, name=f"XX.{d:.0f}") for d in distances])

        assert [r.epicentral_distance_km for r in rows] == distances[:2]


# ---------------------------------------------------------------- P of the network
@pytest.mark.parametrize("magnitude", [3.5, 4.6, 5.5, 6.2])
def test_four_seconds_of_p_give_a_small_magnitude_back(magnitude: float) -> None:
    found = magnitude_of(*ring_of(magnitude, 6))

    assert found.value == pytest.approx(magnitude, abs=0.1)
    assert found.type == "Mpd"
    assert not found.lower_bound


@pytest.mark.parametrize("magnitude", [6.8, 7.2, 7.8])
def test_windows_that_grow_with_the_source_follow_a_large_one(magnitude: float) -> None:
    distances = (90.0, 93.0, 96.0, 99.0)
    whole_s = float(half_duration_s(magnitude)) + 0.2
    enough = replace(SETTINGS, taper_km=(300.0, 300.0, 300.0))
    early, late = (
        p_evidence(
            [universal_onset(magnitude, d + 2.0 * far, seconds) for d in distances],
            enough,
            distance_sigma_km=0.0,
        )
        for seconds, far in ((4.0, 0.0), (whole_s, 50.0))
    )
    assert early is not None
    assert late is not None

    assert early[0].is_lower_bound
    assert reached(early[0].log_likelihood) == pytest.approx(6.45, abs=0.11)
    assert reached(late[0].log_likelihood) == pytest.approx(magnitude, abs=0.11)


def test_p_that_goes_on_growing_is_no_small_source() -> None:
    ended, going_on = ring_of(5.5, 6, seconds=7.0), ring_of(5.5, 6, seconds=7.0)
    for item in going_on:
        item.peaks.pd_m[50:] = pd_of(6.6, item.epicentral_distance_km)

    assert magnitude_of(*ended).value == pytest.approx(5.5, abs=0.06)
    assert magnitude_of(*going_on).value > 5.9


@pytest.mark.parametrize("factor", [1e3, 1e-3])
@pytest.mark.parametrize("n", [4, 6, 12])
def test_one_gain_wrong_a_thousand_times_moves_the_network_little(factor: float, n: int) -> None:
    for wrong in range(n):
        inputs = ring_of(4.6, n)
        inputs[wrong].peaks.pd_m *= factor

        assert abs(magnitude_of(*inputs).value - 4.6) < 0.34


def test_more_stations_are_surer_but_never_surer_than_their_common_error() -> None:
    sigmas = [magnitude_of(*ring_of(5.0, n)).sigma for n in (2, 4, 8, 15, 60)]

    assert sigmas[0] > sigmas[1] > sigmas[2] > sigmas[3]
    assert sigmas[0] > 0.36
    assert sigmas[-1] > 0.9 * SETTINGS.p_event_sigma
    assert sigmas[-1] == pytest.approx(sigmas[-2], abs=0.01)


def test_an_unknown_epicentre_makes_it_less_sure() -> None:
    known, unknown = (
        event_magnitude(ring_of(5.0, 8), SETTINGS, depth_km=10.0, distance_sigma_km=km, model=MODEL)
        for km in (0.0, 30.0)
    )
    assert known is not None
    assert unknown is not None
    assert unknown.sigma > known.sigma + 0.05


def test_it_is_a_lower_bound_until_three_windows_are_full() -> None:
    assert magnitude_of(*ring_of(5.0, 5, seconds=0.6)).lower_bound
    assert not magnitude_of(*ring_of(5.0, 5)).lower_bound
    assert magnitude_of(*ring_of(7.2, 5)).lower_bound


magnitudes = st.lists(st.floats(3.0, 6.0), min_size=1, max_size=12)


@settings(max_examples=40)
@given(magnitudes)
def test_the_network_lies_among_its_stations_in_whatever_order(values: list[float]) -> None:
    distances = np.linspace(40.0, 80.0, len(values))
    inputs = [
        station(pd_of(m, d), float(d), name=f"XX.S{i}")
        for i, (m, d) in enumerate(zip(values, distances, strict=True))
    ]
    found = magnitude_of(*inputs)

    assert min(values) - 0.15 <= found.value <= max(values) + 0.15
    assert magnitude_of(*reversed(inputs)).value == pytest.approx(found.value, abs=1e-6)


# ---------------------------------------------------------------- S envelopes
@pytest.mark.parametrize("magnitude", [4.0, 5.5, 6.5, 7.2])
def test_an_s_envelope_gives_its_magnitude_back(magnitude: float) -> None:
    found = vs_evidence([s_wave(magnitude, d) for d in (30.0, 50.0, 60.0, 70.0)], SETTINGS)

    assert found is not None
    assert reached(found.log_likelihood) == pytest.approx(magnitude, abs=0.051)


def test_an_s_envelope_speaks_from_two_seconds_behind_s_on() -> None:
    due_s = math.hypot(50.0, 10.0) / SETTINGS.s_velocity_km_s
    before = s_wave(5.0, 50.0, seconds=due_s + SETTINGS.shaking_after_s - 0.2)
    behind = s_wave(5.0, 50.0, seconds=due_s + SETTINGS.shaking_after_s + 0.2)

    assert vs_evidence([before], SETTINGS) is None
    assert vs_evidence([behind], SETTINGS) is not None


def test_a_larger_quake_ten_seconds_later_is_not_a_small_ones_s_wave() -> None:
    inputs = [s_wave(3.8, d) for d in (20.0, 25.0, 30.0, 35.0)]
    for item in inputs:
        item.peaks.pv_mps[150:] *= 30.0
    found = vs_evidence(inputs, SETTINGS)

    assert found is not None
    assert reached(found.log_likelihood) == pytest.approx(3.8, abs=0.1)


def test_s_envelopes_are_a_lower_bound_beyond_their_data() -> None:
    small = vs_evidence([s_wave(5.0, d) for d in (30.0, 40.0, 50.0)], SETTINGS)
    large = vs_evidence([s_wave(7.6, d) for d in (30.0, 40.0, 50.0)], SETTINGS)

    assert small is not None
    assert large is not None
    assert not small.is_lower_bound
    assert large.is_lower_bound


# ---------------------------------------------------------------- the shaking of large ones
def shaken(magnitude: float, n: int, *, since_s_s: float = 120.0) -> list[MagnitudeInput]:
    distance_km = np.linspace(20.0, 120.0, n)
    pgv = MODEL.predict(magnitude, 10.0, distance_km).pgv_mps
    return [
        station(1e-12, float(d), name=f"XX.S{i}", pgv_mps=float(v), since_s_s=since_s_s)
        for i, (d, v) in enumerate(zip(distance_km, pgv, strict=True))
    ]


def shaking_of(inputs: list[MagnitudeInput]) -> Evidence | None:
    return shaking_evidence(inputs, 10.0, MODEL, SETTINGS)


@pytest.mark.parametrize("magnitude", [6.0, 6.8, 7.5, 8.2])
def test_the_models_own_shaking_gives_its_magnitude_back(magnitude: float) -> None:
    found = shaking_of(shaken(magnitude, 8))

    assert found is not None
    assert reached(found.log_likelihood) == pytest.approx(magnitude, abs=0.11)


def test_the_shaking_needs_enough_stations_past_s_that_are_not_clipped() -> None:
    enough = shaken(7.0, SETTINGS.shaking_stations)

    assert shaking_of(enough) is not None
    assert shaking_of(enough[:-1]) is None
    early = replace(enough[0], since_s_s=SETTINGS.shaking_after_s - 0.1)
    assert shaking_of([early, *enough[1:]]) is None
    enough[1].peaks.clipped_from = 12
    assert shaking_of(enough) is None


def test_stations_a_rupture_has_not_reached_do_not_hold_it_down() -> None:
    # after 20 s of S near the hypocentre, the far half has seen 3 s of S and hardly shakes
    near, far = shaken(7.5, 12, since_s_s=60.0)[:6], shaken(6.0, 12, since_s_s=3.0)[6:]
    found = shaking_of(near + far)

    assert found is not None
    assert reached(found.log_likelihood) == pytest.approx(7.5, abs=0.15)


def test_young_shaking_is_a_lower_bound_and_old_shaking_is_not() -> None:
    young, old = shaking_of(shaken(6.6, 8, since_s_s=4.0)), shaking_of(shaken(6.6, 8))

    assert young is not None
    assert old is not None
    assert young.is_lower_bound
    assert not old.is_lower_bound
    above = MAGNITUDES == 7.3
    fall_young = young.log_likelihood.max() - young.log_likelihood[above]
    fall_old = old.log_likelihood.max() - old.log_likelihood[above]
    assert fall_young < 0.2 * fall_old


def test_one_gain_wrong_a_thousand_times_moves_the_shaking_little() -> None:
    for factor in (1e3, 1e-3):
        inputs = shaken(7.0, 8)
        inputs[3].peaks.pgv_mps *= factor
        found = shaking_of(inputs)

        assert found is not None
        assert reached(found.log_likelihood) == pytest.approx(7.0, abs=0.35)


def test_the_shaking_says_nothing_of_small_events() -> None:
    low, high = SETTINGS.saturation_ramp

    assert shaking_weight(low - 0.1, SETTINGS) == 0.0
    assert shaking_weight(0.5 * (low + high), SETTINGS) == pytest.approx(0.5)
    assert shaking_weight(high + 0.1, SETTINGS) == 1.0


def test_what_grows_behind_the_waves_of_a_larger_quake_is_not_taken() -> None:
    peaks = PeakSeries(pd_m=np.linspace(1e-5, 1e-3, 40), pv_mps=np.linspace(1e-4, 1e-2, 40))
    whole = peaks.pd_at(4.0)
    peaks.free_s = 1.0

    assert peaks.length_s == 1.0
    assert peaks.pd_at(4.0) == peaks.pd_at(1.0) < whole
    assert (peaks.pv_in(np.array([1.0, 2.0, 4.0])) == peaks.pv_at(1.0)).all()

    enough = shaken(7.0, SETTINGS.shaking_stations)
    enough[0].peaks.free_s = 5.0
    assert shaking_of(enough) is None
