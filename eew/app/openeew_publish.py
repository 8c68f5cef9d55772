"""What ``eew openeew publish`` does: a quake as packets on a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eew.app.country import country_of
from eew.app.openeew_source import check_topic
from eew.app.options import MAX_DELAY_S, PACKET_RANGE_S
from eew.app.source import Source, load_source
from eew.app.trace_packets import align_axes, trace_packets
from eew.clock import Clock
from eew.egress.broker import open_broker
from eew.egress.openeew import Published, TimedPayload, publish_traces
from eew.errors import ConfigError, DataError
from eew.messages.openeew import encode_trace
from eew.model.waveform import DataProblem
from eew.mqtt_link import open_link
from simulator.link import DEFAULT_MEDIAN_S, LinkDelay
from simulator.schedule import Schedule

__all__ = ["Plan", "PublishOptions", "plan_packets", "publish_plan"]

_DEVICE = "{device}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
    """How to publish.

    Attributes
    ----------
    topic : str
        ``{device}`` in it stands for the device's id.
    speed : float
        Data seconds per second; 0 as fast as the broker takes them.
    as_recorded : bool
        The bytes of the folder's ``packets.tar.xz`` when they arrived, instead of packets cut
        from the waveforms.
    packet_s, delay_s : float, float or None
        Length of a packet and delay of the link, as for a replay.
    time : str
        ``now`` moves the times in the packets so that the first is sent now; ``original`` leaves
        them.
    wait_s : float
        Wait so long between the broker's being ready and the first packet.
    """

    topic: str = "/traces"
    speed: float = 1.0
    as_recorded: bool = False
    packet_s: float = 1.0
    delay_s: float | None = None
    time: str = "now"
    wait_s: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.time not in ("now", "original"):
            raise ConfigError("--time", f"must be now or original, was {self.time!r}")
        check_topic("--topic", self.topic.replace(_DEVICE, "device"), wildcards=False)
        for key, value in (("--speed", self.speed), ("--wait", self.wait_s)):
            if not 0.0 <= value < 1e6:  # also refuses NaN
                raise ConfigError(key, f"must be 0 or more, was {value:g}")
        low, high = PACKET_RANGE_S
        if not low <= self.packet_s <= high:
            raise ConfigError("--packet", f"must be {low:g} to {high:g} s, was {self.packet_s:g}")
        if self.delay_s is not None and not 0.0 <= self.delay_s <= MAX_DELAY_S:
            raise ConfigError("--delay", f"must be 0 to {MAX_DELAY_S:g} s, was {self.delay_s:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be published.

    Attributes
    ----------
    packets : callable
        Given the UTC ns of the first packet, returns all in order.
    start_ns : int
        Data time of the first packet.
    seconds : float
        Data time from the first to the last.
    """

    title: str
    n_devices: int
    start_ns: int
    seconds: float
    packets: Callable[[int], Iterator[TimedPayload]]
    problems: tuple[DataProblem, ...] = field(default=())


def plan_packets(event: str, options: PublishOptions) -> Plan:
    """Read or compute ``event`` and decide what goes when.

    Raises
    ------
    ConfigError
        If there is no such event, or no recorded packets where they are wanted.
    DataError
        If no station can be a device.
    """
    if options.as_recorded:
        return _recorded(event, options)
    source = load_source(event, seed=options.seed)
    devices = align_axes(source.recording)
    recording = devices.recording
    if not recording.stations:
        raise DataError(
            recording.name, "no station has three channels of acceleration, as a device has"
        )
    median_s = DEFAULT_MEDIAN_S if options.delay_s is None else options.delay_s
    schedule = Schedule(
        recording,
        packet_s=options.packet_s,
        link=LinkDelay(median_s=median_s, seed=options.seed)
        if options.delay_s is None
        else LinkDelay.fixed(median_s),
        seed=options.seed,
    )
    start_ns = next(step.now_ns for step in schedule if step.packets)

    def packets(first_ns: int) -> Iterator[TimedPayload]:
        shift_ns = first_ns - start_ns if options.time == "now" else 0
        made = trace_packets(devices, schedule, country=_country(source), shift_ns=shift_ns)
        for due_ns, packet in made:
            topic = options.topic.replace(_DEVICE, packet.device_id)
            yield TimedPayload(due_ns, topic, encode_trace(packet))

    return Plan(
        title=source.title,
        n_devices=len(recording.stations),
        start_ns=start_ns,
        seconds=(recording.end_ns - start_ns) / 1e9,
        packets=packets,
        problems=devices.problems,
    )


def _recorded(event: str, options: PublishOptions) -> Plan:
    from eew.ingest.openeew_archive import PACKETS_FILE, read_archive

    path = Path(event) / PACKETS_FILE
    if not path.is_file():
        raise ConfigError(
            "--as-recorded",
            f"{event} has no recorded packets",
            hint=f"a folder with {PACKETS_FILE} is needed",
        )
    archived, problems = read_archive(path)

    def packets(_: int) -> Iterator[TimedPayload]:
        for one in archived:
            topic = options.topic.replace(_DEVICE, one.trace.device_id)
            yield TimedPayload(one.arrival_ns, topic, one.payload)

    return Plan(
        title=Path(event).resolve().name,
        n_devices=len({one.trace.device_id for one in archived}),
        start_ns=archived[0].arrival_ns,
        seconds=(archived[-1].arrival_ns - archived[0].arrival_ns) / 1e9,
        packets=packets,
        problems=tuple(problems),
    )


def _country(source: Source) -> str:
    truth = source.recording.truth
    found = source.country or (country_of(truth.lat, truth.lon) if truth is not None else "")
    return found.lower()


def publish_plan(
    plan: Plan,
    options: PublishOptions,
    *,
    broker: str,
    clock: Clock,
    published: Published,
    ready: Callable[[str], None],
    progress: Callable[[Published], None],
) -> None:
    """Publish all of a plan; ``ready`` is told the broker's address before the first packet.

    Raises
    ------
    ConfigError
        If the broker cannot be understood.
    TransportError
        If it is not there, or goes away.
    """

    async def run() -> None:
        async with open_broker(broker) as address, open_link(address) as link:
            ready(str(address))
            await clock.sleep_until(clock.utc_ns() + round(options.wait_s * 1e9))
            await publish_traces(
                link,
                plan.packets(clock.utc_ns()),
                clock=clock,
                start_ns=plan.start_ns,
                speed=options.speed,
                published=published,
                progress=progress,
            )

    asyncio.run(run())
