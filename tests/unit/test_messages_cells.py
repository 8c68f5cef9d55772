"""Which cells are told: none that may be shaken is left out."""

from __future__ import annotations

from dataclasses import replace

import h3
import numpy as np
import pytest
from h3.api import basic_int as h3_int
from hypothesis import example, given
from hypothesis import strategies as st

from eew.messages.cells import (
    alert_radius_km,
    area_of,
    cell_of,
    cells_to_tell,
    cells_within,
    fine_cells_within,
)
from eew.messages.levels import Thresholds, default_thresholds
from eew.messages.prediction_model import model_of
from eew.model.alert import ObservedShaking
from eew.physics.geo import destination, epicentral_distance_km
from eew.physics.shaking import shaking_model
from tests.unit.message_cases import LUDING, make_message


@given(
    lat=st.floats(-89.9, 89.9),
    lon=st.floats(-180, 180),
    radius_km=st.floats(0.1, 700.0),
    share=st.floats(0.0, 1.0),
    azimuth=st.floats(0.0, 360.0),
)
@example(lat=0.0, lon=179.99, radius_km=200.0, share=1.0, azimuth=90.0)
@example(lat=89.5, lon=0.0, radius_km=300.0, share=1.0, azimuth=0.0)
@example(lat=64.7, lon=10.5, radius_km=300.0, share=1.0, azimuth=180.0)  # a pentagon
def test_every_point_within_the_distance_lies_in_a_cell_that_is_told(
    lat: float, lon: float, radius_km: float, share: float, azimuth: float
) -> None:
    point_lat, point_lon = destination(lat, lon, azimuth, radius_km * share)

    assert cell_of(float(point_lat), float(point_lon)) in cells_within(lat, lon, radius_km)


def test_no_cell_is_told_that_lies_wholly_beyond_the_rim() -> None:
    cells = fine_cells_within(35.77, -117.6, 150.0)
    distances = [
        float(epicentral_distance_km(35.77, -117.6, *h3.cell_to_latlng(h3.int_to_str(cell))))
        for cell in cells
    ]

    assert max(distances) <= 150.0 + 28.7
    told = cells_within(35.77, -117.6, 150.0)
    assert told == tuple(sorted({area_of(cell) for cell in cells}))


def test_for_three_hundred_kilometres_few_cells_are_looked_at_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is looked up by itself, some 2 us: that is what choosing costs."""
    looked_at: list[int] = []
    centre_of = h3_int.cell_to_latlng

    def noted(cell: int) -> tuple[float, float]:
        looked_at.append(cell)
        lat, lon = centre_of(cell)
        return lat, lon

    monkeypatch.setattr(h3_int, "cell_to_latlng", noted)
    fine = fine_cells_within(30.0, 103.0, 300.0)

    assert 150 < len(fine) < 260
    # a hexagon round the circle, and up to three rings more, for the next message
    assert len(looked_at) < 5 * len(fine)
    told = cells_within(30.0, 103.0, 300.0)
    assert 30 < len(told) < 150  # the mountains in the west share few topics


def test_the_radius_in_the_message_is_the_one_that_counts() -> None:
    message = make_message()
    shrunk = replace(message, prediction=replace(message.prediction, radii_km={3: 40.0}))

    assert alert_radius_km(message) == pytest.approx(217.2, abs=0.1)
    assert alert_radius_km(shrunk) == 40.0
    assert cells_to_tell(shrunk, 0.0) == cells_within(*LUDING, 40.0)


def test_an_uncertain_epicentre_widens_the_area() -> None:
    sure, unsure = make_message(h_sigma_km=0.0), make_message(h_sigma_km=60.0)

    assert set(cells_to_tell(sure)) < set(cells_to_tell(unsure))
    assert cells_to_tell(unsure, 0.0) == cells_to_tell(sure, 0.0)


def test_a_magnitude_that_may_be_larger_widens_the_area_to_where_it_would_be_felt() -> None:
    message = make_message(h_sigma_km=0.0)
    unsure = replace(message, magnitude=replace(message.magnitude, sigma=0.5))
    larger = make_message(magnitude=message.magnitude.value + 0.5, h_sigma_km=0.0)

    assert cells_to_tell(unsure) == cells_to_tell(larger, 0.0)


def test_a_quake_felt_nowhere_tells_nobody() -> None:
    assert cells_to_tell(make_message(magnitude=1.0, depth_km=60.0)) == ()


def test_other_thresholds_move_the_rim_by_the_same_model() -> None:
    message = make_message()
    early = Thresholds(scale="csi", be_aware=2.5, take_action=5.0)

    model = shaking_model("gb18306_qinghai_tibet")
    assert alert_radius_km(message, early) == model.radius_km(2.5, 6.8, 16.0)
    assert set(cells_to_tell(message)) < set(cells_to_tell(message, thresholds=early))


def test_japan_is_told_from_class_3_on_which_begins_at_two_and_a_half() -> None:
    message = make_message(model="si_midorikawa", lat=32.75, lon=130.76)

    radius_km = alert_radius_km(message)
    prediction = model_of(message.prediction).predict(6.8, 16.0, radius_km)
    assert float(prediction.intensity) == pytest.approx(2.5, abs=0.01)
    assert default_thresholds("jma").take_action == 3.5


def test_every_place_beside_a_rupture_is_told(rng: np.random.Generator) -> None:
    """Luding with a rupture of 250 km to the south-east: the radius counts from the line."""
    end = destination(30.0, 102.0, 140.0, 250.0)
    line = (30.0, 102.0, float(end[0]), float(end[1]))
    message = make_message(magnitude=7.6, lat=30.0, lon=102.0)
    message = replace(message, prediction=replace(message.prediction, line=line, radii_km={}))
    radius_km = alert_radius_km(message)
    told = set(cells_to_tell(message))

    for share, turn, reach in rng.uniform(0.0, 1.0, (300, 3)):
        on_lat, on_lon = destination(30.0, 102.0, 140.0, 250.0 * share)
        lat, lon = destination(on_lat, on_lon, 360.0 * turn, radius_km * reach)
        assert cell_of(float(lat), float(lon)) in told


def test_places_near_shaking_that_was_seen_are_told_though_the_source_is_far() -> None:
    message = make_message(magnitude=5.0)
    far = ObservedShaking(lat=33.0, lon=105.0, intensity=4.0)
    weak = ObservedShaking(lat=27.0, lon=99.0, intensity=2.9)
    seen = replace(message, prediction=replace(message.prediction, observed=(far, weak)))

    more = set(cells_to_tell(seen)) - set(cells_to_tell(message))

    assert cell_of(33.2, 105.0) in more
    assert cell_of(27.0, 99.0) not in more


def test_the_model_is_found_by_its_name_and_by_its_words() -> None:
    message = make_message()
    words = shaking_model("gb18306_qinghai_tibet").relation
    spoken = replace(message.prediction, relation=words)

    assert model_of(message.prediction) is model_of(spoken)


def test_cells_are_the_same_for_each_turn_of_the_same_message(rng: np.random.Generator) -> None:
    lat, lon = float(rng.uniform(-60, 60)), float(rng.uniform(-180, 180))
    message = make_message(lat=lat, lon=lon, model="bssa14")

    assert cells_to_tell(message) == cells_to_tell(message)
