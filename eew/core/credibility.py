"""How likely it is that a set of picks is a quake, and not chance.

Two stories are weighed. In the first a quake of alert size, rare in space and time, made the
picks: each comes near its predicted time, the amplitudes of all point to one magnitude, and the
stations that should have seen the wave did. In the second the picks are chance: each station
makes false picks at its own rate, the fewer the clearer they are, and what disturbs one station
may disturb its neighbour, too. The log of the ratio decides about the alert, and is the
likelihood stated in it; four faint picks may not suffice where two clear ones do.

The quake's story is integrated over its place and time by Laplace's approximation: the density of
quakes, times the volume of the posterior, times the likelihood of the picks at its centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eew.core.config import AssociationConfig, CredibilityConfig, LocationConfig
from eew.core.event_state import EventState, TrackedPick
from eew.core.network import Network

_SQRT_2PI = math.sqrt(2.0 * math.pi)
_MAX_EXPONENT = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credibility:
    """Natural log of the odds that an event is a quake, and its parts.

    Attributes
    ----------
    prior : float
        Quakes of alert size per place and time, times the volume the picks leave open.
    picks : float
        Likelihood of the picks' times under the quake over that under chance.
    amplitude : float
        The same for their amplitudes.
    silent : float
        What the stations without a pick say, <= 0.
    """

    prior: float
    picks: float
    amplitude: float
    silent: float

    @property
    def log_odds(self) -> float:
        """Sum of the parts."""
        return self.prior + self.picks + self.amplitude + self.silent

    @property
    def probability(self) -> float:
        """Probability of a quake, 0 to 1."""
        return 1.0 / (1.0 + math.exp(-max(-_MAX_EXPONENT, min(self.log_odds, _MAX_EXPONENT))))


def credibility(
    event: EventState,
    network: Network,
    config: CredibilityConfig,
    association: AssociationConfig,
    location: LocationConfig,
    now_ns: int,
) -> Credibility:
    """Weigh an event against chance.

    Parameters
    ----------
    event : EventState
        Located; its magnitude may be missing yet.
    network : Network
        Positions, liveness and false picks of the stations.
    config, association, location : CredibilityConfig, AssociationConfig, LocationConfig
        Rates; liveness; errors of travel times.
    now_ns : int
        Time of the question, UTC ns.
    """
    picks = _one_per_place(event)[: config.max_picks]
    sigma_s = [
        math.hypot(
            t.pick.uncertainty_s,
            location.sigma_s + location.sigma_per_s * float(event.p_s[t.row]),
        )
        for t in picks
    ]
    # the posterior of place, and of time where the place is given
    area_km2 = 2.0 * math.pi * event.located.ellipse_major_km * event.located.ellipse_minor_km
    weight = sum(1.0 / (s * s) for s in sigma_s)
    volume_km2_s = area_km2 * _SQRT_2PI / math.sqrt(weight)
    return Credibility(
        prior=math.log(config.quakes_per_km2_s * volume_km2_s),
        picks=sum(
            math.log(_arrival_density(event.best_residual_s(t), s, config))
            - math.log(_chance_rate_per_s(t, picks[:i], network, config))
            for i, (t, s) in enumerate(zip(picks, sigma_s, strict=True))
        ),
        amplitude=_amplitude(event, picks, config),
        silent=_silence(event, picks, network, config, association, now_ns),
    )


def _one_per_place(event: EventState) -> list[TrackedPick]:
    """Return the best fitting pick of each place, in order of time: a building is one witness."""
    best: dict[int, TrackedPick] = {}
    for tracked in event.picks:
        known = best.get(tracked.place)
        if known is None or abs(event.best_residual_s(tracked)) < abs(event.best_residual_s(known)):
            best[tracked.place] = tracked
    return sorted(best.values(), key=lambda t: (t.pick.time_ns, t.pick.pick_id))


def _arrival_density(residual_s: float, sigma_s: float, config: CredibilityConfig) -> float:
    """Density of a P pick at this residual, 1/s: a normal with an outlier's flat floor."""
    z = residual_s / sigma_s
    normal = math.exp(-0.5 * z * z) / (_SQRT_2PI * sigma_s)
    return (1.0 - config.outliers) * normal + config.outliers / config.outlier_s


def _chance_rate_per_s(
    tracked: TrackedPick,
    before: list[TrackedPick],
    network: Network,
    config: CredibilityConfig,
) -> float:
    """Rate of false picks at least as clear as this one, as a density over the SNR of quakes.

    The station's own rate is the mean of a gamma posterior: a noisy station counts for less.
    So does a pick that the coda of another event may have made.
    A neighbour's pick raises the rate, because lorries, doors and storms are shared.
    """
    row = tracked.row
    seen = config.prior_picks + float(network.unexplained[row])
    watched_s = config.prior_picks / config.false_picks_per_s + float(network.watched_s[row])
    clear = config.quiet_snr / max(tracked.clarity, config.quiet_snr)
    rate = config.snr_density * clear * seen / watched_s
    if tracked.coda_of is not None:
        rate = max(rate, config.coda_picks_per_s)
    if before:
        nearest_km = min(network.pair_km(row, t.row) for t in before)
        rate += config.shared * math.exp(-nearest_km / config.shared_km) / config.shared_s
    return rate


def _amplitude(event: EventState, picks: list[TrackedPick], config: CredibilityConfig) -> float:
    """Do the stations tell of one magnitude? Noise would scatter over ``amplitude_range``."""
    if event.magnitude is None:
        return 0.0
    names = {t.pick.station for t in picks}
    total = 0.0
    values = [s.magnitude for s in event.magnitude.stations if s.station in names]
    if len(values) < 2:
        return 0.0
    centre = float(np.median(values))
    chance = 1.0 / config.amplitude_range
    for value in values:
        z = (value - centre) / config.amplitude_sigma
        normal = math.exp(-0.5 * z * z) / (_SQRT_2PI * config.amplitude_sigma)
        total += math.log((1.0 - config.outliers) * normal + config.outliers * chance)
        total -= math.log(chance)
    return total * (len(values) - 1) / len(values)  # one of them only sets the centre


def _silence(
    event: EventState,
    picks: list[TrackedPick],
    network: Network,
    config: CredibilityConfig,
    association: AssociationConfig,
    now_ns: int,
) -> float:
    """Stations that were watched when P was due there, and saw nothing.

    How surely each would have seen it follows from the SNR at the others and the distance.
    """
    due_ns = event.origin_time_ns + ((event.p_s + config.silent_after_s) * 1e9).astype(np.int64)
    quiet = network.live(now_ns, association.active_s) & (network.quiet_until_ns >= due_ns)
    quiet &= network.watched_since_ns <= due_ns  # of waves during its gap it knows nothing
    for tracked in event.picks:
        quiet[tracked.row] = False
    # a station that picked something else in these seconds has not been silent
    quiet &= network.last_pick_ns < event.origin_time_ns
    if not quiet.any():
        return 0.0
    depth_km = event.located.depth_km
    clear = [
        math.log10(max(t.clarity, 1.0))
        + config.snr_decay * math.log10(math.hypot(float(event.distance_km[t.row]), depth_km))
        for t in picks
    ]
    reach_km = np.hypot(event.distance_km[quiet], depth_km)
    log_snr = sum(clear) / len(clear) - config.snr_decay * np.log10(reach_km)
    z = (log_snr - math.log10(config.seen_snr)) / config.snr_scatter
    seen = config.surely_seen / (1.0 + np.exp(-1.7 * np.clip(z, -30.0, 30.0)))
    return float(np.log1p(-seen).sum())
