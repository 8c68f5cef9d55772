"""The benchmark of the hand-over: small, but with a real broker and its other processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto, pytest.mark.slow]


def test_the_publish_benchmark_counts_every_copy_and_prints_a_reference(project_root: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.bench_publish", "--json"),
            *("--cells", "40", "--rounds", "4", "--interval", "0.1", "--phones", "3"),
        ],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    names = {"p50_ms", "p90_ms", "p99_ms", "max_ms", "delivered", "lost", "duplicates"}
    for part in ("mqtt", "reference"):
        assert names | {"cpu_us_per_delivery"} <= set(outcome[part])
        assert 0.0 < outcome[part]["p50_ms"] <= outcome[part]["max_ms"]
    counts = [outcome["mqtt"][name] for name in ("delivered", "lost", "duplicates")]
    assert counts == [160, 0, 0]
    assert outcome["by_cells"]["40"]["receipt_of_the_last_ms"]["min"] > 0.0
