"""Help packs as JSON, schema ``eew.help/1``: columns instead of rows, deflated when large.

A pack of a large city holds thousands of shelters; it travels once, before any quake. Positions
are whole 1e-5 degrees (about 1 m), counted from the shelter before. The form has no way to say
that a site is not suited for earthquakes, so no such site can arrive.

Signed is the plain JSON, before it is deflated: a device inflates, verifies, and only then reads.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from eew.errors import WireError
from eew.messages.seal import Signer, seal
from eew.messages.topics import help_area_topic
from eew.messages.validation import check_schema, refuse, schema_of
from eew.model.place import Contact, HelpPack, Shelter

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "SCHEMA",
    "HelpDocument",
    "decode",
    "encode",
    "inflated",
    "is_deflated",
]

SCHEMA = "eew.help/1"
MAX_DOCUMENT_BYTES = 16_000_000  # unpacked
_DEFLATE_FROM_BYTES = 1_500
_ZLIB_MARK = b"\x78"  # JSON begins with "{"
_DEGREE = 100_000  # units per degree

_Text = Annotated[str, Meta(max_length=2_000)]


class _Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    kind: Annotated[str, Meta(pattern=r"^(emergency|medical|fire|police|rescue|information)\Z")]
    number: Annotated[str, Meta(pattern=r"^[0-9 +#*()-]{2,32}\Z")]
    name: dict[str, _Text] = {}


class _Shelters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One list per field, all of one length; optional fields may be missing altogether."""

    id: list[_Text]
    name: list[Annotated[str, Meta(min_length=1, max_length=500)]]
    lat: list[int]
    lon: list[int]
    capacity: list[Annotated[int, Meta(ge=0)] | None] = []
    address: list[_Text] = []
    phone: list[_Text] = []
    generated: bool = False


class HelpDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Shelters, numbers and rescue text of an area, as they travel."""

    schema: str
    area: Annotated[str, Meta(max_length=32)]
    version: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?\Z")]
    contacts: list[_Contact]
    rescue: dict[str, _Text]
    shelters: _Shelters
    source: _Text
    generated: bool = False


_T = TypeVar("_T")

_DECODER = msgspec.json.Decoder(HelpDocument)
_ENCODER = msgspec.json.Encoder()


def encode(pack: HelpPack, *, signer: Signer | None) -> bytes:
    """Write a pack, signed; the same pack gives the same bytes. Unsuited shelters are left out.

    ``signer`` None gives a pack without signature, which no device accepts.

    Raises
    ------
    WireError
        If a value may not be sent.
    """
    shelters = [shelter for shelter in pack.shelters if shelter.suited_for_earthquake]
    generated = [shelter.generated for shelter in shelters]
    if any(generated) and not all(generated):
        raise WireError(f"help: pack {pack.area} mixes real and generated shelters")
    document = HelpDocument(
        schema=SCHEMA,
        area=pack.area,
        version=pack.version,
        country=pack.country,
        contacts=[
            _Contact(kind=c.kind, number=c.number, name=dict(sorted(c.name.items())))
            for c in pack.contacts
        ],
        rescue=dict(sorted(pack.rescue.items())),
        shelters=_Shelters(
            id=[shelter.id for shelter in shelters],
            name=[shelter.name for shelter in shelters],
            lat=_differences([round(shelter.lat * _DEGREE) for shelter in shelters]),
            lon=_differences([round(shelter.lon * _DEGREE) for shelter in shelters]),
            capacity=_unless_empty([shelter.capacity for shelter in shelters]),
            address=_unless_empty([shelter.address for shelter in shelters]),
            phone=_unless_empty([shelter.phone for shelter in shelters]),
            generated=any(generated),
        ),
        source=pack.source,
        generated=pack.generated,
    )
    body = _ENCODER.encode(document)
    plain = body if signer is None else seal(body, signer)
    payload = plain if len(plain) < _DEFLATE_FROM_BYTES else zlib.compress(plain, 9)
    decode(payload)
    return payload


@lru_cache(maxsize=64)
def decode(payload: bytes) -> HelpPack:
    """Read a pack; the result is shared by all devices of a process that receive it.

    Raises
    ------
    WireError
        If it is no valid pack; field and value found are named.
    """
    plain = inflated(payload)
    try:
        document = _DECODER.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        schema = schema_of(plain)
        if schema is not None:
            check_schema("help", SCHEMA, schema)
        raise refuse("help", plain, error) from error
    check_schema("help", SCHEMA, document.schema)
    help_area_topic(document.area)  # refuses an area that is no cell and no country
    return HelpPack(
        area=document.area,
        version=document.version,
        country=document.country,
        contacts=tuple(
            Contact(kind=c.kind, number=c.number, name=dict(c.name)) for c in document.contacts
        ),
        rescue=dict(document.rescue),
        shelters=_shelters(document.shelters),
        source=document.source,
        generated=document.generated,
    )


def is_deflated(payload: bytes) -> bool:
    """Tell whether a pack is packed (zlib) rather than plain JSON."""
    return payload.startswith(_ZLIB_MARK)


def inflated(payload: bytes) -> bytes:
    """Return a pack as the plain JSON that was signed.

    Raises
    ------
    WireError
        If it is damaged, or too large unpacked.
    """
    if not is_deflated(payload):
        return payload
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(payload, MAX_DOCUMENT_BYTES)
    except zlib.error as error:
        raise WireError(f"help: damaged: {error}") from error
    if not unpacker.eof:
        problem = (
            "cut short" if not unpacker.unconsumed_tail else f"over {MAX_DOCUMENT_BYTES} bytes"
        )
        raise WireError(f"help: {problem}, was {len(payload)} bytes packed")
    return plain


def _shelters(columns: _Shelters) -> tuple[Shelter, ...]:
    n = len(columns.id)
    capacity = columns.capacity or [None] * n
    address = columns.address or [""] * n
    phone = columns.phone or [""] * n
    lengths = [
        len(column) for column in (columns.name, columns.lat, columns.lon, capacity, address, phone)
    ]
    if any(length != n for length in lengths):
        raise WireError(f"help: shelters: columns differ in length: {[n, *lengths]}")
    try:
        return tuple(
            Shelter(
                id=id_,
                name=name,
                lat=lat / _DEGREE,
                lon=lon / _DEGREE,
                capacity=capacity_,
                address=address_,
                phone=phone_,
                generated=columns.generated,
            )
            for id_, name, lat, lon, capacity_, address_, phone_ in zip(
                columns.id,
                columns.name,
                accumulate(columns.lat),
                accumulate(columns.lon),
                capacity,
                address,
                phone,
                strict=True,
            )
        )
    except (ValueError, OverflowError) as error:
        raise WireError(f"help: shelters: {error}") from error


def _differences(values: Sequence[int]) -> list[int]:
    return [*values[:1], *(after - before for before, after in pairwise(values))]


def _unless_empty(column: list[_T]) -> list[_T]:
    return column if any(value not in (None, "") for value in column) else []
