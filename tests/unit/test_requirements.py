"""The locked requirements and the set-up that installs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENTRY = re.compile(r"(?P<pin>[A-Za-z0-9._-]+==[^\s;\\]+)(?P<marker>[^\\]*)\\?$")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(path: Path) -> dict[str, Requirement]:
    """Parse a locked file; fails on any line that is neither a pin nor a hash."""
    found: dict[str, Requirement] = {}
    hashes = 1
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if HASH.match(line):
            hashes += 1
            continue
        entry = ENTRY.match(line)
        assert entry, f"{path.name}:{number}: {line!r}"
        assert hashes, f"{path.name}:{number}: the entry before has no hash"
        hashes = 0
        requirement = Requirement(entry["pin"] + entry["marker"])
        name = canonicalize_name(requirement.name)
        assert name not in found, f"{name} is pinned twice: results would depend on the Python"
        found[name] = requirement
    assert hashes
    return found


@pytest.mark.parametrize("name", ["run", "dev"])
def test_a_lock_holds_pins_and_hashes_and_no_address(project_root: Path, name: str) -> None:
    path = project_root / "requirements" / f"{name}.txt"
    assert len(pins(path)) > 50
    text = path.read_text()
    for word in ("://", "--index-url", "--extra-index-url", "--find-links", "file:"):
        assert word not in text


def test_the_development_lock_contains_the_run_lock(project_root: Path) -> None:
    run = pins(project_root / "requirements" / "run.txt")
    dev = pins(project_root / "requirements" / "dev.txt")
    assert {name: str(dev.get(name)) for name in run} == {
        name: str(pin) for name, pin in run.items()
    }
    text = (project_root / "requirements" / "dev.txt").read_text()
    for line in (project_root / "requirements" / "run.txt").read_text().splitlines():
        assert line.removesuffix(" \\") in text  # the same hashes, too


def test_every_dependency_of_the_project_is_locked_within_its_range(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    wanted = {"run": project["dependencies"], "dev": project["optional-dependencies"]["dev"]}
    for name, requirements in wanted.items():
        locked = pins(project_root / "requirements" / f"{name}.txt")
        for text in requirements:
            requirement = Requirement(text)
            pin = locked[canonicalize_name(requirement.name)]
            (version,) = (one.version for one in pin.specifier)
            assert requirement.specifier.contains(version), f"{text}, locked {version}"


def run_setup(project_root: Path, *args: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(project_root / "requirements" / "setup"), *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    return done.returncode, done.stderr


def test_set_up_leaves_a_folder_alone_that_is_no_environment(
    project_root: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("precious")
    code, words = run_setup(project_root, "run", str(tmp_path), sys.executable)
    assert code == 2
    assert "is not a virtual environment" in words
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("case $1 in -V) echo Python 3.9.2;; *) exit 1;; esac", "is Python 3.9.2"),
        ("case $2 in *ensurepip*) exit 1;; esac", "without venv or ensurepip"),
    ],
)
def test_set_up_says_what_is_wrong_with_the_python(
    project_root: Path, tmp_path: Path, script: str, reason: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    code, words = run_setup(project_root, "run", str(tmp_path / "venv"), str(python))
    assert code == 2
    assert reason in words
    assert len(words.splitlines()) == 1
    assert not (tmp_path / "venv").exists()


def test_set_up_names_a_python_that_is_not_there(project_root: Path, tmp_path: Path) -> None:
    code, words = run_setup(project_root, "run", str(tmp_path / "venv"), "no-such-python")
    assert code == 2
    assert "'no-such-python' not found" in words
