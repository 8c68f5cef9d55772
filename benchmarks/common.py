"""What every benchmark prints: question, unit, spread, machine, load, seed, revision."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def quantiles(samples: Sequence[float], *, digits: int = 3) -> dict[str, float]:
    """Return median, p90, p95, p99, min and max; empty samples give an empty dict."""
    if not len(samples):
        return {}
    values = np.asarray(samples, dtype=np.float64)
    p50, p90, p95, p99 = np.percentile(values, [50, 90, 95, 99])
    spread = {
        "p50": p50, "p90": p90, "p95": p95, "p99": p99, "max": values.max(), "min": values.min(),
    }  # fmt: skip
    return {name: round(float(value), digits) for name, value in spread.items()}


def delivery(
    spread: dict[str, Any], *, delivered: int, lost: int, duplicates: int, cpu_s: float
) -> dict[str, Any]:
    """Return one side of a delivery benchmark, under the names that all of them use.

    Parameters
    ----------
    spread : dict
        :func:`quantiles` of the delays, ms.
    cpu_s : float
        Processor time of all that took part, s.
    """
    return {
        **{f"{name}_ms": spread.get(name) for name in ("p50", "p90", "p99", "max")},
        "delivered": delivered,
        "lost": lost,
        "duplicates": duplicates,
        "cpu_us_per_delivery": round(1e6 * cpu_s / max(1, delivered), 2),
    }


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge a figure: CPU, cores, Python, load."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_revision() -> str:
    """Return the revision of the checkout, with ``+`` if it has changes; empty outside git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--match="],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options all benchmarks share: ``--json``, ``--seed``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", action="store_true", help="print JSON only")
    made.add_argument("--seed", type=int, default=1)
    return made


def result(
    name: str, *, question: str, unit: str, n: int, seed: int, **figures: Any
) -> dict[str, Any]:
    """Return a benchmark's result with what every result carries."""
    return {
        "benchmark": name,
        "question": question,
        "unit": unit,
        "n": n,
        "seed": seed,
        **figures,
        "machine": machine(),
        "revision": git_revision(),
    }


def show(outcome: dict[str, Any], *, as_json: bool) -> None:
    """Print a result, as JSON or as lines a person can read."""
    if as_json:
        json.dump(outcome, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    print(f"{outcome['benchmark']}: {outcome['question']}")
    _lines({key: value for key, value in outcome.items() if key not in ("benchmark", "question")})


def _lines(values: dict[str, Any], indent: str = "  ") -> None:
    for key, value in values.items():
        if isinstance(value, dict) and not any(isinstance(v, dict) for v in value.values()):
            print(f"{indent}{key:<22}" + "  ".join(f"{k} {v}" for k, v in value.items()))
        elif isinstance(value, dict):
            print(f"{indent}{key}")
            _lines(value, indent + "  ")
        else:
            print(f"{indent}{key:<22}{value}")
