"""Which account each device of a crowd connects with, and who has to stay out for want of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clients.crowd.accounts import Account, CrowdAccounts
from clients.crowd.places import CrowdPlaces
from eew.app.crowd_places import some_of
from eew.app.device_brokers import DeviceBrokers
from eew.errors import ConfigError
from eew.messages.cells import cell_of

__all__ = ["Admitted", "admit"]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The devices that can connect, in their order, and their accounts."""

    crowd: CrowdPlaces
    accounts: CrowdAccounts | None
    set_aside: dict[str, int]
    """How many cannot, by reason."""


def admit(crowd: CrowdPlaces, brokers: DeviceBrokers) -> Admitted:
    """Give each device the account of its area.

    Raises
    ------
    ConfigError
        If there are accounts, and no device is in an area that has one.
    """
    accounts = brokers.accounts
    if accounts is None:
        return Admitted(crowd, None, {})
    rows: list[Account] = []
    number: dict[str, int] = {}  # of the row of an area; -1 where there is none
    found = np.empty(len(crowd), dtype=np.int32)
    for device, place in enumerate(zip(crowd.lat.tolist(), crowd.lon.tolist(), strict=True)):
        cell = cell_of(*place)
        if cell not in number:
            number[cell] = len(rows) if cell in accounts else -1
            if cell in accounts:
                one = accounts.at(brokers.leaves[0], cell)
                rows.append(
                    Account(
                        username=one.username,
                        password=one.password,
                        ca_file=one.ca_file,
                        cert_file=one.cert_file,
                        key_file=one.key_file,
                    )
                )
        found[device] = number[cell]
    devices = np.flatnonzero(found >= 0)
    if not devices.size:
        raise ConfigError(
            "--accounts",
            f"{accounts.file} has no account for any of the {len(number)} areas of the crowd, "
            f"such as {next(iter(number))}",
            hint="--at, --within and --country choose where the devices are",
        )
    missing = len(crowd) - devices.size
    return Admitted(
        some_of(crowd, devices, id_prefix=crowd.id_prefix),
        CrowdAccounts(rows=tuple(rows), of_device=found[devices]),
        {"no account for the area": missing} if missing else {},
    )
