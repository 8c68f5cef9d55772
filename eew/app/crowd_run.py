"""``eew crowd``: draws the devices, divides them among processes, and runs these."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clients.crowd.network_profile import builtin_profiles, draw, shares_of
from clients.crowd.recipe import CrowdRecipe
from clients.crowd.settings import AWAKE_S, EngineSettings
from clients.crowd.share import Share
from clients.crowd.sockets import Endpoint, check_files
from clients.crowd.trips import draw_trips
from eew.app.crowd_accounts import Admitted, admit
from eew.app.crowd_options import CrowdOptions, parse_shares
from eew.app.crowd_places import draw_crowd, share_of
from eew.app.crowd_report import CrowdReport
from eew.app.crowd_watch import CrowdWatch, started
from eew.app.device_brokers import DeviceBrokers
from eew.app.fresh_process import call_apart
from eew.clock import Clock
from eew.egress.broker import BrokerAddress
from eew.entropy import fresh_bytes
from eew.errors import ConfigError
from eew.messages.seal import PublicKey
from simulator.seeds import rng

__all__ = ["CrowdOptions", "CrowdReport", "parse_shares", "run_crowd", "trusted_keys"]


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
    # the towns of the world take 300 MB, which nobody needs once the devices are drawn
    admitted = admit(call_apart(draw_crowd, options.request), brokers)
    if options.travelling and admitted.accounts is not None:
        raise ConfigError(
            "--travelling",
            "a phone connects with the account of one area here, and cannot come into another",
            hint="leave out --accounts, or use eew client phone --track, which changes its account",
        )
    shares = _shares(options, brokers, keys, admitted)
    check_files(max(share.profile_of.size for share in shares))
    with started(shares) as processes:
        watch = CrowdWatch(
            processes,
            brokers=str(brokers),
            n_devices=options.request.phones + options.request.tvs,
            set_aside=admitted.set_aside,
            clock=clock,
            on_report=on_report,
        )
        interrupted = False
        try:
            watch.until_connected()
            watch.until_over(options.for_s)
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
    trips = draw_trips(
        crowd, options.travelling, options.speed_kmh, rng(request.seed, "crowd-trips")
    )
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
                    awake_s=AWAKE_S if options.procs < (os.cpu_count() or 1) else 0.0,
                ),
                profiles=profiles,
                profile_of=profile_of[chosen].copy(),
                clock_offset_ns=mine.clock_offset_ns,
                trips=trips.some(number, options.procs),
                follows=is_tv[chosen].copy(),
                receipts=options.receipts,
                rng=rng(request.seed, "crowd", number),
                token=fresh_bytes(16),
                tree=request.tree,
                accounts=admitted.accounts and admitted.accounts.some(chosen),
            )
        )
    return made
