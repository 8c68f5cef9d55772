"""The schema of scenario files, made from their types: JSON Schema, and an example in TOML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from msgspec import NODEFAULT

from simulator.expected import expected_words, unit_of
from simulator.fault_fields import DataFault, LinkFault, SwappedCoordinates
from simulator.field_docs import field_words, table_words
from simulator.scenario_fields import COMPUTED_NEEDS, ScenarioFile
from simulator.selection import Selection
from simulator.strict import plain

__all__ = ["fault_markdown", "json_schema", "toml_example"]

SCHEMA_ID = "eew.scenario/1"

# What the example has where a field must be given: one value for each name of a field.
_EXAMPLES: dict[str, str] = {
    "after_s": "60.0",
    "again_share": "0.05",
    "at_s": "5.0",
    "azimuth_deg": "90.0",
    "backazimuth_deg": "90.0",
    "catalogue": '"luding-2022"',
    "country": '"CN"',
    "dense_radius_km": "40.0",
    "depth_km": "16.0",
    "detected": "true",
    "file": '"stations.xml"',
    "dip_deg": "80.0",
    "distance_km": "25.0",
    "drift_ppm": "20.0",
    "epicentre_error_km": "10.0",
    "events": "1",
    "factor": "10.0",
    "first_alert_s": "6.0",
    "fixed_s": "0.2",
    "from_s": "2.0",
    "id": '"my-quake"',
    "languages": '["zh", "en"]',
    "lasts_s": "3.0",
    "lat": "29.59",
    "late_share": "0.05",
    "length_km": "40.0",
    "limit": "5.0",
    "lon": "102.08",
    "loss_share": "0.05",
    "magnitude": "6.8",
    "magnitude_error": "0.5",
    "name": '"Moxi"',
    "nearest": "3",
    "number": "20",
    "offset_s": "1.5",
    "origin_time": "2022-09-05T04:52:18Z",
    "outer_spacing_km": "25.0",
    "packs": '["shelters.json"]',
    "peak_displacement_m": "0.0005",
    "peak_mps2": "0.05",
    "phones": "20",
    "population": "7000",
    "radius_km": "140.0",
    "rake_deg": "0.0",
    "recorded": '"../quakes/us20190706_m71_ridgecrest"',
    "region": '"west_sichuan"',
    "rms_mps2": "0.001",
    "sampling_rate_hz": "100.0",
    "seed": "1",
    "sensor": '"mems"',
    "share": "0.1",
    "spacing_km": "15.0",
    "stations": '["SY.S0003", "SY.S001*"]',
    "stress_drop_bar": "80.0",
    "strike_deg": "160.0",
    "title": '"Luding, Sichuan, M6.8"',
    "tvs": "4",
    "until_s": "20.0",
    "vs30_mps": "400.0",
    "width_km": "15.0",
    "within_km": "40.0",
    "within_s": "30.0",
}
# Fields whose value in one table is not that of their name.
_OWN_EXAMPLES = {
    ("NetworkSpec", "name"): '"icl"',
    ("NetworkSpec", "file"): '"stations.xml"',
    ("AftershocksSpec", "magnitude"): "[4.0, 5.5]",
    ("AftershocksSpec", "radius_km"): "25.0",
    ("EventSpec", "stress_drop_bar"): "80.0",
    ("SourceSpec", "magnitude"): "5.0",
}
_TAG = "kind"
_WIDTH = 100


# ---------------------------------------------------------------- JSON Schema
def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file, with descriptions and units."""
    (top,), parts = msgspec.json.schema_components([ScenarioFile], ref_template="#/$defs/{name}")
    kinds = {kind.__name__: kind for kind in _tables(ScenarioFile)}
    for name, part in parts.items():
        _describe(part, kinds[name])
    whole = parts.pop("ScenarioFile")
    assert top == {"$ref": "#/$defs/ScenarioFile"}
    # a known quake brings along what the type of the whole file demands
    event = parts["EventSpec"]
    event["anyOf"] = [{"required": ["catalogue"]}, {"required": event.pop("required")}]
    always = whole.pop("required")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **whole,
        "anyOf": [
            {"required": [*always, "recorded"]},
            {"required": [*always, *COMPUTED_NEEDS]},
            {"properties": {"event": {"required": ["catalogue"]}}, "required": ["event"]},
        ],
        "$defs": parts,
    }


