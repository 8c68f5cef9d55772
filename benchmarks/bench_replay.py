"""How long a whole replay takes, from the command to the written folder, and where it goes.

Replays a recorded quake where there is one (``EEW_QUAKES``, default ``../shared/quakes``), and
the built-in ``luding-2022``, without a broker, each as a process of its own. The first round
meets cold file caches, and maybe kernels that are not compiled: it is reported apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import ROOT, parser, quantiles, result, show

N_ROUNDS = 3
RECORDED = "tr20230206_m78_pazarcik"  # 112 stations, 200 Hz
COMPUTED = "luding-2022"
LIMIT_S = 12.0  # of the recorded one


def one_round(event: str, seed: int) -> tuple[float, dict[str, Any]]:
    """Return s of the whole process, and its summary."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "eew", "replay", event, "--broker", "none", "--json"),
                *("--seed", str(seed), "--out", str(Path(folder) / "run")),
            ],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        took_s = time.perf_counter() - start
    return took_s, json.loads(done.stdout)


def measured(event: str, seed: int, rounds: int) -> dict[str, Any]:
    samples, documents = [], []
    for _ in range(1 + rounds):
        took_s, document = one_round(event, seed)
        samples.append(took_s)
        documents.append(document)
    last = documents[-1]
    return {
        "whole_process_s": quantiles(samples[1:]),
        "first_round_s": round(samples[0], 3),
        "parts_s": {  # of the last round; the process has start and end beside them
            name: value for name, value in last["wall_s"].items() if name != "total"
        },
        "real_time_factor": last["real_time_factor"],
        "compute_step_s": last["latency_s"]["compute"],
        "stations": last["data"]["stations"],
        "data_s": last["data"]["seconds"],
    }


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=N_ROUNDS)
    given = options.parse_args()
    quakes = Path(os.environ.get("EEW_QUAKES") or ROOT.parent / "shared" / "quakes")
    events = {COMPUTED: COMPUTED}
    if (quakes / RECORDED).is_dir():
        events[RECORDED] = str((quakes / RECORDED).resolve())
    figures = {name: measured(event, given.seed, given.rounds) for name, event in events.items()}
    recorded = figures.get(RECORDED)
    outcome = result(
        "replay",
        question="how long does a whole replay take (process, --broker none)?",
        unit="s",
        n=given.rounds,
        seed=given.seed,
        limit_s=LIMIT_S,
        within_limit=recorded["whole_process_s"]["p50"] <= LIMIT_S if recorded else None,
        **figures,
    )
    show(outcome, as_json=given.json)


if __name__ == "__main__":
    main()
