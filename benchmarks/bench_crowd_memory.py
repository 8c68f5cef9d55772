"""How much memory a simulated phone takes, the processes of the command all included.

The command ``eew crowd`` as a user starts it, on a private mosquitto; every phone is connected and
told before the memory is read. RSS is what each process has in memory, files of libraries
included; PSS divides what several processes share among them.

    python -m benchmarks.bench_crowd_memory --phones 2000,10000 --procs 1 --json
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from benchmarks.common import parser, result, show
from benchmarks.crowd_bench import (
    TREE,
    RawPublisher,
    bench_alert,
    frames,
    private_mosquitto,
    sealed,
)
from benchmarks.samples import EPICENTRE
from clients.crowd.settings import EngineSettings
from eew.app.crowd_places import CrowdRequest, draw_crowd
from eew.errors import EewError
from eew.messages.cells import cell_of
from eew.messages.topics import area_alert_topic

WITHIN_KM = 100.0
N_ALERTS = 3  # a quake is told more than once
SETTLE_S = 6.0  # after the last has joined all its topics; it checks its clock
COMMAND = (sys.executable, "-c", "import sys; from eew.cli import main; sys.exit(main())", "crowd")


def topics_of(n_phones: int, seed: int) -> list[str]:
    """Return the topics on which the phones of the command hear of an alert."""
    request = CrowdRequest(phones=n_phones, tvs=0, at=EPICENTRE, within_km=WITHIN_KM, seed=seed)
    crowd = draw_crowd(request)
    places = zip(crowd.lat.tolist(), crowd.lon.tolist(), strict=True)
    return sorted({area_alert_topic(cell_of(*place), tree=TREE) for place in places})


def start(n_phones: int, procs: int, port: int, seed: int) -> subprocess.Popen[str]:
    """Start the command."""
    words = {
        "--broker": f"mqtt://127.0.0.1:{port}",
        "--phones": n_phones,
        "--tvs": 0,
        "--at": ",".join(map(str, EPICENTRE)),
        "--within": WITHIN_KM,
        "--tree": TREE.value,
        "--profile-shares": "wifi=1",
        "--procs": procs,
        "--seed": seed,
    }
    # started in the background by a shell, we would hand on that Ctrl-C is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [*COMMAND, *(str(word) for pair in words.items() for word in pair), "--json"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def until_connected(said: IO[str]) -> None:
    """Wait for the line that says that all are connected."""
    lines = []
    for line in said:
        lines.append(line)
        if line.startswith("all "):
            return
    raise EewError("".join(lines))


def tell(port: int, topics: list[str], seed: int) -> None:
    """Publish some alerts to all phones."""
    publisher = RawPublisher(port)
    for number in range(N_ALERTS):
        made = frames(
            sealed(bench_alert(number + 1), seed), topics, qos=1, first_id=number * len(topics)
        )
        publisher.send(made)
        time.sleep(1.0)
        publisher.drain()
    publisher.close()


def family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    return [pid, *(one for child in children for one in family(child))]


def memory_of(pid: int) -> dict[str, Any]:
    """Return resident, proportional and private memory of a process, bytes."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, number = line.split()[:2]
        sizes[name.rstrip(":")] = int(number) * 1024
    return {
        "rss_mib": round(sizes["Rss"] / 2**20, 2),
        "pss_mib": round(sizes["Pss"] / 2**20, 2),
        "private_mib": round((sizes["Private_Clean"] + sizes["Private_Dirty"]) / 2**20, 2),
    }


def crowd_memory(n_phones: int, procs: int, seed: int) -> dict[str, Any]:
    """Run the command once; return the memory of its processes when all have been told."""
    topics = topics_of(n_phones, seed)
    with private_mosquitto(n_phones) as broker:
        command = start(n_phones, procs, broker.port, seed)
        assert command.stderr is not None
        try:
            until_connected(command.stderr)
            time.sleep(n_phones / EngineSettings().settle_per_s + SETTLE_S)
            tell(broker.port, topics, seed)
            _, *started = family(command.pid)
            itself, of_devices = memory_of(command.pid), [memory_of(pid) for pid in started]
        finally:
            os.killpg(command.pid, signal.SIGINT)
            out, err = command.communicate(timeout=60)
    report = json.loads(out)
    if report["told"] != n_phones:
        raise EewError(f"{report['told']} of {n_phones} told: {err}")

    def each(rows: list[dict[str, Any]], key: str) -> float:
        return round(sum(float(row[key]) for row in rows) * 1024 / n_phones, 3)

    return {
        "phones": n_phones,
        "procs": procs,
        "rss_kib": each(of_devices, "rss_mib"),
        "pss_kib": each(of_devices, "pss_mib"),
        "with_command_rss_kib": each([itself, *of_devices], "rss_mib"),
        "with_command_pss_kib": each([itself, *of_devices], "pss_mib"),
        "command": itself,
        "processes": of_devices,
        "said": report["memory"],
    }


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", default="10000", help="one number, or several: 2000,10000")
    options.add_argument("--procs", type=int, default=1, help="processes that hold the phones")
    args = options.parse_args()
    sizes = [int(word) for word in args.phones.split(",")]
    runs = [crowd_memory(n_phones, args.procs, args.seed) for n_phones in sizes]
    show(
        result(
            "crowd_memory",
            question="how much memory does a simulated phone take?",
            unit="KiB per phone",
            n=sum(run["phones"] for run in runs),
            seed=args.seed,
            **{key: value for key, value in runs[-1].items() if key != "processes"},
            runs=runs,
        ),
        as_json=args.json,
    )


if __name__ == "__main__":
    main()
