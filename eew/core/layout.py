"""Names for the columns of the kernels' state arrays, and the two tuples that carry them.

numba works best on plain arrays; these names keep them readable. One row per station; what a
column holds is said beside its name where the name does not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

N_BANDS = 4
SERIES_STEP_S = 0.1
N_SERIES = 300  # 30 s of growing peaks behind each pick
SHAKING_S = 120.0  # how long the whole shaking behind a pick is watched
N_SLOTS = 4  # picks per station whose peaks are still growing
RING_S = 8.0
PIECE = 64  # samples worked through at once; the ring holds so many more than RING_S

# columns of State.filters, per component
(
    BASE,
    A1,
    A2,
    A_PREV,
    V_SUM,
    V1,
    V2,
    D_SUM,
    D1,
    D2,
    X_PREV,
    RAW_PREV,
    RUN_EQUAL,  # how long the raw value has stood still, samples
    RAW_MAX,  # largest deviation from the baseline so far, counts
    RAW_BASE,
    N_FILTER,
) = range(16)
# columns of State.detect, per station
(
    STA_BB,
    LTA_BB,
    V_BB,
    TAU_X,
    TAU_D,
    LP1,
    LP2,
    LP_PREV,
    HV1,
    HV2,
    FLOOR,  # log10 of the rms of acceleration, mean over the bands, slowly followed
    LEAST,  # below so much the floor is the digitiser's own
    BUSY,  # accepted picks of the last minute, fading
    BUSY_AT,  # sample at which that was so
    N_DETECT,
) = range(15)
# columns of State.band
(BZ1, BZ2, B_STA, B_LTA, N_BAND_STATE) = range(5)
# columns of State.counters
(
    COUNT,  # samples since the (re)start of this station
    MODE,  # 0 idle, 1 trigger pending, 2 refractory
    TRIGGER,  # sample of the pending or last trigger
    TRIGGER_BAND,
    LAST_ONSET,
    SLOT,  # newest slot
    N_PICKS,
    CLIP_UNTIL,
    FILL_UNTIL,
    REJECTED,  # 1 while refractory after a refused trigger
    DUE,  # sample at which the pending trigger is judged, or looked at again
    BARRIER_FROM,  # what lies from here
    BARRIER,  # to here was refused as no motion of the ground: neither onset nor noise
    JUMP_LAST,  # last jump over a large share of the range
    JUMPS,  # so many without a pause
    DEAF_SINCE,  # sample at which the noise fell away, -1: it has not
    HELD_UNTIL,  # the station is in quarantine until this sample
    HELD_FOR,  # for this reason (a code of REASONS)
    N_COUNTERS,
) = range(19)
IDLE, PENDING, REFRACTORY = 0, 1, 2
JUMP, JUMP_FROM_QUIET, LOOK = 1, 2, 4  # bits of Piece.marks
# columns of State.coefficients
(
    RATE,
    B0,  # high-pass of motion
    B1,
    B2,
    C1,
    C2,
    L0,  # low-pass of tau_p
    L1,
    L2,
    M1,
    M2,
    H0,  # high-pass of the velocity whose peak makes a magnitude
    H1,
    H2,
    G1,
    G2,
    IS_VELOCITY,
    N_COEFFICIENTS,
) = range(18)
# columns of State.slot_values, per slot
(
    PD,
    PV,
    PA,
    SUM_V2,
    SUM_D2,
    TAU_P,
    PD_NOISE,
    PV_NOISE,
    PA_NOISE,
    PGV_H,  # largest horizontal velocity since the pick, whole shaking
    D_LAST,  # displacement of the sample before
    N_SLOT_VALUES,
) = range(12)
# columns of State.peaks
PGA, PGV, PGA_VECTOR, PGV_VECTOR, N_PEAKS = range(5)
# rows of State.ring
RING_AZ, RING_A1, RING_A2, RING_VZ, RING_DZ, N_RING = range(6)

# columns of the output rows
(
    OUT_STATION,
    OUT_ONSET,
    OUT_TRIGGER,
    OUT_DECIDED,
    OUT_SLOT,
    OUT_REASON,
    OUT_SNR,
    OUT_UNCERTAINTY_S,
    OUT_H_TO_Z,
    OUT_PD_NOISE,
    OUT_PV_NOISE,
    OUT_PA_NOISE,
    OUT_FILLED,
    OUT_NUMBER,
    N_OUT,
) = range(15)

# reasons: 0 accepted
REASONS = (
    "accepted",
    "range",
    "boxcar",
    "spike",
    "zero_crossings",
    "horizontal_first",
    "gap",
    "weak",
    "impulse",
    "calibration",
    "telemetry",
    "noise_floor",
    "chatter",
)
(
    ACCEPTED,
    RANGE,
    BOXCAR,
    SPIKE,
    ZERO_CROSSINGS,
    HORIZONTAL_FIRST,
    GAP,
    WEAK,
    IMPULSE,
    CALIBRATION,
    TELEMETRY,
    NOISE_FLOOR,
    CHATTER,
) = range(13)
NOT_YET = -1  # to be judged with more data behind it


class PickerParameters(NamedTuple):
    """Thresholds of trigger and gates; meaning, unit and source in ``tables/detector.toml``."""

    band_on: float
    broadband_on: float
    rearm: float
    band_lta_s: float
    broadband_sta_s: float
    broadband_lta_s: float
    warm_up_s: float
    wait_s: float
    dead_s: float
    dead_rejected_s: float
    aic_before_s: float
    noise_s: float
    min_acceleration_mps2: float
    min_velocity_mps: float
    boxcar_share: float
    sustain: float
    min_snr: float
    spike_ratio: float
    early_wait_s: float
    early_samples: int
    early_factor: float
    early_bands: int
    early_snr: float
    early_back_s: float
    impulse_wait_s: float
    impulse_hint: float
    impulse_share: float
    impulse_snr: float
    min_zero_crossings: int
    max_h_to_z: float
    clip_hold_s: float
    flat_samples: int
    flat_min_counts: float
    sigma_samples: float
    sigma_s: float
    sigma_snr_s: float
    tau_c_s: float


class QuarantineParameters(NamedTuple):
    """When a station is not believed, and for how long; ``tables/detector.toml`` has reasons."""

    identical_share: float
    identical_snr: float
    alone_share: float
    alone_snr: float
    calibration_hold_s: float
    jump_share: float
    jump_unknown_mps2: float
    jump_quiet_s: float
    jump_quiet_share: float
    jump_pause_s: float
    jumps: int
    telemetry_hold_s: float
    floor_step_s: float
    floor_rise_s: float
    floor_fall_s: float
    floor_drop: float
    floor_back: float
    floor_loud: float
    floor_least_counts: float
    floor_learn_s: float
    floor_hold_s: float
    chatter_s: float
    chatter_picks: float
    chatter_hold_s: float


class State(NamedTuple):
    """Carried state of all stations; first axis is the station."""

    coefficients: FloatArray  # (S, N_COEFFICIENTS)
    band_coefficients: FloatArray  # (S, N_BANDS, 4): b0, a1, a2, sta alpha; b0 = 0: band unused
    inverse_sensitivity: FloatArray  # (S, 3), 0 where the component is absent
    clip_counts: FloatArray  # (S, 3)
    jump_counts: FloatArray  # (S, 3): from one sample to the next the ground moves less than this
    filters: FloatArray  # (S, 3, N_FILTER)
    detect: FloatArray  # (S, N_DETECT)
    band: FloatArray  # (S, N_BANDS, N_BAND_STATE)
    counters: IntArray  # (S, N_COUNTERS)
    ring: FloatArray  # (S, N_RING, R)
    slot_onset: IntArray  # (S, N_SLOTS), -1 unused
    slot_length: IntArray  # (S, N_SLOTS) complete series steps
    slot_clipped: IntArray  # (S, N_SLOTS) step from which it is clipped or made up, or -1
    slot_values: FloatArray  # (S, N_SLOTS, N_SLOT_VALUES)
    series: FloatArray  # (S, N_SLOTS, 3, N_SERIES): growing Pd, Pv, Pa
    peaks: FloatArray  # (S, N_PEAKS)


class Span(NamedTuple):
    """Where a piece of samples lies."""

    s: int  # station row
    lo: int  # place of its first sample in the frames handed in
    n: int  # samples, at most PIECE
    at: int  # place of its first sample in the ring; the piece does not wrap round
    first: int  # number of its first sample since the station's start


class Piece(NamedTuple):
    """Scratch of one piece of samples: what one pass of the kernels leaves for the next."""

    begin: FloatArray  # (PIECE,) 1 / number of samples so far: the weight in a plain mean
    vertical_v: FloatArray  # (PIECE,)
    horizontal_v: FloatArray  # (PIECE,) the larger of the two, absolute
    vector_a2: FloatArray  # (PIECE,) square of the vector sum
    vector_v2: FloatArray  # (PIECE,)
    tau_x: FloatArray  # (PIECE,)
    tau_d: FloatArray  # (PIECE,)
    sta: FloatArray  # (N_BANDS + 1, PIECE), the broadband one last
    lta: FloatArray  # (N_BANDS + 1, PIECE)
    fired: IntArray  # (PIECE,) highest band over its threshold, N_BANDS: broadband, -1: none
    loud: IntArray  # (PIECE,) 1 where one of them forbids a new trigger
    clipped: BoolArray  # (PIECE,) a component is clipped or flat-topped
    marks: IntArray  # (PIECE,) where a component jumps, or the noise floor is looked at
    grow_from: IntArray  # (N_SLOTS,) first sample of the piece that grows each slot
