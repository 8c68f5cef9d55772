"""Make help packs: one per H3 cell, with the shelters of the cell and just beyond its border.

A person near the border of a cell may have the nearest shelter on the other side, so a pack also
holds what lies within 5 km outside. Versions rise with content: a pack whose content has not
changed keeps its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import h3
import msgspec
import numpy as np
from numpy.typing import NDArray

from eew.errors import DataError, WireError
from eew.messages import help_wire
from eew.messages.cells import area_of, fine_cell_of
from eew.messages.national_help import national_contacts, national_pack, rescue_texts
from eew.model.place import Contact, HelpPack, Shelter, Site
from eew.physics.geo import destination

__all__ = [
    "BORDER_KM",
    "FILE_SCHEMA",
    "build_packs",
    "country_pack",
    "generate_shelters",
    "read_help_packs",
    "version_of_day",
    "write_help_packs",
]

BORDER_KM = 5.0
FILE_SCHEMA = "eew.help-packs/1"
_KM_PER_DEGREE = 111.32
_CITY_RADIUS_KM = 6.0  # generated shelters lie within a walk or a short drive of the centre

Floats = NDArray[np.float64]


def version_of_day(year: int, month: int, day: int) -> int:
    """Return the version of content of a day, ``YYYYMMDD``: later days are greater."""
    return year * 10_000 + month * 100 + day


def build_packs(
    shelters: Sequence[Shelter],
    country: str,
    contacts: Sequence[Contact] | None = None,
    rescue: dict[str, str] | None = None,
    source: str = "",
    *,
    version: int,
    previous: Iterable[HelpPack] = (),
) -> list[HelpPack]:
    """Sort shelters into packs, one per cell that holds or borders on one.

    Parameters
    ----------
    shelters : sequence of Shelter
        Those not suited for earthquakes are left out.
    country : str
        ISO 3166-1 alpha-2, upper case.
    contacts, rescue : optional
        National numbers and the built-in rescue text by default.
    source : str
        Where the list comes from, with its licence; shown to people.
    version : int
        Of this content, for example :func:`version_of_day` of the list's date.
    previous : iterable of HelpPack
        Packs published before: an unchanged pack keeps its version, a changed one gets a higher
        one, also where ``version`` has not risen.

    Returns
    -------
    list of HelpPack
        Sorted by cell; shelters sorted by id and name.
    """
    suited = sorted(
        (shelter for shelter in shelters if shelter.suited_for_earthquake),
        key=lambda shelter: (shelter.id, shelter.name, shelter.lat, shelter.lon),
    )
    before = {pack.area: pack for pack in previous}
    members = _members(suited)
    packs = []
    for cell in sorted(members):
        inside = tuple(suited[i] for i in sorted(members[cell]))
        pack = HelpPack(
            area=cell,
            version=version,
            country=country,
            contacts=tuple(national_contacts(country) if contacts is None else contacts),
            rescue=dict(rescue_texts() if rescue is None else rescue),
            shelters=inside,
            source=source,
            generated=any(shelter.generated for shelter in inside),
        )
        packs.append(_versioned(pack, before.get(cell)))
    return packs


def country_pack(
    country: str, *, version: int = 1, contacts: Sequence[Contact] | None = None
) -> HelpPack:
    """Return the pack of a whole country: numbers and rescue text, no shelters."""
    return HelpPack(
        area=f"country:{country}",
        version=version,
        country=country,
        contacts=tuple(national_contacts(country) if contacts is None else contacts),
        rescue=rescue_texts(),
        shelters=(),
        source=national_pack(country).source,
    )


def generate_shelters(site: Site, n: int, rng: np.random.Generator) -> tuple[Shelter, ...]:
    """Invent shelters round a place, for scenarios without a real list; each name says so.

    Parameters
    ----------
    site : Site
        Centre.
    n : int
        How many, >= 0.
    rng : numpy.random.Generator
        Of the run; the same state gives the same shelters.

    Returns
    -------
    tuple of Shelter
        Within 6 km of the centre, denser towards it, all marked ``generated``.
    """
    distances = _CITY_RADIUS_KM * rng.uniform(0.05, 1.0, n)
    azimuths = rng.uniform(0.0, 360.0, n)
    capacities = rng.integers(2, 41, n) * 50
    lats, lons = destination(site.lat, site.lon, azimuths, distances)
    return tuple(
        Shelter(
            id=f"generated-{site.name}-{number}",
            name=f"{site.name} {number} (generated)",
            lat=round(float(lat), 5),
            lon=round(float(lon), 5),
            capacity=int(capacity),
            generated=True,
        )
        for number, (lat, lon, capacity) in enumerate(
            zip(np.atleast_1d(lats), np.atleast_1d(lons), capacities, strict=True), start=1
        )
    )


def write_help_packs(path: Path, packs: Iterable[HelpPack]) -> None:
    """Write packs as JSON, one per line, sorted by area; the same packs give the same bytes."""
    ordered = sorted(packs, key=lambda pack: pack.area)
    encoder = msgspec.json.Encoder(order="sorted")
    lines = [encoder.encode(pack).decode() for pack in ordered]
    body = ",\n".join(lines)
    text = f'{{"schema":"{FILE_SCHEMA}","packs":[\n{body}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")


def read_help_packs(path: Path) -> list[HelpPack]:
    """Read packs written by :func:`write_help_packs`.

    Raises
    ------
    DataError
        If the file is missing or no valid list of packs; field and value found are named.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror or error}") from error
    try:
        document = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path.name, f"not a file of help packs: {error}") from error
    if document.schema != FILE_SCHEMA:
        raise DataError(path.name, f"schema must be {FILE_SCHEMA}, was {document.schema!r}")
    for pack in document.packs:
        try:
            help_wire.encode(pack, signer=None)
        except WireError as error:
            raise DataError(path.name, f"pack {pack.area}: {error}") from error
    return document.packs


