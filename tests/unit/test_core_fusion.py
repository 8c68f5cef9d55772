"""Evidence that grows, is blurred and is multiplied."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.core.evidence import MAGNITUDES, Evidence
from eew.core.fusion import Fused, fuse
from eew.core.source_growth import blur, growing_log_likelihood, may_grow, reached
from eew.physics.magnitude import half_duration_s
from tests.unit.core_cases import config

SETTINGS = config().magnitude


def gaussian(centre: float, sigma: float, *, name: str = "pd", bound: bool = False) -> Evidence:
    return Evidence(
        name=name,
        log_likelihood=-0.5 * ((MAGNITUDES - centre) / sigma) ** 2,
        n_stations=4,
        is_lower_bound=bound,
    )


def fused(*evidences: Evidence, seconds: float = 5.0) -> Fused:
    found = fuse(evidences, seconds=seconds, config=SETTINGS)
    assert found is not None
    return found


def test_two_gaussians_are_fused_by_their_weights() -> None:
    found = fused(gaussian(5.0, 0.2), gaussian(5.4, 0.1, name="vs"))

    assert found.value == pytest.approx((5.0 / 0.04 + 5.4 / 0.01) / 125.0, abs=0.03)
    assert found.sigma == pytest.approx(1.0 / math.sqrt(125.0), abs=0.02)
    assert found.type == "Mpd+Mvs"


def test_without_evidence_there_is_no_magnitude() -> None:
    assert fuse([], seconds=1.0, config=SETTINGS) is None


def test_evidence_has_the_common_axis() -> None:
    with pytest.raises(ValueError, match="shape"):
        Evidence(name="pd", log_likelihood=np.zeros(3), n_stations=1, is_lower_bound=False)


def test_the_prior_tempers_the_first_second_only() -> None:
    first, later = fused(gaussian(5.0, 0.5), seconds=0.2), fused(gaussian(5.0, 0.5), seconds=1.0)

    assert first.value < later.value
    assert later.value == fused(gaussian(5.0, 0.5), seconds=30.0).value


def test_above_a_magnitude_reached_the_frequency_of_quakes_closes_the_posterior() -> None:
    log_likelihood = -0.5 * (np.minimum(MAGNITUDES - 6.0, 0.0) / 0.1) ** 2  # flat above
    flat = Evidence(name="pd", log_likelihood=log_likelihood, n_stations=4, is_lower_bound=True)
    found = fused(flat)

    # an exponential with b = 1 has its median at log10(2) = 0.30, less what lies below 6
    assert 6.2 < found.value < 6.4
    assert found.lower_bound


def test_it_is_a_lower_bound_only_while_all_are() -> None:
    bound, known = gaussian(6.0, 0.3, bound=True), gaussian(6.0, 0.3, name="vs")

    assert fused(bound).lower_bound
    assert not fused(bound, known).lower_bound


@settings(max_examples=50)
@given(st.lists(st.floats(3.0, 8.5), min_size=2, max_size=4))
def test_the_fused_value_lies_among_its_parts_whatever_their_order(centres: list[float]) -> None:
    parts = [gaussian(c, 0.3, name=f"e{i}") for i, c in enumerate(centres)]
    found = fused(*parts)

    assert min(centres) - 0.12 <= found.value <= max(centres) + 0.12
    assert fused(*reversed(parts)).value == found.value


def test_a_shared_error_widens_a_peak_and_leaves_a_plateau() -> None:
    sharp = -0.5 * ((MAGNITUDES - 5.0) / 0.1) ** 2
    wide = blur(sharp, 0.3)
    at = np.argmin(np.abs(MAGNITUDES - 5.6))

    assert wide[at] == pytest.approx(-0.5 * 0.36 / (0.01 + 0.09), abs=0.02)
    assert blur(np.zeros(MAGNITUDES.size), 0.3) == pytest.approx(np.zeros(MAGNITUDES.size))


def growing(values: list[float], seen_s: list[float], sigma: float = 0.3) -> np.ndarray:
    each = -0.5 * ((np.array(values)[None, :] - MAGNITUDES[:, None]) / sigma) ** 2
    return growing_log_likelihood(
        each,
        each,
        np.array(seen_s),
        half_duration_s(MAGNITUDES),
        shared_sigma=0.1,
        config=SETTINGS,
    )


def test_stations_that_saw_the_whole_source_speak_for_it_alone() -> None:
    found = growing([5.0] * 6, [4.0] * 6)
    at = [int(np.argmin(np.abs(MAGNITUDES - m))) for m in (4.0, 5.0, 6.0, 8.0)]

    assert reached(found) == pytest.approx(5.0)
    assert found[at[0]] < found[at[1]] - 4.0
    assert found[at[2]] < found[at[1]] - 3.5
    # a source of M8 has reached more than M5 after four seconds
    assert found[at[3]] < found[at[1]] - 2.5


def test_what_is_seen_of_a_large_source_leaves_its_end_open() -> None:
    found = growing([6.45] * 6, [4.0] * 6)
    above = MAGNITUDES >= 6.8

    assert found.max() - found[above].min() < 0.3
    assert found[MAGNITUDES <= 5.5].max() < found.max() - 3.0


def test_young_stations_do_not_hold_old_ones_down() -> None:
    old = growing([7.2] * 4, [12.0] * 4)
    both = growing([7.2] * 4 + [6.0] * 4, [12.0] * 4 + [2.0] * 4)

    assert abs(reached(both) - reached(old)) < 0.11


def test_a_source_may_grow_until_enough_stations_have_seen_its_length() -> None:
    needed_s = half_duration_s(MAGNITUDES)

    assert may_grow(7.0, np.array([3.0, 4.0, 9.0]), needed_s, 2)
    assert not may_grow(7.0, np.array([8.0, 4.0, 9.0]), needed_s, 2)
    assert not may_grow(7.0, np.array([9.0]), needed_s, 3), "one of one is all of them"


def test_half_durations_are_those_of_the_global_catalogue() -> None:
    # 1.05e-8 (M0 / dyn cm) ** (1/3)
    assert half_duration_s([6.0, 7.0, 8.0]) == pytest.approx([2.44, 7.72, 24.4], rel=0.005)
