"""Grids of hypocentres for the location search, and the moments of what is likely on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km

FloatArray = NDArray[np.float64]
_NODES = (11, 9, 5)  # of a box: along its long axis, across, and in depth


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviations of a distribution; ``angle`` of its long axis from east."""

    x_km: float
    y_km: float
    z_km: float
    angle: float
    major_km: float
    minor_km: float
    z_sigma_km: float


@dataclass(frozen=True, slots=True)
class Box:
    """A grid round a point, turned so that its long side lies along ``angle`` from east."""

    x_km: float
    y_km: float
    z_km: float
    angle: float
    long_km: float
    short_km: float
    deep_km: float

    @property
    def step_km(self) -> float:
        """Distance of nodes across."""
        return 2.0 * self.short_km / (_NODES[1] - 1)

    def nodes(self, bottom_km: float) -> FloatArray:
        """Columns x, y, z, spread of P time in a cell; depths are cut at surface and bottom."""
        along = np.linspace(-self.long_km, self.long_km, _NODES[0])
        across = np.linspace(-self.short_km, self.short_km, _NODES[1])
        half = max(self.deep_km, 4.0, 0.3 * self.z_km)
        depths = np.unique(np.clip(self.z_km + np.linspace(-half, half, _NODES[2]), 0.5, bottom_km))
        u, v, z = np.meshgrid(along, across, depths, indexing="ij")
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        # along the long axis times differ little: that is why it is long
        cell = np.full(u.size, cell_s(self.step_km))
        x, y = self.x_km + cos * u - sin * v, self.y_km + sin * u + cos * v
        return np.column_stack([x.ravel(), y.ravel(), z.ravel(), cell])

    def at_rim(self, node: FloatArray) -> bool:
        """Whether a node is one of the outermost."""
        dx, dy = float(node[0]) - self.x_km, float(node[1]) - self.y_km
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        along, across = abs(cos * dx + sin * dy), abs(cos * dy - sin * dx)
        return along >= 0.99 * self.long_km or across >= 0.99 * self.short_km


def moments(samples: FloatArray, weights: FloatArray) -> Moments:
    """Return the moments of weighted points with columns x, y, z in km."""
    x, y, z = (mean(weights, samples[:, k]) for k in range(3))
    dx, dy, dz = samples[:, 0] - x, samples[:, 1] - y, samples[:, 2] - z
    xx, yy, xy = (mean(weights, product) for product in (dx * dx, dy * dy, dx * dy))
    middle, away = 0.5 * (xx + yy), math.hypot(0.5 * (xx - yy), xy)
    return Moments(
        x_km=x,
        y_km=y,
        z_km=z,
        angle=0.5 * math.atan2(2.0 * xy, xx - yy),
        major_km=math.sqrt(max(middle + away, 0.0)),
        minor_km=math.sqrt(max(middle - away, 0.0)),
        z_sigma_km=math.sqrt(mean(weights, dz * dz)),
    )


def rings(reach_km: float, ring_km: float, ring_growth: float) -> FloatArray:
    """Columns x, y, spacing of rings round the origin that grow with their distance."""
    rows = [(0.0, 0.0, ring_km)]
    radius_km, turn = ring_km, 0.0
    while radius_km <= reach_km:
        spacing_km = ring_km + ring_growth * radius_km
        count = max(6, round(2.0 * math.pi * radius_km / spacing_km))
        turn += 0.5 / count  # no spokes: they would be preferred directions
        for k in range(count):
            angle = 2.0 * math.pi * (k / count + turn)
            rows.append((radius_km * math.sin(angle), radius_km * math.cos(angle), spacing_km))
        radius_km += spacing_km
    return np.array(rows)


def cell_s(spacing_km: Any) -> Any:
    """Return the standard deviation of P time in a cell: uniform spread, at 6 km/s."""
    return spacing_km / math.sqrt(12.0) / 6.0


def probabilities(log_scores: FloatArray) -> FloatArray:
    """Weights of nodes that add up to one."""
    w = np.exp(log_scores - log_scores.max())
    result: FloatArray = w / w.sum()
    return result


def mean(weights: FloatArray, values: FloatArray) -> float:
    """Weighted mean without BLAS: its threads cost more than they give, and its bytes vary."""
    return float((weights * values).sum())


def project(
    lat0: float, lon0: float, lats: Sequence[float], lons: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Azimuthal equidistant coordinates round a centre: x east, y north, km."""
    lat, lon = np.asarray(lats, dtype=float), np.asarray(lons, dtype=float)
    distance = np.asarray(epicentral_distance_km(lat0, lon0, lat, lon), dtype=float)
    azimuth = np.radians(np.asarray(azimuth_deg(lat0, lon0, lat, lon), dtype=float))
    return distance * np.sin(azimuth), distance * np.cos(azimuth)


def unproject(lat0: float, lon0: float, x_km: float, y_km: float) -> tuple[float, float]:
    """Invert :func:`project` for one point; degrees."""
    lat, lon = destination(
        lat0, lon0, math.degrees(math.atan2(x_km, y_km)) % 360.0, math.hypot(x_km, y_km)
    )
    return float(lat), float(lon)
