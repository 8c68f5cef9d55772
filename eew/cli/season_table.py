"""What ``eew season`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eew.cli.console import result_console
from eew.report.season_page import HEADINGS, season_rows


def print_season(document: Mapping[str, Any], folder: Path) -> None:
    """Print the table of a season and its sums."""
    from rich.table import Table

    console = result_console()
    console.width = max(console.width, 140)  # one line per quake
    quakes = document["quakes"]
    console.print(
        f"SIMULATION  season {document['season']}: {len(quakes)} quakes on the network "
        f"{document['network']}, seed {document['seed']}"
    )
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        left = heading in ("time, UTC", "place")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for row in season_rows(document):
        table.add_row(*row)
    console.print(table)
    console.print(
        f"detected {document['quakes_handled']} of {len(quakes)}; "
        f"{document['people_reached']:,} people reached, "
        f"{document['people_warned_before_s']:,} of them before the S wave"
    )
    console.print(
        f"{document['alerts_total']:,} alerts at {document['installed_share']:g} devices per "
        f"person (reported: {document['reported_alerts']:,})"
    )
    console.print(f"saved {folder}   (season.json, season.md, map.png)")
