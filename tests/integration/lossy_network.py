"""A network that loses and delays packets: two network namespaces and a bad line between them.

The near side is a namespace of its own for whoever asks for it, the far side another one, in
which any program can be run. Where the kernel has ``netem`` the line is a veth pair with it at
both ends; elsewhere it is a TUN device on each side and a relay process that drops IP packets and
holds the others back, each by itself, so that they overtake one another. Loss and delay are the
same both ways. TCP, its timers and its retransmissions are the kernel's own.

Nothing here needs root where a user may make namespaces (``unshare -Urn``).

    python -m tests.integration.lossy_network -- ping -c 20 10.99.0.1
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from eew.clock import NS_PER_S, SystemClock

NEAR, FAR = "10.99.0.1", "10.99.0.2"
_SELF = (sys.executable, "-m", "tests.integration.lossy_network")
_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001  # IFF_TUN | IFF_NO_PI
_MOST_BYTES = 65_536
_QUEUE = "10000"  # packets a TUN device keeps for the relay: it must lose none by itself
_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What becomes of a packet: lost with a probability, else late by 0 to ``jitter_s``, evenly."""

    loss: float = 0.0
    jitter_s: float = 0.0
    seed: int = 1


@dataclass(slots=True)
class Line:
    """A line that stands; ``counts`` (packets carried and lost) are there when it has ended."""

    kind: str
    far: subprocess.Popen[str]
    counts: dict[str, int] = field(default_factory=dict)


@cache
def why_not() -> str:
    """Return why there can be no such network here; empty where it can."""
    return _way_in()[1]


def inside(command: Sequence[str]) -> list[str]:
    """Return ``command`` as it runs in a network namespace of its own: the near side.

    Raises
    ------
    OSError
        Where that is impossible, saying why.
    """
    way, reason = _way_in()
    if reason:
        raise OSError(reason)
    return [*way, *command]


@cache
def _way_in() -> tuple[tuple[str, ...], str]:
    for program in ("unshare", "ip"):
        if shutil.which(program) is None:
            return (), f"no lossy network: the program {program} is missing"
    reason = ""
    # as root a user namespace is of no use, and mosquitto could not change its user in one
    for way in ([("unshare", "-n", "--")] if os.geteuid() == 0 else []) + [
        ("unshare", "-Urn", "--")
    ]:
        tried = subprocess.run(
            [*way, *_SELF, "--probe"], capture_output=True, text=True, timeout=_TIMEOUT_S
        )
        if tried.returncode == 0:
            return way, ""
        said = (tried.stderr.strip() or "no reason given").splitlines()[-1]
        reason = reason or f"no lossy network: {' '.join(way[:-1])}: {said}"
    return (), reason


