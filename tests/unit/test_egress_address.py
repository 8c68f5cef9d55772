"""What the user may say for a broker, and what the packet of the probe looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.egress.broker import mask_password, open_broker, parse_url
from eew.egress.mosquitto import configuration, last_words
from eew.egress.probe import _receive_maximum, connect_packet
from eew.errors import ConfigError
from eew.mqtt_link import MQTT_3_1_1, MQTT_5, BrokerAddress


def test_a_url_gives_host_port_user_and_tls() -> None:
    address = parse_url("mqtts://me@broker.example:8884", {"EEW_MQTT_PASSWORD": "secret"})
    assert (address.kind, address.host, address.port) == ("remote", "broker.example", 8884)
    assert (address.username, address.password, address.tls) == ("me", "secret", True)
    assert str(address) == "mqtts://me@broker.example:8884"


@pytest.mark.parametrize(("url", "port"), [("mqtt://h", 1883), ("mqtts://h", 8883)])
def test_a_url_without_a_port_means_the_usual_one(url: str, port: int) -> None:
    assert parse_url(url, {}).port == port


def test_a_literal_address_of_ipv6_keeps_its_brackets_in_print() -> None:
    address = parse_url("mqtt://[::1]:1884", {})
    assert address.host == "::1"
    assert str(address) == "mqtt://[::1]:1884"


def test_a_password_never_shows() -> None:
    address = parse_url("mqtt://me:p%40ss@host", {})
    assert address.password == "p@ss"
    assert "p@ss" not in f"{address} {address!r}"
    assert mask_password("see mqtt://me:p@ss@host now") == "see mqtt://me:***@host now"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mqqt://host", "unknown scheme 'mqqt'"),
        ("mosquito", "unknown broker 'mosquito'"),
        ("", "unknown broker ''"),
        ("none", "unknown broker 'none'"),
        ("mqtt://", "no host"),
        ("mqtt://me:secret@:1883", "no host"),
        ("mqtt://host:0", "port 0"),
        ("mqtt://host:99999", "[Pp]ort"),
        ("mqtt://host:12x", "[Pp]ort"),
        ("mqtt://[::1", "[Ii]nvalid IPv6"),
        ("mqtt://host/path", "nothing may follow the port"),
        ("mqtt://host?x=1", "nothing may follow the port"),
        ("mqtt://:secret@host", "a password without a user"),
    ],
)
def test_a_url_that_cannot_be_used_is_a_setting_error_that_shows_it(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        open_broker(url, environ={})
    assert str(caught.value).startswith("--broker: ")
    assert "secret" not in str(caught.value)


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    name = str(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"EEW_MQTT_PASSWORD_FILE: cannot read .*none: No such"):
        parse_url("mqtt://me@host", {"EEW_MQTT_PASSWORD_FILE": name})


def test_the_password_variable_wins_over_the_file_and_the_url_over_both(tmp_path: Path) -> None:
    file = tmp_path / "p"
    file.write_text("from file\r\n")
    environ = {"EEW_MQTT_USERNAME": "u", "EEW_MQTT_PASSWORD_FILE": str(file)}
    assert parse_url("mqtt://host", environ).password == "from file"
    environ["EEW_MQTT_PASSWORD"] = "from variable"
    assert parse_url("mqtt://host", environ).password == "from variable"
    url = parse_url("mqtt://me:from-url@host", environ)
    assert (url.username, url.password) == ("me", "from-url")


def test_the_connect_packet_is_as_the_standards_say() -> None:
    plain = BrokerAddress(kind="remote", host="h", port=1)
    assert connect_packet(plain, MQTT_3_1_1) == b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00"
    assert connect_packet(plain, MQTT_5) == b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x00"
    user = BrokerAddress(kind="remote", host="h", port=1, username="u", password="pw")
    assert connect_packet(user, MQTT_3_1_1)[9] == 0xC2
    assert connect_packet(user, MQTT_3_1_1).endswith(b"\x00\x00\x00\x01u\x00\x02pw")
    long = BrokerAddress(kind="remote", host="h", port=1, username="u" * 200)
    assert connect_packet(long, MQTT_3_1_1)[1:3] == bytes([0x80 | (214 % 128), 214 // 128])


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (b"\x00", None),
        (b"\x03\x21\x00\x14", 20),
        (b"\x0c\x22\x00\x0a\x12\x00\x03abc\x21\x01\x00", 256),  # topic alias maximum, assigned id
        (b"\x0a\x26\x00\x01k\x00\x01v\x21\x00\x07", 7),  # user property first
        (b"\x02\x7f\x00", None),  # unknown: stop
        (b"\x03\x21", None),  # cut short
        (b"", None),
    ],
)
def test_the_receive_maximum_is_found_among_other_properties(
    properties: bytes, expected: int | None
) -> None:
    assert _receive_maximum(properties) == expected


def test_the_private_configuration_is_loopback_only_bounded_and_keeps_nothing() -> None:
    text = configuration(1234, 50, {"max_queued_messages": "1000"})
    lines = text.splitlines()
    assert "listener 1234 127.0.0.1" in lines
    assert "persistence false" in lines
    assert "max_connections 50" in lines
    assert "max_queued_messages 1000" in lines
    # settings of a listener must follow it
    assert lines.index("allow_anonymous true") > lines.index("listener 1234 127.0.0.1")


def test_the_last_words_of_a_log_are_its_last_error() -> None:
    log = '17: starting\n17: Error: Unknown variable "x".\n17: Error found at /x.conf:2.\n'
    assert last_words(log) == 'Error: Unknown variable "x".'
    assert last_words("17: one\n18: two\n\n") == "two"
    assert last_words("") == "it said nothing"
