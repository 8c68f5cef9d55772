"""The chain behind a live source: metadata, warm-up, broker and devices, then packets for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from eew.app.crowd import open_crowd
from eew.app.live_player import LivePlayer
from eew.app.options import RunOptions
from eew.app.run import run_places
from eew.app.serve_view import ServiceView
from eew.app.warm_up import warm_up
from eew.clock import Clock
from eew.core.config import DetectorConfig
from eew.core.pipeline import Pipeline
from eew.ingest.live import LiveNetwork, LiveSource
from eew.model.waveform import Recording
from eew.service.state import ServiceState

Say = Callable[[str], None]
_ANNOUNCED = 3  # problems that are named at the start; all are counted in the status


async def live_chain(
    source: LiveSource, options: RunOptions, state: ServiceState, *, say: Say, clock: Clock
) -> None:
    """Open everything, run until cancelled, close everything.

    Raises
    ------
    EewError
        If source, metadata, broker or devices cannot be opened.
    """
    state.source_is("starting", f"asking {source.name} for its stations")
    try:
        network = await source.open()
        _tell_stations(network, source.name, say)
        state.receive_stations(network.stations)
        state.receive_problems(network.problems)
        state.part("pipeline", ready=False, reason="compiling and loading the detector's kernels")
        config = DetectorConfig.load().with_status(options.status)
        pipeline = await asyncio.to_thread(ready_pipeline, network, config)
        state.part("pipeline", ready=True, reason=f"{len(network.stations)} stations")
        # nobody knows of a quake yet: stations stand in for towns unless the user names places
        places = run_places(_unrecorded(source.name, network), options, (), ())
        view = ServiceView(state, places.targets, clock)
        async with open_crowd(
            places, options, run_id=state.info.service_id, clock=clock, progress=view.connecting
        ) as crowd:
            view.opened(crowd, len(places.devices))
            player = LivePlayer(
                source,
                network,
                pipeline,
                devices=crowd,
                view=view,
                state=state,
                clock=clock,
                say=say,
            )
            await player.run()
    finally:
        await source.close()
    state.source_is("ended", f"{source.name} is over")
    say(f"{source.name} is over")


def ready_pipeline(network: LiveNetwork, config: DetectorConfig) -> Pipeline:
    """Return the detector for a live network, with all its kernels loaded."""
    warm_up(config)
    return Pipeline(network.stations, config, gnss=network.gnss)


def _tell_stations(network: LiveNetwork, name: str, say: Say) -> None:
    n_channels = sum(len(station.channels) for station in network.stations)
    gnss = f", {len(network.gnss)} GNSS receivers" if network.gnss else ""
    say(f"{name}: {len(network.stations)} stations, {n_channels} channels{gnss}")
    for problem in network.problems[:_ANNOUNCED]:
        say(f"  not used: {problem.where}: {problem.kind}: {problem.detail}")
    if (more := len(network.problems) - _ANNOUNCED) > 0:
        say(f"  and {more} more, counted in the status")


def _unrecorded(name: str, network: LiveNetwork) -> Recording:
    """Return the stations as a recording that holds nothing yet."""
    return Recording(
        name=name,
        stations=network.stations,
        segments=(),
        truth=None,
        problems=network.problems,
        input_sha256={},
        gnss=network.gnss,
    )
