from __future__ import annotations

from typing import Any

import pytest

from eew.errors import MetadataError
from eew.ingest.export import catalog_of
from eew.ingest.truth import read_quakeml, truth_from_catalog
from tests.unit.ingest_cases import START_NS, TRUTH, kinds

END_NS = START_NS + 60 * 10**9


def catalogue() -> Any:
    return catalog_of(TRUTH)


def test_the_truth_is_the_preferred_origin_and_magnitude() -> None:
    truth, problems = truth_from_catalog(
        catalogue(), start_ns=START_NS, end_ns=END_NS, where="event.xml"
    )

    assert truth == TRUTH
    assert problems == []


def test_without_a_preferred_one_the_first_origin_counts() -> None:
    catalog = catalogue()
    catalog[0].preferred_origin_id = catalog[0].preferred_magnitude_id = None

    truth, _ = truth_from_catalog(catalog, start_ns=START_NS, end_ns=END_NS, where="event.xml")

    assert truth == TRUTH


def test_of_several_events_the_largest_inside_the_recording_counts() -> None:
    catalog = catalogue()
    for magnitude, after_s in [(5.0, 2), (9.0, -7200), (8.9, 90)]:
        (event,) = catalogue()
        event.magnitudes[0].mag = magnitude
        event.origins[0].time += after_s - 5
        catalog.events.insert(0, event)

    truth, _ = truth_from_catalog(catalog, start_ns=START_NS, end_ns=END_NS, where="event.xml")

    assert truth == TRUTH


@pytest.mark.parametrize("name", ["depth", "latitude", "magnitude"])
def test_a_missing_value_leaves_the_truth_unknown_and_is_named(name: str) -> None:
    catalog = catalogue()
    if name == "magnitude":
        catalog[0].magnitudes = []
    else:
        setattr(catalog[0].origins[0], name, None)

    truth, problems = truth_from_catalog(
        catalog, start_ns=START_NS, end_ns=END_NS, where="event.xml"
    )

    assert truth is None
    assert kinds(problems) == {"unreadable": 1}
    assert name in problems[0].detail


def test_an_empty_catalogue_is_reported() -> None:
    catalog = catalogue()
    catalog.events = []

    truth, problems = truth_from_catalog(
        catalog, start_ns=START_NS, end_ns=END_NS, where="event.xml"
    )

    assert truth is None
    assert kinds(problems) == {"unreadable": 1}


def test_what_is_not_quakeml_is_an_error_with_the_file_name() -> None:
    with pytest.raises(MetadataError, match=r"event\.xml: not readable as QuakeML"):
        read_quakeml(b"<html/>", name="event.xml")
