"""``eew keys``: files made, handed on, listed and loaded; nothing secret ever shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eew.app.key_files import load_keyring, load_keys, load_signer, load_statements
from eew.app.options import RunOptions
from eew.app.run_keys import run_keys
from eew.cli.application import app
from eew.errors import ConfigError, DataError, EewError
from eew.messages.key_wire import decode_rotation
from eew.messages.seal import seal
from eew.model.alert import Status

BODY = b'{"schema":"x"}'


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["keys", *words], catch_exceptions=False, standalone_mode=False)
    assert done.exit_code == 0, done.output
    return done.output


def made(folder: Path, tree: str = "exercise", *more: str) -> Path:
    found = json.loads(run("new", "--tree", tree, "--out", str(folder), "--json", *more))
    return Path(found["private_file"])


def secrets_of(folder: Path) -> list[str]:
    return [json.loads(one.read_text())["private"] for one in folder.glob("*.private.json")]


def test_a_new_key_signs_and_devices_that_hold_the_set_believe_it(tmp_path: Path) -> None:
    private = made(tmp_path / "keys")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    signer = load_signer(private, Status.EXERCISE)
    ring = load_keyring(tmp_path / "keys" / "keys.json")
    assert ring.verify(seal(BODY, signer), Status.EXERCISE) == signer.public
    assert len(signer.key_id) == 8  # it travels in every message


def test_trees_have_keys_of_their_own_and_two_keys_are_never_alike(tmp_path: Path) -> None:
    files = [made(tmp_path, tree) for tree in ("exercise", "drill", "test", "exercise")]
    keys = load_keys(tmp_path / "keys.json")
    assert sorted(key.tree.value for key in keys) == ["drill", "exercise", "exercise", "test"]
    assert len({key.raw for key in keys}) == 4
    with pytest.raises(ConfigError, match="is a key for drill, the messages say exercise"):
        load_signer(files[1], Status.EXERCISE)


def test_a_rotation_names_the_next_key_and_ends_the_old_one(tmp_path: Path) -> None:
    old = made(tmp_path)
    said = json.loads(run("rotate", "--key", str(old), "--overlap-days", "10", "--json"))
    second = Path(said["private_file"])
    run("rotate", "--key", str(second))
    statements = load_statements(Path(said["statement_file"]))
    assert len(statements) == 2
    ring = load_keyring(old)  # a device that was set up with the first key alone
    for statement in statements:
        ring.verify(statement, Status.EXERCISE)
        ring.add(decode_rotation(statement).key)
    in_set = {key.key_id: key for key in load_keys(tmp_path / "keys.json")}
    assert set(in_set) == {key.key_id for key in ring.keys}
    ended = in_set[said["previous"]["key_id"]]
    assert ended.until_ns is not None
    assert ended.until_ns == decode_rotation(statements[0]).previous_until_ns
    assert ended.until_ns - in_set[said["key_id"]].from_ns == 10 * 86_400 * 10**9


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    private = made(tmp_path)
    words = run("rotate", "--key", str(private))
    words += run("show", str(tmp_path)) + run("show", str(tmp_path), "--json")
    words += run("show", str(private))
    words += (tmp_path / "keys.json").read_text() + (
        tmp_path / "rotations-exercise.jsonl"
    ).read_text()
    assert len(secrets_of(tmp_path)) == 2
    for secret in secrets_of(tmp_path):
        assert secret not in words


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    before = made(tmp_path, "drill", "--id", "mine").read_bytes()
    (tmp_path / "keys.json").unlink()
    with pytest.raises(ConfigError, match="a key is never overwritten"):
        run("new", "--tree", "test", "--out", str(tmp_path), "--id", "mine")
    assert (tmp_path / "mine.private.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("new", "--tree", "live", "--out", "{}"), "--tree: unknown 'live'"),
        (("new", "--tree", "test", "--out", "{}", "--days", "0"), "--days: must be 1 to"),
        (("new", "--tree", "test", "--out", "{}", "--id", "a b"), "--id: key_id must match"),
        (("rotate", "--key", "{}/none.json"), "cannot be read"),
        (("rotate", "--key", "{}/open.private.json"), "others may read this private key"),
        (("rotate", "--key", "{}/old.private.json"), "counts no more"),
        (("show", "{}/broken.json"), "keys: not JSON"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    private = made(tmp_path, "exercise", "--id", "open")
    old = json.loads(private.read_text()) | {"from_ns": 1, "until_ns": 2, "key_id": "old"}
    (tmp_path / "old.private.json").write_text(json.dumps(old))
    (tmp_path / "old.private.json").chmod(0o600)
    private.chmod(0o640)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(EewError, match=problem) as caught:
        run(*(word.format(tmp_path) for word in words))
    assert caught.value.exit_code in (2, 3)


def test_the_keys_of_a_run_come_from_files_or_from_the_seed(tmp_path: Path) -> None:
    derived = run_keys(RunOptions(seed=3))
    assert derived.signer.key_id.startswith("dev-")
    assert derived.keyring.keys == (derived.signer.public,)
    private = made(tmp_path)
    loaded = run_keys(RunOptions(key=private, keys=tmp_path / "keys.json"))
    assert loaded.keyring.keys == (loaded.signer.public,)
    assert loaded.statements == ()
    run("rotate", "--key", str(private))
    assert len(run_keys(RunOptions(key=private)).statements) == 1


def test_a_run_whose_devices_would_believe_nobody_is_refused(tmp_path: Path) -> None:
    private, other = made(tmp_path / "a"), made(tmp_path / "b")
    with pytest.raises(ConfigError, match="does not hold"):
        run_keys(RunOptions(key=private, keys=other.parent / "keys.json"))
    with pytest.raises(ConfigError, match="needs --key"):
        run_keys(RunOptions(keys=tmp_path / "a" / "keys.json"))
    with pytest.raises(ConfigError, match="a key for exercise, the messages say drill"):
        run_keys(RunOptions(key=private, status=Status.DRILL))
    (tmp_path / "empty.json").write_text('{"schema":"eew.keys/1","keys":[]}')
    with pytest.raises(DataError, match="holds no key"):
        load_keyring(tmp_path / "empty.json")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "keys"):
        with pytest.raises(ConfigError, match=r"file.*cannot be"):
            run("new", "--tree", "test", "--out", str(folder))
