"""Guards for every test, and the fixtures all of them share.

A test fails that leaves an asyncio task behind, talks to anything but this machine, or warns. The
local time zone is never UTC, so a naive time shows. With ``EEW_STRICT=1`` a skip is a failure.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import os
import shutil
import socket
import time
import zlib
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import numpy as np

# Half-hour offset, southern summer time: wrong by any of the usual mistakes.
os.environ["TZ"] = "Australia/Adelaide"
time.tzset()

STRICT = os.environ.get("EEW_STRICT", "") not in ("", "0")
EXPLORE = os.environ.get("EEW_EXPLORE", "") not in ("", "0")
ROOT = Path(__file__).resolve().parent.parent

# The same examples each time: a red run means a change, not luck. EEW_EXPLORE=1 draws new ones.
settings.register_profile(
    "eew",
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("eew")


# ---------------------------------------------------------------- a skip is a failure when strict
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn skips into failures when strict, and print the seed of a failed test."""
    report = yield
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"EEW_STRICT=1: skipped: {_reason(report.longrepr)}"
    if report.failed and "seed" in getattr(item, "fixturenames", ()):
        report.sections.append(("seed", f"EEW_TEST_SEED={_seed_of(item.nodeid)}"))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure when strict."""
    report = yield
    if STRICT and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"EEW_STRICT=1: skipped: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a program that is not there."""
    if item.get_closest_marker("mosquitto") and not mosquitto_path():
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
    if item.get_closest_marker("nats") and not nats_path():
        pytest.skip("nats-server is not installed (Debian: apt-get install nats-server)")


def mosquitto_path() -> str | None:
    """Return the broker's path; Debian puts it where ordinary users have no PATH entry."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def nats_path() -> str | None:
    """Return the path of nats-server, as :func:`mosquitto_path`."""
    return shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


# ---------------------------------------------------------------- order, no task left behind
# Files that take longest begin first, what computes beside what waits for brokers and programs:
# each process takes the next file when it has done with one.
LONGEST_FIRST = """
score_suite serve replay_cli company serve_live sensors seedlink_source weather_client delivery
weather_lossy crowd computed_quakes weather_sleepers scenario_cli far_and_deep live_player
false_alarms red_team large fleet_benchmark metadata channels_cli crowd_equals_device
physics_traveltime calibration_cli deploy_country weather_crowd weather_roaming score_run
openeew_mqtt nats_cluster weather_restart leaves publisher_mqtt publisher_trouble fleet_mqtt fdsn
score_plots catalogue session_machine help_packs messages_areas openeew quake_folders
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files, and put the task guard around every coroutine test's other fixtures."""
    rank = {f"test_{name}": place for place, name in enumerate(LONGEST_FIRST.split())}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))  # within a file nothing moves
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.fixturenames.insert(0, "no_task_left_behind")


@pytest.fixture
async def no_task_left_behind() -> AsyncIterator[None]:
    """Fail a coroutine test that ends with tasks of its own still pending."""
    before = asyncio.all_tasks()
    yield
    for _ in range(10):  # what has been cancelled or is about to return may do so
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if not task.done()]
    left = [task for task in left if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    if left:
        names = sorted(f"{task.get_name()} {task.get_coro()!r}" for task in left)
        pytest.fail("tasks left pending at the end of the test: " + "; ".join(names), pytrace=False)


# ---------------------------------------------------------------- no network but loopback
class NetworkForbiddenError(AssertionError):
    """A test tried to reach another machine; no ``except OSError`` hides this."""


def _check_address(address: Any) -> None:
    if not isinstance(address, tuple):  # AF_UNIX, AF_NETLINK: this machine
        return
    host = str(address[0])
    if host in ("localhost", "") or _is_loopback(host):
        return
    raise NetworkForbiddenError(f"tests may only connect to loopback, not to {address!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets of this process connect, send and resolve on loopback only."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check_address(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check_address(address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and name.rstrip(".").endswith(".invalid"):  # RFC 6761: never resolves
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if name is not None:
            try:
                ipaddress.ip_address(name.partition("%")[0])  # a literal asks nobody
            except ValueError:
                _check_address((name, 0))
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


# ---------------------------------------------------------------- shared fixtures
def _seed_of(nodeid: str) -> int:
    given = os.environ.get("EEW_TEST_SEED")
    return int(given) if given else zlib.crc32(nodeid.encode())


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return a seed that is the test's own and the same each time; EEW_TEST_SEED replaces it."""
    return _seed_of(request.node.nodeid)


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """Return a generator from :func:`seed`."""
    import numpy as np

    return np.random.default_rng(seed)


@pytest.fixture(scope="session")
def quakes_dir() -> Path:
    """Return the folder of recorded quakes; skip where there is none."""
    path = Path(os.environ.get("EEW_QUAKES") or ROOT.parent / "shared" / "quakes")
    if not path.is_dir():
        pytest.skip(f"no recorded quakes at {path} (set EEW_QUAKES)")
    return path


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the top of the checkout."""
    return ROOT


@pytest.fixture
def clean_env() -> dict[str, str]:
    """Return an environment for subprocesses without the settings of whoever runs the tests."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("EEW_")}
    return env | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