class _File(msgspec.Struct, frozen=True):
    schema: str
    packs: list[HelpPack]


def _versioned(pack: HelpPack, before: HelpPack | None) -> HelpPack:
    if before is None:
        return pack
    if replace(pack, version=before.version) == before:
        return before
    return replace(pack, version=max(pack.version, before.version + 1))


def _members(shelters: Sequence[Shelter]) -> dict[str, list[int]]:
    """Return area -> indices of the shelters in it or within ``BORDER_KM`` of it."""
    own: dict[str, list[int]] = {}
    for index, shelter in enumerate(shelters):
        own.setdefault(h3.int_to_str(fine_cell_of(shelter.lat, shelter.lon)), []).append(index)
    lat = np.array([shelter.lat for shelter in shelters])
    lon = np.array([shelter.lon for shelter in shelters])
    members = {cell: list(indices) for cell, indices in own.items()}
    for cell, indices in own.items():
        for neighbour in sorted(h3.grid_disk(cell, 1)):
            if neighbour == cell:
                continue
            near = _distance_to_cell_km(neighbour, lat[indices], lon[indices]) <= BORDER_KM
            if near.any():
                reached = [indices[i] for i in np.flatnonzero(near)]
                members.setdefault(neighbour, []).extend(reached)
    by_area: dict[str, dict[int, None]] = {}
    for cell, indices in members.items():
        by_area.setdefault(area_of(h3.str_to_int(cell)), {}).update(dict.fromkeys(indices))
    return {area: list(indices) for area, indices in by_area.items()}


def _distance_to_cell_km(cell: str, lat: Floats, lon: Floats) -> Floats:
    """Distance from points outside a cell to its border, on a local plane (within 1 %)."""
    corners = np.array(h3.cell_to_boundary(cell))
    centre_lat, centre_lon = h3.cell_to_latlng(cell)
    shrink = np.cos(np.radians(centre_lat))

    def plane(lats: Floats, lons: Floats) -> Floats:
        east = (lons - centre_lon + 180.0) % 360.0 - 180.0
        return np.stack([east * shrink, lats - centre_lat], axis=-1) * _KM_PER_DEGREE

    points = plane(lat, lon)[:, None, :]
    starts = plane(corners[:, 0], corners[:, 1])
    edges = np.roll(starts, -1, axis=0) - starts
    along = ((points - starts) * edges).sum(axis=-1) / (edges**2).sum(axis=-1)
    feet = starts + np.clip(along, 0.0, 1.0)[..., None] * edges
    distances: Floats = np.sqrt(((points - feet) ** 2).sum(axis=-1)).min(axis=1)
    return distances
