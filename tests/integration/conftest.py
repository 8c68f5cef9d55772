"""The order of the integration tests: files that take longest begin first.

Each process takes the next file when it has done with one, so the last to begin should be short.
"""

from __future__ import annotations

import pytest

LONGEST_FIRST = (
    "test_replay_cli",
    "test_serve",
    "test_scenario_cli",
    "test_serve_live",
    "test_weather_client",
    "test_channels_cli",
    "test_crowd",
    "test_calibration_cli",
    "test_weather_lossy",
    "test_red_team",
    "test_live_player",
    "test_fleet_benchmark",
    "test_weather_sleepers",
    "test_leaves",
    "test_seedlink_source",
    "test_guards",
)
_RANK = {name: rank for rank, name in enumerate(LONGEST_FIRST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files named above first; within a file, and after them, nothing moves."""
    items.sort(key=lambda item: _RANK.get(item.path.stem, len(_RANK)))
