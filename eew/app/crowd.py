"""Opens broker, publisher and devices for one run, and closes them again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from clients.device import Device
from clients.fleet import Fleet
from clients.local_fleet import LocalFleet
from clients.locality import SharedEstimator
from clients.phone import Phone
from clients.tv import TV
from eew.app.channel import ModelledChannel
from eew.app.devices import ANSWER_TIMEOUT_S, Crowd, Progress
from eew.app.help_packs import help_packs, packs_heard
from eew.app.options import RunOptions
from eew.app.places import DevicePlace
from eew.app.run_keys import RunKeys, run_keys
from eew.clock import Clock
from eew.egress.broker import open_broker
from eew.egress.local import LocalPublisher
from eew.egress.mqtt import AlertPublisher
from eew.model.place import Site

SERVICE_ID = "replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlaces:
    """Everything of a run that has a place.

    ``towns`` are scored and give the names by which screens say where the quake is; so are the
    user's own sites, which come with a phone each.
    """

    towns: tuple[Site, ...]
    own: tuple[Site, ...]
    devices: tuple[DevicePlace, ...]
    country: str
    """Where a device's site has no country of its own."""

    @property
    def targets(self) -> tuple[Site, ...]:
        """All places that are scored."""
        return (*self.towns, *self.own)


@asynccontextmanager
async def open_crowd(
    places: RunPlaces,
    options: RunOptions,
    *,
    run_id: str,
    clock: Clock,
    by_clock: bool = False,
    progress: Progress | None = None,
) -> AsyncIterator[Crowd]:
    """Open what the options ask for; every device is connected and has its help pack.

    Parameters
    ----------
    by_clock : bool
        Data time is that of ``clock``; else it stands still between the steps of the data.

    Raises
    ------
    ConfigError, ConnectError
        If the broker cannot be used, or devices cannot connect.
    DataError
        If a help pack cannot be read.
    """
    keys = run_keys(options)
    make = _Maker(places, keys)
    devices = {place.device_id: make.device(place) for place in places.devices}
    settled = {place.site.name for place in places.devices if place.at_centre}
    watchers = [(site, make.watcher(site)) for site in places.targets if site.name not in settled]
    countries = {device.country for device in devices.values() if device.country}
    packs = packs_heard(
        help_packs(options.help_packs, places.towns, countries, options.seed),
        (device.cell for device in devices.values()),
        countries,
    )
    async with AsyncExitStack() as stack:
        if options.carrier == "none":
            channel = ModelledChannel.of(options)
            crowd = Crowd("none", devices, _by_id(places), watchers, channel=channel)
            local = LocalFleet(
                tuple(devices.values()), now_ns=lambda: crowd.now_ns, on_events=crowd.saw
            )
            quiet = LocalPublisher(
                local.deliver, run_id=run_id, seed=options.seed, signer=keys.signer
            )
            await quiet.publish_help_packs(packs)
            crowd.attach(local, quiet)
            yield crowd
            return
        address = await stack.enter_async_context(open_broker(options.carrier))
        name = str(address) if address.kind == "remote" else address.kind
        crowd = Crowd(name, devices, _by_id(places), watchers, address=address)

        def now_ns() -> int:
            return max(clock.utc_ns(), crowd.now_ns) if by_clock else crowd.now_ns

        publisher = await stack.enter_async_context(
            AlertPublisher(
                address,
                service_id=SERVICE_ID,
                run_id=run_id,
                seed=options.seed,
                signer=keys.signer,
                key_statements=keys.statements,
                clock=clock,
                now_ns=now_ns,
                hand_over_s=ANSWER_TIMEOUT_S,
            )
        )
        await publisher.publish_help_packs(packs)
        fleet = Fleet(
            tuple(devices.values()),
            address,
            clock,
            seed=options.seed,
            now_ns=now_ns,
            on_events=crowd.saw,
        )
        await fleet.start(progress=progress)
        stack.push_async_callback(fleet.stop)
        crowd.attach(fleet, publisher)
        yield crowd


def _by_id(places: RunPlaces) -> dict[str, DevicePlace]:
    return {place.device_id: place for place in places.devices}


class _Maker:
    """Makes devices that share one estimator and one gazetteer."""

    def __init__(self, places: RunPlaces, keys: RunKeys) -> None:
        self._places = places
        self._trust: dict[str, Any] = {"keyring": keys.keyring, "tree": keys.signer.tree}
        self._estimator = SharedEstimator()

    def device(self, place: DevicePlace) -> Device:
        """Return the device that stands at a place."""
        settings: dict[str, Any] = {
            "id": place.device_id,
            "lat": place.lat,
            "lon": place.lon,
            "language": place.language,
            "country": place.site.country or self._places.country,
            "gazetteer": self._places.targets,
            "vs30_mps": place.site.vs30_mps,
            "estimator": self._estimator,
            # virtual time stands still and jumps: a heartbeat would say nothing
            "follow_heartbeat": False,
            **self._trust,
        }
        if place.kind == "tv":
            return TV(district=place.site.name, **settings)
        return Phone(**settings)

    def watcher(self, site: Site) -> Phone:
        """Return a phone for a site that has none in the fleet."""
        return Phone(
            id=f"watch-{site.name}",
            lat=site.lat,
            lon=site.lon,
            country=site.country or self._places.country,
            vs30_mps=site.vs30_mps,
            estimator=self._estimator,
            follow_heartbeat=False,
            **self._trust,
        )
