"""Cost of the faults of a scenario, in the records and on the way.

One built-in quake with 182 stations; each kind of the example (`eew config schema scenario --toml`)
at a tenth of them. Half a minute on a quiet core.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import parser, result, show
from eew.model.waveform import Recording
from simulator.fault_hits import is_of_the_link, kind_of
from simulator.fault_script import apply_faults
from simulator.link_fields import LinkSpec, Outage
from simulator.link_script import apply_link, delay_of
from simulator.scenario import load_scenario, parse_scenario
from simulator.scenario_schema import toml_example
from simulator.schedule import Schedule
from simulator.selection import Zero
from simulator.synthesise import compute

EVENT = "luding-2022"
LINKS = {
    "none": LinkSpec(),
    "jitter": LinkSpec(jitter_s=0.2),
    "loss": LinkSpec(loss_share=0.01),
    "outage": LinkSpec(outage=(Outage(share=0.2, from_s=2.0, until_s=8.0),)),
    "all": LinkSpec(
        jitter_s=0.2,
        loss_share=0.01,
        reorder_share=0.01,
        duplicate_share=0.01,
        outage=(Outage(share=0.2, from_s=2.0, until_s=8.0),),
    ),
}


def link_seconds(recording: Recording, link: LinkSpec, zero: Zero, seed: int) -> tuple[int, float]:
    start = time.perf_counter()
    schedule = Schedule(recording, link.packet_s, delay_of(link, seed), seed=seed)
    steps = sum(1 for _ in apply_link(schedule, link, (), recording, zero=zero, seed=seed))
    return steps, time.perf_counter() - start


def main() -> None:
    given = parser(__doc__ or "").parse_args()
    scenario = load_scenario(EVENT)
    recording = compute(scenario, given.seed)
    text = toml_example().encode()
    start = time.perf_counter()
    example = parse_scenario(text, name="example", where="example.toml")
    check_ms = 1e3 * (time.perf_counter() - start)
    fault_s = {}
    for fault in example.script.faults:
        if not is_of_the_link(fault):
            start = time.perf_counter()
            apply_faults(recording, (fault,), zero=scenario.zero, seed=given.seed)
            fault_s[kind_of(fault)] = round(time.perf_counter() - start, 3)
    links = {
        name: link_seconds(recording, link, scenario.zero, given.seed)
        for name, link in LINKS.items()
    }
    show(
        result(
            "faults",
            question="what do the faults of a scenario cost?",
            unit="s",
            n=1,
            seed=given.seed,
            stations=len(recording.stations),
            check_example_ms=round(check_ms, 1),
            fault_s=fault_s,
            link={
                name: {"steps": steps, "s": round(seconds, 2)}
                for name, (steps, seconds) in links.items()
            },
        ),
        as_json=given.json,
    )


if __name__ == "__main__":
    main()
