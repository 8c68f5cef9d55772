"""``eew crowd``: starts the processes of a crowd, watches them, and adds up what they say."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from clients.crowd.histogram import Histogram
from clients.crowd.network_profile import Asleep, NetworkProfile, builtin_profiles, draw, shares_of
from clients.crowd.recipe import CrowdRecipe
from clients.crowd.settings import EngineSettings
from clients.crowd.share import Share, run_share
from clients.crowd.sockets import Endpoint, check_files
from clients.crowd.tally import merge
from eew.app.crowd_accounts import Admitted, admit
from eew.app.crowd_places import CrowdRequest, draw_crowd, share_of
from eew.app.device_brokers import DeviceBrokers
from eew.clock import NS_PER_S, Clock
from eew.egress.broker import BrokerAddress
from eew.entropy import fresh_bytes
from eew.errors import ConfigError, ConnectError, EewError
from eew.messages.seal import PublicKey
from simulator.seeds import rng

__all__ = ["CrowdOptions", "CrowdReport", "parse_shares", "run_crowd", "trusted_keys"]

MAX_PROCS = 64
_STALLED_S = 20.0  # nobody more connected for so long: the broker takes no more
_LAST_WORD_S = 20.0
_TICK_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdOptions:
    """What is asked of a run; ``for_s`` None goes on until it is stopped."""

    request: CrowdRequest
    procs: int = 1
    shares: dict[str, float] = field(default_factory=dict)
    receipts: float = 0.0
    for_s: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.procs <= MAX_PROCS:
            raise ConfigError("--procs", f"must be 1 to {MAX_PROCS}, was {self.procs}")
        if not 0.0 <= self.receipts <= 1.0:
            raise ConfigError("--receipts", f"must be 0 to 1, was {self.receipts:g}")
        if self.for_s is not None and not self.for_s > 0.0:
            raise ConfigError("--for", f"must be more than 0 s, was {self.for_s:g}")
        devices = self.request.phones + self.request.tvs
        if self.procs > devices:
            raise ConfigError("--procs", f"{self.procs} processes for {devices} devices")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdReport:
    """The figures of all processes at one moment.

    Attributes
    ----------
    set_aside : dict
        Devices that do not take part, by reason.
    wanted : int
        Devices that should be connected now: not those that are in flight mode, switched off
        or dead.
    refused : dict
        Deliveries refused, by reason of the devices' logic.
    profiles : dict
        By profile: devices, told, shown, outcomes, and histograms ``received`` and ``on_screen``.
    latency : Histogram
        Sent to received, over all devices whose radio never sleeps.
    """

    devices: int
    set_aside: dict[str, int]
    wanted: int
    up: int
    told: int
    shown: int
    deliveries: int
    receipts: int
    failure: str
    connections: dict[str, int]
    logic: dict[str, int]
    memory: list[dict[str, float]]
    profiles: dict[str, Any]
    latency: Histogram
    screen_latency: Histogram
    connect_s: float | None = None
    ran_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the report as a document."""
        modelled = {profile.name: profile for profile in builtin_profiles()}
        return {
            "simulation": True,
            "devices": self.devices,
            "set_aside": self.set_aside,
            "connected": self.up,
            "should_be_connected": self.wanted,
            "told": self.told,
            "shown": self.shown,
            "deliveries": self.deliveries,
            "receipts_sent": self.receipts,
            "connect_s": self.connect_s,
            "ran_s": round(self.ran_s, 3),
            "clock": "UTC of this machine minus `sent` of the payload; 0 where that is ahead",
            "received": self.latency.summary(),
            "shown_latency": self.screen_latency.summary(),
            "profiles": {
                name: {
                    **{key: row[key] for key in ("devices", "told", "shown", "outcomes")},
                    "received": row["received"].summary(),
                    "shown_latency": row["on_screen"].summary(),
                    "modelled_one_way_ms": modelled[name].round_trip_ms / 2.0,
                    "histogram": row["received"].to_json(),
                }
                for name, row in self.profiles.items()
            },
            "logic": self.logic,
            "connections": self.connections,
            "memory": self.memory,
        }


