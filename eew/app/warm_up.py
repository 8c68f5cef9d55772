"""Load the detector's kernels, and what a message needs on its way out, before the first packet.

numba loads (or on a new machine compiles) a kernel when it is first called. In a fast replay that
costs wall time only; live, the kernels that only an event calls would be loaded while people wait
for its first alert. So a small computed quake goes through a detector of its own first, and its
messages through the encoder and to the areas they concern.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from eew.core.config import DetectorConfig
from eew.core.pipeline import Pipeline
from eew.egress.plan import AlertPlanner
from eew.messages import wire
from eew.model.alert import AlertMessage
from simulator.scenario import load_scenario
from simulator.schedule import Schedule
from simulator.synthesise import compute

_EVENT = "luding-2022"
_RADIUS_KM, _BEFORE_S, _AFTER_S = 35.0, 6.0, 12.0


def warm_up(config: DetectorConfig) -> int:
    """Run a small quake through a detector; return how many alert messages it gave."""
    scenario = load_scenario(_EVENT)
    small = replace(
        scenario,
        network=msgspec.structs.replace(scenario.network, radius_km=_RADIUS_KM),
        record=msgspec.structs.replace(scenario.record, before_s=_BEFORE_S, after_s=_AFTER_S),
    )
    recording = compute(small, 1)
    pipeline = Pipeline(recording.stations, config)
    planner = AlertPlanner()
    n_messages = 0
    for step in Schedule(recording):
        events = (
            pipeline.receive(step.packets, step.now_ns)
            if step.packets
            else pipeline.advance(step.now_ns)
        )
        for message in events:
            if isinstance(message, AlertMessage):
                n_messages += 1
                payload = wire.encode(
                    message, run_id=_EVENT, seed=0, sent_ns=message.issued_ns, signer=None
                )
                planner.plan(message, payload)
    return n_messages
