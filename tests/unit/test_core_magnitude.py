"""Station and network magnitudes, and what the shaking says of large ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.core.magnitude import MagnitudeInput, NetworkMagnitude, PeakSeries, network_magnitude
from eew.core.shaking_magnitude import combine, shaking_magnitude
from eew.physics.envelope import envelope_amplitude
from eew.physics.magnitude import network_uncertainty
from eew.physics.shaking import shaking_model
from tests.unit.core_cases import config

SETTINGS = config().magnitude


def station(
    pd_m: float,
    distance_km: float,
    *,
    name: str = "XX.A",
    seconds: float = 6.0,
    depth_km: float = 10.0,
    pd_noise_m: float = 1e-9,
    pv_mps: float = 1e-3,
    pv_noise_mps: float = 1e-9,
    clipped_from: int = -1,
    pgv_mps: float = 0.0,
    since_s_s: float = -1.0,
) -> MagnitudeInput:
    """A station whose displacement stands at ``pd_m`` from the first step on."""
    n = round(seconds * 10)
    return MagnitudeInput(
        station=name,
        epicentral_distance_km=distance_km,
        hypocentral_distance_km=math.hypot(distance_km, depth_km),
        since_s_s=since_s_s,
        peaks=PeakSeries(
            pd_m=np.full(n, pd_m),
            pv_mps=np.full(n, pv_mps),
            pd_noise_m=pd_noise_m,
            pv_noise_mps=pv_noise_mps,
            clipped_from=clipped_from,
            pgv_mps=pgv_mps,
        ),
    )


def network(*inputs: MagnitudeInput) -> NetworkMagnitude:
    found = network_magnitude(inputs, SETTINGS)
    assert found is not None
    return found


def pd_of(magnitude: float, distance_km: float) -> float:
    """Kuyuk & Allen (2013) solved for displacement, m."""
    return 0.01 * math.pow(10.0, (magnitude - 5.39 - 1.38 * math.log10(distance_km)) / 1.23)


def ring_of(magnitude: float, n: int, **changes: float) -> list[MagnitudeInput]:
    distances = np.linspace(40.0, 80.0, n)
    return [
        station(pd_of(magnitude, d), float(d), name=f"XX.S{i}", **changes)  # type: ignore[arg-type]
        for i, d in enumerate(distances)
    ]


@pytest.mark.parametrize(
    ("pd_cm", "distance_km", "golden"),
    [(0.1, 50.0, 6.5046), (0.01, 30.0, 4.9684), (1.0, 100.0, 8.15)],
)
def test_kuyuk_and_allen_come_through_the_network(
    pd_cm: float, distance_km: float, golden: float
) -> None:
    found = network(station(0.01 * pd_cm, distance_km))

    assert found.value == pytest.approx(golden, abs=5e-4)
    assert found.type == "Mpd"
    assert found.sigma == network_uncertainty(1).magnitude_sigma
    assert found.stations[0].relation == "pd"


def test_ten_times_the_displacement_is_one_and_a_quarter_units() -> None:
    assert network(station(1e-3, 50.0)).value - network(station(1e-4, 50.0)).value == pytest.approx(
        1.23, abs=1e-6
    )


def test_noise_is_taken_off_in_power() -> None:
    found = network(station(5e-4, 50.0, pd_noise_m=1e-4))
    assert found.stations[0].pd_m == pytest.approx(math.sqrt(24.0) * 1e-4)


def test_the_window_is_what_there_is_up_to_four_seconds() -> None:
    for seconds, window_s in ((0.2, 0.2), (1.0, 1.0), (3.9, 3.9), (4.0, 4.0), (12.0, 4.0)):
        row = network(station(1e-4, 60.0, seconds=seconds)).stations[0]
        assert row.window_s == pytest.approx(window_s)
        assert row.weight == pytest.approx(window_s)
    assert network_magnitude([station(1e-4, 60.0, seconds=0.1)], SETTINGS) is None
    assert network_magnitude([], SETTINGS) is None


def test_the_window_ends_where_s_is_due() -> None:
    near = station(1e-4, 15.0, depth_km=8.0)  # S 2.02 s after P
    growing = near.peaks.pd_m
    growing[:20] = 1e-4
    growing[20:] = 1.0  # S itself
    row = network(near).stations[0]

    assert row.window_s == pytest.approx(17.0 / SETTINGS.s_velocity_km_s, abs=1e-3)
    assert row.pd_m == pytest.approx(1e-4)


def test_a_clipped_record_counts_until_it_clips() -> None:
    whole = station(1e-4, 60.0, clipped_from=15)
    whole.peaks.pd_m[15:] = 1.0
    row = network(whole).stations[0]

    assert row.window_s == pytest.approx(1.5)
    assert row.pd_m == pytest.approx(1e-4)
    assert network_magnitude([station(1e-4, 60.0, clipped_from=0)], SETTINGS) is None


def test_stations_with_more_seconds_weigh_more() -> None:
    short, long = station(pd_of(5.0, 50.0), 50.0, seconds=1.0), station(pd_of(5.4, 60.0), 60.0)

    assert network(short, long).value == pytest.approx((5.0 + 4.0 * 5.4) / 5.0, abs=1e-6)


def test_far_stations_are_used_only_where_no_near_one_is() -> None:
    near_km, middle_km, far_km = SETTINGS.taper_km
    for nearest_km, limit_km in ((60.0, near_km), (near_km + 5.0, middle_km), (160.0, far_km)):
        rows = [nearest_km, limit_km - 1.0, limit_km + 1.0]
        found = network(*[station(pd_of(6.0, d), d, name=f"XX.{d:.0f}") for d in rows])

        assert [r.epicentral_distance_km for r in found.stations] == rows[:2]


def test_displacement_within_its_noise_gives_way_to_velocity() -> None:
    # a MEMS sensor: twice-integrated noise looks like displacement
    distance_km, depth_km = 50.0, 3.0
    velocity = float(
        envelope_amplitude(
            5.0,
            math.hypot(distance_km, depth_km),
            phase="p",
            component="vertical",
            quantity="velocity",
        )
    )
    found = network(station(2e-4, distance_km, depth_km=depth_km, pd_noise_m=1e-4, pv_mps=velocity))

    assert found.type == "Mpv"
    assert found.value == pytest.approx(5.0, abs=0.02)
    assert found.stations[0].weight == pytest.approx(0.5 * SETTINGS.window_s)
    drowned = station(2e-4, 50.0, pd_noise_m=1e-4, pv_mps=1e-5, pv_noise_mps=1e-5)
    assert network_magnitude([drowned], SETTINGS) is None


@pytest.mark.parametrize("factor", [1e3, 1e-3, -1e3])
@pytest.mark.parametrize("n", [4, 6, 12])
def test_one_gain_wrong_a_thousand_times_moves_the_network_little(factor: float, n: int) -> None:
    for wrong in range(n):
        inputs = ring_of(4.6, n)
        peaks = inputs[wrong].peaks
        peaks.pd_m *= abs(factor)
        peaks.pv_mps *= abs(factor)

        assert abs(network(*inputs).value - 4.6) < 0.3


def test_it_is_a_lower_bound_until_three_windows_are_full_and_above_seven() -> None:
    assert network(*ring_of(5.0, 5, seconds=2.0)).lower_bound
    assert not network(*ring_of(5.0, 5)).lower_bound
    assert network(*ring_of(7.2, 5)).lower_bound


magnitudes = st.lists(st.floats(3.0, 8.0), min_size=1, max_size=12)


@given(magnitudes, st.randoms(use_true_random=False))
def test_the_network_lies_among_its_stations_in_whatever_order(
    values: list[float], random: object
) -> None:
    distances = np.linspace(40.0, 80.0, len(values))
    inputs = [
        station(pd_of(m, d), float(d), name=f"XX.S{i}")
        for i, (m, d) in enumerate(zip(values, distances, strict=True))
    ]
    found = network(*inputs)

    assert min(values) - 1e-6 <= found.value <= max(values) + 1e-6
    assert network(*reversed(inputs)).value == pytest.approx(found.value, abs=0.05)


# ---------------------------------------------------------------- the shaking of large ones
MODEL = shaking_model("bssa14")


def shaken(magnitude: float, n: int, **changes: float) -> list[MagnitudeInput]:
    distance_km = np.linspace(20.0, 120.0, n)
    pgv = MODEL.predict(magnitude, 10.0, distance_km).pgv_mps
    return [
        station(1e-2, float(d), name=f"XX.S{i}", pgv_mps=float(v), since_s_s=5.0, **changes)  # type: ignore[arg-type]
        for i, (d, v) in enumerate(zip(distance_km, pgv, strict=True))
    ]


@pytest.mark.parametrize("magnitude", [6.0, 6.8, 7.5, 8.2])
def test_the_models_own_shaking_gives_its_magnitude_back(magnitude: float) -> None:
    assert shaking_magnitude(shaken(magnitude, 8), 10.0, MODEL, SETTINGS) == pytest.approx(
        magnitude, abs=0.051
    )


def test_the_shaking_needs_enough_stations_past_s_that_are_not_clipped() -> None:
    enough = shaken(7.0, SETTINGS.shaking_stations)

    assert shaking_magnitude(enough, 10.0, MODEL, SETTINGS) is not None
    assert shaking_magnitude(enough[:-1], 10.0, MODEL, SETTINGS) is None
    early = replace(enough[0], since_s_s=SETTINGS.shaking_after_s - 0.1)
    assert shaking_magnitude([early, *enough[1:]], 10.0, MODEL, SETTINGS) is None
    enough[1].peaks.clipped_from = 12
    assert shaking_magnitude(enough, 10.0, MODEL, SETTINGS) is None


def test_one_gain_wrong_a_thousand_times_moves_the_shaking_little() -> None:
    for factor in (1e3, 1e-3):
        inputs = shaken(7.0, 8)
        inputs[3].peaks.pgv_mps *= factor
        found = shaking_magnitude(inputs, 10.0, MODEL, SETTINGS)

        assert found == pytest.approx(7.0, abs=0.3)


def first_of(value: float) -> NetworkMagnitude:
    return replace(network(*ring_of(5.0, 4)), value=value)


def test_the_shaking_never_lowers_and_says_nothing_of_small_events() -> None:
    assert combine(first_of(6.5), None, SETTINGS).value == 6.5
    assert combine(first_of(6.8), 6.2, SETTINGS).value == 6.8
    low, high = SETTINGS.saturation_ramp
    assert combine(first_of(low - 0.5), low + 0.4, SETTINGS).value == low - 0.5
    full = combine(first_of(high), high + 1.0, SETTINGS)
    assert (full.value, full.lower_bound, full.type) == (high + 1.0, True, "Mpd+Mgm")


@given(st.floats(4.0, 8.0), st.floats(4.0, 8.6), st.floats(0.0, 1.0))
def test_more_shaking_is_never_less_magnitude(first: float, shaking: float, more: float) -> None:
    here = combine(first_of(first), shaking, SETTINGS).value
    there = combine(first_of(first), shaking + more, SETTINGS).value

    assert first <= here <= max(first, shaking) + 1e-12
    assert there >= here - 1e-12
