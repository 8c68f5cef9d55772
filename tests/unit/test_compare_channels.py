"""Channels beside each other: exact shares, weighted by people."""

from __future__ import annotations

import numpy as np
import pytest

from eew.app.compare_channels import Listeners, channel_row
from simulator.delivery_profile import delivery_profile, profile_names


def listeners(*rows: tuple[float, float, float]) -> Listeners:
    table = np.array(rows, np.float64).reshape(-1, 3)
    return Listeners(distance_km=table[:, 0], people=table[:, 1], window_s=table[:, 2])


TOWNS = listeners((10.0, 1000.0, -1.0), (60.0, 3000.0, 13.0), (150.0, 6000.0, 40.0))


def test_told_at_the_decision_is_the_bound_of_every_channel() -> None:
    bound = channel_row(TOWNS, None)

    assert bound.in_time == pytest.approx(0.9)  # all but the blind zone
    assert bound.in_time_by_band == (0.0, None, 1.0, 1.0, None)
    assert bound.lead_time_s == 40.0
    assert bound.told_s == (0.0, 0.0, 0.0)
    for name in profile_names():
        row = channel_row(TOWNS, delivery_profile(name))
        assert row.in_time is not None
        assert bound.in_time is not None
        assert row.in_time <= bound.in_time
        assert row.lead_time_s is not None
        assert row.lead_time_s < 40.0


def test_shares_are_those_of_the_distribution() -> None:
    wea = delivery_profile("wea")

    row = channel_row(listeners((60.0, 500.0, 13.0)), wea)

    # half of those reached have it within 13 s, the published median
    assert row.in_time == pytest.approx(0.5 * wea.reached)
    assert row.lead_time_s == pytest.approx(0.0, abs=0.05)
    assert row.told_s == pytest.approx((13.0, float(wea.quantile_s(0.9)), 120.0))


def test_people_weigh_and_not_places() -> None:
    push = delivery_profile("push")

    row = channel_row(listeners((60.0, 1.0, -5.0), (70.0, 999.0, 1e4)), push)

    assert row.in_time == pytest.approx(0.999 * push.reached)


def test_without_anybody_concerned_nothing_is_said() -> None:
    row = channel_row(listeners(), delivery_profile("push"))

    assert row.in_time is None
    assert row.lead_time_s is None
    assert set(row.in_time_by_band) == {None}
