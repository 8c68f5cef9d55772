"""When the last phone is told: the tree of brokers as queues, message by message.

The publisher hands one message for each cell to a hub; hubs, regionals and leaves each serve one
delivery after another, in order, and links keep the order (TCP). Every node of a level is computed
at once: with all messages of a level known, a first-in-first-out server needs no event loop.
Service times are measured (``eew/tables/capacity.toml``), distances and radio are modelled.

Not in it: lost packets between brokers, acknowledgements of QoS 1, and brokers that are busy with
something else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from simulator.capacity_terms import Constants, constants
from simulator.delivery_profile import DeliveryProfile
from simulator.seeds import rng

__all__ = ["Told", "Tree", "fan_out", "queue_starts", "shared_delivery_s"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_DRAWN = 4_000_000  # phones followed one by one; of more, those of some leaves
_SHARES = (0.5, 0.9, 0.99, 0.9999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One alert in one tree.

    Attributes
    ----------
    leaves, regionals : int
        Brokers; without regionals the hub feeds the leaves itself. With ``leaves`` 1 and no
        regionals there is no hub either: one broker.
    phones : int
        That the alert is for, on all leaves together.
    cells : int
        Messages, one per area cell, in the order of publishing; each phone gets one of them.
    leaves_told : int
        On how many leaves those phones are: all, where phones are spread over the country's
        leaves, few where each region has leaves of its own.
    reach_km : float
        Largest distance between two brokers; that of each link is drawn evenly over a disk.
    """

    leaves: int
    regionals: int
    phones: int
    cells: int
    leaves_told: int
    reach_km: float = 0.0

    def __post_init__(self) -> None:
        for key, value, low in (
            ("leaves", self.leaves, 1),
            ("regionals", self.regionals, 0),
            ("phones", self.phones, 0),
            ("cells", self.cells, 1),
            ("leaves_told", self.leaves_told, 1),
        ):
            if value < low:
                raise ConfigError(key, f"must be {low} or more, was {value}")
        if self.leaves_told > self.leaves:
            raise ConfigError("leaves_told", f"must be up to {self.leaves}, was {self.leaves_told}")
        if not (self.reach_km >= 0.0 and math.isfinite(self.reach_km)):
            raise ConfigError("reach_km", f"must be 0 or more, was {self.reach_km!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Delays in s after the first message was handed over.

    Attributes
    ----------
    written_s : dict
        ``p50``, ``p90``, ``p99``, ``p99.99`` and ``last`` of the writing to a phone's socket.
    told_s : dict
        The same on the phone, with its radio; ``last`` of those followed one by one.
    drawn : int
        How many phones that is.
    """

    written_s: dict[str, float]
    told_s: dict[str, float]
    drawn: int


def fan_out(
    tree: Tree,
    *,
    seed: int,
    access: DeliveryProfile | None = None,
    one: Constants | None = None,
    delivery_s: float | None = None,
) -> Told:
    """Send one alert through a tree.

    Parameters
    ----------
    access : DeliveryProfile, optional
        The way from a leaf to a phone; none on loopback.
    one : Constants, optional
        Of a broker; those measured here by default.
    delivery_s : float, optional
        Service time of a leaf in place of the measured one, where brokers share cores
        (:func:`shared_delivery_s`).
    """
    one = one or constants()
    at_leaf_s = _at_leaves(tree, one, seed)
    phones = _phones(tree, seed)
    each_s = one.delivery_s if delivery_s is None else delivery_s
    work_s: Floats = phones.astype(np.float64) * each_s
    starts_s = queue_starts(at_leaf_s, work_s)
    busy_until_s = (starts_s + work_s)[phones > 0]
    written_s = _each_phone(starts_s, phones, work_s)
    last_s = float(busy_until_s.max()) if busy_until_s.size else 0.0
    told_s = written_s
    if access is not None:
        told_s = written_s + access.draw_many_s(len(written_s), seed, "fan-out")
    return Told(
        written_s=_quantiles(written_s, last_s),
        told_s=_quantiles(told_s, float(told_s.max()) if told_s.size else 0.0),
        drawn=len(written_s),
    )


def queue_starts(arrivals_s: Floats, work_s: Floats) -> Floats:
    """Return when a first-in-first-out server begins each job.

    Parameters
    ----------
    arrivals_s : numpy.ndarray, shape (..., n)
        Arrivals along the last axis, growing.
    work_s : numpy.ndarray, shape (..., n)
        Service time of each job, >= 0.

    Returns
    -------
    numpy.ndarray, shape (..., n)
        Lindley's recursion, ``start = max(arrival, end of the job before)``, in closed form: the
        work before a job, counted from the arrival that kept the server busy until it.
    """
    before_s = np.cumsum(work_s, axis=-1) - work_s
    starts_s: Floats = np.maximum.accumulate(arrivals_s - before_s, axis=-1) + before_s
    return starts_s


def shared_delivery_s(leaves: int, cores: int, one: Constants | None = None) -> float:
    """Return the time of a delivery where leaves and their clients share the cores of one machine.

    A leaf is no faster than its own core; and all leaves and clients together do no more than the
    cores can.
    """
    one = one or constants()
    return max(one.delivery_s, leaves * (one.delivery_s + one.receive_s) / cores)


def _at_leaves(tree: Tree, one: Constants, seed: int) -> Floats:
    """Return when each message is at each leaf that is told, shape (leaves told, cells)."""
    handed_s: Floats = np.arange(1.0, tree.cells + 1.0) * one.hand_over_s
    draw = rng(seed, "fanout-tree", "links")
    at_leaf_s: Floats
    if tree.leaves == 1:
        return handed_s[np.newaxis, :]
    if not tree.regionals:
        links_s = _links_s(tree, one, draw, tree.leaves)
        child = np.arange(tree.leaves_told)
        wait_s = (child + 1.0) * one.delivery_s + links_s[child]
        at_leaf_s = _forward(handed_s[np.newaxis, :], tree.leaves, one) + wait_s[:, np.newaxis]
        return at_leaf_s
    at_hub_s = _forward(handed_s[np.newaxis, :], tree.regionals, one)
    regional = np.arange(tree.regionals)
    links_s = _links_s(tree, one, draw, tree.regionals)
    wait_s = (regional + 1.0) * one.delivery_s + links_s
    at_regional_s: Floats = at_hub_s + wait_s[:, np.newaxis]
    below = math.ceil(tree.leaves / tree.regionals)
    sent_s = _forward(at_regional_s, below, one)
    # leaves in turn over the regionals, so that a few leaves do not hang on one
    leaf = np.arange(tree.leaves_told)
    links_s = _links_s(tree, one, draw, tree.leaves)
    wait_s = (leaf // tree.regionals + 1.0) * one.delivery_s + links_s[leaf]
    at_leaf_s = sent_s[leaf % tree.regionals] + wait_s[:, np.newaxis]
    return at_leaf_s


def _forward(arrivals_s: Floats, children: int, one: Constants) -> Floats:
    """Return when a node begins to send each message to its children."""
    return queue_starts(arrivals_s, np.full_like(arrivals_s, children * one.delivery_s))


def _links_s(tree: Tree, one: Constants, draw: np.random.Generator, count: int) -> Floats:
    away_km = tree.reach_km * np.sqrt(draw.random(count))
    links_s: Floats = one.hop_s + away_km * one.route_factor / one.fibre_km_per_s
    return links_s if tree.reach_km > 0.0 else np.zeros(count)


def _phones(tree: Tree, seed: int) -> Ints:
    """Return how many phones get each message on each leaf that is told."""
    shape = (tree.leaves_told, tree.cells)
    slots = shape[0] * shape[1]
    even, left = divmod(tree.phones, slots)
    phones = np.full(slots, even, np.int64)
    phones[rng(seed, "fanout-tree", "phones").permutation(slots)[:left]] += 1
    return phones.reshape(shape)


def _each_phone(starts_s: Floats, phones: Ints, work_s: Floats) -> Floats:
    """Return when each phone's message is written; of very many phones, on every n-th leaf."""
    stride = max(1, math.ceil(int(phones.sum()) / MOST_DRAWN))
    counts = phones[::stride].ravel()
    each_s = np.divide(
        work_s[::stride].ravel(), counts, where=counts > 0, out=np.zeros(counts.size)
    )
    first = np.cumsum(counts) - counts
    place = np.arange(int(counts.sum())) - np.repeat(first, counts) + 1
    written_s: Floats = np.repeat(starts_s[::stride].ravel(), counts) + place * np.repeat(
        each_s, counts
    )
    return written_s


def _quantiles(values_s: Floats, last_s: float) -> dict[str, float]:
    if not values_s.size:
        return {**{_name(share): 0.0 for share in _SHARES}, "last": 0.0}
    found = np.quantile(values_s, _SHARES)
    return {
        **{_name(share): float(one) for share, one in zip(_SHARES, found, strict=True)},
        "last": last_s,
    }


def _name(share: float) -> str:
    return f"p{100.0 * share:g}"
