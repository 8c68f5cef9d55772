"""Backoff, network profiles and their seeded cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.backoff import CAP_S, FIRST_S, wait_s
from clients.crowd.network_profile import (
    Asleep,
    Change,
    NetworkProfile,
    Radios,
    builtin_profiles,
    draw,
    shares_of,
)
from eew.errors import ConfigError
from simulator.seeds import rng

S = 1_000_000_000


@given(st.integers(0, 255), st.floats(0, 1, exclude_max=True))
def test_waits_are_even_below_a_limit_that_doubles_up_to_the_cap(n: int, share: float) -> None:
    limit_s = min(CAP_S, FIRST_S * 2.0**n)
    assert wait_s(n, share) == pytest.approx(share * limit_s)
    assert 0.0 <= wait_s(n, share) <= CAP_S


def test_shares_of_phones_and_of_tvs_add_up_to_one() -> None:
    for kind in ("phone", "tv"):
        assert sum(shares_of(builtin_profiles(), kind, {}).values()) == pytest.approx(1.0)
    given = shares_of(builtin_profiles(), "phone", {"doze": 0.5})
    assert given["doze"] == 0.5
    assert sum(given.values()) == pytest.approx(1.0)
    ratio = given["wifi"] / given["cellular_4g"]
    assert ratio == pytest.approx(0.52 / 0.38)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"wifi": 0.7, "doze": 0.7}, "add up to 1.4"),
        ({"smoke": 0.1}, "unknown profile 'smoke'"),
        ({"wifi": -0.1}, "must be 0 to 1, was -0.1"),
        ({"wifi": float("nan")}, "must be 0 to 1, was nan"),
    ],
)
def test_shares_that_cannot_be_had_are_refused(shares: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        shares_of(builtin_profiles(), "phone", shares)


def test_profiles_are_drawn_by_share_and_by_kind() -> None:
    profiles = builtin_profiles()
    shares = shares_of(profiles, "phone", {"doze": 0.25}) | shares_of(profiles, "tv", {})
    kinds = ["phone"] * 20_000 + ["tv"] * 2_000
    found = draw(profiles, kinds, shares, rng(1, "test"))
    names = np.array([profile.name for profile in profiles])[found]
    assert np.mean(names[:20_000] == "doze") == pytest.approx(0.25, abs=0.01)
    assert set(names[20_000:]) == {"tv_on", "tv_off"}
    assert (found == draw(profiles, kinds, shares, rng(1, "test"))).all()


def cycle(asleep: Asleep, n: int = 400) -> Radios:
    profile = NetworkProfile(
        name="test", kind="phone", share=1.0, round_trip_ms=0.0,
        asleep=asleep, asleep_s=30.0, awake_s=10.0,
    )  # fmt: skip
    return Radios((profile,), np.zeros(n, dtype=np.int8), rng(1, "test"), 0)


def test_dozing_phones_listen_in_turn_for_the_length_of_a_window() -> None:
    radios = cycle(Asleep.UNREAD)
    assert np.mean(radios.asleep_at_start) == pytest.approx(0.75, abs=0.06)
    assert not radios.away_at_start.any()
    state = radios.asleep_at_start.copy()
    for at_s in range(1, 81):
        for device, change in radios.due(at_s * S):
            assert change is (Change.LISTEN if state[device] else Change.SLEEP)
            state[device] = not state[device]
        assert np.mean(state) == pytest.approx(0.75, abs=0.08)


def test_a_phone_in_flight_mode_leaves_and_returns() -> None:
    radios = cycle(Asleep.AWAY)
    assert radios.away_at_start.any()
    changes = radios.due(40 * S)
    assert {change for _, change in changes} == {Change.LEAVE, Change.RETURN}
    assert radios.due(40 * S) == []


def test_a_dead_battery_stays_dead() -> None:
    profile = next(p for p in builtin_profiles() if p.asleep is Asleep.DEAD)
    radios = Radios((profile,), np.zeros(50, dtype=np.int8), rng(1, "test"), 0)
    assert not radios.away_at_start.any()
    changes = radios.due(round(profile.awake_s * S))
    assert sorted(device for device, _ in changes) == list(range(50))
    assert {change for _, change in changes} == {Change.DIE}
    assert radios.due(10**18) == []
