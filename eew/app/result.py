"""From a finished (or stopped) run to its :class:`RunResult`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eew.app.devices import Crowd
from eew.app.observations import Observations
from eew.app.player import ReplayPlayer
from eew.app.scoring import (
    detection,
    model_for,
    station_intensities,
    targets,
    time_zero,
)
from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage
from eew.model.place import Site
from eew.model.waveform import DataProblem, Recording
from eew.report.result import Detection, Measured, RunInfo, RunResult


def make_result(
    run: ReplayPlayer,
    recording: Recording,
    info: RunInfo,
    *,
    sites: Sequence[Site],
    devices: Crowd,
    wall_s: Mapping[str, float],
) -> RunResult:
    """Score a run and put everything it left into one value."""
    found = run.found
    zero_ns, zero_is = time_zero(recording, found.picks, found.messages)
    score, matched = detection(recording, found.messages, zero_ns)
    final = _final(found.messages, score)
    peaks = run.pipeline.station_peaks()
    model = model_for(recording, final)
    observations = Observations(recording, peaks, model, played_ns=run.now_ns)
    seconds = (run.now_ns - run.schedule.start_ns) / NS_PER_S
    delivery = devices.delivery()
    measured_s = {
        "compute": tuple(run.compute_s),
        "encode": tuple(run.encode_s),
        **devices.measured_s(),
    }
    return RunResult(
        info=info,
        recording=recording,
        zero_ns=zero_ns,
        zero_is=zero_is,
        picks=tuple(found.picks),
        rejected=tuple(found.rejected),
        solutions=tuple(found.solutions),
        messages=tuple(found.messages),
        payloads=tuple(found.payloads),
        closed=tuple(found.closed),
        told=tuple(devices.told),
        targets=targets(
            sites,
            truth=recording.truth,
            found=score,
            matched=matched,
            final=final,
            told=devices.told_at,
            observations=observations,
            model=model,
            zero_ns=zero_ns,
            cut_ns=run.now_ns if run.is_cut else None,
        ),
        detection=score,
        intensities=station_intensities(observations, final),
        delivery=delivery,
        stages_s=run.modelled.frozen(),
        peaks=tuple(peaks),
        states=tuple(run.pipeline.station_states(run.now_ns)),
        problems=(*recording.problems, *run.pipeline.problems(), *_implausible(observations, run)),
        screens=devices.screens(),
        measured=Measured(
            wall_s=dict(wall_s),
            stages_s={name: values for name, values in measured_s.items() if values},
            delivery_ms=tuple(1e3 * value for value in measured_s.get("deliver", ())),
            real_time_factor=seconds / run.replay_s if run.replay_s > 0.0 else None,
        ),
        seconds=seconds,
    )


def _implausible(observations: Observations, run: ReplayPlayer) -> tuple[DataProblem, ...]:
    """Return the stations whose motion cannot be what the quake made; of whole runs only."""
    if run.is_cut:  # what has not come yet is small, not wrong
        return ()
    return tuple(
        DataProblem(
            kind="implausible_motion",
            where=code,
            detail="PGA more than 50 times off what the true source gives; not compared",
        )
        for code in observations.implausible
    )


def _final(messages: Sequence[AlertMessage], score: Detection) -> AlertMessage | None:
    mine = [
        one
        for one in messages
        if one.event_id == score.primary_event_id and one.cancel_reason is None
    ]
    return mine[-1] if mine else None
