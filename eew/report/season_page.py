"""The page of a season: what was run, what came out, in words and one table (Markdown)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["HEADINGS", "season_page", "season_rows"]

HEADINGS = (
    "time, UTC",
    "place",
    "M",
    "stations",
    "first alert, s",
    "M first",
    "M final",
    "take action",
    "be aware",
    "people",
    "lead, s",
)


def season_rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the table of a season, one row per quake, as words."""
    return [
        (
            one["origin_time"][:16].replace("T", " "),
            _place(one),
            f"{one['magnitude']:.1f}",
            str(one["stations"]),
            _words(one["first_alert_s"], 1),
            _words(one["first_magnitude"], 1),
            _words(one["final_magnitude"], 1),
            f"{one['alerts']['take_action']:,}",
            f"{one['alerts']['be_aware']:,}",
            f"{one['people_reached']:,}",
            _words(one["lead_time_s"]["median_of_people"], 0),
        )
        for one in document["quakes"]
    ]


def season_page(document: Mapping[str, Any], *, map_name: str) -> str:
    """Write the page; ``map_name`` is where its picture stands, as seen from it."""
    drawn = sum(one["drawn"] for one in document["quakes"])
    quakes = len(document["quakes"])
    left_out = ", ".join(
        f"{one['place']} M{one['magnitude']:.1f}" for one in document["not_covered"]
    )
    lines = [
        f"# The season {document['season']}",
        "",
        f"SIMULATION, made by `eew season {document['season']} --seed {document['seed']}`.",
        "",
        (
            f"{quakes} quakes of M4 and more: {quakes - drawn} of the catalogue that the network "
            f"covers (`~`: from memory, not sure) and {drawn} drawn inside it, because the report "
            "for that year lists none of its own. Records are computed, detection and what phones "
            "show are those of every other run; people are those of the towns that GeoNames lists."
        ),
        "",
        f"![Map of the quakes]({map_name})",
        "",
        f"- detected: {document['quakes_handled']} of {quakes}",
        (
            f"- people reached: {document['people_reached']:,}, of whom "
            f"{document['people_warned_before_s']:,} before the S wave"
        ),
        (
            f"- alerts: {document['alerts_total']:,} ({document['reported_alerts']:,} were "
            f"reported), at {document['installed_share']:g} devices per person: the one number "
            "that is fitted, for the whole year "
            f"({document['share_for_reported']} would give exactly the reported number); "
            f"{document['alerts_tv']:,} of them on TVs, by assumption"
        ),
        "- people by time before the S wave: "
        + ", ".join(f"{words} {n:,}" for words, n in document["lead_time_people"].items()),
        f"- on record but not covered by the network, and left out: {left_out or 'none'}",
        "",
        *_table(HEADINGS, season_rows(document)),
        "",
        (
            "First alert: s after the origin. Lead: s before the S wave that half of the people "
            "told have at least. Alerts by the highest level that a device showed."
        ),
        "",
    ]
    return "\n".join(lines)


def _place(one: Mapping[str, Any]) -> str:
    if one["drawn"]:
        return f"drawn ({one['lat']:.1f}, {one['lon']:.1f})"
    return str(one["place"]).partition(",")[0] + ("" if one["sure"] else " ~")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(headings) + " |",
        "|" + "---|" * len(headings),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def _words(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
