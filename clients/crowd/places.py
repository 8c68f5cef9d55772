"""Who is in the crowd, as a struct of arrays: what phones and TVs are told when they are set up."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.alert import Status

__all__ = ["KINDS", "CrowdPlaces", "Labels"]

KINDS = ("phone", "tv")


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of words, most of which occur often: each word once, and a number per device."""

    words: tuple[str, ...]
    codes: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, column: Sequence[str]) -> Self:
        """Put a column of words in; they are numbered as they first occur."""
        number: dict[str, int] = {}
        codes = [number.setdefault(word, len(number)) for word in column]
        return cls(tuple(number), np.array(codes, dtype=np.min_scalar_type(len(number))))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, device: int) -> str:
        return self.words[int(self.codes[device])]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPlaces:
    """Devices of a crowd; every column has one entry per device.

    Attributes
    ----------
    kind : Labels
        ``phone`` or ``tv``.
    lat, lon : ndarray of float64
        Where each is, degrees; never leaves the process.
    vs30_mps : ndarray of float64
        Ground there; NaN where unknown.
    language, country, profile, title : Labels
        As the parameters of :class:`clients.device.Device`; a TV's title is its district.
    clock_offset_ns : ndarray of int64
        How far each device's own clock is ahead of the true time.
    tree : tuple of Status
        Of each device: which tree of topics it listens to.
    id_prefix : str
        The identity of a device is this and its number, counted from ``first_number``.

    Raises
    ------
    ConfigError
        If a column is shorter or longer than the others, or a kind is unknown.
    """

    kind: Labels
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    vs30_mps: NDArray[np.float64]
    language: Labels
    country: Labels
    profile: Labels
    title: Labels
    clock_offset_ns: NDArray[np.int64]
    tree: Labels
    id_prefix: str = "crowd-"
    first_number: int = 0

    def __post_init__(self) -> None:
        columns: dict[str, Sized] = {
            "lat": self.lat, "lon": self.lon, "vs30_mps": self.vs30_mps,
            "language": self.language, "country": self.country, "profile": self.profile,
            "title": self.title, "clock_offset_ns": self.clock_offset_ns, "tree": self.tree,
        }  # fmt: skip
        for name, column in columns.items():
            if len(column) != len(self.kind):
                raise ConfigError(
                    f"crowd.{name}",
                    f"one per device expected ({len(self.kind)}), was {len(column)}",
                )
        for word in self.kind.words:
            if word not in KINDS:
                raise ConfigError("crowd.kind", f"must be one of {', '.join(KINDS)}, was {word!r}")
        for word in self.tree.words:
            if word not in [tree.value for tree in Status]:
                raise ConfigError("crowd.tree", f"no such tree: {word!r}")

    def __len__(self) -> int:
        return len(self.kind)

    def id_of(self, device: int) -> str:
        """Return the identity of a device."""
        return f"{self.id_prefix}{self.first_number + device}"

    def tree_of(self, device: int) -> Status:
        """Return the tree of topics a device listens to."""
        return Status(self.tree[device])

    @property
    def nbytes(self) -> int:
        """Memory of the columns; words that occur often count once."""
        labels = (self.kind, self.language, self.country, self.profile, self.title, self.tree)
        floats = self.lat.nbytes + self.lon.nbytes + self.vs30_mps.nbytes
        return floats + self.clock_offset_ns.nbytes + sum(one.codes.nbytes for one in labels)
