"""Help packs on the wire: compact, complete, and unable to carry what must not be offered."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import WireError
from eew.messages import help_wire
from eew.messages.national_help import (
    countries,
    distance_unit,
    national_contacts,
    national_pack,
    rescue_texts,
)
from eew.messages.topics import cell_of
from eew.model.place import Contact, HelpPack, Shelter
from tests.unit.message_cases import KEY

CELL = cell_of(37.04, 136.96)


def make_pack(shelters: tuple[Shelter, ...], *, version: int = 3) -> HelpPack:
    return HelpPack(
        area=CELL,
        version=version,
        country="JP",
        contacts=national_contacts("JP"),
        rescue=rescue_texts(),
        shelters=shelters,
        source="Nanao city, CC BY 4.0",
    )


@st.composite
def shelters(draw: st.DrawFn) -> Shelter:
    return Shelter(
        id=draw(st.text(max_size=20)),
        name=draw(st.text(min_size=1, max_size=40)),
        lat=draw(st.integers(-9_000_000, 9_000_000)) / 100_000,
        lon=draw(st.integers(-18_000_000, 18_000_000)) / 100_000,
        capacity=draw(st.none() | st.integers(0, 200_000)),
        address=draw(st.text(max_size=60)),
        phone=draw(st.text("0123456789-", max_size=14)),
    )


@given(st.lists(shelters(), max_size=40), st.integers(0, 10**9))
def test_a_pack_comes_back_as_it_was_sent(many: list[Shelter], version: int) -> None:
    pack = make_pack(tuple(many), version=version)

    assert help_wire.decode(help_wire.encode(pack, signer=KEY)) == pack
    assert help_wire.encode(pack, signer=KEY) == help_wire.encode(pack, signer=KEY)


def test_a_site_not_suited_for_earthquakes_cannot_be_sent() -> None:
    good = Shelter(id="1", name="School", lat=37.04, lon=136.96)
    bad = Shelter(id="2", name="Cellar", lat=37.04, lon=136.96, suited_for_earthquake=False)

    received = help_wire.decode(help_wire.encode(make_pack((bad, good)), signer=KEY))

    assert received.shelters == (good,)


def test_a_large_pack_is_deflated_to_a_few_bytes_per_shelter() -> None:
    many = tuple(
        Shelter(
            id=f"E13{i:07d}",
            name=f"第{i}小学校",
            lat=round(35.5 + (i % 50) * 0.01, 5),
            lon=round(139.5 + (i // 50) * 0.01, 5),
            address=f"東京都千代田区{i}-1-1",
        )
        for i in range(2_000)
    )
    payload = help_wire.encode(make_pack(many), signer=KEY)

    assert len(payload) / len(many) < 30
    assert help_wire.decode(payload).shelters == many


def test_a_pack_that_unpacks_to_far_more_than_any_pack_is_refused() -> None:
    bomb = zlib.compress(b'{"schema":"eew.help/1","source":"' + b" " * 20_000_000, 9)

    with pytest.raises(WireError, match="over 16000000 bytes"):
        help_wire.decode(bomb)


def test_a_pack_cut_short_or_damaged_is_refused() -> None:
    many = tuple(Shelter(id=str(i), name=f"S{i}", lat=1.0, lon=2.0) for i in range(300))
    payload = help_wire.encode(make_pack(many), signer=KEY)

    with pytest.raises(WireError, match="cut short"):
        help_wire.decode(payload[: len(payload) // 2])
    with pytest.raises(WireError, match="damaged"):
        help_wire.decode(payload[:40] + b"\x00" * 40 + payload[80:])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("schema", "eew.help/2", r"schema must be eew\.help/1, was 'eew.help/2'"),
        ("area", "tokyo", "'tokyo'"),
        ("area", "country:jp", "'jp'"),
        ("version", -1, r"version: .*was -1"),
        ("country", "Japan", r"country: .*was 'Japan'"),
        ("contacts", [{"kind": "pizza", "number": "119"}], r"kind: .*pizza"),
        ("contacts", [{"kind": "medical", "number": "tel:x"}], r"number: .*tel"),
        ("shelters", {"id": ["1"], "name": [], "lat": [1], "lon": [1]}, "differ in length"),
        ("shelters", {"id": ["1"], "name": ["a"], "lat": [9_100_000], "lon": [1]}, "out of range"),
        ("shelters", {"id": ["1"], "name": ["a"], "lat": [10**400], "lon": [1]}, "shelters"),
    ],
)
def test_a_bad_value_is_refused_and_shown(field: str, value: object, said: str) -> None:
    document = json.loads(zlib.decompress(help_wire.encode(make_pack(()), signer=KEY)))
    document[field] = value

    with pytest.raises(WireError, match=said):
        help_wire.decode(json.dumps(document).encode())


def test_real_and_generated_shelters_are_never_mixed_in_one_pack() -> None:
    real = Shelter(id="1", name="School", lat=37.0, lon=137.0)
    made = Shelter(id="2", name="School (generated)", lat=37.0, lon=137.0, generated=True)

    assert help_wire.decode(help_wire.encode(make_pack((made,)), signer=KEY)).shelters == (made,)
    with pytest.raises(WireError, match="mixes real and generated"):
        help_wire.encode(make_pack((real, made)), signer=KEY)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_do_more_than_raise_a_wire_error(payload: bytes) -> None:
    with pytest.raises(WireError):
        help_wire.decode(payload)
    with pytest.raises(WireError):
        help_wire.decode(b"\x78" + payload)


# ---------------------------------------------------------------- national numbers


@pytest.mark.parametrize(
    ("country", "emergency", "medical"),
    [
        ("CN", "119", "120"),
        ("JP", "119", "119"),
        ("US", "911", "911"),
        ("TW", "119", "119"),
        ("TR", "112", "112"),
        ("MX", "911", "911"),
        ("CL", "133", "131"),
        ("NZ", "111", "111"),
        ("XX", "112", "112"),
    ],
)
def test_each_country_has_its_own_numbers(country: str, emergency: str, medical: str) -> None:
    by_kind = {contact.kind: contact.number for contact in national_contacts(country)}

    assert (by_kind["emergency"], by_kind["medical"]) == (emergency, medical)


def test_national_packs_can_be_sent_for_every_country() -> None:
    assert set(countries()) >= {"CN", "JP", "US", "TW", "TR", "MX", "CL", "NZ"}
    for country in countries():
        pack = replace(national_pack(country), version=1)
        assert help_wire.decode(help_wire.encode(pack, signer=KEY)) == pack
        assert pack.source
        for contact in pack.contacts:
            assert not contact.name or set(contact.name) == {"en", "es", "ja", "tr", "zh"}


def test_rescue_text_covers_the_trapped_the_hurt_and_the_searching_in_every_language() -> None:
    texts = rescue_texts()

    assert set(texts) == {"en", "es", "ja", "tr", "zh"}
    assert all(len(text.splitlines()) == 3 for text in texts.values())


def test_miles_where_road_signs_have_miles() -> None:
    assert distance_unit("US") == "mi"
    assert {distance_unit(c) for c in countries() if c != "US"} == {"km"}


def test_a_contact_keeps_its_words_per_language() -> None:
    pack = replace(
        make_pack(()),
        contacts=(Contact(kind="information", number="171", name={"ja": "伝言", "en": "Board"}),),
    )

    assert help_wire.decode(help_wire.encode(pack, signer=KEY)).contacts == pack.contacts
