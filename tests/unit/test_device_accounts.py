"""Files of accounts that can and cannot be used, and the brokers that go with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eew.app.device_accounts import open_accounts
from eew.app.device_brokers import leaf_addresses
from eew.errors import ConfigError, EewError
from eew.model.alert import Status

CELL = "8240effffffffff"
GOOD: dict[str, Any] = {
    "tree": "exercise",
    "brokers": ["mqtts://one:8883", "mqtts://two:8884"],
    "ca": "PEM",
    "accounts": {CELL: {"account": "exercise-" + CELL, "password": "secret"}},
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "devices.json"
    path.write_text(json.dumps(GOOD | changes))
    return path


def test_each_leaf_gets_the_account_of_the_area_and_the_authority(tmp_path: Path) -> None:
    with open_accounts(written(tmp_path), Status.EXERCISE) as accounts:
        leaves = leaf_addresses((), accounts)
        found = [accounts.at(leaf, CELL) for leaf in leaves]
        assert [(one.host, one.port) for one in found] == [("one", 8883), ("two", 8884)]
        assert {(one.username, one.password) for one in found} == {("exercise-" + CELL, "secret")}
        ca_file = found[0].ca_file
        assert ca_file is not None
        assert ca_file.read_text() == "PEM"
        assert ca_file.stat().st_mode & 0o077 == ca_file.parent.stat().st_mode & 0o077 == 0
        assert "secret" not in repr(found)
        with pytest.raises(ConfigError, match=r"devices\.json has no account for the area 82aa"):
            accounts.check([CELL, "82aa"])
    assert not ca_file.parent.exists()


def test_certificates_are_written_for_the_areas_that_are_used(tmp_path: Path) -> None:
    rows = {
        cell: {"account": cell, "certificate": f"crt {cell}", "key": f"key {cell}"}
        for cell in (CELL, "82bb")
    }
    with open_accounts(written(tmp_path, accounts=rows), Status.EXERCISE) as accounts:
        (leaf, _) = leaf_addresses((), accounts)
        found = accounts.at(leaf, CELL)
        assert found.cert_file is not None
        assert found.key_file is not None
        assert (found.cert_file.read_text(), found.key_file.read_text()) == (
            f"crt {CELL}",
            f"key {CELL}",
        )
        assert accounts.at(leaf, CELL) == found  # a device that comes back
        assert len(list(found.cert_file.parent.iterdir())) == 3


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"tree": "drill"}, 2, "is for the tree drill, the devices live in exercise"),
        ({"tree": "actual"}, 3, "tree"),
        ({"accounts": {}}, 3, "accounts: none"),
        ({"accounts": {CELL: {"account": "a"}}}, 3, f"accounts.{CELL}: neither a password"),
        ({"accounts": {CELL: {"account": 1, "password": "p"}}}, 3, "account"),
        ({"accounts": {"../x": {"account": "a", "password": "p"}}}, 3, "is no area"),
        ({"brokers": "mqtts://one"}, 3, "brokers"),
        ({"ca": "\u00e9"}, 3, "ca: no certificate"),
    ],
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, changes: dict[str, Any], code: int, words: str
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(EewError) as refused, open_accounts(path, Status.EXERCISE):
        pass
    assert refused.value.exit_code == code
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match="cannot be read: No such file"),
        open_accounts(tmp_path / "nothing", Status.EXERCISE),
    ):
        pass
    (tmp_path / "text").write_bytes(b"\xffnothing")
    with (
        pytest.raises(EewError, match="no file of accounts"),
        open_accounts(tmp_path / "text", Status.EXERCISE),
    ):
        pass


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        (["mqtts://me@one"], "a user, but --accounts says who"),
        (["mqtts://one", "mqtt://two"], "over TLS only"),
        (["auto"], "unknown broker 'auto'"),
    ],
)
def test_brokers_that_do_not_go_with_accounts(tmp_path: Path, urls: list[str], words: str) -> None:
    with (
        open_accounts(written(tmp_path), Status.EXERCISE) as accounts,
        pytest.raises(ConfigError, match=words),
    ):
        leaf_addresses(urls, accounts)


def test_the_account_of_a_service_in_the_environment_is_not_taken_for_a_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EEW_MQTT_USERNAME", "service-exercise")
    monkeypatch.setenv("EEW_MQTT_PASSWORD", "hidden")
    with open_accounts(written(tmp_path), Status.EXERCISE) as accounts:
        assert {leaf.username for leaf in leaf_addresses((), accounts)} == {None}
    assert leaf_addresses(["mqtt://one"], None)[0].username == "service-exercise"
    with pytest.raises(ConfigError, match="--broker: missing"):
        leaf_addresses((), None)
