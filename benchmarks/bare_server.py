"""The reference of the crowd's benchmarks: accepts, and writes frames; no broker's work at all.

It answers CONNECT and SUBSCRIBE with the two packets a client waits for, remembers the topic of
alerts each connection asked for, and on a word over a pipe writes to each connection, in
the order of their coming, the frame of its topic: one ``send`` for each delivery, which is the
least any server can do. A process of its own, as the broker is.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection

from eew.mqtt_packets import SUBACK, next_frame

_SUBSCRIBE, _CONNECT = 0x80, 0x10
_WANTED = b"/alert"


class BareServer:
    """The other end of the pipe.

    Attributes
    ----------
    port : int
        Where it listens, on 127.0.0.1.
    pid : int
        Its process.
    """

    def __init__(self, pipe: Connection, port: int, pid: int) -> None:
        self._pipe, self.port, self.pid = pipe, port, pid

    def load(self, frames: dict[bytes, bytes]) -> None:
        """Say what to write next to the connections of each topic."""
        self._pipe.send(("load", frames))
        self._pipe.recv()

    def post(self, frames: dict[bytes, bytes]) -> None:
        """Have these frames written; returns at once."""
        self._pipe.send(("post", frames))

    def write(self) -> None:
        """Have the loaded frames written; returns at once."""
        self._pipe.send(("write", None))


@contextlib.contextmanager
def bare_server() -> Iterator[BareServer]:
    """Run the server for the length of the context."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        port = ours.recv()
        assert process.pid is not None
        yield BareServer(ours, port, process.pid)
    finally:
        ours.send(("end", None))
        process.join(5.0)
        if process.is_alive():
            process.kill()


def _serve(pipe: Connection) -> None:
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    listener.setblocking(False)
    epoll = select.epoll()
    epoll.register(listener.fileno(), select.EPOLLIN)
    epoll.register(pipe.fileno(), select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    topic_of: dict[int, bytes] = {}
    frames: dict[bytes, bytes] = {}
    pipe.send(listener.getsockname()[1])
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        made, _peer = listener.accept()
                        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        clients[made.fileno()] = made
                        epoll.register(made.fileno(), select.EPOLLIN)
            elif fd == pipe.fileno():
                word, given = pipe.recv()
                if word == "end":
                    os._exit(0)
                if word == "load":
                    frames = given
                    pipe.send(True)
                    continue
                if word == "post":
                    frames = given
                if word in ("post", "write"):
                    for number, one in clients.items():
                        frame = frames.get(topic_of.get(number, b""))
                        if frame is not None:
                            _write(one, frame)
            else:
                _answer(fd, clients, topic_of, epoll)


def _write(one: socket.socket, frame: bytes) -> None:
    sent = one.send(frame)
    while sent < len(frame):  # its buffer is full: wait, nothing may be lost
        select.select([], [one], [], 10.0)
        sent += one.send(frame[sent:])


def _answer(
    fd: int, clients: dict[int, socket.socket], topic_of: dict[int, bytes], epoll: select.epoll
) -> None:
    try:
        data = clients[fd].recv(4096)
    except OSError:
        data = b""
    if not data:
        epoll.unregister(fd)
        clients.pop(fd).close()
        topic_of.pop(fd, None)
        return
    used = 0
    while (frame := next_frame(data, used)) is not None:
        if frame.kind == _CONNECT:
            clients[fd].send(b"\x20\x03\x00\x00\x00")
        elif frame.kind == _SUBSCRIBE:
            asked = data[frame.start : frame.end]
            filters = _filters(asked)
            topic_of.setdefault(fd, next((one for one in filters if one.endswith(_WANTED)), b""))
            answer = asked[:2] + b"\0" + b"\1" * len(filters)
            clients[fd].send(bytes([SUBACK, len(answer)]) + answer)
        used = frame.end


def _filters(asked: bytes) -> list[bytes]:
    """Return the topic filters of the body of a SUBSCRIBE of MQTT 5 without properties."""
    at, found = 3, []
    while at < len(asked):
        end = at + 2 + int.from_bytes(asked[at : at + 2], "big")
        found.append(asked[at + 2 : end])
        at = end + 1
    return found
