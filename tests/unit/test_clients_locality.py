"""What a message means at a place, by the detector's own models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.locality import SharedEstimator, estimate_here, nearest_shelter
from eew.errors import ConfigError
from eew.messages.levels import Thresholds
from eew.model.alert import Level, ObservedShaking
from eew.model.place import Shelter
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from eew.physics.shaking import shaking_model
from eew.physics.traveltime import TravelTimes
from tests.unit.message_cases import LUDING, ORIGIN_NS, S, make_message

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures


def test_arrivals_and_intensity_are_those_of_the_shared_models() -> None:
    message = make_message()
    here = estimate_here(message, 30.0, 103.0)

    distance_km = float(epicentral_distance_km(30.0, 103.0, *LUDING))
    times = TravelTimes.load()
    model = shaking_model("gb18306_qinghai_tibet")
    assert here.epicentral_distance_km == distance_km
    assert here.s_arrival_ns - ORIGIN_NS == round(float(times.s_s(distance_km, 16.0)) * S)
    assert here.p_arrival_ns - ORIGIN_NS == round(float(times.p_s(distance_km, 16.0)) * S)
    assert here.intensity == float(model.predict(6.8, 16.0, distance_km).intensity)
    assert here.azimuth_deg == float(azimuth_deg(30.0, 103.0, *LUDING))
    assert here.scale == "csi"


def test_beside_a_rupture_its_line_counts_and_the_s_wave_still_comes_from_the_hypocentre() -> None:
    """60 km beyond the epicentre, in the middle of the rupture."""
    line = (LUDING[0], LUDING[1], LUDING[0] - 1.0, LUDING[1])
    message = make_message(magnitude=7.5)
    ruptured = replace(message, prediction=replace(message.prediction, line=line))
    lat, lon = LUDING[0] - 0.5, LUDING[1] + 0.1

    point, here = (estimate_here(one, lat, lon) for one in (message, ruptured))

    away_km = float(epicentral_distance_km(lat, lon, lat, LUDING[1]))
    model = shaking_model("gb18306_qinghai_tibet")
    beside = float(model.predict_beside_line(7.5, 16.0, away_km).intensity)
    assert here.intensity == pytest.approx(beside, abs=0.01)
    assert here.intensity > point.intensity + 0.5
    assert here.s_arrival_ns == point.s_arrival_ns


def test_the_correction_is_added_everywhere_within_the_scale() -> None:
    message = make_message()
    raised = replace(message, prediction=replace(message.prediction, correction=0.4))
    for lon in (102.2, 104.0):
        plain, more = (estimate_here(one, 30.0, lon).intensity for one in (message, raised))
        assert more == pytest.approx(plain + 0.4)
    huge = replace(raised, magnitude=replace(raised.magnitude, value=9.5))
    assert estimate_here(huge, *LUDING).intensity <= 12.0


def test_the_larger_of_source_and_shaking_nearby_counts() -> None:
    seen = (
        ObservedShaking(lat=30.0, lon=104.0, intensity=7.0),
        ObservedShaking(lat=30.0, lon=104.1, intensity=6.0),
    )
    message = make_message()
    with_both = replace(message, prediction=replace(message.prediction, observed=seen))

    near, far = estimate_here(with_both, 30.1, 104.0), estimate_here(with_both, 30.0, 104.6)
    soft = estimate_here(with_both, 30.1, 104.0, vs30_mps=200.0)

    assert (near.intensity, near.seen_nearby) == (7.0, True)
    assert near.level is Level.TAKE_ACTION
    assert soft.intensity > 7.0, "soft ground shakes more than that of the station"
    assert far.intensity == estimate_here(message, 30.0, 104.6).intensity
    assert not far.seen_nearby


def test_the_level_ends_where_the_radius_in_the_message_ends() -> None:
    message = make_message()
    for classes, level in ((3, Level.BE_AWARE), (5, Level.TAKE_ACTION)):
        radius_km = message.prediction.radii_km[classes]
        inside = destination(*LUDING, 40.0, radius_km - 0.1)
        outside = destination(*LUDING, 40.0, radius_km + 0.1)
        here = estimate_here(message, float(inside[0]), float(inside[1]))
        beyond = estimate_here(message, float(outside[0]), float(outside[1]))
        assert here.level is level
        assert beyond.level.rank == level.rank - 1


def test_uncertainty_adds_up_from_its_parts() -> None:
    exact = make_message(h_sigma_km=0.0, time_sigma_s=0.0)
    exact = replace(
        exact,
        origin=replace(exact.origin, z_sigma_km=0.0),
        magnitude=replace(exact.magnitude, sigma=0.0),
    )
    model_only = estimate_here(exact, 30.0, 103.0)
    all_parts = estimate_here(make_message(), 30.0, 103.0)

    assert model_only.s_arrival_sigma_s == 0.0
    assert model_only.intensity_sigma == pytest.approx(
        float(shaking_model("gb18306_qinghai_tibet").predict(6.8, 16.0, 100.0).sigma), rel=1e-3
    )
    # 5 km at about 3.6 km/s and 0.8 s of origin time, with a little for depth
    assert all_parts.s_arrival_sigma_s == pytest.approx(1.7, abs=0.2)
    assert all_parts.intensity_sigma > model_only.intensity_sigma


def test_hard_rock_and_own_thresholds_change_the_level() -> None:
    message = make_message(model="bssa14", magnitude=6.0)
    soft = estimate_here(message, 30.0, 102.6, vs30_mps=250.0)
    rock = estimate_here(message, 30.0, 102.6, vs30_mps=1200.0)

    assert soft.intensity > rock.intensity
    never = Thresholds(scale="mmi", be_aware=9.0, take_action=9.5)
    assert estimate_here(message, 30.0, 102.6, thresholds=never).level is Level.NONE


def test_a_model_of_another_version_is_named() -> None:
    message = make_message()
    foreign = replace(message, prediction=replace(message.prediction, relation="xyz2031"))

    with pytest.raises(ConfigError, match="unknown shaking model 'xyz2031'"):
        estimate_here(foreign, 30.0, 103.0)
    with pytest.raises(ConfigError, match="gives csi, the message says 'mmi'"):
        estimate_here(
            replace(message, prediction=replace(message.prediction, scale="mmi")), 30.0, 103.0
        )


@given(
    places=st.lists(
        st.tuples(st.floats(20, 40), st.floats(90, 115), st.none() | st.floats(200, 1200)),
        min_size=1,
        max_size=8,
    ),
    model=st.sampled_from(["bssa14", "gb18306_qinghai_tibet", "si_midorikawa"]),
)
def test_working_out_many_places_at_once_changes_no_number(
    places: list[tuple[float, float, float | None]], model: str
) -> None:
    message = make_message(model=model)
    shared = SharedEstimator()
    numbers = [shared.add(lat, lon, vs30) for lat, lon, vs30 in places]

    for number, (lat, lon, vs30) in zip(numbers, places, strict=True):
        alone = estimate_here(message, lat, lon, vs30_mps=vs30)
        together = shared.estimate(message, number)
        assert together.level is alone.level
        assert together.intensity == pytest.approx(alone.intensity, abs=1e-9)
        assert together.s_arrival_ns == pytest.approx(alone.s_arrival_ns, abs=10)
        assert together.s_arrival_sigma_s == pytest.approx(alone.s_arrival_sigma_s, abs=1e-9)


def test_a_place_added_after_a_message_is_worked_out_as_well() -> None:
    message = make_message()
    shared = SharedEstimator()
    first = shared.add(30.0, 103.0)
    shared.estimate(message, first)
    second = shared.add(29.9, 102.2)

    assert shared.estimate(message, second) == estimate_here(message, 29.9, 102.2)
    assert shared.estimate(message, first) == estimate_here(message, 30.0, 103.0)


@given(seed=st.integers(0, 10**6))
def test_the_nearest_shelter_is_the_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shelters = [
        Shelter(
            id=str(i),
            name=f"S{i}",
            lat=float(rng.uniform(-60, 60)),
            lon=float(rng.uniform(-180, 180)),
            suited_for_earthquake=bool(rng.integers(2)),
        )
        for i in range(30)
    ]
    lat, lon = float(rng.uniform(-60, 60)), float(rng.uniform(-180, 180))
    found = nearest_shelter(lat, lon, shelters)

    suited = [s for s in shelters if s.suited_for_earthquake]
    if not suited:
        assert found is None
        return
    assert found is not None
    assert found.shelter.suited_for_earthquake
    distances = [float(epicentral_distance_km(lat, lon, s.lat, s.lon)) for s in suited]
    assert found.distance_km == min(distances)
    goal = destination(lat, lon, found.azimuth_deg, found.distance_km)
    missed_km = float(epicentral_distance_km(*goal, found.shelter.lat, found.shelter.lon))
    assert missed_km <= 0.01 * found.distance_km


def test_no_shelter_is_none() -> None:
    assert nearest_shelter(0.0, 0.0, []) is None
