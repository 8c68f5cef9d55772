"""How many brokers a country takes: arithmetic from connections, cells and alerts, line by line.

Pure: every figure is made of what one broker was measured to do (``eew/tables/capacity.toml``)
and what is asked. The queueing inside the tree is in :mod:`simulator.fanout_tree`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.capacity_terms import Constants, Demand, Line, constants

__all__ = ["Capacity", "plan"]

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The plan: the shape of the tree, and the lines it follows from."""

    leaves: int
    regionals: int
    hubs: int
    lines: tuple[Line, ...]

    def value(self, topic: str, name: str) -> float:
        """Return one figure.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for line in self.lines:
            if (line.topic, line.name) == (topic, name):
                return line.value
        raise KeyError(f"{topic}: {name}")


def plan(demand: Demand, one: Constants | None = None) -> Capacity:
    """Work out how many brokers there have to be, and what each kind of traffic costs.

    Parameters
    ----------
    one : Constants, optional
        Other constants than those measured here, for a machine of one's own.
    """
    one = one or constants()
    devices = demand.phones * (1.0 + demand.tv_share)
    leaves = math.ceil(devices / one.connections_per_leaf)
    # two levels below the hubs as soon as one hub would hand over more than a regional does
    regionals = math.ceil(math.sqrt(leaves)) if leaves > 1 else 0
    lines = [
        *_tree(demand, one, devices, leaves, regionals),
        *_keepalive(demand, one, leaves),
        *_alert(demand, one, leaves, regionals),
        *_heartbeat(demand, one, leaves),
        *_reconnect(demand, one, leaves),
    ]
    return Capacity(leaves=leaves, regionals=regionals, hubs=demand.hubs, lines=tuple(lines))


def _tree(
    demand: Demand, one: Constants, devices: float, leaves: int, regionals: int
) -> list[Line]:
    kib = one.connection_tls_kib if demand.tls else one.connection_kib
    held = devices / leaves
    return [
        Line(
            "brokers",
            "leaves",
            leaves,
            "brokers",
            f"{demand.phones:,} phones and {demand.tv_share:.0%} of that in TVs / "
            f"{one.connections_per_leaf:,} connections, rounded up",
        ),
        Line(
            "brokers",
            "regionals",
            regionals,
            "brokers",
            f"square root of {leaves:,}: as many leaves below each as regionals below a hub",
        ),
        Line("brokers", "hubs", demand.hubs, "brokers", "each carries all, so that one may die"),
        Line(
            "brokers",
            "cores",
            leaves + regionals + demand.hubs,
            "cores",
            "a broker process is one core",
        ),
        Line(
            "brokers",
            "memory of a leaf",
            held * kib / 1024.0,
            "MiB",
            f"{held:,.0f} connections x {kib:g} KiB ({'TLS' if demand.tls else 'no TLS'})",
        ),
    ]


def _keepalive(demand: Demand, one: Constants, leaves: int) -> list[Line]:
    each_s = one.to_device_s(tls=demand.tls)
    per_s = demand.phones / demand.keepalive_s
    return [
        Line(
            "keepalive",
            "pings",
            per_s,
            "1/s",
            f"{demand.phones:,} phones / {demand.keepalive_s:g} s",
        ),
        Line("keepalive", "pings of a leaf", per_s / leaves, "1/s", f"over {leaves:,} leaves"),
        Line(
            "keepalive",
            "load of a leaf",
            100.0 * per_s / leaves * each_s,
            "% of a core",
            f"each taken as one delivery, {1e6 * each_s:.1f} us",
        ),
        Line(
            "keepalive",
            "traffic",
            _gbit(per_s * one.ping_bytes),
            "Gbit/s",
            f"{one.ping_bytes} bytes both ways",
        ),
    ]


def _alert(demand: Demand, one: Constants, leaves: int, regionals: int) -> list[Line]:
    each_s = one.to_device_s(tls=demand.tls)
    packet = demand.payload_bytes + one.overhead_bytes
    below_hub = regionals or leaves
    below_regional = math.ceil(leaves / regionals) if regionals else 0
    home = max(1, math.ceil(demand.felt / one.connections_per_leaf))
    spread, home_each = demand.felt / leaves, demand.felt / min(home, leaves)
    return [
        Line(
            "alert",
            "phones told",
            demand.felt,
            "phones",
            f"{demand.felt_share:.2%} of {demand.phones:,}",
        ),
        Line(
            "alert",
            "hand-over",
            demand.cells * one.hand_over_s,
            "s",
            f"{demand.cells} cells x {1e6 * one.hand_over_s:.0f} us",
        ),
        Line(
            "alert",
            "work of a hub without regionals",
            demand.cells * leaves * one.delivery_s,
            "s",
            f"{demand.cells} cells x {leaves:,} leaves x {1e6 * one.delivery_s:.1f} us",
        ),
        Line(
            "alert",
            "work of a hub",
            demand.cells * below_hub * one.delivery_s,
            "s",
            f"{demand.cells} cells x {below_hub:,} regionals x {1e6 * one.delivery_s:.1f} us",
        ),
        Line(
            "alert",
            "work of a regional",
            demand.cells * below_regional * one.delivery_s,
            "s",
            f"{demand.cells} cells x {below_regional:,} leaves x {1e6 * one.delivery_s:.1f} us",
        ),
        Line(
            "alert",
            "work of a leaf, phones spread",
            spread * each_s,
            "s",
            f"{demand.felt:,} phones / {leaves:,} leaves x {1e6 * each_s:.1f} us",
        ),
        Line(
            "alert",
            "work of a leaf, phones by region",
            home_each * each_s,
            "s",
            f"{demand.felt:,} phones on {min(home, leaves):,} leaves x {1e6 * each_s:.1f} us",
        ),
        Line(
            "alert",
            "traffic of one message",
            demand.felt * packet / 1e9,
            "GB",
            f"{demand.felt:,} phones x {packet} bytes",
        ),
    ]


def _heartbeat(demand: Demand, one: Constants, leaves: int) -> list[Line]:
    each_s = one.to_device_s(tls=demand.tls)
    packet = demand.heartbeat_bytes + one.overhead_bytes
    tvs = demand.phones * demand.tv_share
    work = each_s / one.busy_share
    return [
        Line(
            "heartbeat",
            "to every phone, cores",
            demand.phones * work,
            "cores",
            f"{demand.phones:,}/s x {1e6 * each_s:.1f} us / {one.busy_share:g} busy",
        ),
        Line(
            "heartbeat",
            "to every phone, load of a leaf",
            100.0 * demand.phones / leaves * each_s,
            "% of a core",
            f"{demand.phones / leaves:,.0f}/s x {1e6 * each_s:.1f} us",
        ),
        Line(
            "heartbeat",
            "to every phone, traffic",
            _gbit(demand.phones * packet),
            "Gbit/s",
            f"{demand.phones:,}/s x {packet} bytes",
        ),
        Line(
            "heartbeat",
            "to every phone, of one phone",
            SECONDS_PER_DAY * packet / 1e6,
            "MB a day",
            f"{SECONDS_PER_DAY:,} x {packet} bytes; its radio never sleeps",
        ),
        Line(
            "heartbeat",
            "to TVs only, cores",
            tvs * work,
            "cores",
            f"{tvs:,.0f}/s x {1e6 * each_s:.1f} us / {one.busy_share:g} busy",
        ),
        Line(
            "heartbeat",
            "to TVs only, traffic",
            _gbit(tvs * packet),
            "Gbit/s",
            f"{tvs:,.0f}/s x {packet} bytes; phones read the retained one on joining",
        ),
    ]


def _reconnect(demand: Demand, one: Constants, leaves: int) -> list[Line]:
    connect_s = one.connect_tls_s if demand.tls else one.connect_s
    phones = demand.phones * demand.region_share
    home = max(1, min(leaves, math.ceil(phones / one.connections_per_leaf)))
    how = f"{1e6 * connect_s:,.0f} us each ({'TLS' if demand.tls else 'no TLS'})"
    return [
        Line(
            "reconnect",
            "phones",
            phones,
            "phones",
            f"{demand.region_share:.0%} of {demand.phones:,}",
        ),
        Line(
            "reconnect",
            "phones spread",
            phones / leaves * connect_s,
            "s",
            f"{phones / leaves:,.0f} on each of {leaves:,} leaves x {how}",
        ),
        Line(
            "reconnect",
            "phones by region",
            phones / home * connect_s,
            "s",
            f"{phones / home:,.0f} on each of {home:,} leaves x {how}",
        ),
        Line(
            "reconnect",
            "backoff that keeps half of a leaf free, phones by region",
            phones / home * connect_s / one.busy_share,
            "s",
            f"the line above / {one.busy_share:g}: the jitter of the first try",
        ),
    ]


def _gbit(bytes_per_s: float) -> float:
    return 8.0 * bytes_per_s / 1e9
