"""Topics: each builder has its parser, and a cell says little about where anybody is."""

from __future__ import annotations

import h3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import WireError
from eew.messages import topics
from eew.messages.topics import ParsedTopic, TopicKind, parse_topic
from eew.model.alert import Status

CELL = topics.cell_of(35.77, -117.6)


@pytest.mark.parametrize(
    ("topic", "parsed"),
    [
        (topics.alert_topic(), ParsedTopic(TopicKind.ALERT)),
        (topics.event_current_topic("ev-1"), ParsedTopic(TopicKind.EVENT_CURRENT, "ev-1")),
        (topics.area_alert_topic(CELL), ParsedTopic(TopicKind.AREA_ALERT, CELL)),
        (topics.keys_topic(), ParsedTopic(TopicKind.KEYS)),
        (topics.help_topic(CELL), ParsedTopic(TopicKind.HELP_CELL, CELL)),
        (topics.help_country_topic("CN"), ParsedTopic(TopicKind.HELP_COUNTRY, "CN")),
        (topics.help_area_topic("country:CN"), ParsedTopic(TopicKind.HELP_COUNTRY, "CN")),
        (topics.help_area_topic(CELL), ParsedTopic(TopicKind.HELP_CELL, CELL)),
        (topics.status_topic("eew.1"), ParsedTopic(TopicKind.STATUS, "eew.1")),
        (topics.heartbeat_topic(), ParsedTopic(TopicKind.HEARTBEAT)),
        (topics.ack_topic("phone-0007"), ParsedTopic(TopicKind.ACK, "phone-0007")),
    ],
)
def test_a_topic_is_read_back_as_it_was_built(topic: str, parsed: ParsedTopic) -> None:
    assert topic.startswith("eew/v1/")
    assert parse_topic(topic) == parsed


def test_each_status_has_a_tree_of_its_own() -> None:
    found = {topics.area_alert_topic(CELL, tree=tree): tree for tree in Status}
    assert len(found) == len(Status)
    assert [parse_topic(topic).tree for topic in found] == list(found.values())
    assert topics.event_current_filter(tree=Status.DRILL) == "eew/v1/drill/event/+/current"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "eew/v1",
        "eew/v1/",
        "eew/v2/alert",
        "eew/v1/alert/",
        "eew/v1/area/nonsense/alert",
        f"eew/v1/area/{CELL.upper()}/alert",
        f"eew/v1/area/{CELL}/other",
        "eew/v1/help/country/china",
        "eew/v1/event/a b/current",
        "other/v1/alert",
    ],
)
def test_a_topic_that_is_none_of_ours_is_refused_by_name(topic: str) -> None:
    with pytest.raises(WireError, match="topic"):
        parse_topic(topic)


@pytest.mark.parametrize("bad", ["", "a/b", "a+b", "#", "a b", "x" * 65, "é", "a\n"])
def test_an_id_cannot_change_the_shape_of_a_topic(bad: str) -> None:
    for build in (topics.event_current_topic, topics.status_topic, topics.ack_topic):
        with pytest.raises(WireError):
            build(bad)


@pytest.mark.parametrize("bad", ["", "842ab57fffffff", h3.latlng_to_cell(35.0, 135.0, 5), "xyz"])
def test_only_the_areas_of_some_place_make_topics(bad: str) -> None:
    with pytest.raises(WireError, match="not an H3 cell"):
        topics.area_alert_topic(bad)
    with pytest.raises(WireError, match="country"):
        topics.help_country_topic(bad)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_position_has_an_area_with_a_topic(lat: float, lon: float) -> None:
    cell = topics.cell_of(lat, lon)

    assert parse_topic(topics.area_alert_topic(cell)).key == cell


@pytest.mark.parametrize(("lat", "lon"), [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0)])
def test_a_position_that_is_none_has_no_cell(lat: float, lon: float) -> None:
    with pytest.raises(ValueError, match="position out of range"):
        topics.cell_of(lat, lon)


@given(st.text(max_size=60))
def test_parsing_never_does_more_than_refuse(text: str) -> None:
    with pytest.raises(WireError):
        parse_topic("eew/v1/zzz/" + text)
