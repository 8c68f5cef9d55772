"""One run: recording in, :class:`RunResult` out; opens and closes broker, publisher and devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eew import __version__
from eew.app.country import country_of, languages_of
from eew.app.crowd import RunPlaces, open_crowd
from eew.app.options import RunOptions, broker_words
from eew.app.places import DEFAULT_PHONES, DEFAULT_TVS, automatic_sites, place_devices
from eew.app.player import ReplayPlayer
from eew.app.result import make_result
from eew.app.view import RunView, SilentView
from eew.clock import NS_PER_S, Clock, SystemClock
from eew.core.config import DetectorConfig
from eew.interrupt import StopRequest
from eew.model.place import Site
from eew.model.waveform import Packet, Recording
from eew.report.result import RunInfo, RunResult


async def run_replay(
    recording: Recording,
    options: RunOptions,
    *,
    sites: Sequence[Site] = (),
    languages: Sequence[str] = (),
    arrivals: Sequence[tuple[int, tuple[Packet, ...]]] = (),
    view: RunView | None = None,
    clock: Clock | None = None,
    stop: StopRequest | None = None,
) -> RunResult:
    """Replay a recording through detector, messages and devices.

    Parameters
    ----------
    sites : sequence of Site
        Towns of the scenario. Without any, and without ``options.sites``, up to 8 stations
        stand in for towns.
    languages : sequence of str
        Of the scenario; ``options.languages`` wins, else those of the country.
    arrivals : sequence of (int, tuple of Packet)
        Packets with recorded times of arrival, instead of cutting the recording.
    stop : StopRequest, optional
        Ends the run at the next step of data; the result is then marked as not complete.

    Raises
    ------
    ConfigError, TransportError
        If the broker cannot be used, before any data are played.
    """
    view, clock = view or SilentView(), clock or SystemClock()
    stop = StopRequest() if stop is None else stop
    places = run_places(recording, options, sites, languages)
    config = DetectorConfig.load().with_status(options.status)
    began_ns = clock.monotonic_ns()
    async with open_crowd(
        places,
        options,
        run_id=f"{recording.name}-{options.seed}",
        clock=clock,
        progress=view.connecting,
    ) as devices:
        info = run_info(
            recording.name, options, broker=devices.broker, complete=False, config=config
        )
        player = ReplayPlayer(
            recording,
            options,
            info,
            devices=devices,
            view=view,
            clock=clock,
            stop=stop,
            config=config,
            arrivals=arrivals,
        )
        connected_ns = clock.monotonic_ns()
        await player.run()
        played_ns = clock.monotonic_ns()
    info = run_info(
        recording.name, options, broker=devices.broker, complete=player.complete, config=config
    )
    return make_result(
        player,
        recording,
        info,
        sites=places.targets,
        devices=devices,
        wall_s={
            "connect": (connected_ns - began_ns) / NS_PER_S,
            "replay": (played_ns - connected_ns) / NS_PER_S,
            "disconnect": (clock.monotonic_ns() - played_ns) / NS_PER_S,
        },
    )


def run_places(
    recording: Recording, options: RunOptions, sites: Sequence[Site], languages: Sequence[str]
) -> RunPlaces:
    """Choose the places of a run and put its devices there."""
    country = _country(recording)
    own = tuple(
        replace(site, country=site.country or country_of(site.lat, site.lon) or country)
        for site in options.sites
    )
    # a recorded quake knows no towns: the user's own, else some stations stand in for them
    towns = tuple(sites) or (() if own else automatic_sites(recording, country))
    around = towns or own
    devices = place_devices(
        around,
        phones=DEFAULT_PHONES if options.phones is None else options.phones,
        tvs=DEFAULT_TVS if options.tvs is None else options.tvs,
        languages=options.languages or tuple(languages) or languages_of(country),
        seed=options.seed,
        extra=own,
    )
    return RunPlaces(towns=towns, own=own, devices=tuple(devices), country=country)


def _country(recording: Recording) -> str:
    truth = recording.truth
    if truth is not None and (found := country_of(truth.lat, truth.lon)):
        return found
    nearest = recording.stations[0]
    return country_of(nearest.lat, nearest.lon)


def run_info(
    name: str, options: RunOptions, *, broker: str, complete: bool, config: DetectorConfig
) -> RunInfo:
    """Return what is run and how, for headers, summary and manifest."""
    return RunInfo(
        event=name,
        seed=options.seed,
        version=__version__,
        packet_s=options.profile.packet_s,
        link=options.link_words,
        broker=broker_words(broker),
        status=options.status.value,
        complete=complete,
        channel=options.channel,
        config={
            "options": options.as_config(),
            "travel_time_model": config.travel_time_model,
        },
    )