def parse_shares(text: str) -> dict[str, float]:
    """Read ``wifi=0.5,doze=0.1``.

    Raises
    ------
    ConfigError
        Naming what is wrong.
    """
    shares: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        try:
            if not equals:
                raise ValueError(part)
            shares[name.strip()] = float(value)
        except ValueError:
            raise ConfigError(
                "--profile-shares", f"{part!r} is no share", hint="for example doze=0.1,wifi=0.6"
            ) from None
    return shares


def trusted_keys(file: Path | None, seed: int) -> tuple[tuple[PublicKey, ...], str]:
    """Return the keys the devices trust, and a line that says which these are."""
    if file is not None:
        from eew.app.key_files import load_keyring

        keys = load_keyring(file).keys
        return keys, f"trusting {len(keys)} keys of {file}"
    from eew.app.development_key import development_keyring

    keys = development_keyring(seed).keys
    return keys, f"trusting the development keys of --seed {seed}: they protect nothing (--keys)"


def endpoint_of(address: BrokerAddress) -> Endpoint:
    """Return a broker's address as the crowd wants it."""
    return Endpoint(
        host=address.host,
        port=address.port,
        version=address.protocol,
        username=address.username,
        password=address.password,
        tls=address.tls,
        ca_file=address.ca_file,
    )


def run_crowd(
    options: CrowdOptions,
    brokers: DeviceBrokers,
    keys: tuple[PublicKey, ...],
    *,
    clock: Clock,
    on_report: Callable[[CrowdReport], None] | None = None,
) -> tuple[CrowdReport, bool]:
    """Run a crowd until its time is over or Ctrl-C; return the last figures, and if it was that.

    Raises
    ------
    ConfigError, ConnectError
        If the devices cannot all connect at the beginning, but for those without an account.
    """
    admitted = admit(draw_crowd(options.request), brokers)
    made = _shares(options, brokers, keys, admitted)
    check_files(max(share.profile_of.size for share in made))
    with _processes(made) as children:
        watch = _Watch(children, options, brokers, admitted.set_aside, clock, on_report)
        interrupted = False
        try:
            watch.until_connected()
            watch.until_over()
        except KeyboardInterrupt:
            interrupted = True
        return watch.last_words(), interrupted


