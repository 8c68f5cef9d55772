"""Devices spread over leaves by themselves."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.leaves import leaf_order, leaf_orders, next_leaf


@given(n=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_every_leaf_is_tried_once_before_any_is_tried_again(n: int, seed: int) -> None:
    order = leaf_order(n, np.random.default_rng(seed))
    assert sorted(order) == list(range(n))
    at, tried = order[0], []
    for _ in range(n):
        tried.append(at)
        at = next_leaf(order, at)
    assert tuple(tried) == order
    assert at == order[0]


def test_the_devices_of_a_dead_leaf_spread_evenly_over_the_others() -> None:
    n, dead = 12_000, 2
    orders = [leaf_order(4, np.random.default_rng((1, i))) for i in range(n)]
    first = Counter(order[0] for order in orders)
    moved = Counter(next_leaf(order, dead) for order in orders if order[0] == dead)
    # three standard deviations of a fair draw
    assert all(abs(first[leaf] - n / 4) < 3 * (n * 3 / 16) ** 0.5 for leaf in range(4))
    assert moved[dead] == 0
    share = first[dead] / 3
    assert all(abs(moved[leaf] - share) < 3 * share**0.5 for leaf in (0, 1, 3))


def test_one_broker_draws_nothing_and_no_broker_is_an_error() -> None:
    used, fresh = np.random.default_rng(5), np.random.default_rng(5)
    assert leaf_order(1, used) == (0,)
    assert next_leaf((0,), 0) == 0
    assert used.random() == fresh.random()
    with pytest.raises(ValueError, match="a broker"):
        leaf_order(0, used)


def test_a_crowd_draws_an_even_order_for_each_device() -> None:
    n = 12_000
    orders = leaf_orders(n, 4, np.random.default_rng(1))
    assert (np.sort(orders, axis=1) == np.arange(4)).all()
    for column in (0, 1):
        counts = np.bincount(orders[:, column], minlength=4)
        assert (abs(counts - n / 4) < 4 * (n * 3 / 16) ** 0.5).all()
    used, fresh = np.random.default_rng(5), np.random.default_rng(5)
    assert (leaf_orders(3, 1, used) == 0).all()
    assert used.random() == fresh.random()
