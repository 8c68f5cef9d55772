"""How sure a quake is, against chance; and what a lone pick may say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.core.credibility import Credibility, credibility
from eew.core.event_state import EventState, TrackedPick
from eew.core.magnitude import NetworkMagnitude, PeakSeries
from eew.core.verdict import is_ready
from eew.model.event import StationMagnitude
from tests.unit.associator_cases import Listening, Onset, Quake, louder, p_waves
from tests.unit.core_cases import NS, START_NS, config, jittered_grid

LAT, LON = 30.0, 102.0
GRID = jittered_grid(np.random.default_rng(1), LAT, LON, n=7, spacing_km=12.0)
QUAKE = Quake(lat=30.03, lon=102.02, at_s=10.0)
SETTINGS = config()


def first(n: int, snr: float) -> list[Onset]:
    return louder(sorted(p_waves(QUAKE, GRID))[:n], snr)


def heard(n: int, snr: float) -> tuple[Listening, EventState]:
    """Make an event of the first n picks, whatever the seeder thinks of so few."""
    listening = Listening(GRID)
    events = listening.hear(first(n, snr))
    return listening, (events or listening.associator.tentative)[0]


def weigh(listening: Listening, event: EventState, now_s: float = 15.0) -> Credibility:
    return credibility(
        event,
        listening.network,
        SETTINGS.credibility,
        SETTINGS.association,
        SETTINGS.location,
        START_NS + round(now_s * NS),
    )


def test_the_parts_of_a_single_pick_are_those_of_the_formula() -> None:
    listening, event = heard(1, 30.0)
    rates, place = SETTINGS.credibility, SETTINGS.location
    tracked = event.picks[0]
    listening.network.watched_s[:] = 0.0
    parts = weigh(listening, event, 10.0)

    sigma_s = math.hypot(0.06, place.sigma_s + place.sigma_per_s * float(event.p_s[tracked.row]))
    area_km2 = 2.0 * math.pi * event.located.ellipse_major_km * event.located.ellipse_minor_km
    prior = math.log(rates.quakes_per_km2_s * area_km2 * math.sqrt(2.0 * math.pi) * sigma_s)
    z = event.residual_s(tracked) / sigma_s
    density = (1.0 - rates.outliers) * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) / sigma_s
    density += rates.outliers / rates.outlier_s
    chance = rates.snr_density * rates.quiet_snr / 30.0 * rates.false_picks_per_s
    assert parts.prior == pytest.approx(prior)
    assert parts.picks == pytest.approx(math.log(density / chance))
    assert parts.amplitude == 0.0
    odds = math.exp(parts.log_odds)
    assert parts.probability == pytest.approx(odds / (1.0 + odds))


@pytest.mark.parametrize(("n", "snr", "alerts"), [(2, 2000.0, True), (4, 2.0, False)])
def test_two_clear_picks_may_do_what_four_faint_ones_may_not(
    n: int, snr: float, alerts: bool
) -> None:
    # four faint ones at noisy stations, that is
    listening = Listening(GRID)
    if not alerts:
        listening.network.unexplained[:] = 40
        listening.network.watched_s[:] = 600.0
    onsets = first(n, snr)
    events = listening.hear(onsets, until_s=onsets[-1].at_s + 0.1)
    ready = [is_ready(e, SETTINGS.alert, SETTINGS.association) for e in events]
    assert (ready == [True]) is alerts


def test_one_station_never_alerts_however_clear() -> None:
    _, event = heard(1, 1e6)
    assert event.probability > 0.0
    assert not is_ready(replace(event, probability=1.0), SETTINGS.alert, SETTINGS.association)


@settings(max_examples=20, deadline=None)
@given(snr=st.floats(2.0, 500.0), factor=st.floats(1.1, 10.0))
def test_clearer_picks_are_surer(snr: float, factor: float) -> None:
    listening, event = heard(4, 50.0)
    faint = replace(event, picks=[_with_snr(t, snr) for t in event.picks])
    clear = replace(event, picks=[_with_snr(t, snr * factor) for t in event.picks])
    # what a silent station says depends on SNR, too: it is looked at by itself
    assert weigh(listening, clear).picks > weigh(listening, faint).picks


def test_a_station_that_cries_wolf_counts_for_less() -> None:
    listening, event = heard(3, 10.0)
    before = weigh(listening, event).log_odds
    row = event.picks[1].row
    listening.network.watched_s[row] = 3600.0
    quiet = weigh(listening, event).log_odds
    listening.network.unexplained[row] = 60
    noisy = weigh(listening, event).log_odds
    assert noisy < before < quiet


def test_a_neighbour_is_less_of_a_witness_than_a_station_far_off() -> None:
    near = jittered_grid(np.random.default_rng(1), LAT, LON, n=7, spacing_km=2.0)
    chances = []
    for points in (near, GRID):
        listening = Listening(points)
        onsets = louder(sorted(p_waves(QUAKE, points))[:4], 500.0)
        chances.append(weigh(listening, listening.hear(onsets)[0]).picks)
    assert chances[0] < chances[1] - 5.0


def test_stations_that_should_have_seen_it_and_did_not_speak_against_it() -> None:
    listening, event = heard(4, 20.0)
    soon, later = weigh(listening, event, 13.0), weigh(listening, event, 40.0)
    listening.network.quiet_until_ns[:] = START_NS + 40 * NS
    all_seen = weigh(listening, event, 40.0)
    assert soon.silent <= 0.0
    assert all_seen.silent < later.silent - 10.0
    assert all_seen.probability < 0.01


def test_a_silent_station_says_less_where_the_wave_would_have_been_faint() -> None:
    listening, event = heard(4, 20.0)
    listening.network.quiet_until_ns[:] = START_NS + 40 * NS
    loud = weigh(listening, event, 40.0).silent
    faint = replace(event, picks=[_with_snr(t, 3.0) for t in event.picks])
    assert loud < weigh(listening, faint, 40.0).silent < 0.0


def test_amplitudes_of_one_magnitude_speak_for_it_and_wild_ones_against() -> None:
    listening, event = heard(4, 20.0)
    event.magnitude = _magnitude(event, (5.0, 5.1, 4.9, 5.0))
    alike = weigh(listening, event).amplitude
    event.magnitude = _magnitude(event, (5.0, 8.0, 2.0, 5.0))
    wild = weigh(listening, event).amplitude
    assert alike > 1.0 > 0.0 > wild


# ---------------------------------------------------------------- first guesses
def test_a_lone_pick_has_an_estimate_near_its_station_and_says_how_unsure_it_is() -> None:
    listening = Listening(GRID)
    (onset,) = first(1, 20.0)
    assert listening.hear([onset], until_s=onset.at_s + 0.1) == []
    (guess,) = listening.associator.tentative
    station = guess.picks[0]
    assert guess.distance_km[station.row] < 12.0  # within its own Voronoi cell
    assert 2.0 < guess.located.h_sigma_km < 40.0
    assert guess.probability < SETTINGS.alert.min_probability


def test_the_event_that_grows_from_a_guess_keeps_its_name() -> None:
    listening = Listening(GRID)
    listening.hear(first(1, 20.0))
    name = listening.associator.tentative[0].event_id
    (event,) = listening.hear(first(5, 20.0)[1:])
    assert event.event_id == name
    assert listening.associator.tentative == []


def test_a_guess_that_nobody_confirms_ends_with_a_reason() -> None:
    listening = Listening(GRID)
    listening.hear([Onset(10.0, 24)], until_s=25.0)
    assert listening.associator.tentative == []
    assert [e.reason for e in listening.associator.ended] == ["no other station confirmed it"]


def test_a_pick_far_too_large_for_an_event_is_not_laid_to_it() -> None:
    listening = Listening(GRID)
    (event,) = listening.hear(first(4, 20.0))
    event.magnitude = _magnitude(event, (4.0, 4.0, 4.0, 4.0))
    fitting, huge = sorted(p_waves(QUAKE, GRID))[4:6]
    for onset, pd_m in ((fitting, 1e-5), (huge, 1e-2)):
        # the first motion each brings along
        listening.peaks = PeakSeries(pd_m=np.full(5, pd_m), pd_noise_m=1e-7)
        listening.hear([onset])
    rows = {t.row for t in event.picks}
    assert fitting.row in rows
    assert huge.row not in rows


def _with_snr(tracked: TrackedPick, snr: float) -> TrackedPick:
    return replace(tracked, pick=replace(tracked.pick, snr=snr))


def _magnitude(event: EventState, values: tuple[float, ...]) -> NetworkMagnitude:
    return NetworkMagnitude(
        value=float(np.median(values)),
        sigma=0.3,
        type="Mpd",
        lower_bound=True,
        stations=tuple(
            StationMagnitude(
                station=t.pick.station,
                magnitude=value,
                relation="pd",
                pd_m=1e-4,
                window_s=1.0,
                weight=1.0,
                epicentral_distance_km=10.0,
            )
            for t, value in zip(event.picks, values, strict=False)
        ),
    )
