"""Screens as text: straight sides, no overlong line, in every language and phase."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.device import Device
from clients.phone import Phone
from clients.textbox import display_width, render_text, wrap
from clients.tv import TV
from eew.messages.topics import area_alert_topic
from eew.model.alert import MsgType
from tests.unit.message_cases import ORIGIN_NS, S, keyring, make_message, payload_of

LANGUAGES = ("en", "es", "ja", "tr", "zh")
WORDS = st.text(st.sampled_from("abc de, . 震度（）。、ー「」é̈Ｗ-"), max_size=200)


def device(kind: str, language: str, lat: float = 29.91, lon: float = 102.23) -> Device:
    settings: dict[str, Any] = {
        "id": "d", "lat": lat, "lon": lon, "language": language, "country": "CN",
        "follow_heartbeat": False, "keyring": keyring(),
    }  # fmt: skip
    return Phone(**settings) if kind == "phone" else TV(district="泸定 Luding", **settings)


@given(WORDS, st.integers(8, 60))
def test_no_wrapped_line_is_too_long_and_no_character_is_lost(text: str, columns: int) -> None:
    lines = wrap(text, columns, indent="  ")

    assert all(display_width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_lines_break_at_words_and_by_the_rules_of_east_asian_print() -> None:
    assert wrap("Drop, cover, hold on.", 12) == ["Drop, cover,", "hold on."]
    assert wrap("強い揺れが来ます。", 8) == ["強い揺れ", "が来ま", "す。"]  # no line begins with 。
    assert wrap("あ「い」う", 6) == ["あ", "「い」", "う"]  # nor ends with 「
    assert wrap("", 10) == [""]
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert wrap("- one two three", 9, indent="  ") == ["- one two", "  three"]


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert display_width("震度5弱") == 7
    assert display_width("e\u0301") == 1
    assert display_width("ＡＢ") == 4


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["phone", "tv"])
@pytest.mark.parametrize("at_s", [0.0, 6.0, 10.0, 13.0, 300.0])
def test_a_box_has_straight_sides_in_every_language_and_phase(
    language: str, kind: str, at_s: float
) -> None:
    one = device(kind, language)
    if at_s:
        message = make_message(lower_bound=True)
        one.receive(area_alert_topic(one.cell), payload_of(message), message.issued_ns)
    box = render_text(one.presentation(ORIGIN_NS + round(at_s * S)))

    widths = {display_width(line) for line in box.split("\n")}
    assert widths == {46 if kind == "phone" else 78}


def test_the_action_stands_above_the_help_before_and_below_it_after_the_shaking() -> None:
    one = device("phone", "en")
    message = make_message()
    one.receive(area_alert_topic(one.cell), payload_of(message), message.issued_ns)
    before = render_text(one.presentation(ORIGIN_NS + 6 * S))
    after = render_text(one.presentation(ORIGIN_NS + 300 * S))

    assert before.index("Drop, cover") < before.index("Expected here") < before.index("Emergency")
    assert after.index("Check") < after.index("Emergency: 119") < after.index("Quake 38 km")
    assert "SIMULATION" in before.split("\n")[1]
    assert "SIMULATION" in after.split("\n")[1]


def test_a_tv_has_a_strip_then_a_panel_with_a_number_to_read_across_the_room() -> None:
    one = device("tv", "en", 30.0, 103.0)
    message = make_message()
    one.receive(area_alert_topic(one.cell), payload_of(message), message.issued_ns)
    strip = render_text(one.presentation(ORIGIN_NS + 6 * S))
    panel = render_text(one.presentation(ORIGIN_NS + 10 * S))

    assert len(strip.split("\n")) == 6
    assert "Emergency" not in strip
    assert "Emergency: 119" in panel
    screen = one.presentation(ORIGIN_NS + 10 * S)
    assert screen.seconds == 19
    assert "  █  ████" in panel  # the top of "19"
    assert "█" not in render_text(replace(screen, seconds=None))


def test_a_withdrawal_fits_one_glance() -> None:
    one = device("phone", "en")
    message = make_message()
    one.receive(area_alert_topic(one.cell), payload_of(message), message.issued_ns)
    wrong = make_message(serial=2, msg_type=MsgType.CANCEL, issued_s=9.0)
    one.receive(area_alert_topic(one.cell), payload_of(wrong), wrong.issued_ns)
    lines = render_text(one.presentation(wrong.issued_ns)).split("\n")

    text = " ".join(line.strip("│ ") for line in lines[3:7])
    assert "[ok] The earlier alert was wrong. You are safe." in text
    assert "No shaking is expected." in text