def _describe(part: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    """Put words and units to the fields of one table; TOML knows no null."""
    part["description"] = table_words(kind)
    words = field_words(kind)
    for name, one in part["properties"].items():
        if name in words:
            one["description"] = words[name]
        if one.get("default", 0) is None:
            del one["default"]
        choices = [choice for choice in one.get("anyOf", []) if choice != {"type": "null"}]
        if len(choices) == 1:
            del one["anyOf"]
            one.update(choices[0])
        if unit_of(name):
            one["x-unit"] = unit_of(name)


def _tables(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Walk through all tables of a file."""
    yield kind
    for field in msgspec.structs.fields(kind):
        for inner in _structs(field.type):
            yield from _tables(inner)


def _structs(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return (kind,)
    return tuple(one for part in get_args(kind) for one in _structs(part))


# ---------------------------------------------------------------- example
def toml_example() -> str:
    """Return a scenario file with every field: what may be left out is behind a ``#``."""
    lines = [
        "# A scenario file with every field there is. What stands behind a # may be left out; the",
        "# value shown is then the one that holds, or an example where there is none.",
        "# eew scenario check FILE says what is wrong, and what would be computed.",
        "",
    ]
    tables: list[str] = []
    selection_said = False
    for field in msgspec.structs.fields(ScenarioFile):
        inner = _structs(field.type)
        if inner:
            many = "tuple" in str(field.type)
            for kind in inner:
                tables += _table(kind, field.name, many=many, brief=selection_said)
                selection_said = selection_said or field.name == "link"
        else:
            asked = field.required or field.name in _WANTED
            lines += _field(ScenarioFile, field, asked=asked)
    return "\n".join([*lines, *tables]).rstrip() + "\n"


# optional to the type, but an example without them would not be a computed scenario
_WANTED = ("region", "country", "languages")
# tables that the example leaves commented out: they need files, or replace another
_ASIDE = ("help", "event.line", "source.line")


def _table(
    kind: type[msgspec.Struct],
    path: str,
    *,
    many: bool,
    aside: bool = False,
    brief: bool = False,
) -> list[str]:
    """Write one table, and those within it behind; ``brief``: how to choose stations is known."""
    aside = aside or path in _ASIDE or kind is SwappedCoordinates  # cannot be, so far east
    lines = ["", *_comment(table_words(kind))]
    mark = "# " if aside else ""
    lines.append(f"{mark}[[{path}]]" if many else f"{mark}[{path}]")
    config = kind.__struct_config__
    if config.tag is not None:
        lines.append(f'{mark}{_TAG} = "{config.tag}"')
    behind: list[str] = []
    for field in msgspec.structs.fields(kind):
        inner = _structs(field.type)
        if inner:
            many_inner = "tuple" in str(field.type)
            behind += _table(inner[0], f"{path}.{field.name}", many=many_inner, aside=aside)
        elif brief and issubclass(kind, Selection) and field.name in _SELECTION:
            if field.name == "share":
                lines.append(f"{mark}share = 0.1  # stations: as in link.outage")
        else:
            asked = field.required or (kind.__name__, field.name) in _ASKED
            lines += _field(kind, field, asked=asked, aside=aside)
    return lines + behind


# optional to the type, but one way of saying it is needed
_ASKED = {
    ("NetworkSpec", "spacing_km"),
    ("NetworkSpec", "outer_spacing_km"),
    ("NetworkSpec", "dense_radius_km"),
    ("NetworkSpec", "sampling_rate_hz"),
    ("NetworkSpec", "sensor"),
    ("Outage", "share"),
    ("Outage", "until_s"),
    ("OutageFault", "until_s"),
    ("NetworkSpec", "spacing_km"),
    ("NetworkSpec", "outer_spacing_km"),
    ("NetworkSpec", "dense_radius_km"),
    ("NetworkSpec", "sampling_rate_hz"),
    ("NetworkSpec", "sensor"),
    ("SourceSpec", "after_s"),
    ("SourceSpec", "distance_km"),
    ("SourceSpec", "azimuth_deg"),
}
_SELECTION = {field.name for field in msgspec.structs.fields(Selection)}


def _field(
    kind: type[msgspec.Struct],
    field: msgspec.structs.FieldInfo,
    *,
    asked: bool,
    aside: bool = False,
) -> list[str]:
    value = _example(kind, field)
    line = f"{'' if asked and not aside else '# '}{field.name} = {value}"
    return [f"{line}  # {_words(kind, field)}"]


def _example(kind: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    own = _OWN_EXAMPLES.get((kind.__name__, field.name))
    if own is not None:
        return own
    if field.default is not NODEFAULT and field.default not in (None, ()):
        return _toml(field.default)
    return _EXAMPLES[field.name] if field.required else _EXAMPLES.get(field.name, '"..."')


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else plain(value)


def _words(kind: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    limits = f"[{expected_words(field.type, field.name)}]"
    return f"{field_words(kind).get(field.name, '')} {limits}".strip()


def _comment(text: str) -> list[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


# ---------------------------------------------------------------- documentation
def fault_markdown() -> str:
    """Return the table of all kinds of faults and their fields, in Markdown."""
    lines = ["| kind | what happens | fields beside the stations |", "|---|---|---|"]
    for title, union in (("in the records", DataFault), ("on the way", LinkFault)):
        lines.append(f"| **{title}** | | |")
        for kind in sorted(_structs(union), key=lambda one: str(one.__struct_config__.tag)):
            lines.append(_fault_row(kind))
    return "\n".join(lines) + "\n"


def _fault_row(kind: type[msgspec.Struct]) -> str:
    words = field_words(kind)
    fields = []
    for field in msgspec.structs.fields(kind):
        if field.name in _SELECTION and issubclass(kind, Selection):
            continue
        limits = expected_words(field.type, field.name)
        default = "" if field.required else f"; {_default_words(field)}"
        fields.append(f"`{field.name}`: {words[field.name]} *{limits}{default}*")
    return f"| `{kind.__struct_config__.tag}` | {table_words(kind)} | {'<br>'.join(fields)} |"


def _default_words(field: msgspec.structs.FieldInfo) -> str:
    return "may be left out" if field.default is None else f"default {_toml(field.default)}"
