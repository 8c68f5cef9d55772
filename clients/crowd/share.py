"""One process and its share of the crowd: logic, connections, radios, figures.

It talks to its parent over a pipe: a report twice a second, and the last one when it is told to
stop. Where the parent has gone, it goes too.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clients.crowd.accounts import CrowdAccounts
from clients.crowd.deliveries import Batch
from clients.crowd.engine import Engine
from clients.crowd.interface import DeviceLogic
from clients.crowd.message_log import MessageLog
from clients.crowd.network_profile import Asleep, Change, NetworkProfile, Radios
from clients.crowd.receipts import Receipts
from clients.crowd.settings import EngineSettings
from clients.crowd.sockets import Endpoint, check_files
from clients.crowd.tally import Tally
from clients.crowd.travellers import Travellers
from clients.crowd.trips import Trips
from eew.clock import NS_PER_S, SystemClock
from eew.errors import EewError
from eew.model.alert import Status

__all__ = ["Recipe", "Share", "run_share"]

_TURN_S = 0.05
_REPORT_NS = NS_PER_S // 2


class Recipe(Protocol):
    """How to make the logic of a share; crosses into its process."""

    def build(self) -> DeviceLogic:
        """Make it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a process is told.

    Attributes
    ----------
    profile_of : ndarray of int8
        Index into ``profiles`` for each device.
    trips : Trips
        The phones that travel.
    follows : ndarray of bool
        Devices that go on following the heartbeat.
    endpoints : tuple of Endpoint
        Brokers that hold the same.
    accounts : CrowdAccounts or None
        As whom each device connects; None: as the endpoints say.
    """

    recipe: Recipe
    endpoints: tuple[Endpoint, ...]
    settings: EngineSettings
    profiles: tuple[NetworkProfile, ...]
    profile_of: NDArray[np.int8]
    clock_offset_ns: NDArray[np.int64]
    trips: Trips
    follows: NDArray[np.bool_]
    receipts: float
    rng: np.random.Generator
    token: bytes
    tree: Status = Status.EXERCISE
    accounts: CrowdAccounts | None = None


def run_share(share: Share, pipe: Connection) -> None:
    """Be the devices of a share until the parent says stop, or has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us, in order
    try:
        with _Running(share) as running:
            _serve(running, pipe)
    except EewError as error:
        pipe.send({"error": error})
    except (EOFError, BrokenPipeError):
        pass


def _serve(running: _Running, pipe: Connection) -> None:
    next_ns = 0
    while True:
        running.turn()
        now_ns = running.clock.monotonic_ns()
        if now_ns < next_ns:
            continue
        next_ns = now_ns + _REPORT_NS
        pipe.send(running.report())
        while pipe.poll():
            if pipe.recv() == "stop":
                pipe.send(running.report() | {"last": True})
                return


class _Running:
    """The objects of a running share."""

    def __init__(self, share: Share) -> None:
        check_files(share.profile_of.size)
        self.clock = SystemClock()
        self._base_bytes = memory_bytes()
        logic = share.recipe.build()
        self._log = MessageLog(logic.intern)
        profiles, profile_of = share.profiles, share.profile_of
        self._tally = Tally(tuple(profile.name for profile in profiles), profile_of, self._log)
        radio_rng, receipt_rng, engine_rng = share.rng.spawn(3)
        self._receipts = Receipts(
            share.receipts, self._log, share.clock_offset_ns, receipt_rng, share.tree
        )
        unread = np.array([profile.asleep is Asleep.UNREAD for profile in profiles])
        self._engine = Engine(
            logic,
            share.endpoints,
            clock=self.clock,
            rng=engine_rng,
            token=share.token,
            settings=share.settings,
            follow_heartbeat=frozenset(np.flatnonzero(share.follows).tolist()),
            patient=frozenset(np.flatnonzero(unread[profile_of]).tolist()),
            accounts=share.accounts,
            named=share.receipts > 0.0,
            intern=self._log.intern,
            on_batch=self._take,
        )
        self._radios = Radios(profiles, profile_of, radio_rng, self.clock.monotonic_ns())
        for device in np.flatnonzero(self._radios.asleep_at_start).tolist():
            self._engine.set_radio(device, on=False)
        self._travellers = Travellers(
            share.trips, logic, self._engine, self.clock, self.clock.monotonic_ns()
        )
        present = np.flatnonzero(~self._radios.away_at_start)
        self._n_wanted = present.size
        self._n_deliveries = 0
        self._logic = logic
        self._advance_ns = 0
        self._engine.connect(present.tolist())

    def __enter__(self) -> _Running:
        return self

    def __exit__(self, *exc: object) -> None:
        self._engine.close()

    def _take(self, batch: Batch) -> None:
        self._tally.take(batch)
        self._receipts.take(batch)

    def turn(self) -> None:
        """Do one round."""
        came = self._engine.poll(_TURN_S)
        self._n_deliveries += came
        now_ns = self.clock.monotonic_ns()
        for device, change in self._radios.due(now_ns):
            self._change(device, change)
        if now_ns >= self._advance_ns:
            self._advance_ns = now_ns + NS_PER_S
            self._logic.advance(self.clock.utc_ns())
        if not came:
            self._receipts.send(self._engine)
            self._travellers.turn()

    def _change(self, device: int, change: Change) -> None:
        match change:
            case Change.LISTEN | Change.SLEEP:
                self._engine.set_radio(device, on=change is Change.LISTEN)
            case Change.RETURN:
                self._n_wanted += 1
                self._engine.connect([device])
            case Change.LEAVE | Change.DIE:
                self._n_wanted -= 1
                self._engine.switch_off(device, farewell=change is Change.LEAVE)

    def report(self) -> dict[str, Any]:
        """Return the figures so far."""
        n = max(1, self._logic.n)
        now_bytes = memory_bytes()
        return {
            "pid": os.getpid(),
            "wanted": self._n_wanted,
            "up": self._engine.n_up,
            "deliveries": self._n_deliveries,
            "failure": self._engine.last_failure,
            "engine": dict(self._engine.counts),
            "logic": self._logic.counts,
            "receipts": self._receipts.n_sent,
            "travel": {
                "travellers": len(self._travellers),
                "moves": self._travellers.n_moves,
                "areas_entered": self._travellers.n_crossings,
            },
            "memory": {
                "devices": self._logic.n,
                "rss_bytes": now_bytes,
                "before_devices_bytes": self._base_bytes,
                "kib_per_device": now_bytes / 1024 / n,
                "private_kib_per_device": private_bytes() / 1024 / n,
                "added_kib_per_device": (now_bytes - self._base_bytes) / 1024 / n,
            },
            "tally": self._tally.to_json(),
        }


def memory_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not say."""
    return _statm()[0]


def private_bytes() -> int:
    """Return what of it no file backs: libraries, which all processes share, are left out."""
    resident, of_files = _statm()
    return resident - of_files


def _statm() -> tuple[int, int]:
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0, 0
    page = os.sysconf("SC_PAGE_SIZE")
    return int(fields[1]) * page, int(fields[2]) * page
