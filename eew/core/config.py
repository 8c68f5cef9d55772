"""Settings of the detector: typed, frozen, read from ``tables/detector.toml``."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from eew.errors import ConfigError
from eew.model.alert import Status
from eew.tables import load_table

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingConfig:
    """Filters, triggers, gates and the handling of gaps; see the comments in the table."""

    highpass_hz: float
    tau_p_lowpass_hz: float
    pv_highpass_hz: float
    bands_hz: tuple[float, ...]
    band_quality: float
    band_sta_min_s: float
    band_sta_periods: float
    reorder_s: float
    bridge_s: float
    lag_s: float
    max_age_s: float
    still_s: float
    max_ahead_s: float
    picker: dict[str, Any]
    quarantine: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationConfig:
    """When picks belong together."""

    window_s: float
    pool_s: float
    max_distance_km: float
    pair_velocity_km_s: float
    pair_slack_s: float
    min_picks: int
    born_probability: float
    guess_s: float
    excess_magnitude: float
    excess_snr: float
    max_misfit_s: float
    tolerance_s: float
    tolerance_per_s: float
    tolerance_sigma: float
    tolerance_max_s: float
    s_tolerance_s: float
    coda_factor: float
    coda_s: float
    coda_snr: float
    s_per_s: float
    ratio_min: float
    active_s: float
    event_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationConfig:
    """Grid, priors and errors of the location search."""

    reach_km: float
    ring_km: float
    ring_growth: float
    edge_km: float
    edge_share: float
    model_km: float
    model_s: float
    depths_km: tuple[float, ...]
    crust_km: float
    crust_sigma: float
    slab_km: float
    slab_sigma: float
    slab_share: float
    sigma_s: float
    sigma_per_s: float
    max_picks: int
    coarse_picks: int
    max_silent: int
    coarse_silent: int
    silent_sigma_s: float
    silent_margin_s: float
    silent_cap: float
    near_km: tuple[float, float]
    near_power: float
    weak_s: float
    s_sigma_s: float
    s_sigma_per_s: float
    s_odds: float
    s_min_h_to_z: float
    s_max_picks: int
    relocate_s: float
    relocate_picks: int
    relocate_until_s: float
    every_pick_until: int
    settled_picks: int
    settled_from: int
    settled_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CredibilityConfig:
    """Rates of quakes and of false picks; see the comments in the table."""

    max_picks: int
    quakes_per_km2_s: float
    false_picks_per_s: float
    prior_picks: float
    quiet_snr: float
    snr_density: float
    coda_picks_per_s: float
    shared: float
    shared_km: float
    shared_s: float
    outliers: float
    outlier_s: float
    amplitude_sigma: float
    amplitude_range: float
    silent_after_s: float
    snr_decay: float
    snr_scatter: float
    seen_snr: float
    surely_seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudeConfig:
    """Which stations and windows make the network magnitude."""

    window_s: float
    first_s: float
    s_velocity_km_s: float
    s_clear_share: float
    min_snr: float
    taper_km: tuple[float, float, float]
    max_station_m: float
    min_distance_km: float
    min_snr_velocity: float
    coda_gain: float
    p_event_sigma: float
    p_station_sigma: float
    distance_slope: float
    distance_share_max: float
    vs_event_sigma_log10: float
    vs_max_m: float
    vs_max_depth_km: float
    vs_settle_s: float
    gm_event_sigma_ln: float
    line_event_sigma: float
    shaking_after_s: float
    shaking_km: float
    shaking_stations: int
    saturation_ramp: tuple[float, float]
    growth_sigma: float
    growth_margin: float
    duration_factor: float
    independent_stations: int
    pgd_min_m: float
    pgd_min_snr: float
    pgd_before_s: float
    pgd_before_samples: int
    pgd_km: float
    pgd_stations: int
    pgd_station_sigma: float
    pgd_event_sigma: float
    b_value: float
    prior_b_value: float
    prior_fade_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineConfig:
    """Search of the line source."""

    search_magnitude: float
    min_magnitude: float
    min_stations: int
    max_km: float
    every_s: float
    strike_step_deg: float
    shortest_km: float
    length_factor: float
    n_lengths: int
    rupture_km_s: float
    s_km_s: float
    rise_s: float
    rise_s_per_km: float
    phi2_over_tau2: float
    alike_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlumConfig:
    """Which shaking is passed on as it is seen."""

    window_s: float
    min_intensity: float
    guard_drop: float
    min_gain: float
    max_observed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastConfig:
    """Motion that counts for an event, and the correction of its forecast by what was seen."""

    before_p_s: float
    noise_s: float
    deaf_ratio: float
    max_km: float
    min_intensity: float
    min_stations: int
    phi2_over_tau2: float
    outlier: float
    max_correction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """When the public is told, told again, and told that it is over."""

    min_magnitude: float
    min_magnitude_probability: float
    min_stations: int
    min_probability: float
    max_apparent_km_s: float
    apparent_km: float
    max_misfit_s: float
    teleseism_offset: float
    teleseism_slope: float
    teleseism_stations: int
    teleseism_sharpness_per_s: float
    coda_base_s: float
    coda_slope: float
    coda_km: float
    coda_min_stations: int
    coda_ratio: float
    coda_loud: int
    update_magnitude: float
    update_distance_km: float
    update_origin_time_s: float
    update_intensity: float
    update_from_intensity: float
    update_interval_s: float
    young_s: float
    final_quiet_s: float
    final_after_s: float
    final_latest_s: float
    expire_s: float
    provisional_stations: int
    provisional_gap_deg: float
    cancel_after_s: float
    cancel_probability: float
    status: Status = Status.EXERCISE


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorConfig:
    """Everything the core can be told."""

    processing: ProcessingConfig
    association: AssociationConfig
    location: LocationConfig
    credibility: CredibilityConfig
    magnitude: MagnitudeConfig
    line: LineConfig
    plum: PlumConfig
    forecast: ForecastConfig
    alert: AlertPolicy
    travel_time_model: str = field(default="regional")  # or the name of one model

    @classmethod
    def load(cls, table: str = "detector") -> DetectorConfig:
        """Read ``eew/tables/<table>.toml``.

        Raises
        ------
        ConfigError
            Naming the section and field that is missing, unknown or of the wrong type.
        """
        raw = load_table(table)
        return cls(
            processing=_section(ProcessingConfig, raw, "processing", table),
            association=_section(AssociationConfig, raw, "association", table),
            location=_section(LocationConfig, raw, "location", table),
            credibility=_section(CredibilityConfig, raw, "credibility", table),
            magnitude=_section(MagnitudeConfig, raw, "magnitude", table),
            line=_section(LineConfig, raw, "line", table),
            plum=_section(PlumConfig, raw, "plum", table),
            forecast=_section(ForecastConfig, raw, "forecast", table),
            alert=_section(AlertPolicy, raw, "alert", table),
        )

    def with_status(self, status: Status) -> DetectorConfig:
        """Return a copy whose alerts carry ``status``."""
        return replace(self, alert=replace(self.alert, status=status))


def _section(cls: type[_T], raw: dict[str, Any], name: str, table: str) -> _T:
    """Build one section; arrays become tuples, unknown and missing fields are errors."""
    if name not in raw:
        raise ConfigError(f"{table}.toml", f"section [{name}] is missing")
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in raw[name].items()}
    known = {f.name for f in fields(cls)}  # type: ignore[arg-type]  # all callers pass dataclasses
    for key in given:
        if key not in known:
            raise ConfigError(f"{table}.toml [{name}] {key}", "unknown field")
    try:
        return cls(**given)
    except TypeError as exc:
        raise ConfigError(f"{table}.toml [{name}]", str(exc)) from exc
