"""A line source is found by the pattern of its own shaking, and says no more than it knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eew.core.evidence import MAGNITUDES
from eew.core.line_source import LineFit, fit_line
from eew.core.shaken import Shaken
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from eew.physics.rupture import distance_to_line_km
from eew.physics.shaking import shaking_model
from tests.unit.core_cases import Floats, config

MODEL = shaking_model("bssa14")
LINE = config().line
LAT, LON, DEPTH_KM = 37.0, 37.0, 10.0
STRIKE_DEG, LENGTH_KM = 60.0, 150.0  # Wells & Coppersmith (1994): M7.84


def stations() -> tuple[Floats, Floats]:
    """A grid of stations 30 km apart, 120 km to each side."""
    east, north = np.meshgrid(np.arange(-120.0, 121.0, 30.0), np.arange(-120.0, 121.0, 30.0))
    away, turn = np.hypot(east, north).ravel(), np.degrees(np.arctan2(east, north)).ravel() % 360.0
    lats, lons = destination(LAT, LON, turn, away)
    return lats, lons


def line(ahead: float) -> tuple[float, float, float, float]:
    """The true rupture, with so much of it on the strike's side of the hypocentre."""
    one = destination(LAT, LON, STRIKE_DEG, LENGTH_KM * ahead)
    other = destination(LAT, LON, STRIKE_DEG + 180.0, LENGTH_KM * (1.0 - ahead))
    return float(one[0]), float(one[1]), float(other[0]), float(other[1])


def shaken(ahead: float, *, magnitude: float = 7.8, since_s: float = 150.0) -> Shaken:
    """Every station as the model has it, so long after the origin."""
    lats, lons = stations()
    motion = MODEL.predict_beside_line(
        magnitude, DEPTH_KM, distance_to_line_km(line(ahead), lats, lons)
    )
    n = lats.size
    everywhere = np.ones(n, dtype=bool)
    return Shaken(
        lat=LAT,
        lon=LON,
        depth_km=DEPTH_KM,
        distance_km=epicentral_distance_km(LAT, LON, lats, lons),
        azimuth_deg=azimuth_deg(LAT, LON, lats, lons),
        vs30_mps=np.full(n, np.nan),
        peaks=np.stack([motion.pga_mps2, motion.pgv_mps] * 2, axis=1),
        since_origin_s=np.full(n, since_s),
        past_s=everywhere,
        heard=everywhere,
        heard_slow=everywhere,
        clipped=~everywhere,
    )


def fitted(seen: Shaken) -> LineFit:
    fit = fit_line(seen, MODEL, LINE)
    assert fit is not None
    return fit


def likeliest(fit: LineFit) -> float:
    return float(MAGNITUDES[np.argmax(fit.evidence.log_likelihood)])


def ends_off_km(fit: LineFit, magnitude: float, ahead: float) -> float:
    """Distance of the ends from the true ones, in the order that fits."""
    found, true = fit.line_at(magnitude), line(ahead)
    assert found is not None
    swapped = (*found[2:], *found[:2])
    return min(
        max(
            float(epicentral_distance_km(*ends[:2], *true[:2])),
            float(epicentral_distance_km(*ends[2:], *true[2:])),
        )
        for ends in (found, swapped)
    )


@pytest.mark.parametrize("ahead", [0.0, 0.5, 1.0])
def test_a_line_that_shakes_like_the_model_is_found(ahead: float) -> None:
    fit = fitted(shaken(ahead))

    assert likeliest(fit) == pytest.approx(7.8, abs=0.15)
    assert ends_off_km(fit, 7.8, ahead) < 25.0
    assert fit.gain_at(7.8) > 2 * fit.needed


def test_wrong_gains_move_it_little() -> None:
    seen = shaken(0.0)
    wrong = seen.peaks.copy()
    wrong[::9] *= 1000.0
    wrong[4::9] /= 30.0

    fit = fitted(replace(seen, peaks=wrong))

    assert likeliest(fit) == pytest.approx(7.8, abs=0.3)
    assert ends_off_km(fit, 7.8, 0.0) < 50.0


