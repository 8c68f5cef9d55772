"""The benchmarks of TLS and of leaves, small: what they print is measured and complete."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]


def run(name: str, *args: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *args, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_tls_against_plain_connections() -> None:
    found = run("bench_tls", "--phones", "30", "--rounds", "4", "--interval", "0.1")
    for side in ("mqtt", "reference"):
        figures = found[side]
        assert (figures["delivered"], figures["lost"], figures["duplicates"]) == (120, 0, 0)
        assert 0 < figures["p50_ms"] <= figures["p90_ms"] <= figures["p99_ms"] <= figures["max_ms"]
        # which side costs more is for the benchmark to say, not for a test on a busy machine
        assert figures["cpu_us_per_delivery"] > 0
        assert figures["connects_per_s"] > 0
        assert figures["client_cpu_us_per_connect"] > 0


@pytest.mark.slow
def test_leaves_under_fire() -> None:
    found = run("bench_leaves", "--phones", "24", "--hubs", "2")
    assert found["lost"] == found["shown_twice"] == found["moved_for_hub"] == 0
    assert found["copies_per_phone_and_alert"] == 2.0
    assert 0 < found["leaf_killed"]["moved"] < 24
