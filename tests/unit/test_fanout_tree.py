"""The tree of brokers as queues: against closed forms, against a loop, against measured cases."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.app.capacity import capacity_document
from eew.errors import ConfigError
from eew.tables import load_table
from simulator.capacity_terms import Demand, constants
from simulator.delivery_profile import access_profile
from simulator.fanout_tree import Tree, fan_out, queue_starts, shared_delivery_s

ONE = replace(constants(), delivery_s=1e-3, hand_over_s=1e-3, hop_s=0.0)
TREE = Tree(leaves=100, regionals=10, phones=20_000, cells=20, leaves_told=100, reach_km=800.0)


@given(st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 3.0)), min_size=1, max_size=30))
def test_the_closed_form_is_what_a_loop_over_the_queue_gives(
    jobs: list[tuple[float, float]],
) -> None:
    arrivals_s = np.cumsum([gap for gap, _ in jobs])
    work_s = np.array([work for _, work in jobs])
    expected, free_s = [], 0.0
    for arrival_s, job_s in zip(arrivals_s, work_s, strict=True):
        start_s = max(float(arrival_s), free_s)
        expected.append(start_s)
        free_s = start_s + float(job_s)

    np.testing.assert_allclose(queue_starts(arrivals_s, work_s), expected, atol=1e-9)


def test_one_broker_serves_one_phone_after_another() -> None:
    found = fan_out(
        Tree(leaves=1, regionals=0, phones=1000, cells=1, leaves_told=1), seed=1, one=ONE
    )

    assert found.drawn == 1000
    assert found.written_s["last"] == pytest.approx(1e-3 + 1.0)  # handed over, then 1,000 x 1 ms
    assert found.written_s["p50"] == pytest.approx(1e-3 + 0.5, abs=1e-3)
    assert found.told_s == found.written_s


def test_the_last_leaf_of_the_last_regional_is_the_last_by_hand() -> None:
    tree = Tree(leaves=6, regionals=2, phones=6, cells=1, leaves_told=6)

    found = fan_out(tree, seed=1, one=ONE)

    # handed over 1 ms, hub to the 2nd regional 2 ms, that to its 3rd leaf 3 ms, the phone 1 ms
    assert found.written_s["last"] == pytest.approx(7e-3)


def test_cells_queue_up_behind_each_other_without_regionals() -> None:
    flat = Tree(leaves=50, regionals=0, phones=50, cells=10, leaves_told=50)

    found = fan_out(flat, seed=1, one=ONE)

    # 10 messages to 50 leaves each: the last leaf has the last after 500 deliveries
    assert 0.45 < found.written_s["last"] <= 1e-3 + 0.5 + 2e-3


def test_the_same_seed_gives_the_same_tree() -> None:
    radio = access_profile("lte-idle")

    assert fan_out(TREE, seed=5, access=radio) == fan_out(TREE, seed=5, access=radio)
    assert fan_out(TREE, seed=5, access=radio) != fan_out(TREE, seed=6, access=radio)


@given(st.integers(0, 5000), st.integers(1, 30), st.integers(0, 6), st.integers(1, 40))
def test_every_phone_is_told_and_none_before_its_leaf_could_be(
    phones: int, leaves: int, regionals: int, cells: int
) -> None:
    tree = Tree(leaves=leaves, regionals=regionals, phones=phones, cells=cells, leaves_told=leaves)

    found = fan_out(tree, seed=1, one=ONE, access=access_profile("wifi"))

    assert found.drawn == phones
    if phones:
        hops = 1 + (leaves > 1) + (leaves > 1 and regionals > 0)
        assert found.written_s["p50"] >= 1e-3 * (1 + hops) - 1e-9
        busiest = math.ceil(phones / leaves)
        assert found.written_s["last"] >= 1e-3 * busiest
        assert found.told_s["p50"] > found.written_s["p50"]


def test_distance_adds_the_way_in_the_cable() -> None:
    near = replace(TREE, reach_km=1e-6)
    far = replace(TREE, reach_km=3000.0)

    added_s = fan_out(far, seed=1).written_s["p50"] - fan_out(near, seed=1).written_s["p50"]

    # two links, mean distance of a disk 2/3 of its radius, cable twice as long, 200,000 km/s
    assert added_s == pytest.approx(2 * (2 / 3) * 3000.0 * 2.0 / 200_000.0, rel=0.2)


def test_of_very_many_phones_some_leaves_stand_for_all() -> None:
    tree = replace(TREE, leaves=1000, leaves_told=1000, phones=9_000_000)

    found = fan_out(tree, seed=1)

    assert 2_900_000 <= found.drawn <= 4_000_000
    assert found.written_s["p50"] == pytest.approx(
        fan_out(replace(tree, phones=9_000_000), seed=2).written_s["p50"], rel=0.05
    )


@pytest.mark.parametrize("case", load_table("capacity")["check"], ids=lambda case: case["name"])
def test_a_case_that_was_measured_whole_comes_out_within_the_stated_error(
    case: dict[str, float],
) -> None:
    leaves = int(case["leaves"])
    tree = Tree(
        leaves=leaves, regionals=0, phones=int(case["devices"]), cells=1, leaves_told=leaves
    )

    found = fan_out(tree, seed=1, delivery_s=shared_delivery_s(leaves, int(case["cores"])))

    error = load_table("capacity")["error"]
    for name in ("p50", "p99", "last"):
        assert 1e3 * found.written_s[name] == pytest.approx(case[f"{name}_ms"], rel=error)


@pytest.mark.parametrize(
    "bad", [{"leaves": 0}, {"regionals": -1}, {"leaves_told": 101}, {"reach_km": float("nan")}]
)
def test_a_tree_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        replace(TREE, **bad)  # type: ignore[arg-type]


def test_the_document_holds_lines_alerts_and_check() -> None:
    document = capacity_document(Demand(phones=1_000_000), reach_km=500.0, seed=1)

    assert document["schema"] == "eew.capacity/1"
    assert document["simulation"] is True
    assert document["tree"] == {"hubs": 2, "regionals": 8, "leaves": 59}
    assert next(one["name"] for one in document["alerts"]) == "phones spread over all leaves"
    assert len(document["alerts"]) == 4
    for one in document["check"]["cases"]:
        assert set(one["measured_ms"]) == set(one["simulated_ms"])
    assert document == capacity_document(Demand(phones=1_000_000), reach_km=500.0, seed=1)
