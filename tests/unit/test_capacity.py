"""The arithmetic of many brokers: closed forms, and that more never takes fewer."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.capacity import plan
from simulator.capacity_terms import Demand, constants

COUNTRY = Demand(phones=100_000_000)
ROUND = replace(
    constants(),
    connections_per_leaf=10_000,
    delivery_s=1e-5,
    delivery_tls_factor=2.0,
    connect_tls_s=1e-3,
    connection_tls_kib=32.0,
    overhead_bytes=100,
    ping_bytes=125,
    busy_share=0.5,
    hand_over_s=1e-4,
)


def test_a_million_phones_by_hand() -> None:
    found = plan(
        Demand(
            phones=1_000_000,
            tv_share=0.0,
            felt_share=0.1,
            cells=50,
            payload_bytes=900,
            heartbeat_bytes=150,
            keepalive_s=100.0,
            region_share=0.2,
        ),
        ROUND,
    )

    assert (found.leaves, found.regionals, found.hubs) == (100, 10, 2)
    assert found.value("brokers", "cores") == 112
    assert found.value("brokers", "memory of a leaf") == pytest.approx(312.5)
    assert found.value("keepalive", "pings") == pytest.approx(1e4)
    assert found.value("keepalive", "traffic") == pytest.approx(0.01)  # 1e4 x 125 x 8 bit
    assert found.value("keepalive", "load of a leaf") == pytest.approx(0.2)  # 100/s x 20 us
    assert found.value("alert", "hand-over") == pytest.approx(0.005)
    assert found.value("alert", "work of a hub without regionals") == pytest.approx(0.05)
    assert found.value("alert", "work of a hub") == pytest.approx(0.005)
    assert found.value("alert", "work of a regional") == pytest.approx(0.005)
    assert found.value("alert", "work of a leaf, phones spread") == pytest.approx(0.02)
    assert found.value("alert", "work of a leaf, phones by region") == pytest.approx(0.2)
    assert found.value("alert", "traffic of one message") == pytest.approx(0.1)
    assert found.value("heartbeat", "to every phone, cores") == pytest.approx(40.0)
    assert found.value("heartbeat", "to every phone, traffic") == pytest.approx(2.0)
    assert found.value("heartbeat", "to TVs only, cores") == 0.0
    assert found.value("reconnect", "phones spread") == pytest.approx(2.0)
    assert found.value("reconnect", "phones by region") == pytest.approx(10.0)


def test_one_leaf_needs_no_tree() -> None:
    found = plan(Demand(phones=1_000))

    assert (found.leaves, found.regionals) == (1, 0)


def test_every_line_says_how_it_comes_about() -> None:
    lines = plan(COUNTRY).lines

    assert len({(line.topic, line.name) for line in lines}) == len(lines)
    assert all(line.how and line.unit for line in lines)
    assert all(math.isfinite(line.value) and line.value >= 0.0 for line in lines)
    with pytest.raises(KeyError, match="alert: nothing"):
        plan(COUNTRY).value("alert", "nothing")


def test_every_measured_constant_has_its_command_and_every_assumption_its_reason() -> None:
    table = load_table("capacity")

    assert all(one["command"].startswith("python -m ") for one in table["measured"].values())
    assert all(one["source"] and one["unit"] for one in table["assumed"].values())


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.booleans())
def test_more_phones_never_take_fewer_brokers(one: int, other: int, tls: bool) -> None:
    few, many = (plan(Demand(phones=count, tls=tls)) for count in sorted((one, other)))

    assert few.leaves <= many.leaves
    assert few.regionals <= many.regionals
    held = many.value("brokers", "memory of a leaf") * 1024.0
    each = constants().connection_tls_kib if tls else constants().connection_kib
    assert held <= constants().connections_per_leaf * each * (1.0 + 1e-9)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("phones", 0, "--phones: must be 1"),
        ("felt_share", 1.5, "--felt-share: must be 0 to 1, was 1.5"),
        ("tv_share", float("nan"), "--tv-share"),
        ("cells", 0, "--cells"),
        ("keepalive_s", 0.0, "--keepalive"),
        ("payload_bytes", 0, "--payload"),
        ("region_share", -0.1, "--region-share"),
    ],
)
def test_what_cannot_be_is_named(field: str, value: float, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        replace(COUNTRY, **{field: value})  # type: ignore[arg-type]
