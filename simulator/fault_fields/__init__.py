"""The ``[[fault]]`` of a scenario file: one type for each kind of thing that goes wrong.

Every kind names its stations (:class:`simulator.selection.Selection`) and its own figures. Those of
:data:`DataFault` are in the records, those of :data:`LinkFault` happen on the way and cannot be
written to a folder of records.
"""

from __future__ import annotations

from simulator.fault_fields.electronics import (
    Boxcar,
    CalibrationSine,
    CalibrationStep,
    Clipping,
    DeadComponent,
    Gaps,
    Garbage,
    NoiseDrop,
    Recentering,
    RegionDark,
    Silent,
    Spike,
    Stuck,
)
from simulator.fault_fields.ground import (
    Lightning,
    MassMotion,
    NoisyGround,
    Teleseism,
    UrbanBurst,
)
from simulator.fault_fields.metadata import (
    ExchangedCoordinates,
    GainError,
    MovedCoordinates,
    Polarity,
    SwappedCoordinates,
)
from simulator.fault_fields.way import (
    ClockDrift,
    ClockOffset,
    Duplicates,
    Loss,
    OutageFault,
    Reorder,
)

__all__ = [
    "Boxcar",
    "CalibrationSine",
    "CalibrationStep",
    "Clipping",
    "ClockDrift",
    "ClockOffset",
    "DataFault",
    "DeadComponent",
    "Duplicates",
    "ExchangedCoordinates",
    "Fault",
    "GainError",
    "Gaps",
    "Garbage",
    "Lightning",
    "LinkFault",
    "Loss",
    "MassMotion",
    "MovedCoordinates",
    "NoiseDrop",
    "NoisyGround",
    "OutageFault",
    "Polarity",
    "Recentering",
    "RegionDark",
    "Reorder",
    "SignalFault",
    "Silent",
    "Spike",
    "Stuck",
    "SwappedCoordinates",
    "Teleseism",
    "UrbanBurst",
]

SignalFault = (
    Stuck
    | Spike
    | Boxcar
    | Recentering
    | CalibrationSine
    | CalibrationStep
    | Clipping
    | NoiseDrop
    | Garbage
    | Lightning
    | UrbanBurst
    | MassMotion
    | NoisyGround
)
DataFault = (
    SignalFault
    | Gaps
    | Silent
    | RegionDark
    | DeadComponent
    | GainError
    | Polarity
    | MovedCoordinates
    | SwappedCoordinates
    | ExchangedCoordinates
    | Teleseism
)
LinkFault = Loss | Reorder | Duplicates | OutageFault | ClockOffset | ClockDrift
Fault = DataFault | LinkFault
