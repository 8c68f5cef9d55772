"""The figure of the Earth: WGS84 (NIMA TR8350.2), exact by definition."""

from __future__ import annotations

from typing import Final

EQUATORIAL_RADIUS_KM: Final = 6378.137
FLATTENING: Final = 1.0 / 298.257223563
