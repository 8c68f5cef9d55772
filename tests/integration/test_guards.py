"""The guards of tests/conftest.py, tried on a small suite of their own in another process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
from __future__ import annotations
import asyncio, datetime, os, socket, time
import pytest

async def test_leaves_a_task():
    asyncio.create_task(asyncio.sleep(60), name="forgotten")

async def test_ends_its_task():
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()

@pytest.fixture
async def owns_a_task():
    task = asyncio.create_task(asyncio.sleep(60))
    yield
    task.cancel()

async def test_with_a_fixture_that_owns_a_task(owns_a_task):
    await asyncio.sleep(0)

def test_connects_to_another_machine():
    with socket.socket() as sock:
        try:
            sock.connect(("192.0.2.1", 80))
        except OSError:
            pass

async def test_opens_a_stream_to_another_machine():
    await asyncio.open_connection("192.0.2.1", 80)

def test_asks_for_a_name():
    socket.getaddrinfo("example.org", 80)

def test_connects_to_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

def test_warns():
    import warnings
    warnings.warn("old", DeprecationWarning)

def test_local_time_is_not_utc():
    assert time.timezone != 0

def test_skips():
    pytest.skip("no reason at all")

@pytest.mark.skipif(True, reason="by a mark")
def test_skipped_by_a_mark():
    pass

@pytest.mark.xfail(reason="known", strict=True)
def test_known_failure():
    raise AssertionError

def test_fails_with_a_seed(seed):
    raise AssertionError
"""
SKIPPED_MODULE = 'import pytest\npytest.skip("whole module", allow_module_level=True)\n'


def run_suite(
    folder: Path, project_root: Path, *args: str, suite: str = SUITE, **env: str
) -> tuple[int, dict[str, str], str]:
    """Run a suite with the project's settings; return exit code, outcome per test, output."""
    shutil.copy(project_root / "pyproject.toml", folder)
    shutil.copy(project_root / "tests" / "conftest.py", folder)
    (folder / "test_suite.py").write_text(suite)
    base = {k: v for k, v in os.environ.items() if not k.startswith(("EEW_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(folder), "-v", "-rA", "--color=no", *args],
        cwd=folder,
        env=base | {"CI": ""} | env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    # An error at tear-down comes after the test's own outcome, and counts.
    pairs = re.findall(r"::(test_\w+) (PASSED|FAILED|ERROR|SKIPPED|XFAIL)", done.stdout)
    return done.returncode, dict(pairs), done.stdout


@pytest.mark.parametrize("strict", [False, True], ids=["normal", "strict"])
def test_the_guards_fail_what_they_should_and_nothing_else(
    tmp_path: Path, project_root: Path, strict: bool
) -> None:
    env = {"EEW_STRICT": "1"} if strict else {}
    code, outcomes, output = run_suite(tmp_path, project_root, **env)

    skipped = "FAILED" if strict else "SKIPPED"
    assert code == 1, output
    assert outcomes == {
        "test_leaves_a_task": "ERROR",
        "test_ends_its_task": "PASSED",
        "test_with_a_fixture_that_owns_a_task": "PASSED",
        "test_connects_to_another_machine": "FAILED",
        "test_opens_a_stream_to_another_machine": "FAILED",
        "test_asks_for_a_name": "FAILED",
        "test_connects_to_loopback": "PASSED",
        "test_warns": "FAILED",
        "test_local_time_is_not_utc": "PASSED",
        "test_skips": skipped,
        "test_skipped_by_a_mark": "ERROR" if strict else "SKIPPED",
        "test_known_failure": "XFAIL",
        "test_fails_with_a_seed": "FAILED",
    }, output
    assert "forgotten" in output
    assert re.search(r"EEW_TEST_SEED=\d+", output)


def test_one_skipped_test_makes_a_strict_run_fail(tmp_path: Path, project_root: Path) -> None:
    code, _, output = run_suite(tmp_path, project_root, "-k", "test_skips", EEW_STRICT="1")
    assert code == 1, output
    assert "EEW_STRICT=1: skipped: Skipped: no reason at all" in output


def test_one_skipped_module_makes_a_strict_run_fail(tmp_path: Path, project_root: Path) -> None:
    code, _, output = run_suite(tmp_path, project_root, suite=SKIPPED_MODULE, EEW_STRICT="1")
    assert code == 2, output
    assert "EEW_STRICT=1: skipped: Skipped: whole module" in output
