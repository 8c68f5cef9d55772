"""The words: every language says everything, with the same placeholders, briefly."""

from __future__ import annotations

import re

import pytest

from clients.events import Phase
from clients.policy import policy
from clients.text import catalogue, languages, placeholders
from eew.errors import ConfigError
from eew.model.place import Contact

LANGUAGES = ("en", "es", "ja", "tr", "zh")
WORDY = ("en", "es", "tr")  # languages that put spaces between words
# Code reads these; every other key must be one a screen can ask for.
_BY_PHASE = ("headline", "detail")


def test_there_is_a_catalogue_for_each_promised_language() -> None:
    assert languages() == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_the_same_keys_as_the_english_one(language: str) -> None:
    assert catalogue(language).keys == catalogue("en").keys


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_has_the_placeholders_of_the_english_one_and_is_not_empty(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    for key in english.keys:
        assert other.raw(key).strip(), key
        assert placeholders(other.raw(key)) == placeholders(english.raw(key)), key
        assert other.raw(key) == other.raw(key).strip(), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phase_cue_contact_and_class_has_words(language: str) -> None:
    keys = set(catalogue(language).keys)
    wanted = {f"{section}.{phase.value}" for section in _BY_PHASE for phase in Phase}
    wanted |= {f"caption.{name}" for name in policy().cues}
    wanted |= {f"contact.{kind}" for kind in
               ("emergency", "medical", "fire", "police", "rescue", "information")}  # fmt: skip
    wanted |= {f"mmi.{n}" for n in range(1, 11)} | {f"csi.{n}" for n in range(1, 13)}
    jma = ("0", "1", "2", "3", "4", "5-", "5+", "6-", "6+", "7")
    wanted |= {f"jma.{n}" for n in jma} | {f"jma_number.{n}" for n in jma}
    wanted |= {f"direction.{name}" for name in ("n", "ne", "e", "se", "s", "sw", "w", "nw")}
    wanted |= {f"mark.{name}" for name in ("simulation", "exercise", "test")}

    assert wanted <= keys, wanted - keys


@pytest.mark.parametrize("language", WORDY)
def test_a_headline_is_read_in_two_seconds(language: str) -> None:
    for key in catalogue(language).keys:
        if key.startswith("headline."):
            words = re.findall(r"\w+", catalogue(language).raw(key))
            assert len(words) <= 8, (key, words)


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_a_headline_without_spaces_fits_two_short_lines(language: str) -> None:
    for key in catalogue(language).keys:
        if key.startswith("headline."):
            assert len(catalogue(language).raw(key)) <= 26, key


def test_public_text_avoids_the_words_of_the_trade() -> None:
    forbidden = {
        "en": ("epicent", "hypocent", "magnitude"),
        "es": ("epicent", "hipocent", "magnitud"),
        "tr": ("merkez üssü", "episantr"),
        "zh": ("震中", "震源", "震级"),
        "ja": ("震央", "震源", "マグニチュード"),
    }
    for language, words in forbidden.items():
        for key in catalogue(language).keys:
            text = catalogue(language).raw(key).casefold()
            assert not any(word in text for word in words), (language, key)


def test_a_withdrawal_says_what_happened_that_it_is_safe_and_what_to_do() -> None:
    english = catalogue("en")

    assert english("headline.cancelled") == "The earlier alert was wrong. You are safe."
    assert english("detail.cancelled") == "No shaking is expected. You can go on as before."


def test_directions_and_distances_are_said_as_people_say_them() -> None:
    english, spanish, japanese = catalogue("en"), catalogue("es"), catalogue("ja")

    assert [english.direction(a) for a in (0, 22, 23, 45, 180, 337, 338, 359.9)] == [
        "north", "north", "north-east", "north-east", "south", "north-west", "north", "north",
    ]  # fmt: skip
    assert english.distance(0.004) == "50 m"
    assert english.distance(0.37) == "350 m"
    assert english.distance(0.98) == "1.0 km"
    assert english.distance(1.26) == "1.3 km"
    assert english.distance(9.96) == "10 km"
    assert english.distance(53.4) == "53 km"
    assert english.distance(53.4, "mi") == "33 mi"
    assert english.distance(0.1, "mi") == "0.1 mi"
    assert spanish.distance(1.26) == "1,3 km"
    assert japanese.way(53.4, 45.0) == "北東へ53km"


def test_words_in_another_language_are_better_than_none() -> None:
    assert catalogue("zh-Hant-TW").language == "zh"
    assert catalogue("ES_mx").language == "es"
    assert catalogue("fi").language == "en"


def test_an_unknown_key_or_a_missing_value_is_an_error_not_a_blank() -> None:
    with pytest.raises(ConfigError, match=r"no text 'headline\.nothing'"):
        catalogue("en")("headline.nothing")
    with pytest.raises(ConfigError, match="needs a value for 'seconds'"):
        catalogue("en")("arrival.about")


def test_contact_kinds_of_the_model_have_words() -> None:
    contact = Contact(kind="rescue", number="1")

    assert catalogue("tr")(f"contact.{contact.kind}") == "Kurtarma"
