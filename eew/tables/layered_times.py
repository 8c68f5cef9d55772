"""First arrivals in a layered spherical Earth, by exact rays through thin layers.

The Earth is flattened (Müller 1985, J. Geophys. 58:153), cut into layers of constant velocity,
and two kinds of rays are followed: the one that goes straight up, and the ones that run along the
top of each layer below the source (head waves; of the thin layers of a gradient they are the
turning rays). The first of all is the answer. Agrees with TauP to 10 ms for iasp91 (tested).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.tables.traveltime_axes import MODEL_RADIUS_KM

Floats = NDArray[np.float64]

# Thickness of the layers: fine where crustal models have gradients, coarse in the mantle; every
# depth of the table falls on a boundary. (to km, step km)
_STEPS = ((60.0, 0.25), (200.0, 1.0), (1000.0, 4.0))
_RAYS = 1500


class Layered:
    """One phase of a velocity model, ready to be asked for travel times.

    Parameters
    ----------
    depth_km, velocity_km_s : array_like, shape (n,)
        Corners of a profile, straight lines between them; a depth that comes twice is a step.
        The deepest must lie at 1000 km or more.
    """

    def __init__(self, depth_km: ArrayLike, velocity_km_s: ArrayLike) -> None:
        corner_km = np.asarray(depth_km, dtype=np.float64)
        value = np.asarray(velocity_km_s, dtype=np.float64)
        start, parts = 0.0, [corner_km[corner_km <= _STEPS[-1][0]]]
        for end, step in _STEPS:
            parts.append(np.arange(start, end, step))
            start = end
        boundary_km = np.unique(np.concatenate([*parts, [_STEPS[-1][0]]]))
        middle = 0.5 * (boundary_km[1:] + boundary_km[:-1])
        velocity = np.empty(middle.size)
        for k, (top, bottom) in enumerate(pairwise(corner_km)):
            inside = (middle > top) & (middle < bottom)
            share = (middle[inside] - top) / max(bottom - top, 1e-9)
            velocity[inside] = value[k] + (value[k + 1] - value[k]) * share
        self._boundary_km = boundary_km
        flat_km = MODEL_RADIUS_KM * np.log(MODEL_RADIUS_KM / (MODEL_RADIUS_KM - boundary_km))
        self._thickness = np.diff(flat_km)
        self._slowness = (MODEL_RADIUS_KM - middle) / MODEL_RADIUS_KM / velocity

    def first_arrivals_s(self, depth_km: float, distances_km: Floats) -> Floats:
        """Return the first arrival at each epicentral distance for a source depth, s.

        ``depth_km`` must be a boundary between two layers (every depth of the tables is).
        """
        source = int(np.argmin(np.abs(self._boundary_km - depth_km)))
        if abs(float(self._boundary_km[source]) - depth_km) > 1e-6:
            raise ValueError(f"no layer begins at {depth_km} km")
        first = np.full(distances_km.shape, np.inf)
        slowness, thickness = self._slowness, self._thickness
        if source > 0:
            # of all rays that go straight up the real one takes longest (Legendre): no search
            limit = float(slowness[:source].min())
            p = limit * (1.0 - np.linspace(0.0, 1.0, _RAYS) ** 3)
            vertical = np.sqrt(np.maximum(slowness[:source] ** 2 - p[:, None] ** 2, 0.0))
            tau = (vertical * thickness[:source]).sum(axis=1)
            first = np.max(p * distances_km[:, None] + tau, axis=1)
        fastest = np.inf  # the slowness that a head wave must stay under
        for k in range(slowness.size):
            p_head = float(slowness[k])
            if k >= source and p_head < fastest:
                vertical = np.sqrt(slowness[:k] ** 2 - p_head**2)
                legs = np.where(np.arange(k) < source, 1.0, 2.0) * thickness[:k]
                critical_km = float((legs * p_head / vertical).sum()) if k else 0.0
                head = p_head * distances_km + float((legs * vertical).sum())
                first = np.where(distances_km >= critical_km - 1e-9, np.minimum(first, head), first)
            fastest = min(fastest, p_head)
        return first
