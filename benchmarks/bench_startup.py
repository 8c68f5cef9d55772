"""How long until ``eew --help`` has answered: the whole process, as a shell sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import ROOT, parser, quantiles, result, show

N_WARMUP = 2
N_ROUNDS = 15
LIMIT_S = 0.4
COMMANDS = {"help": ["--help"], "replay_help": ["replay", "--help"], "version": ["version"]}


def one_round(args: list[str]) -> float:
    """Return s from starting the process to its end."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "eew", *args],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def bare_python() -> float:
    """Return s that an interpreter needs that does nothing: the floor under the others."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return time.perf_counter() - start


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    figures = {}
    for name, args in COMMANDS.items():
        samples = [one_round(args) for _ in range(N_WARMUP + N_ROUNDS)][N_WARMUP:]
        figures[name] = quantiles(samples)
    floor = [bare_python() for _ in range(N_WARMUP + N_ROUNDS)][N_WARMUP:]
    outcome = result(
        "startup",
        question="how long until eew --help has answered (whole process)?",
        unit="s",
        n=N_ROUNDS,
        seed=options.seed,
        limit_s=LIMIT_S,
        within_limit=figures["help"]["p50"] <= LIMIT_S,
        **figures,
        bare_python=quantiles(floor),
    )
    show(outcome, as_json=options.json)


if __name__ == "__main__":
    main()
