"""What a run tells, put into the state that the HTTP routes show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eew.clock import NS_PER_S, Clock
from eew.core.pipeline import CoreEvent
from eew.model.alert import AlertMessage
from eew.model.feed import FeedReport
from eew.model.place import Site
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import RegionalTravelTimes
from eew.service.state import BrokerInfo, ServiceState

if TYPE_CHECKING:
    from eew.app.devices import Crowd
    from eew.model.waveform import Recording
    from eew.report.result import RunInfo, Told

_FAILING_NS = 10 * NS_PER_S  # so long after a message that was not taken the broker is not ready


class ServiceView:
    """A :class:`~eew.app.view.RunView` that feeds a :class:`ServiceState`.

    Parameters
    ----------
    sites : sequence of Site
        The places of the devices, by whose name a run says who was told.
    """

    def __init__(self, state: ServiceState, sites: Sequence[Site], clock: Clock) -> None:
        self._state = state
        self._sites = {site.name: site for site in sites}
        self._clock = clock
        self._failure: tuple[int, str] | None = None  # monotonic ns, reason
        self._crowd: Crowd | None = None
        self._placed = 0
        self._taken = {"publish": 0, "deliver": 0}
        self._told_events: set[tuple[str, str]] = set()
        self._times = RegionalTravelTimes()

    def opened(self, crowd: Crowd, placed: int) -> None:
        """Say that broker and devices are there, ``placed`` of them."""
        self._crowd, self._placed = crowd, placed
        address = crowd.address
        self._state.broker_is(
            BrokerInfo("none")
            if address is None
            else BrokerInfo(address.kind, address.host, address.port),
            "",
        )
        self.look()

    def publish_failed(self, reason: str) -> None:
        """Take that the broker has not taken a message in time."""
        self._failure = (self._clock.monotonic_ns(), reason)
        self._state.receive_publish_failure(reason)

    def look(self) -> None:
        """See whether devices are connected and the broker takes messages."""
        if self._crowd is None:
            return
        connected = self._crowd.n_connected
        self._state.receive_devices(connected)
        if self._failure is not None:
            failed_ns, reason = self._failure
            if self._clock.monotonic_ns() - failed_ns < _FAILING_NS:
                self._state.part("broker", ready=False, reason=reason)
                return
            self._failure = None
        self._state.part(
            "broker",
            ready=connected > 0 or self._placed == 0,
            reason=f"{connected} of {self._placed} devices connected",
        )

    def feeds(self, report: FeedReport, waiting_for: str) -> None:
        """Take how a live source is; ``waiting_for`` says what it has not given yet, if so."""
        self._state.receive_feed(report)
        if not report.connected:
            self._state.source_is("lost", f"{report.name}: {report.reason}")
        else:
            silent = f", {report.n_silent} of {len(report.stations)} stations silent"
            words = waiting_for or f"live{silent if report.n_silent else ''}"
            self._state.source_is("running", f"{words} ({report.reason})")

    def begin(self, info: RunInfo, recording: Recording, zero_ns: int | None) -> None:
        """Say that data flow."""
        self._state.source_is("running", f"replaying {recording.name}")

    def connecting(self, connected: int, devices: int) -> None:
        """Count the devices."""
        self._state.receive_devices(connected)
        self._state.part(
            "broker", ready=False, reason=f"{connected} of {devices} devices connected"
        )

    def progress(self, done_s: float, total_s: float) -> None:
        """Say how far the data are."""
        self._state.source_is("running", f"{done_s:.0f} of {total_s:.0f} s of data")
        self.look()

    def happened(self, event: CoreEvent) -> None:
        """Pass on what the detector said."""
        self._state.receive(event)

    def told(self, message: AlertMessage, news: list[Told]) -> None:
        """Count who was told, with the time left there, and what was measured meanwhile."""
        self._failure = None  # delivered, so the broker works
        for one in news:
            key = (one.device, one.event_id)
            if key not in self._told_events:  # a higher level later is no second first time
                self._told_events.add(key)
                self._state.receive_told(one.kind, self._lead_time_s(message, one))
        measured = {} if self._crowd is None else self._crowd.measured_s()
        for stage, receive in (
            ("publish", self._state.receive_published),
            ("deliver", self._state.receive_delivered),
        ):
            samples = measured.get(stage, ())
            for sample_s in samples[self._taken[stage] :]:
                receive(sample_s)
            self._taken[stage] = len(samples)

    def part(self, name: str) -> None:
        """Nothing comes after the replay of a service."""

    def _lead_time_s(self, message: AlertMessage, told: Told) -> float | None:
        site = self._sites.get(told.site)
        if site is None:
            return None
        origin = message.origin
        distance_km = epicentral_distance_km(origin.lat, origin.lon, site.lat, site.lon)
        s_ns = origin.time_ns + round(
            float(self._times.at(origin.lat, origin.lon).s_s(distance_km, origin.depth_km)) * 1e9
        )
        return (s_ns - told.at_ns) / NS_PER_S
