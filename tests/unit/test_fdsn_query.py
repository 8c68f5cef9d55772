from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.messages.fdsn_parameters import SERVICES, wadl
from eew.messages.fdsn_query import (
    QueryError,
    parse_data,
    parse_events,
    parse_stations,
    parse_time,
    split_post,
)
from eew.messages.fdsn_selection import Area, Codes, degrees_between

S = 1_000_000_000
DAY = ("start", "2020-01-11"), ("end", "2020-01-12")


# ---------------------------------------------------------------- times and codes
@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", S),
        ("2020-01-11T14:22:02", 1_578_752_522 * S),
        ("2020-01-11T14:22", 1_578_752_520 * S),
        ("2020-01-11T14:22:02.123456789", 1_578_752_522_123_456_789),
        ("2016-12-31T23:59:60", 1_483_228_800 * S),
        ("1969-12-31T23:59:59.5", -S // 2),
    ],
)
def test_times_are_read(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns


@pytest.mark.parametrize("text", ["", "2020", "2020-13-01", "2020-01-11 14:22", "now", "2020-1-1"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # it says the text, which is what is tested
        parse_time(text)


def test_codes_match_with_wildcards_and_lists() -> None:
    codes = Codes(("CI", "N?"), ("*",), ("", "1?"), ("HN?",))

    assert codes.matches("CI", "CLC", "", "HNZ")
    assert codes.matches("NC", "A", "10", "HN1")
    assert not codes.matches("CI", "CLC", "00", "HNZ")
    assert not codes.matches("CI", "CLC", "", "BHZ")
    assert not codes.matches("CIX", "CLC", "", "HNZ")
    assert not codes.matches("C.", "CLC", "", "HNZ")


# ---------------------------------------------------------------- areas
def test_a_box_may_go_over_the_date_line() -> None:
    area = Area(min_lat=-45.0, max_lat=-40.0, min_lon=170.0, max_lon=-170.0)

    assert area.holds(-42.0, 175.0)
    assert area.holds(-42.0, -175.0)
    assert not area.holds(-42.0, 0.0)
    assert not area.holds(-39.0, 175.0)


def test_a_ring_has_an_inner_and_an_outer_radius() -> None:
    area = Area(lat=0.0, lon=0.0, min_radius_deg=1.0, max_radius_deg=2.0)

    assert [area.holds(lat, 0.0) for lat in (0.5, 1.5, 2.5)] == [False, True, False]


@given(
    a=st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    b=st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
)
def test_angles_are_symmetric_and_at_most_half_a_turn(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    assert degrees_between(*a, *b) == pytest.approx(degrees_between(*b, *a), abs=1e-9)
    assert 0.0 <= degrees_between(*a, *b) <= 180.0
    assert degrees_between(*a, *a) == pytest.approx(0.0, abs=1e-6)
    assert degrees_between(0.0, 0.0, 0.0, a[1]) == pytest.approx(abs(a[1]), abs=1e-6)


# ---------------------------------------------------------------- queries
def test_dataselect_reads_long_and_short_names() -> None:
    query = parse_data([*DAY, ("net", "CI"), ("station", "C*,TOW2"), ("loc", "--"), ("CHA", "HN?")])

    (window,) = query.windows
    assert window.codes == Codes(("CI",), ("C*", "TOW2"), ("",), ("HN?",))
    assert window.end_ns - window.start_ns == 86_400 * S
    assert query.no_data == 204


def test_a_post_holds_parameters_and_lines() -> None:
    body = (
        b"quality=B\nminimumlength=5\r\nnodata=404\n"
        b"CI CLC -- HN? 2019-07-06T03:19:53.040000 2019-07-06T03:21:00\n\nXX * * * * *\n"
    )
    query = parse_data(*split_post(body))

    assert query.min_length_s == 5.0
    assert query.no_data == 404
    first, second = query.windows
    assert first.codes == Codes(("CI",), ("CLC",), ("",), ("HN?",))
    assert second.codes.matches("XX", "OE001", "", "BNZ")
    assert second.start_ns < 0 < second.end_ns


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([("start", "2020-01-11")], "endtime: is missing"),
        ([("start", "yesterday"), DAY[1]], "start: must be a UTC time like"),
        ([*DAY, ("starttime", "2020-01-11")], "starttime: given twice"),
        ([DAY[0], ("end", "2020-01-10")], "endtime: is before starttime"),
        ([*DAY, ("foo", "1")], "foo: no such parameter; known are starttime, endtime"),
        ([*DAY, ("cha", "HN$")], "channel: a code has letters, digits, * and ?, was 'HN$'"),
        ([*DAY, ("nodata", "500")], "nodata: must be 204 or 404, was '500'"),
        ([*DAY, ("format", "sac")], "format: must be miniseed, was 'sac'"),
        ([*DAY, ("longestonly", "1")], "longestonly: must be true or false, was '1'"),
        ([*DAY, ("minimumlength", "-1")], "minimumlength: must be 0 or more, was -1"),
        ([*DAY, ("minimumlength", "nan")], "minimumlength"),
    ],
)
def test_a_wrong_query_for_data_is_told(parameters: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_data(parameters)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([("lat", "91")], "lat: must be -90 to 90, was 91"),
        ([("lat", "north")], "lat: must be a number, was 'north'"),
        ([("maxradius", "1")], "latitude: is missing; a radius needs a centre"),
        ([("minlat", "2"), ("maxlat", "1")], "maxlatitude: is below minlatitude"),
        ([("level", "net")], "level: must be network or station or channel or response"),
        ([("level", "response"), ("format", "text")], "write format=xml"),
    ],
)
def test_a_wrong_query_for_stations_is_told(parameters: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_stations(parameters)
    assert words in str(caught.value)


def test_a_query_for_events_is_read() -> None:
    query = parse_events(
        [("minmag", "6"), ("orderby", "Time-Asc"), ("limit", "3"), ("format", "text")]
    )

    assert query.min_magnitude == 6.0
    assert query.order_by == "time-asc"
    assert (query.limit, query.offset, query.as_text) == (3, 1, True)
    with pytest.raises(QueryError, match="limit: must be 1 or more, was 0"):
        parse_events([("limit", "0")])
    with pytest.raises(QueryError, match=r"limit: must be a whole number, was '1\.5'"):
        parse_events([("limit", "1.5")])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no line NET STA LOC CHA START END"),
        (b"quality=B", "no line"),
        ("CI \xe9 * * * *".encode(), "must be ASCII"),
        (b"CI CLC HN? 2020-01-01 2020-01-02", "line 1: must be NET STA LOC CHA START END"),
        (b"CI CLC * HN? then now", "line 1: start: must be a UTC time or *, was 'then'"),
        (b"* * * * 2020-01-02 2020-01-01", "line 1: the end is before the start"),
        (b"net=CI\n* * * * * *", "net: stands in the lines of a POST"),
    ],
)
def test_a_wrong_post_is_told(body: bytes, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_data(*split_post(body))
    assert words in str(caught.value)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([p.name for s in SERVICES.values() for p in s]), st.text(max_size=12)
        ),
        max_size=6,
    )
)
def test_nothing_but_a_query_error_comes_out(parameters: list[tuple[str, str]]) -> None:
    for parse in (parse_data, parse_stations, parse_events):
        with contextlib.suppress(QueryError):
            parse(parameters)


# ---------------------------------------------------------------- what a client reads first
@pytest.mark.parametrize("service", list(SERVICES))
def test_the_wadl_names_every_parameter(service: str) -> None:
    root = ET.fromstring(wadl(service, f"http://127.0.0.1:1/fdsnws/{service}/1"))
    space = {"w": "http://wadl.dev.java.net/2009/02"}
    names = [one.get("name") for one in root.findall(".//w:method[@id='query']//w:param", space)]

    assert names == [one.name for one in SERVICES[service]]
    resources = root.find("w:resources", space)
    assert resources is not None
    assert resources.get("base") == f"http://127.0.0.1:1/fdsnws/{service}/1/"
