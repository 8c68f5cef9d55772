"""Histograms of latencies: three significant digits, exact ends, sums of parts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.crowd.histogram import Histogram

DURATIONS_US = st.lists(st.integers(0, 3_000_000_000), min_size=1, max_size=300)
SHARES = (0.0, 0.5, 0.9, 0.99, 1.0)


def histogram(values_us: list[int]) -> Histogram:
    made = Histogram()
    made.add_ns(np.array(values_us, dtype=np.int64) * 1000)
    return made


@given(DURATIONS_US)
def test_quantiles_are_those_of_numpy_to_one_part_in_a_thousand(values_us: list[int]) -> None:
    made = histogram(values_us)
    for share in SHARES:
        exact_us = float(np.percentile(values_us, 100 * share, method="inverted_cdf"))
        found_ms = made.quantile_ms(share)
        assert found_ms is not None
        assert exact_us / 1000 <= found_ms <= exact_us / 1000 * (1 + 1 / 1000) + 1e-9


@given(DURATIONS_US, DURATIONS_US)
def test_the_sum_of_two_is_the_histogram_of_both(one: list[int], other: list[int]) -> None:
    total = histogram(one)
    total.merge(Histogram.from_json(json.loads(json.dumps(histogram(other).to_json()))))
    assert total.to_json() == histogram(one + other).to_json()
    assert total.n == len(one) + len(other)
    assert total.max_ms == max(one + other) / 1000


def test_an_empty_one_says_nothing() -> None:
    made = Histogram()
    made.add_ns([])
    assert made.summary() == {"p50_ms": None, "p90_ms": None, "p99_ms": None, "max_ms": None}
    assert Histogram.from_json(made.to_json()).n == 0


@pytest.mark.parametrize("ns", [-5_000_000_000, 0])
def test_what_arrives_before_it_was_sent_counts_as_no_time(ns: int) -> None:
    made = Histogram()
    made.add_ns([ns])
    assert made.max_ms == 0.0
