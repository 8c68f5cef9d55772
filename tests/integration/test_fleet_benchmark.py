"""The fan-out benchmark runs, and prints what its README promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone


@pytest.mark.broker
@pytest.mark.parametrize(("interval", "loop"), [("0.2", "open"), ("0", "closed")])
def test_the_fanout_benchmark_prints_its_figures_and_a_reference(
    project_root: Path, clean_env: dict[str, str], interval: str, loop: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_fanout", "--phones", "12", "--rounds", "3",
         "--broker", "embedded", "--interval", interval, "--json"],
        cwd=project_root,
        env=clean_env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["broker"] == "embedded"
    assert outcome["n"] == 36
    assert outcome["loop"].startswith(loop)
    for side in ("mqtt", "reference"):
        figures = outcome[side]
        assert (figures["delivered"], figures["lost"], figures["duplicates"]) == (36, 0, 0)
        assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
        assert figures["cpu_us_per_delivery"] > 0
    assert outcome["ratio"]["p50_ms"] > 0
    assert {"cpu", "cores", "python", "load_1min"} <= set(outcome["machine"])
