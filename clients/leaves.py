"""Which of several brokers a device turns to: leaves of one tree, all holding the same.

Each device has an order of its own, drawn once. So a crowd spreads evenly over the leaves, and
when one dies its devices spread evenly over those that are left, without anybody to direct them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from eew.mqtt_link import BrokerAddress  # with asyncio and paho, which a crowd does without

__all__ = ["LeavesOf", "leaf_order", "leaf_orders", "next_leaf"]

# The leaves as a device of an area (by its H3 cell) connects to them: the same brokers in the same
# order for every area, each with the account of the area.
LeavesOf: TypeAlias = "Callable[[str], Sequence[BrokerAddress]]"


def leaf_order(n_leaves: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Return the order in which a device tries ``n_leaves`` leaves, by number from 0.

    With one leaf nothing is drawn.

    Raises
    ------
    ValueError
        If there is no leaf.
    """
    if n_leaves < 1:
        raise ValueError("a device needs a broker to turn to")
    if n_leaves == 1:
        return (0,)
    return tuple(int(leaf) for leaf in rng.permutation(n_leaves))


def leaf_orders(n_devices: int, n_leaves: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """Return the order of each of many devices, a row each; as :func:`leaf_order`."""
    rows = np.tile(np.arange(n_leaves, dtype=np.int16), (n_devices, 1))
    return rng.permuted(rows, axis=1) if n_leaves > 1 else rows


def next_leaf(order: Sequence[int], lost: int) -> int:
    """Return the leaf to try after ``lost``; after the last one it is the first one's turn."""
    return order[(order.index(lost) + 1) % len(order)]