def test_a_point_is_not_taken_for_a_line() -> None:
    seen = shaken(0.5)
    motion = MODEL.predict(5.9, DEPTH_KM, seen.distance_km)
    peaks = np.stack([motion.pga_mps2, motion.pgv_mps] * 2, axis=1)

    fit = fitted(replace(seen, peaks=peaks))

    assert fit.gain_at(5.9) < fit.needed
    assert likeliest(fit) == pytest.approx(5.9, abs=0.15)


def test_weak_shaking_that_can_still_grow_holds_nothing_down() -> None:
    """20 s after the origin only the middle has had its share; the far end has had P alone."""
    seen = shaken(0.0, since_s=20.0)
    due = seen.distance_km / LINE.rupture_km_s + LINE.rise_s < 20.0
    early = replace(seen, peaks=np.where(due[:, None], seen.peaks, seen.peaks / 50.0))
    over = replace(early, since_origin_s=np.full(due.size, 300.0))

    assert likeliest(fitted(early)) > likeliest(fitted(over)) + 0.5
    assert fitted(early).evidence.is_lower_bound or likeliest(fitted(early)) >= 7.0


def test_clipped_records_only_say_at_least() -> None:
    seen = shaken(0.0)
    near = seen.distance_km < 70.0
    cut = replace(seen, peaks=np.where(near[:, None], seen.peaks / 5.0, seen.peaks))

    believed, bounded = fitted(cut), fitted(replace(cut, clipped=near))

    assert abs(likeliest(bounded) - 7.8) < abs(likeliest(believed) - 7.8) + 0.01
    assert likeliest(bounded) == pytest.approx(7.8, abs=0.25)


def test_lower_bounds_alone_say_nothing() -> None:
    seen = shaken(0.0)

    assert fit_line(replace(seen, clipped=np.ones(seen.clipped.size, bool)), MODEL, LINE) is None


def test_a_rupture_is_no_longer_than_its_front_ran() -> None:
    fit = fitted(shaken(0.0, since_s=20.0))

    found = fit.line_at(7.8)
    if found is not None:
        assert float(epicentral_distance_km(*found)) <= 2.0 * 20.0 * LINE.rupture_km_s + 3.0


def test_few_stations_say_nothing() -> None:
    seen = shaken(0.0)
    few = np.zeros(seen.heard.size, dtype=bool)
    few[: LINE.min_stations - 1] = True
    since_s = np.where(few, 300.0, 1.0)

    assert fit_line(replace(seen, since_origin_s=since_s), MODEL, LINE) is None


def half_width(fit: LineFit) -> float:
    """Half the range of magnitudes within half a log unit of the likeliest."""
    profile = fit.evidence.log_likelihood - fit.evidence.log_likelihood.max()
    assert np.isfinite(profile).all()
    inside = MAGNITUDES[profile > -0.5]
    return float(inside.max() - inside.min()) / 2.0


def test_neighbours_make_the_magnitude_no_surer() -> None:
    """Three sensors at each place say hardly more than one."""
    seen = shaken(0.5)
    names = ("distance_km", "azimuth_deg", "vs30_mps", "peaks", "since_origin_s", "past_s",
             "heard", "heard_slow", "clipped")  # fmt: skip
    triples: dict[str, Any] = {name: np.concatenate([getattr(seen, name)] * 3) for name in names}
    thrice = replace(seen, **triples)

    assert half_width(fitted(seen)) > 0.1
    assert half_width(fitted(thrice)) > 0.8 * half_width(fitted(seen))


def test_an_event_that_shakes_more_throughout_is_a_larger_one_only_in_part() -> None:
    """The event's own term takes its share: all peaks 1.4 times up are not 0.3 magnitudes."""
    seen = shaken(0.5)

    louder = fitted(replace(seen, peaks=1.4 * seen.peaks))

    assert likeliest(louder) <= 7.8 + 0.2


def test_the_same_peaks_give_the_same_bits() -> None:
    one, two = fitted(shaken(0.3)), fitted(shaken(0.3))

    assert one.evidence.log_likelihood.tobytes() == two.evidence.log_likelihood.tobytes()
    assert one.lines.tobytes() == two.lines.tobytes()
