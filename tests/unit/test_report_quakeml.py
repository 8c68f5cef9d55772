"""event.quakeml.xml: read back with ObsPy, checked against the schema, the same bytes."""

from __future__ import annotations

import io

import obspy
import pytest
from obspy.io.quakeml.core import _validate as validates

from eew.report.quakeml import chosen_solutions, quakeml_bytes
from tests.unit.run_example import ORIGIN_NS, S, result


def read(data: bytes) -> obspy.Catalog:
    return obspy.read_events(io.BytesIO(data), format="QUAKEML")


def test_the_document_is_valid_quakeml_1_2() -> None:
    assert validates(io.BytesIO(quakeml_bytes(result())))


def test_two_writings_give_the_same_bytes() -> None:
    assert quakeml_bytes(result()) == quakeml_bytes(result())


def test_there_is_one_event_whose_origins_are_the_solutions_as_they_were_known() -> None:
    catalog = read(quakeml_bytes(result()))

    assert len(catalog) == 1
    event = catalog[0]
    created = [(origin.creation_info.creation_time.ns - ORIGIN_NS) / S for origin in event.origins]
    assert created == [5.0, 7.0, 20.0]
    assert [round(one.mag, 1) for one in event.magnitudes] == [5.4, 6.4, 6.9]
    assert {one.evaluation_mode for one in (*event.origins, *event.magnitudes, *event.picks)} == {
        "automatic"
    }
    assert event.preferred_origin().creation_info.creation_time.ns == ORIGIN_NS + 20 * S
    assert event.preferred_magnitude().mag == 6.9


def test_arrivals_point_to_picks_of_the_document() -> None:
    event = read(quakeml_bytes(result()))[0]
    picks = {pick.resource_id.id for pick in event.picks}

    assert len(picks) == 9
    for origin in event.origins:
        assert origin.arrivals
        assert {arrival.pick_id.id for arrival in origin.arrivals} <= picks


def test_numbers_come_back_in_quakemls_units() -> None:
    origin = read(quakeml_bytes(result()))[0].origins[0]

    assert origin.depth == 10_000.0
    assert origin.time.ns == ORIGIN_NS + S // 5
    assert origin.latitude == pytest.approx(35.83)
    assert origin.quality.azimuthal_gap == 120.0


def test_a_run_without_solutions_gives_an_empty_catalogue() -> None:
    data = quakeml_bytes(result(alerted=False))

    assert len(read(data)) == 0
    assert validates(io.BytesIO(data))


def test_only_solutions_behind_messages_and_the_last_are_written() -> None:
    chosen = chosen_solutions(result())["ev-1"]

    assert [round((one.at_ns - ORIGIN_NS) / S, 1) for one in chosen] == [5.0, 7.0, 20.0]
