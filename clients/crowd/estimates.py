"""What each alert means at every place of the crowd: worked out once per message."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from clients.locality import Estimates, estimate_many
from eew.model.alert import AlertMessage
from eew.physics.shaking import shaking_model, shaking_model_names

__all__ = ["CrowdEstimator"]

_REMEMBERED = 2  # messages: the newest, and the one before; 49 bytes per device each
Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Known:
    message: AlertMessage
    many: Estimates
    moved: set[int] = field(default_factory=set)  # devices that were elsewhere then


class CrowdEstimator:
    """Estimates for the places of all devices, the last few messages remembered."""

    def __init__(self, lat: Floats, lon: Floats, vs30_mps: Floats) -> None:
        self.lat = np.array(lat, dtype=np.float64)
        self.lon = np.array(lon, dtype=np.float64)
        self._vs30_mps = np.asarray(vs30_mps, dtype=np.float64)  # stays, wherever they move
        self._known: OrderedDict[int, _Known] = OrderedDict()
        for name in shaking_model_names():  # tables are read before the first alert comes
            shaking_model(name)

    def move(self, device: int, lat: float, lon: float) -> None:
        """Note that a device is elsewhere now."""
        self.lat[device], self.lon[device] = lat, lon
        for known in self._known.values():
            known.moved.add(device)

    def at(self, message: AlertMessage, device: int) -> Estimates:
        """Return what a message means where one device is; a row of one."""
        here = slice(device, device + 1)
        return estimate_many(message, self.lat[here], self.lon[here], self._vs30_mps[here])

    def of(self, message: AlertMessage) -> Estimates:
        """Return what a message means at all places.

        Raises
        ------
        ConfigError
            If the message names a shaking model that this version does not have.
        """
        # The decoded message is shared, so identity is enough: its number may be another's later.
        known = self._known.get(id(message))
        if known is None or known.message is not message:
            known = self._known[id(message)] = _Known(message, self._everywhere(message))
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        elif known.moved:
            self._move(known)
        return known.many

    def _everywhere(self, message: AlertMessage) -> Estimates:
        """Work a message out without what only the uncertainty of the intensity would need.

        No screen shows that; what it is made of would be 64 bytes per device and message more.
        """

        def anew() -> Floats:
            return estimate_many(message, self.lat, self.lon, self._vs30_mps).intensity_sigma

        return replace(estimate_many(message, self.lat, self.lon, self._vs30_mps), sigma_of=anew)

    def _move(self, known: _Known) -> None:
        rows = np.array(sorted(known.moved))
        known.moved.clear()
        fresh = estimate_many(known.message, self.lat[rows], self.lon[rows], self._vs30_mps[rows])
        for one in fields(Estimates):
            column = getattr(known.many, one.name)
            if isinstance(column, np.ndarray):
                column[rows] = getattr(fresh, one.name)

    @property
    def nbytes(self) -> int:
        """Memory of places and remembered estimates."""
        columns = [
            getattr(known.many, one.name)
            for known in self._known.values()
            for one in fields(Estimates)
        ]
        arrays = [c for c in columns if isinstance(c, np.ndarray)]
        return sum(a.nbytes for a in (*arrays, self.lat, self.lon, self._vs30_mps))
