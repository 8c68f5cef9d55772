"""A private mosquitto: found, configured, started, watched and ended by us.

No orphan: mosquitto is ended when the context ends, however it ends. For the case that this
process dies without a word (``kill -9``), a small guard (``sh``) reads from a pipe of which only
we hold the other end; the end of file makes it kill the broker. ``PR_SET_PDEATHSIG`` would not
do: Linux clears it when mosquitto, started by root, changes its user.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from eew.egress.probe import probe
from eew.errors import ConnectError
from eew.mqtt_link import BrokerAddress, allow_open_files

_LOOPBACK = "127.0.0.1"
_EXTRA_PATH = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")  # not on every user's PATH
_READY_S = 5.0
_POLL_S = 0.02
_STOP_S = 2.0
_PORT_TRIES = 8
_PORT_TAKEN = "Address already in use"
_UNKNOWN_SETTING = re.compile(r"Unknown configuration variable[: ]+\"?([a-z_]+)")
# $1 the broker, $2 its temporary folder or nothing
_GUARD = (
    'read -r _; kill -9 "$1"; '
    '[ -z "$2" ] || { rm -f "$2/mosquitto.conf" "$2/mosquitto.log"; rmdir "$2"; }'
)
# Leave out whichever of these the version found does not know.
_OPTIONAL = {
    # without it the hand-over is quadratic in the subscribers of a topic (MQTT 3.1.1 clients)
    "allow_duplicate_messages": "true",
    "set_tcp_nodelay": "true",
    "connection_messages": "false",
    # also what it takes from the publisher at once: a thousand cells leave without waiting
    "max_inflight_messages": "2000",
    "max_queued_messages": "1000",
    "sys_interval": "0",
}


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program, or None; the sbin folders count too."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_EXTRA_PATH))
    return shutil.which("mosquitto", path=path)


def configuration(port: int, max_connections: int, optional: dict[str, str]) -> str:
    """Return the text of a configuration for a private broker on the loopback interface."""
    settings = {
        "persistence": "false",
        "log_dest": "stderr",
        "log_type": "error",
        "listener": f"{port} {_LOOPBACK}",
        "allow_anonymous": "true",
        "max_connections": str(max_connections),
    }
    lines = [f"{name} {value}" for name, value in {**optional, **settings}.items()]
    return "\n".join(["# Written by eew for one run. Loopback only, nothing is kept.", *lines, ""])


@contextlib.asynccontextmanager
async def mosquitto_broker(
    program: str,
    *,
    workdir: Path | None = None,
    port: int | None = None,
    max_connections: int = 5000,
) -> AsyncIterator[BrokerAddress]:
    """Run ``program`` as a private broker for the length of the context.

    Parameters
    ----------
    program : str
        Path of mosquitto.
    workdir : pathlib.Path, optional
        Folder for ``mosquitto.conf`` and ``mosquitto.log``; a temporary one by default.
    port : int, optional
        Port on the loopback interface; by default a free one is chosen, and another one should
        somebody take it before mosquitto does.

    Raises
    ------
    ConnectError
        With mosquitto's own last words, if it does not start.
    """
    allow_open_files(max_connections + 200)
    async with contextlib.AsyncExitStack() as stack:
        scratch = ""
        if workdir is None:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="eew-broker-"))
            workdir = Path(scratch)
        workdir.mkdir(parents=True, exist_ok=True)
        address = await _start(stack, program, workdir, scratch, port, max_connections)
        yield address


async def _start(
    stack: contextlib.AsyncExitStack,
    program: str,
    workdir: Path,
    scratch: str,
    port: int | None,
    max_connections: int,
) -> BrokerAddress:
    optional = dict(_OPTIONAL)
    log = ""
    for _ in range(_PORT_TRIES + len(optional)):
        chosen = port or free_port()
        config = workdir / "mosquitto.conf"
        config.write_text(configuration(chosen, max_connections, optional), encoding="utf-8")
        attempt = await stack.enter_async_context(contextlib.AsyncExitStack())
        process = await attempt.enter_async_context(_running(program, config, scratch))
        address = BrokerAddress(kind="mosquitto", host=_LOOPBACK, port=chosen)
        ready = await _wait_ready(process, address)
        if ready is not None:
            return ready
        await attempt.aclose()
        log = config.with_suffix(".log").read_text(errors="replace")
        unknown = _UNKNOWN_SETTING.search(log)
        if unknown and unknown[1] in optional:
            del optional[unknown[1]]
        elif not (_PORT_TAKEN in log and port is None):
            break
    raise ConnectError(f"{_LOOPBACK}:{chosen}", f"{program} did not start: {last_words(log)}")


@contextlib.asynccontextmanager
async def _running(
    program: str, config: Path, scratch: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run mosquitto and its guard; both are gone when this ends.

    In a session of their own: Ctrl-C in the terminal must reach us only, so that devices can
    say goodbye to a broker that still runs.
    """
    with config.with_suffix(".log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        async with _guarded(process.pid, scratch):
            yield process
            await _stop(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def _guarded(pid: int, scratch: str) -> AsyncIterator[None]:
    """Have ``pid`` killed, and its temporary folder removed, should this process die first."""
    read_end, write_end = os.pipe()  # not inherited by other children (PEP 446)
    try:
        try:
            guard = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _GUARD, "eew-broker-guard", str(pid), scratch,
                stdin=read_end,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(read_end)
        try:
            yield
        finally:
            guard.kill()  # before the pipe is closed: it must not shoot at a number used again
            await guard.wait()
    finally:
        os.close(write_end)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await process.wait()


async def _wait_ready(
    process: asyncio.subprocess.Process, address: BrokerAddress
) -> BrokerAddress | None:
    """Return the probed address, or None if mosquitto ended instead."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _READY_S
    while process.returncode is None:
        try:
            ready = await probe(address, timeout_s=0.5)
        except ConnectError:
            if loop.time() > deadline:
                raise
        else:
            # whoever answered is ours only if ours still runs: it ends when the port is taken
            await asyncio.sleep(_POLL_S)
            if process.returncode is None:
                return ready
        await asyncio.sleep(_POLL_S)
    return None


def last_words(log: str) -> str:
    """Return what a log says last: its last error where it has one, without the time."""
    # "1700000000: Error: ..." -> "Error: ..."
    lines = [re.sub(r"^\d+: ", "", line.strip()) for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    return (errors or lines or ["it said nothing"])[-1]


def free_port() -> int:
    """Return a port that was free on the loopback interface a moment ago."""
    with socket.socket() as sock:
        sock.bind((_LOOPBACK, 0))
        port: int = sock.getsockname()[1]
        return port
