"""Which help packs each device holds: two numbers per device; the packs themselves are shared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clients.crowd.messages import Help
from clients.crowd.slots import Rows

__all__ = ["CrowdPacks"]

_NONE = -1


class CrowdPacks:
    """The cell's and the country's pack of every device.

    Parameters
    ----------
    cells, countries : sequence of str
        Of each device: its H3 cell and its country.
    """

    def __init__(self, cells: Sequence[str], countries: Sequence[str]) -> None:
        self._numbers: dict[str, int] = {}
        n = len(cells)
        self._area = np.empty((2, n), dtype=np.int32)
        self._area[0] = [self._number(cell) for cell in cells]
        self._area[1] = [self._number(f"country:{country}") for country in countries]
        self._held = np.full((2, n), _NONE, dtype=np.int32)
        self._version = np.zeros((2, n), dtype=np.int64)

    def _number(self, area: str) -> int:
        return self._numbers.setdefault(area, len(self._numbers))

    def take(self, rows: Rows, number: int, pack: Help) -> dict[str, int]:
        """Give a pack to devices; returns how many took it, or why they did not.

        A pack is only ever replaced by a newer one of the same area.
        """
        counts: dict[str, int] = {"help": 0, "other_area": 0, "duplicate": 0, "old_help_pack": 0}
        area = self._numbers.get(pack.area, _NONE)
        theirs = self._area[:, rows] == area
        counts["other_area"] = int(len(rows) - np.count_nonzero(theirs.any(axis=0)))
        for row, mine in enumerate(theirs):
            them = rows[mine]
            held = self._held[row, them] != _NONE
            version = self._version[row, them]
            newer = them[~held | (version < pack.version)]
            self._held[row, newer] = number
            self._version[row, newer] = pack.version
            counts["help"] += len(newer)
            counts["duplicate"] += int(np.count_nonzero(held & (version == pack.version)))
            counts["old_help_pack"] += int(np.count_nonzero(held & (version > pack.version)))
        return {name: count for name, count in counts.items() if count}

    def move(self, device: int, cell: str) -> None:
        """Let go of the pack of a cell that a device has left."""
        number = self._number(cell)
        if number != self._area[0, device]:
            self._area[0, device] = number
            self._held[0, device] = _NONE

    def of(self, device: int) -> list[int]:
        """Return the numbers of the packs a device holds."""
        return [number for number in self._held[:, device].tolist() if number != _NONE]

    def numbers(self) -> set[int]:
        """Return the numbers of all packs anybody holds."""
        return {*self._held.ravel().tolist()} - {_NONE}

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self._area.nbytes + self._held.nbytes + self._version.nbytes
