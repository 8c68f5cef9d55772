"""The benchmarks of the crowd run, and print what their README promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]


NAMES = {
    *("p50_ms", "p90_ms", "p99_ms", "max_ms"),
    *("delivered", "lost", "duplicates", "cpu_us_per_delivery"),
}


def _outcome(root: Path, env: dict[str, str], name: str, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *options, "--json"],
        cwd=root, env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    assert {"cpu", "cores", "python", "load_1min"} <= set(outcome["machine"])
    for side in ("mqtt", "reference"):
        figures = outcome[side]
        assert set(figures) >= NAMES
        assert 0 < figures["p50_ms"] <= figures["p90_ms"] <= figures["p99_ms"] <= figures["max_ms"]
        assert figures["cpu_us_per_delivery"] > 0
    return outcome


@pytest.mark.parametrize(("interval", "loop"), [("0.2", "open"), ("0", "closed")])
def test_the_fanout_benchmark_prints_its_figures_and_a_reference(
    project_root: Path, clean_env: dict[str, str], interval: str, loop: str
) -> None:
    outcome = _outcome(
        project_root, clean_env, "bench_fanout",
        "--phones", "12", "--rounds", "3", "--blocks", "1", "--interval", interval,
    )  # fmt: skip
    assert outcome["broker"] == "mosquitto"
    assert outcome["n"] == 36
    assert outcome["loop"].startswith(loop)
    for side in ("mqtt", "reference"):
        figures = outcome[side]
        assert (figures["delivered"], figures["lost"], figures["duplicates"]) == (36, 0, 0)
    assert outcome["ratio"]["p50_ms"] > 0


def test_the_flood_benchmark_counts_what_every_phone_accepted(
    project_root: Path, clean_env: dict[str, str]
) -> None:
    outcome = _outcome(
        project_root, clean_env, "bench_flood",
        "--phones", "100", "--deliveries", "5000", "--reference-deliveries", "1000",
    )  # fmt: skip
    assert outcome["mqtt"]["delivered"] == 5000
    assert outcome["reference"]["delivered"] == 1000
    for side in ("mqtt", "reference"):
        figures = outcome[side]
        assert (figures["lost"], figures["duplicates"], figures["refused"]) == (0, 0, 0)
        assert figures["wall_us_per_delivery"] > 0
        # one alert is under way at a time, so none can take longer than all
        assert figures["max_ms"] < 1e3 * figures["wall_s"] + 10.0
    assert outcome["ratio"]["wall"] > 0


def test_the_connect_benchmark_connects_all_on_both_sides(
    project_root: Path, clean_env: dict[str, str]
) -> None:
    outcome = _outcome(project_root, clean_env, "bench_connect", "--phones", "200", "--rounds", "1")
    for side in ("mqtt", "reference"):
        assert outcome[side]["connects_per_s"]["p50"] > 0
        figures = outcome[side]
        assert (figures["delivered"], figures["lost"], figures["duplicates"]) == (200, 0, 0)
