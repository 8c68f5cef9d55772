"""The schema of scenario files is that of their types, and the documentation is that of it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

import simulator
from eew.app.scenario_check import check_scenario
from simulator.expected import expected_words, unit_of
from simulator.field_docs import field_words, table_words
from simulator.scenario_fields import ScenarioFile
from simulator.scenario_schema import fault_markdown, json_schema, toml_example
from tests.unit.scenario_cases import SMALL

DOCS = Path(simulator.__file__).parents[1] / "docs"


def tables() -> list[type[msgspec.Struct]]:
    found: list[type[msgspec.Struct]] = []

    def walk(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind not in found:
                found.append(kind)
                for field in msgspec.structs.fields(kind):
                    walk(field.type)
        else:
            for part in getattr(kind, "__args__", ()):
                walk(part)

    walk(ScenarioFile)
    return found


@pytest.mark.parametrize("kind", tables())
def test_every_table_and_field_says_what_it_is(kind: type[msgspec.Struct]) -> None:
    assert table_words(kind)
    names = {field.name for field in msgspec.structs.fields(kind)}
    assert names == {name for name, words in field_words(kind).items() if words}


def test_the_example_holds_every_field_and_every_kind() -> None:
    text = toml_example()
    for kind in tables():
        if kind.__struct_config__.tag:
            assert f'kind = "{kind.__struct_config__.tag}"' in text
        for field in msgspec.structs.fields(kind):
            assert re.search(rf"^(# )?(\[+[\w.]*)?{field.name}( = |\]+$)", text, re.M), field.name


def test_the_example_passes_its_own_check(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(toml_example(), encoding="utf-8")
    found = check_scenario(str(path), seed=1)
    assert len(found.quakes) == 22
    assert len(found.faults) == 29  # 28 kinds and one outage of the link


def test_the_example_shows_units_and_ranges() -> None:
    assert "depth_km = 16.0  # Of the hypocentre. [a number from 0 to 700 (km)]" in toml_example()


# ---------------------------------------------------------------- JSON Schema
def holds(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Tell whether a value holds by the parts of JSON Schema that ours uses."""
    if "$ref" in schema:
        inner = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return holds(value, inner, root)
    if "anyOf" in schema and not any(holds(value, one, root) for one in schema["anyOf"]):
        return False
    if isinstance(value, dict):
        names = schema.get("properties", {})
        known = schema.get("additionalProperties", True) is not False or set(value) <= set(names)
        return (
            known
            and set(schema.get("required", ())) <= set(value)
            and all(holds(value[k], names[k], root) for k in value if k in names)
        )
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        rest = schema.get("items", {})
        return all(
            holds(one, first[n], root) if n < len(first) else rest and holds(one, rest, root)
            for n, one in enumerate(value)
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            schema.get("type", "number") in ("number", "integer")
            and value >= schema.get("minimum", value)
            and value <= schema.get("maximum", value)
            and value > schema.get("exclusiveMinimum", value - 1)
        )
    return "enum" not in schema or value in schema["enum"]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (SMALL, True),
        (toml_example(), True),
        ('title = "x"\nrecorded = "folder"\n', True),
        ('[event]\ncatalogue = "luding-2022"\n', True),
        ('title = "x"\n', False),
        (SMALL.replace("depth_km = 8.0", "depth_km = 800.0"), False),
        (SMALL.replace("depth_km", "deep_km"), False),
        (SMALL + '\n[[fault]]\nkind = "spike"\nat_s = 1.0\nall = true\n', True),
        (SMALL + '\n[[fault]]\nkind = "spike"\nlasts_s = 1.0\nat_s = 1.0\n', False),
    ],
)
def test_the_json_schema_tells_right_from_wrong(text: str, right: bool) -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert holds(tomllib.loads(text), schema, schema) is right


def test_the_json_schema_has_words_and_units() -> None:
    depth = json_schema()["$defs"]["EventSpec"]["properties"]["depth_km"]
    assert depth == {
        "type": "number",
        "minimum": 0.0,
        "maximum": 700.0,
        "description": "Of the hypocentre.",
        "x-unit": "km",
    }


def test_units_are_the_ends_of_names() -> None:
    assert unit_of("peak_mps2") == "m/s²"
    assert unit_of("lat") == "degrees"
    assert unit_of("loss_share") == ""
    assert expected_words(float, "at_s") == "a number (s)"


# ---------------------------------------------------------------- documentation
def test_the_documentation_has_the_table_of_today() -> None:
    page = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    assert fault_markdown() in page, "eew config schema scenario --markdown prints it"


def test_the_examples_of_the_documentation_hold(tmp_path: Path) -> None:
    page = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert len(examples) >= 3
    for number, text in enumerate(examples):
        if "recorded" in text:
            table = tomllib.loads(text)
            (tmp_path / table["recorded"]).mkdir(parents=True)
            from simulator.scenario import parse_any

            parse_any(text.encode(), name="x", where="x", folder=tmp_path)
            continue
        path = tmp_path / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        assert check_scenario(str(path), seed=1).stations > 20
