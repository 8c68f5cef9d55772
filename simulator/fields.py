"""What the tables of a scenario file have in common: their base and the ranges of their fields.

The unit of a field is the end of its name (``_km``, ``_s``, ``_mps2``); what it means stands in the
docstring of its table under *Attributes*, from where the schema and the documentation take it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = [
    "AfterZero",
    "Azimuth",
    "Country",
    "Language",
    "Lat",
    "Lon",
    "NotNegative",
    "Positive",
    "Share",
    "Table",
]

Lat = Annotated[float, Meta(ge=-90.0, le=90.0)]
Lon = Annotated[float, Meta(ge=-180.0, le=180.0)]
Azimuth = Annotated[float, Meta(ge=0.0, le=360.0)]  # from north over east
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Language = Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Za-z]{2,4})?$")]
AfterZero = Annotated[float, Meta(ge=-86_400.0, le=86_400.0)]  # s after the file's zero of time


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a scenario file.

    A table may have a method ``contradictions``, which gives what no single field shows as pairs
    of a field's name and what is wrong with it; it is asked once all its fields are right.
    """
