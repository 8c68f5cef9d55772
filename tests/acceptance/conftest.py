"""The order of the acceptance tests: what takes longest begins first, beside all the others."""

from __future__ import annotations

import pytest

LONGEST = "test_no_figure_of_the_recorded_suite_got_worse_beyond_its_band"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the score of all recorded quakes; the others keep their order."""
    items.sort(key=lambda item: item.name != LONGEST)
