"""Selectors and station patterns of SeedLink 3 and 4."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.model.waveform import StreamId
from simulator.seedlink.patterns import (
    StreamPattern,
    matches,
    station_id,
    station_pattern,
    stream_id,
)
from simulator.seedlink.refusal import RefusedError

HNZ, HNZ00, LX1 = "_H_N_Z", "00_H_N_Z", "20_L_X_1"


def test_ids_of_a_stream() -> None:
    stream = StreamId.parse("XX.S0000.00.HNZ")
    assert station_id(stream) == "XX_S0000"
    assert stream_id(stream) == HNZ00
    assert stream_id(StreamId.parse("XX.S0000..LX1")) == "_L_X_1"


@pytest.mark.parametrize(
    ("version", "selector", "meant"),
    [
        (3, "HNZ", {HNZ, HNZ00}),
        (3, "hn?", {HNZ, HNZ00}),
        (3, "??1", {LX1}),
        (3, "00HNZ", {HNZ00}),
        (3, "--HNZ", {HNZ}),
        (3, "??HNZ", {HNZ00}),  # two characters, whatever they are: not the empty code
        (3, "20L??.D", {LX1}),
        (3, "HNZ.L", set()),
        (3, "D", {HNZ, HNZ00, LX1}),
        (3, ".D", {HNZ, HNZ00, LX1}),
        (3, "L", set()),
        (3, "*", {HNZ, HNZ00, LX1}),
        (4, "_H_N_Z", {HNZ}),
        (4, "*_H_N_?", {HNZ, HNZ00}),
        (4, "00_*", {HNZ00}),
        (4, "*", {HNZ, HNZ00, LX1}),
        (4, "*Z", {HNZ, HNZ00}),
        (4, "*.3", {HNZ, HNZ00, LX1}),
        (4, "*.3D", {HNZ, HNZ00, LX1}),
        (4, "*_L_*.D", {LX1}),  # as clients turn L??.D of version 3 into version 4
        (4, "*.2", set()),
        (4, "*_L_*:native", {LX1}),
        (4, "*:3", {HNZ, HNZ00, LX1}),
        (4, "HNZ", set()),
    ],
)
def test_what_a_selector_means(version: int, selector: str, meant: set[str]) -> None:
    pattern = StreamPattern.parse(selector, version)
    assert {stream for stream in (HNZ, HNZ00, LX1) if pattern.matches(stream)} == meant
    assert not pattern.is_negative


@pytest.mark.parametrize(("version", "selector"), [(3, "!HNZ"), (4, "!*_H_N_Z")])
def test_a_negative_selector_says_what_it_leaves_out(version: int, selector: str) -> None:
    pattern = StreamPattern.parse(selector, version)
    assert pattern.is_negative
    assert pattern.matches(HNZ)


@pytest.mark.parametrize(
    ("version", "selector"),
    [
        (3, "H_N_Z"),
        (3, "HN"),
        (3, "HNZZZZ"),
        (3, "HNZ.X"),
        (3, "!"),
        (3, ""),
        (4, ""),
        (4, "!"),
        (4, "*.333"),
        (4, "*:sac"),
        (4, "!*:3"),
        (4, "a b"),
    ],
)
def test_what_is_no_selector(version: int, selector: str) -> None:
    with pytest.raises(RefusedError) as refused:
        StreamPattern.parse(selector, version)
    assert refused.value.code == "ARGUMENTS"


@pytest.mark.parametrize("text", ["", "A B", "A/B", "é", "X" * 33])
def test_what_is_no_station(text: str) -> None:
    with pytest.raises(RefusedError):
        station_pattern(text)


@given(st.text("AB*?_", max_size=12), st.text("AB_", max_size=12))
def test_wildcards_are_those_of_a_shell(pattern: str, text: str) -> None:
    assert matches(pattern, text) == fnmatch.fnmatchcase(text, pattern)


def test_many_stars_cost_no_time() -> None:
    """A search that tries each star everywhere would not end before the test's time does."""
    assert not matches("*" * 31 + "Q", "A" * 32)
