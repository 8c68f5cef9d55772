"""Published delays as distributions: quantiles come back, draws are seeded, coverage is a share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.delivery_profile import (
    DeliveryProfile,
    access_profile,
    delivery_profile,
    profile_names,
)

NAMES = st.sampled_from(profile_names())
MODELLED = [name for name in profile_names() if name != "mqtt"]
MARKS = {"measured", "V", "V-abs", "M", "chosen"}


def profile(deviates: tuple[float, ...], delays_s: tuple[float, ...]) -> DeliveryProfile:
    return DeliveryProfile(
        name="test",
        title="",
        latency="modelled",
        source="",
        reached=0.8,
        reached_mark="chosen",
        deviates=deviates,
        delays_s=delays_s,
        marks=("chosen",) * len(delays_s),
    )


@pytest.mark.parametrize("name", MODELLED)
def test_the_published_quantiles_come_back(name: str) -> None:
    rows = load_table("delivery_profiles")[name]["quantiles"]

    found = delivery_profile(name).quantile_s([one["p"] for one in rows])

    np.testing.assert_allclose(found, [one["s"] for one in rows], rtol=1e-9)


@pytest.mark.parametrize("name", profile_names())
def test_every_figure_says_where_it_is_from(name: str) -> None:
    found = delivery_profile(name)

    assert {*found.marks, found.reached_mark} <= MARKS
    assert len(found.source) > 20
    for one in load_table("delivery_profiles")[name]["quantiles"]:
        assert one["mark"] != "chosen" or one["note"]


@given(NAMES, st.floats(0.001, 0.999))
def test_a_share_is_told_by_its_quantile(name: str, share: float) -> None:
    found = delivery_profile(name)
    within_s = float(found.quantile_s(share))

    told = float(found.share_within(within_s)) / found.reached

    # the first are told together, and so are the last
    assert told == pytest.approx(share, abs=1e-6) or within_s in (
        pytest.approx(found.delays_s[0]),
        pytest.approx(found.delays_s[-1]),
    )


@given(NAMES, st.lists(st.floats(-10.0, 1e4), min_size=2, max_size=20))
def test_more_time_never_means_fewer_told_and_never_more_than_are_reached(
    name: str, seconds: list[float]
) -> None:
    found = delivery_profile(name)

    told = found.share_within(np.sort(seconds))

    assert (np.diff(told) >= 0.0).all()
    assert (told >= 0.0).all()
    assert (told <= found.reached).all()


@pytest.mark.parametrize("name", profile_names())
def test_draws_have_the_quantiles_and_the_coverage(name: str) -> None:
    found, count = delivery_profile(name), 40_000

    drawn = found.draw_many_s(count, 7, "crowd")
    told = drawn[np.isfinite(drawn)]

    # four standard errors of a share
    error = 4.0 * np.sqrt(found.reached * (1.0 - found.reached) / count)
    assert len(told) / count == pytest.approx(found.reached, abs=error + 1e-12)
    for share in (0.25, 0.5, 0.9, 0.99):
        below = (told < float(found.quantile_s(share))).mean()
        assert below == pytest.approx(share, abs=4.0 * np.sqrt(share * (1 - share) / len(told)))


def test_the_same_seed_gives_the_same_draws_and_labels_give_others() -> None:
    push = delivery_profile("push")

    first = push.draw_many_s(50, 3, "phone-1")

    np.testing.assert_array_equal(first, push.draw_many_s(50, 3, "phone-1"))
    np.testing.assert_array_equal(first, push.draw_many_s(80, 3, "phone-1")[:50])
    assert not np.array_equal(first, push.draw_many_s(50, 4, "phone-1"))
    assert not np.array_equal(first, push.draw_many_s(50, 3, "phone-2"))
    assert push.draw_s(3, "phone-1") == first[0]


def test_who_is_not_reached_has_no_delay() -> None:
    nobody = DeliveryProfile(
        name="nobody",
        title="",
        latency="modelled",
        source="",
        reached=0.0,
        reached_mark="chosen",
        deviates=(0.0,),
        delays_s=(1.0,),
        marks=("chosen",),
    )

    assert nobody.draw_s(1, "phone-1") is None
    assert float(nobody.share_within(1e6)) == 0.0


def test_between_two_quantiles_the_law_is_log_normal() -> None:
    found = profile((-1.0, 1.0), (1.0, 100.0))

    assert float(found.quantile_s(0.5)) == pytest.approx(10.0)


def test_two_delays_one_behind_the_other_add_up_at_each_quantile() -> None:
    radio = access_profile("lte-idle")
    broker = profile((0.0, 2.0), (0.1, 0.2))

    both = broker.after(radio)

    for share in (0.05, 0.5, 0.9, 0.977):
        assert float(both.quantile_s(share)) == pytest.approx(
            float(broker.quantile_s(share)) + float(radio.quantile_s(share)), rel=0.02
        )


@pytest.mark.parametrize("bad", [(2.0, 1.0), (0.0, 1.0), (1.0, 1.0), (-1.0, 1.0)])
def test_quantiles_that_do_not_grow_are_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="grow"):
        profile((0.0, 1.0), bad)


def test_an_unknown_channel_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'smoke'.*mqtt, vhf, cell-broadcast, push, wea"):
        delivery_profile("smoke")
    with pytest.raises(ConfigError, match=r"'carrier-pigeon'.*lte-idle, wifi"):
        access_profile("carrier-pigeon")