def _shares(
    options: CrowdOptions,
    brokers: DeviceBrokers,
    keys: tuple[PublicKey, ...],
    admitted: Admitted,
) -> list[Share]:
    request = options.request
    profiles = builtin_profiles()
    shares = shares_of(profiles, "phone", options.shares) | shares_of(
        profiles, "tv", options.shares
    )
    crowd = admitted.crowd
    kinds = [crowd.kind[n] for n in range(len(crowd))]
    profile_of = draw(profiles, kinds, shares, rng(request.seed, "crowd-profiles"))
    is_tv = np.array([kind == "tv" for kind in kinds])
    made = []
    for number in range(min(options.procs, len(crowd))):
        chosen = slice(number, None, options.procs)
        mine = share_of(crowd, number, options.procs)
        made.append(
            Share(
                recipe=CrowdRecipe(places=mine, keys=keys),
                endpoints=tuple(endpoint_of(leaf) for leaf in brokers.leaves),
                # all processes together stay under the broker's backlog
                settings=EngineSettings(
                    most_connecting=max(1, 64 // options.procs),
                    connects_per_s=6000.0 / options.procs,
                    settle_per_s=400.0 / options.procs,
                ),
                profiles=profiles,
                profile_of=profile_of[chosen].copy(),
                clock_offset_ns=mine.clock_offset_ns,
                follows=is_tv[chosen].copy(),
                receipts=options.receipts,
                rng=rng(request.seed, "crowd", number),
                token=fresh_bytes(16),
                tree=request.tree,
                accounts=admitted.accounts and admitted.accounts.some(chosen),
            )
        )
    return made


_Child = tuple[BaseProcess, Connection]


@contextmanager
def _processes(shares: list[Share]) -> Iterator[list[_Child]]:
    context = multiprocessing.get_context("spawn")
    children: list[_Child] = []
    try:
        for number, share in enumerate(shares):
            ours, theirs = context.Pipe()
            process: BaseProcess = context.Process(
                target=run_share, args=(share, theirs), name=f"crowd-{number}", daemon=True
            )
            process.start()
            theirs.close()  # so that the end of the child is the end of the pipe
            children.append((process, ours))
        yield children
    finally:
        for process, pipe in children:
            pipe.close()
            process.join(5.0)
            if process.is_alive():
                process.kill()
                process.join()


class _Watch:
    """Reads what the processes report."""

    def __init__(
        self,
        children: list[_Child],
        options: CrowdOptions,
        brokers: DeviceBrokers,
        set_aside: dict[str, int],
        clock: Clock,
        on_report: Callable[[CrowdReport], None] | None,
    ) -> None:
        self._children, self._options, self._brokers = children, options, brokers
        self._set_aside = set_aside
        self._clock, self._on_report = clock, on_report
        self._latest: list[dict[str, Any] | None] = [None] * len(children)
        self._start_ns = clock.monotonic_ns()
        self._connect_s: float | None = None

    def until_connected(self) -> None:
        """Wait until every device that should be is connected."""
        most, since_s = -1, self._now_s()
        while True:
            self._read()
            if all(part is not None for part in self._latest):
                report = self.report()
                if report.up > most:
                    most, since_s = report.up, self._now_s()
                if report.up >= report.wanted:
                    self._connect_s = round(self._now_s(), 2)
                    return
                if self._now_s() - since_s > _STALLED_S:
                    raise ConnectError(
                        str(self._brokers),
                        f"{report.up} of {report.wanted} devices connected, and no more for "
                        f"{_STALLED_S:g} s; last: {report.failure or 'no word'}",
                        hint="does the broker limit connections or open files?",
                    )

    def until_over(self) -> None:
        """Wait for the end of the time that was asked for."""
        for_s = self._options.for_s
        end_s = self._now_s() + for_s if for_s is not None else float("inf")
        while self._now_s() < end_s:
            self._read()

    def last_words(self) -> CrowdReport:
        """Stop all processes and return the sum of their last reports."""
        for number, (_, pipe) in enumerate(self._children):
            try:
                pipe.send("stop")
                deadline_s = self._now_s() + _LAST_WORD_S
                while pipe.poll(max(0.0, deadline_s - self._now_s())):
                    part = pipe.recv()
                    if "error" not in part:
                        self._latest[number] = part
                    if part.get("last") or "error" in part:
                        break
            except (EOFError, OSError):
                continue
        return self.report()

    def _now_s(self) -> float:
        return (self._clock.monotonic_ns() - self._start_ns) / NS_PER_S

    def _read(self) -> None:
        pipes = {pipe: number for number, (_, pipe) in enumerate(self._children)}
        for pipe in multiprocessing.connection.wait(list(pipes), _TICK_S):
            assert isinstance(pipe, Connection)
            try:
                part = pipe.recv()
            except EOFError:
                number = pipes[pipe]
                code = self._children[number][0].exitcode
                raise EewError(f"process {number} of the crowd has ended ({code})") from None
            if "error" in part:
                raise part["error"]
            self._latest[pipes[pipe]] = part
        if self._on_report is not None and any(part is not None for part in self._latest):
            self._on_report(self.report())

    def report(self) -> CrowdReport:
        """Return the sum of what the processes said last."""
        parts = [part for part in self._latest if part is not None]
        profiles = merge([part["tally"] for part in parts])
        awake = _awake(builtin_profiles())
        latency, screen = Histogram(), Histogram()
        for name, row in profiles.items():
            if name in awake:
                latency.merge(row["received"])
                screen.merge(row["on_screen"])
        request = self._options.request
        return CrowdReport(
            devices=request.phones + request.tvs,
            set_aside=self._set_aside,
            wanted=sum(part["wanted"] for part in parts),
            up=sum(part["up"] for part in parts),
            told=sum(row["told"] for row in profiles.values()),
            shown=sum(row["shown"] for row in profiles.values()),
            deliveries=sum(part["deliveries"] for part in parts),
            receipts=sum(part["receipts"] for part in parts),
            failure=next((part["failure"] for part in parts if part["failure"]), ""),
            connections=_added([part["engine"] for part in parts]),
            logic=_added([part["logic"] for part in parts]),
            memory=[part["memory"] for part in parts],
            profiles=profiles,
            latency=latency,
            screen_latency=screen,
            connect_s=self._connect_s,
            ran_s=self._now_s(),
        )


def _awake(profiles: tuple[NetworkProfile, ...]) -> set[str]:
    return {profile.name for profile in profiles if profile.asleep is Asleep.NEVER}


def _added(parts: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))
