"""What a user can ask of a run, and what is said about what cannot be done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eew.app.options import (
    RunOptions,
    broker_words,
    parse_seconds,
    parse_site,
    parse_status,
)
from eew.errors import ConfigError
from eew.model.alert import Status
from eew.model.place import Site


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Los Angeles:34.05,-118.24", ("Los Angeles", 34.05, -118.24)),
        (" City Hall : 34 , -118 ", ("City Hall", 34.0, -118.0)),
        ("Tokyo: Shibuya:35.66,139.70", ("Tokyo: Shibuya", 35.66, 139.70)),
        ("泸定:29.91,102.23", ("泸定", 29.91, 102.23)),
    ],
)
def test_a_site_is_a_name_and_a_position(text: str, expected: tuple[str, float, float]) -> None:
    site = parse_site(text)

    assert (site.name, site.lat, site.lon) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Los Angeles", "Los Angeles"),
        (":34,-118", ":34,-118"),
        ("LA:34", "'34'"),
        ("LA:34,-118,5", "34,-118,5"),
        ("LA:north,-118", "north"),
        ("LA:34,", "lon ''"),
        ("LA:95,10", "95"),
        ("LA:34,200", "200"),
        ("LA:nan,10", "nan"),
        ("", "''"),
    ],
)
def test_a_bad_site_is_named_with_what_was_found(text: str, found: str) -> None:
    with pytest.raises(ConfigError, match="--site") as caught:
        parse_site(text)
    assert found in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0.5", 0.5), ("0", 0.0), ("90s", 90.0), ("2 min", 120.0), ("300ms", 0.3), ("1e1", 10.0)],
)
def test_durations_may_carry_a_unit(text: str, seconds: float) -> None:
    assert parse_seconds("--until", text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "1 h", "5 s s", "nan", "--", "1,5"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="--until"):
        parse_seconds("--until", text)


@pytest.mark.parametrize("packet_s", [0.0, 0.05, 10.1, -1.0, float("nan"), float("inf")])
def test_packets_outside_their_range_are_refused(packet_s: float) -> None:
    with pytest.raises(ConfigError, match="--packet"):
        RunOptions(packet_s=packet_s)


@pytest.mark.parametrize("packet_s", [0.1, 10.0])
def test_the_ends_of_the_range_are_allowed(packet_s: float) -> None:
    assert RunOptions(packet_s=packet_s).packet_s == packet_s


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("--delay", {"delay_s": -0.1}),
        ("--delay", {"delay_s": float("nan")}),
        ("--speed", {"speed": -1.0}),
        ("--speed", {"speed": float("inf")}),
        ("--until", {"until_s": 0.0}),
        ("--seed", {"seed": -1}),
        ("--phones", {"phones": -1}),
        ("--tvs", {"tvs": 10**9}),
        ("--lang", {"languages": ("en", "fr")}),
        (
            "--site",
            {
                "sites": (
                    Site(name="A", lat=1.0, lon=1.0),
                    Site(name="A", lat=2.0, lon=2.0),
                )
            },
        ),
    ],
)
def test_other_settings_out_of_range_name_their_option(key: str, values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=key):
        RunOptions(**values)  # type: ignore[arg-type]  # a table of cases


def test_no_link_delay_is_allowed_and_said_in_words() -> None:
    assert RunOptions(delay_s=0.0).link_words == "0 s at every station"
    assert "log-normal" in RunOptions().link_words


def test_there_is_no_actual_alert() -> None:
    assert parse_status("Test") is Status.TEST
    with pytest.raises(ConfigError, match="simulator"):
        parse_status("actual")


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("auto", "auto"),
        ("mqtt://me:secret@host:1883", "mqtt://host:1883"),
        ("mqtts://me@host", "mqtts://host"),
        ("mqtt://me:p@ss@host", "mqtt://host"),
    ],
)
def test_a_broker_is_shown_without_user_and_password(spec: str, shown: str) -> None:
    assert broker_words(spec) == shown


def test_settings_can_be_written_and_hold_no_secret() -> None:
    options = RunOptions(
        broker="mqtt://me:secret@host",
        sites=(Site(name="A", lat=1.0, lon=2.0),),
        help_packs=(Path("/home/me/packs.json"),),
    )
    text = json.dumps(options.as_config())

    assert "secret" not in text
    assert "/home/me" not in text
    assert "A:1,2" in text


def test_a_modelled_channel_takes_no_broker() -> None:
    push = RunOptions(channel="push")

    assert push.is_channel_modelled
    assert push.carrier == "none"
    assert RunOptions().carrier == "auto"
    assert push.as_config()["channel"] == "push"
    with pytest.raises(ConfigError, match="push is modelled, mosquitto cannot carry it"):
        RunOptions(channel="push", broker="mosquitto")
    with pytest.raises(ConfigError, match="--channel: unknown 'smoke'"):
        RunOptions(channel="smoke")
