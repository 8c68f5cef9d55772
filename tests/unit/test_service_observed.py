"""What the service hears of a run: from the detector's rounds and from the run's own words."""

from __future__ import annotations

import numpy as np

from eew.app.serve_view import ServiceView
from eew.clock import VirtualClock
from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.model.alert import Level
from eew.model.event import Pick
from eew.model.place import Site
from eew.model.waveform import DataProblem, Packet
from eew.report.result import Told
from eew.service.observed import ObservedPipeline
from eew.service.state import ServiceInfo, ServiceState
from tests.unit.service_events import T0_NS, S, message, station

RATE_HZ = 100
ONSET_S = 12.0


def new_state() -> ServiceState:
    info = ServiceInfo(service_id="sim", version="9.9", source="x", speed=1.0, status="exercise")
    return ServiceState(info, VirtualClock(T0_NS))


def steps(rng: np.random.Generator, *, seconds: int = 20) -> list[tuple[int, list[Packet]]]:
    """Return half-second packets of noise with a strong wave from 12 s on, and a hole before."""
    t = np.arange(seconds * RATE_HZ) / RATE_HZ
    wave = np.where(t >= ONSET_S, np.sin(2 * np.pi * 3.0 * (t - ONSET_S)), 0.0)
    counts = np.round(rng.normal(0.0, 40.0, t.size) + 4e4 * wave).astype(np.int32)
    stream = station().channels[0].stream_id
    half = RATE_HZ // 2
    found: list[tuple[int, list[Packet]]] = []
    for n in range(0, t.size, half):
        end_ns = T0_NS + (n + half) * S // RATE_HZ
        packet = Packet(
            stream_id=stream,
            start_ns=T0_NS + n * S // RATE_HZ,
            sampling_rate_hz=float(RATE_HZ),
            samples=counts[n : n + half],
        )
        found.append((end_ns + S // 4, [] if n == 2 * RATE_HZ else [packet]))
    return found


def play(pipeline: Pipeline, rounds: list[tuple[int, list[Packet]]]) -> list[CoreEvent]:
    events: list[CoreEvent] = []
    for now_ns, packets in rounds:
        if packets:
            events += pipeline.receive(packets, now_ns)
        events += pipeline.advance(now_ns)
    return events + pipeline.finish(rounds[-1][0])


def test_the_meter_changes_nothing_and_reports_rounds_states_and_problems(
    rng: np.random.Generator,
) -> None:
    rounds = steps(rng)
    config = DetectorConfig.load()
    plain = play(Pipeline([station()], config), rounds)
    state = new_state()
    before = DataProblem(kind="no_metadata", where="XX.B02", detail="no response")
    observed = ObservedPipeline(
        [station()], config, state=state, clock=VirtualClock(T0_NS), found=[before]
    )
    assert state.not_ready() == ["broker: not started yet", "source: not started yet"]
    assert play(observed, rounds) == plain
    assert any(isinstance(event, Pick) for event in plain)  # else there was nothing to change

    assert state.counts["packets"] == sum(len(packets) for _, packets in rounds)
    assert state.data_time_ns == rounds[-1][0]
    (now,) = state.station_states.values()
    assert now.n_picks == sum(isinstance(event, Pick) for event in plain)
    assert state.problems == {"no_metadata": 1, "gap": 1}
    sample = state.metrics.registry.get_sample_value
    assert sample("eew_gaps_total") == 1
    assert sample("eew_decision_seconds_count") == state.counts["packets"]


def told(device: str, after_s: float, level: Level) -> Told:
    return Told(
        device=device,
        kind="phone",
        site="Moxi",
        event_id="ev-1",
        serial=1,
        level=level,
        at_ns=T0_NS + round(after_s * S),
    )


def test_a_device_counts_once_per_event_with_the_time_left_until_s() -> None:
    state = new_state()
    site = Site(name="Moxi", lat=29.5, lon=103.0)  # 97 km east of the message's epicentre
    view = ServiceView(state, [site], VirtualClock(T0_NS))
    first, later = told("phone-1", 6.0, Level.BE_AWARE), told("phone-1", 9.0, Level.TAKE_ACTION)
    view.told(message(), [first])
    view.told(message(serial=2), [later, told("phone-2", 12.0, Level.BE_AWARE)])
    assert state.told == {"phone": 2}
    # S takes some 29 s over 97 km: about 23 and 17 s are left
    sample = state.metrics.registry.get_sample_value
    counts = [sample("eew_lead_time_seconds_bucket", {"le": le}) for le in ("10.0", "20.0", "40.0")]
    assert counts == [0, 1, 2]
