"""Which areas a deployment for a whole country has accounts for."""

from __future__ import annotations

import pytest

from eew.app.deploy_cells import cells_of_country
from eew.errors import ConfigError
from eew.messages.cells import cell_of


@pytest.mark.slow
def test_the_areas_of_a_country_hold_its_towns() -> None:
    found = cells_of_country("JP")
    assert {cell_of(35.7, 139.7), cell_of(43.06, 141.35), cell_of(26.21, 127.68)} <= set(found)
    assert cell_of(29.6, 102.1) not in found
    with pytest.raises(ConfigError, match="no country 'XX'"):
        cells_of_country("XX")