@contextlib.contextmanager
def line(weather: Weather, far_command: Sequence[str]) -> Iterator[Line]:
    """Run ``far_command`` on the far side, over a line to here; for a process that is inside.

    The far program's standard input and output are pipes (text); it is ended with the line.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    kind = "netem" if has_netem() else "relay"
    with contextlib.ExitStack() as stack:
        stack.enter_context(ours)
        with theirs:
            far = subprocess.Popen(
                ["unshare", "-n", "--", *_SELF, "--far", kind, str(theirs.fileno()), *far_command],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        stack.callback(_end, far)
        stands = Line(kind, far)
        _ip("link", "set", "lo", "up")
        if kind == "netem":
            _veth(far.pid, weather, ours)
        else:
            stack.enter_context(_relay(weather, ours, stands.counts))
        ours.sendall(b"!")
        yield stands


def has_netem() -> bool:
    """Tell whether this kernel can make a line bad by itself; for a process that is inside."""
    if shutil.which("tc") is None:
        return False
    tried = _run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms", check=False)
    if tried:
        _run("tc", "qdisc", "del", "dev", "lo", "root")
    return tried


# ---------------------------------------------------------------- the line of the kernel


def _veth(far_pid: int, weather: Weather, far: socket.socket) -> None:
    _ip("link", "add", "eew0", "type", "veth", "peer", "name", "eew1")
    far.recv(1)  # it is in its namespace by now
    _ip("link", "set", "eew1", "netns", str(far_pid))
    _address("eew0", NEAR)
    _spoil("eew0", weather)
    far.sendall(json.dumps([weather.loss, weather.jitter_s]).encode() + b"\n")


def _spoil(device: str, weather: Weather) -> None:
    """Have the kernel lose and delay what leaves by ``device``."""
    if weather.loss or weather.jitter_s:
        half = f"{1e3 * weather.jitter_s / 2:g}ms"
        way = ["delay", half, half, "loss", f"{100 * weather.loss:g}%", "limit", _QUEUE]
        _run("tc", "qdisc", "add", "dev", device, "root", "netem", *way)


# ---------------------------------------------------------------- the line of our own


@contextlib.contextmanager
def _relay(weather: Weather, far: socket.socket, counts: dict[str, int]) -> Iterator[None]:
    near_fd = _tun("eew0", NEAR)
    _, fds, _, _ = socket.recv_fds(far, 1, 1)
    if not fds:
        raise OSError("the far side of the network did not come up")
    command = [*_SELF, "--relay", str(near_fd), str(fds[0])]
    settings = [str(weather.loss), str(weather.jitter_s), str(weather.seed)]
    process = subprocess.Popen(
        [*command, *settings],
        pass_fds=[near_fd, fds[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for fd in (near_fd, fds[0]):
        os.close(fd)
    try:
        yield
    finally:
        said, _ = process.communicate(timeout=_TIMEOUT_S)  # the end of its input ends it
        counts.update(json.loads(said))


def _carry(fds: tuple[int, int], weather: Weather) -> dict[str, int]:
    """Carry packets between two TUN devices until standard input ends."""
    clock, rng = SystemClock(), np.random.default_rng(weather.seed)
    counts = {"carried": 0, "lost": 0}
    other = {fds[0]: fds[1], fds[1]: fds[0]}
    under_way: list[tuple[int, int, int, bytes]] = []  # when due, number, where to, what
    while True:
        wait_s = None
        if under_way:
            wait_s = max(0, under_way[0][0] - clock.monotonic_ns()) / NS_PER_S
        ready, _, _ = select.select([*fds, 0], [], [], wait_s)
        if 0 in ready:
            return counts
        for fd in ready:
            packet = os.read(fd, _MOST_BYTES)
            if packet[0] >> 4 != 4:
                continue  # the kernel's own IPv6 chatter
            if rng.random() < weather.loss:
                counts["lost"] += 1
                continue
            counts["carried"] += 1
            late_ns = round(NS_PER_S * weather.jitter_s * rng.random())
            due_ns = clock.monotonic_ns() + late_ns
            heapq.heappush(under_way, (due_ns, counts["carried"], other[fd], packet))
        now_ns = clock.monotonic_ns()
        while under_way and under_way[0][0] <= now_ns:
            _, _, to, packet = heapq.heappop(under_way)
            with contextlib.suppress(OSError):  # its side has gone already
                os.write(to, packet)


def _tun(name: str, address: str) -> int:
    """Make a TUN device of IP packets without a header; return its file."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER))
    _ip("link", "set", name, "txqueuelen", _QUEUE)
    _address(name, address)
    return fd


# ---------------------------------------------------------------- small tools


def _address(device: str, address: str) -> None:
    _ip("address", "add", f"{address}/30", "dev", device)
    _ip("link", "set", device, "up")


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*command: str, check: bool = True) -> bool:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
    if check and done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.returncode == 0


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _far(kind: str, fd: int, command: Sequence[str]) -> None:
    """Be the far side: make its end of the line, then become the command."""
    with socket.socket(fileno=fd) as near:
        _ip("link", "set", "lo", "up")
        tun = -1
        if kind == "netem":
            near.sendall(b"?")
            loss, jitter_s = json.loads(near.makefile().readline())
            _address("eew1", FAR)
            _spoil("eew1", Weather(loss=loss, jitter_s=jitter_s))
        else:
            tun = _tun("eew1", FAR)
            socket.send_fds(near, [b"?"], [tun])
        near.recv(1)  # the line stands
    if tun >= 0:
        os.close(tun)  # the relay holds it
    os.execvp(command[0], list(command))


def _main(words: list[str]) -> int:
    match words:
        case ["--probe"]:
            os.close(_tun("eew0", NEAR))
        case ["--far", kind, fd, *command]:
            _far(kind, int(fd), command)
        case ["--relay", near, far, loss, jitter_s, seed]:
            weather = Weather(loss=float(loss), jitter_s=float(jitter_s), seed=int(seed))
            sys.stdout.write(json.dumps(_carry((int(near), int(far)), weather)))
        case ["--inside", *command]:
            with line(Weather(loss=0.1, jitter_s=0.2), command) as stands:
                assert stands.far.stdout is not None
                for said in stands.far.stdout:
                    sys.stdout.write(said)
            sys.stdout.write(f"{stands.kind}: {json.dumps(stands.counts)}\n")
        case ["--", *command]:
            return subprocess.run(inside([*_SELF, "--inside", *command]), check=False).returncode
        case _:
            sys.stderr.write(f"usage:{(__doc__ or '').splitlines()[-1]}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
