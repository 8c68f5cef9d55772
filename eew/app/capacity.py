"""``eew capacity``: the sizing as one document: arithmetic, simulated alerts, check."""

from __future__ import annotations

import math
from typing import Any

from eew import __version__
from eew.report.summary import number
from eew.tables import load_table
from simulator.capacity import Capacity, plan
from simulator.capacity_terms import Demand, constants
from simulator.delivery_profile import access_profile
from simulator.fanout_tree import Told, Tree, fan_out, shared_delivery_s

__all__ = ["CAPACITY_SCHEMA", "capacity_document"]

CAPACITY_SCHEMA = "eew.capacity/1"
ACCESS = "lte-idle"


def capacity_document(demand: Demand, *, reach_km: float, seed: int) -> dict[str, Any]:
    """Return the document (schema ``eew.capacity/1``).

    Parameters
    ----------
    reach_km : float
        Largest distance between two brokers.

    Raises
    ------
    ConfigError
        If a value of the demand, or the distance, cannot be used.
    """
    sized, radio = plan(demand), access_profile(ACCESS)
    each_s = constants().to_device_s(tls=demand.tls)
    return {
        "schema": CAPACITY_SCHEMA,
        "simulation": True,
        "version": __version__,
        "seed": seed,
        "phones": demand.phones,
        "felt_share": demand.felt_share,
        "cells": demand.cells,
        "reach_km": reach_km,
        "tree": {"hubs": sized.hubs, "regionals": sized.regionals, "leaves": sized.leaves},
        "lines": [
            {
                "topic": line.topic,
                "name": line.name,
                "value": number(line.value, 4),
                "unit": line.unit,
                "how": line.how,
            }
            for line in sized.lines
        ],
        "alerts": [
            {
                "name": name,
                **_told(fan_out(tree, seed=seed, access=radio, delivery_s=each_s)),
            }
            for name, tree in _trees(demand, sized, reach_km)
        ],
        "access": radio.title,
        "check": _checks(seed),
    }


def _trees(demand: Demand, sized: Capacity, reach_km: float) -> list[tuple[str, Tree]]:
    home = math.ceil(demand.felt / constants().connections_per_leaf)
    few = min(max(1, home), sized.leaves)

    def tree(regionals: int, leaves_told: int, phones: int) -> Tree:
        return Tree(
            leaves=sized.leaves,
            regionals=regionals,
            phones=phones,
            cells=demand.cells,
            leaves_told=leaves_told,
            reach_km=reach_km,
        )

    found = [("phones spread over all leaves", tree(sized.regionals, sized.leaves, demand.felt))]
    if sized.leaves == 1:
        return found
    return [
        *found,
        ("phones on the leaves of their region", tree(sized.regionals, few, demand.felt)),
        ("no regionals, phones spread", tree(0, sized.leaves, demand.felt)),
        ("everybody, phones spread", tree(sized.regionals, sized.leaves, demand.phones)),
    ]


def _told(told: Told) -> dict[str, Any]:
    return {
        "written_s": {name: number(value, 3) for name, value in told.written_s.items()},
        "told_s": {name: number(value, 3) for name, value in told.told_s.items()},
        "followed": told.drawn,
    }


def _checks(seed: int) -> dict[str, Any]:
    """Return the cases that were measured whole, and what the tree says of them."""
    table = load_table("capacity")
    rows = []
    for case in table["check"]:
        leaves = int(case["leaves"])
        tree = Tree(
            leaves=leaves,
            regionals=0,
            phones=int(case["devices"]),
            cells=1,
            leaves_told=leaves,
        )
        each_s = shared_delivery_s(leaves, int(case["cores"]))
        found = fan_out(tree, seed=seed, delivery_s=each_s).written_s
        rows.append(
            {
                "name": case["name"],
                "measured_ms": {one: case[f"{one}_ms"] for one in ("p50", "p99", "last")},
                "simulated_ms": {
                    one: number(1e3 * found[one], 1) for one in ("p50", "p99", "last")
                },
            }
        )
    return {"error": table["error"], "cases": rows}
