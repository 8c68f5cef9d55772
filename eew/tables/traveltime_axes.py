"""The one grid of every travel-time table: piecewise uniform, so a look-up needs no search.

Distance is dense out to :data:`DISTANCE_KNEE_KM`, where the crossover from direct to
mantle-refracted waves lies for every crustal depth; depth has nodes on the discontinuities of
the usual models (20 and 35 km in iasp91), so that no cell straddles one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Radius of the spherical models behind the tables: turns km into degrees.
MODEL_RADIUS_KM: Final = 6371.0

DISTANCE_STEP_KM: Final = 1.0
DISTANCE_KNEE_KM: Final = 400.0
DISTANCE_FAR_STEP_KM: Final = 5.0
DISTANCE_MAX_KM: Final = 1200.0

DEPTH_STEP_KM: Final = 2.5
DEPTH_KNEE_KM: Final = 40.0
DEPTH_MID_STEP_KM: Final = 5.0
DEPTH_SECOND_KNEE_KM: Final = 100.0
DEPTH_FAR_STEP_KM: Final = 20.0
DEPTH_MAX_KM: Final = 700.0

# Numbers of cells up to each knee and in all (plain ints: the compiled look-up reads them).
DISTANCE_KNEE_CELL: Final = round(DISTANCE_KNEE_KM / DISTANCE_STEP_KM)
DISTANCE_CELLS: Final = DISTANCE_KNEE_CELL + round(
    (DISTANCE_MAX_KM - DISTANCE_KNEE_KM) / DISTANCE_FAR_STEP_KM
)
DEPTH_KNEE_CELL: Final = round(DEPTH_KNEE_KM / DEPTH_STEP_KM)
DEPTH_SECOND_KNEE_CELL: Final = DEPTH_KNEE_CELL + round(
    (DEPTH_SECOND_KNEE_KM - DEPTH_KNEE_KM) / DEPTH_MID_STEP_KM
)
DEPTH_CELLS: Final = DEPTH_SECOND_KNEE_CELL + round(
    (DEPTH_MAX_KM - DEPTH_SECOND_KNEE_KM) / DEPTH_FAR_STEP_KM
)

TABLE_SHAPE: Final = (DEPTH_CELLS + 1, DISTANCE_CELLS + 1)


def distance_axis_km() -> NDArray[np.float64]:
    """Return the distances of the table's columns in km."""
    near = np.arange(DISTANCE_KNEE_CELL + 1) * DISTANCE_STEP_KM
    far = np.arange(1, DISTANCE_CELLS - DISTANCE_KNEE_CELL + 1) * DISTANCE_FAR_STEP_KM
    return np.concatenate([near, DISTANCE_KNEE_KM + far])


def depth_axis_km() -> NDArray[np.float64]:
    """Return the depths of the table's rows in km."""
    shallow = np.arange(DEPTH_KNEE_CELL + 1) * DEPTH_STEP_KM
    middle = np.arange(1, DEPTH_SECOND_KNEE_CELL - DEPTH_KNEE_CELL + 1) * DEPTH_MID_STEP_KM
    deep = np.arange(1, DEPTH_CELLS - DEPTH_SECOND_KNEE_CELL + 1) * DEPTH_FAR_STEP_KM
    return np.concatenate([shallow, DEPTH_KNEE_KM + middle, DEPTH_SECOND_KNEE_KM + deep])
