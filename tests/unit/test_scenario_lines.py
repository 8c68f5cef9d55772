"""On which line of a TOML file a key stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.toml_lines import line_of, toml_lines

DOCUMENT = '''\
# a comment = 1
title = "a # no comment"
"quoted.key" = """
three
lines \\""" still"""
literal = \'\'\'
[not.a.table]
x = 1\'\'\'

[event] # with a comment
lat = 1.0
fault = { strike = 1, "dip" = { deg = 2 } }
a.b . c = 3

[[site]]
name = "A"

[[site]]
name = "B"
list = [
  1, # one
  [2, 3],
  { deep = 4 },
]

[site.inner]
z = 1

[[link.outage]]
from = 1
[[link.outage]]
from = 2
[[link.outage.part]]
p = 1
[x.y.z]
last = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("title", 2),
        ("quoted.key", 3),
        ("literal", 6),
        ("event", 10),
        ("event.lat", 11),
        ("event.fault.strike", 12),
        ("event.fault.dip.deg", 12),
        ("event.a.b.c", 13),
        ("site", 15),
        ("site[0]", 15),
        ("site[0].name", 16),
        ("site[1]", 18),
        ("site[1].name", 19),
        ("site[1].list[0]", 21),
        ("site[1].list[1][1]", 22),
        ("site[1].list[2].deep", 23),
        ("site[1].inner.z", 27),
        ("link.outage[0].from", 30),
        ("link.outage[1].from", 32),
        ("link.outage[1].part[0].p", 34),
        ("x.y.z", 35),
        ("x.y.z.last", 36),
    ],
)
def test_a_key_stands_on_its_line(path: str, line: int) -> None:
    tomllib.loads(DOCUMENT)  # it is one
    assert toml_lines(DOCUMENT)[path] == line


def test_what_is_missing_has_the_line_of_the_table_it_is_missing_from() -> None:
    lines = toml_lines(DOCUMENT)
    assert line_of(lines, "event.depth_km") == 10
    assert line_of(lines, "site[1].lat") == 18
    assert line_of(lines, "event.fault.rake") == 12
    assert line_of(lines, "network.spacing_km") is None


def test_line_ends_of_windows_count_once() -> None:
    assert toml_lines(DOCUMENT.replace("\n", "\r\n")) == toml_lines(DOCUMENT)


@pytest.mark.parametrize("text", ["", "# nothing", "a = 1", "[a]", 'a = "x"', "a = [1,\n2\n]"])
def test_the_end_of_a_file_needs_no_line_end(text: str) -> None:
    assert set(toml_lines(text)) == set(_paths(tomllib.loads(text)))


# ---------------------------------------------------------------- any document
_keys = st.sampled_from(["a", "b_km", "c-d", "kind", "e1"])
_scalars = st.one_of(
    st.integers(-5, 5).map(str),
    st.sampled_from(["true", "1.5e3", "2024-01-01T00:00:00Z", '"#]},="', "'\\'", '"""a\n"b"""']),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n ".join(items) + "]"),
        st.dictionaries(_keys, inner, max_size=3).map(
            lambda d: "{ " + ", ".join(f"{k} = {v}" for k, v in d.items()) + " }"
        ),
    ),
    max_leaves=6,
)
_bodies = st.dictionaries(_keys, _values, max_size=4)
_tables = st.lists(st.tuples(st.sampled_from(["t", "t.u", "v"]), _bodies), max_size=5)


def _inline_on_one_line(text: str) -> bool:
    """Inline tables may not hold line ends in TOML 1.0: such a draw is none of ours."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


@given(top=_bodies, tables=_tables)
def test_every_key_of_any_document_has_a_line_that_names_it(
    top: dict[str, str], tables: list[tuple[str, dict[str, str]]]
) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in top.items())
    for name, body in tables:
        text += f"[[{name}]] # {name}\n"
        text += "".join(f"{key} = {value}\n" for key, value in body.items())
    if not _inline_on_one_line(text):
        return
    lines, rows = toml_lines(text), text.splitlines()
    for path in _paths(tomllib.loads(text)):
        assert path in lines
        last = path.rpartition(".")[2]
        if "[" not in last:
            assert last in rows[lines[path] - 1]


def _paths(value: Any, path: str = "") -> list[str]:
    """Return the path of everything in a parsed document."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += _paths(inner, f"{path}[{number}]")
    return found
