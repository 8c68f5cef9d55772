"""The help a device holds: national numbers from the first day, better packs as they come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from clients.locality import NearestShelter, ShelterIndex
from eew.messages import help_wire
from eew.messages.national_help import national_pack
from eew.model.place import Contact, HelpPack

__all__ = ["HelpBook", "HelpFact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpFact:
    """What a device knows of help at its place.

    Attributes
    ----------
    shelter : NearestShelter or None
        None without a pack that has shelters.
    contacts : tuple of Contact
        First of a kind wins.
    rescue : dict
        Language -> lines.
    generated : bool
        True where the shelters were made up for a scenario.
    """

    shelter: NearestShelter | None
    contacts: tuple[Contact, ...]
    rescue: dict[str, str]
    source: str
    version: int
    generated: bool

    def contact(self, kind: str) -> Contact | None:
        """Return the number for a kind of help; None where there is none."""
        return next((contact for contact in self.contacts if contact.kind == kind), None)


class HelpBook:
    """Packs of one device; a pack is only ever replaced by a newer one of the same area."""

    def __init__(self, *, lat: float, lon: float, cell: str, country: str) -> None:
        self._lat, self._lon = lat, lon
        self._cell = cell
        self._country_area = f"country:{country}"
        self._national = national_pack(country)
        self._packs: dict[str, HelpPack] = {}
        self._index: ShelterIndex | None = None  # of the cell's pack
        self._shelter: NearestShelter | None = None

    def take(self, payload: bytes) -> tuple[HelpPack, str]:
        """Read a pack; returns it with a reason where it is not used (empty where it is).

        Raises
        ------
        WireError
            If it cannot be read.
        """
        pack, index = _indexed(payload)
        if pack.area not in (self._cell, self._country_area):
            return pack, "other_area"
        held = self._packs.get(pack.area)
        if held is not None and pack.version <= held.version:
            return pack, "duplicate" if pack.version == held.version else "old_help_pack"
        self._packs[pack.area] = pack
        if pack.area == self._cell:
            self._index = index
            self._shelter = index.nearest(self._lat, self._lon)
        return pack, ""

    def move(self, lat: float, lon: float, cell: str) -> None:
        """Be somewhere else: the pack of a cell that was left is let go of."""
        self._lat, self._lon = lat, lon
        if cell != self._cell:
            self._packs.pop(self._cell, None)
            self._cell, self._index = cell, None
        self._shelter = None if self._index is None else self._index.nearest(lat, lon)

    def facts(self) -> HelpFact:
        """Return the best the device knows: cell before country before built-in numbers."""
        packs = [self._packs.get(self._cell), self._packs.get(self._country_area), self._national]
        known = [pack for pack in packs if pack is not None]
        contacts = tuple(contact for pack in known for contact in pack.contacts)
        rescue: dict[str, str] = {}
        for pack in reversed(known):
            rescue.update(pack.rescue)
        shelter = self._shelter
        return HelpFact(
            shelter=shelter,
            contacts=contacts,
            rescue=rescue,
            source=known[0].source,
            version=known[0].version,
            generated=shelter is not None and shelter.shelter.generated,
        )


@lru_cache(maxsize=64)
def _indexed(payload: bytes) -> tuple[HelpPack, ShelterIndex]:
    """Read a pack and index its shelters; devices of one process share both."""
    pack = help_wire.decode(payload)
    return pack, ShelterIndex(pack.shelters)
