"""A SeedLink server of ours as a process, and a quake small enough to play in real time."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

TIMEOUT_S = 60.0


def small_quake(folder: Path, *, before_s: float, after_s: float, radius_km: float = 60.0) -> str:
    """Write the built-in quake with fewer stations and less time; return the scenario file."""
    text = (resources.files("simulator") / "scenarios" / "luding-2022.toml").read_text("utf-8")
    for key, value in (("radius_km", radius_km), ("before_s", before_s), ("after_s", after_s)):
        text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value:.1f}", text)
        assert count == 1, key
    path = folder / "small-luding.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


class ServerProcess:
    """A running ``eew seedlink``."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self.url = f"slink://127.0.0.1:{port}"

    def line_with(self, part: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if part in line:
                return line
        raise AssertionError(f"ended before {part!r}")

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(TIMEOUT_S)


@contextmanager
def seedlink(env: dict[str, str], event: str, *args: str, port: int = 0) -> Iterator[ServerProcess]:
    """Run ``eew seedlink`` until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "eew", "seedlink", event, "--port", str(port), *args],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        server = ServerProcess(process, port)
        found = re.search(r"127\.0\.0\.1:(\d+)", server.line_with("SeedLink 3.1"))
        assert found
        yield ServerProcess(process, int(found[1]))
    finally:
        process.kill()
        process.wait(TIMEOUT_S)
        assert process.stdout is not None
        process.stdout.close()
