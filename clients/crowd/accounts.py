"""As whom the devices of a crowd connect: accounts that many of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Account", "CrowdAccounts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of a broker, with a password or a certificate; the password is not in ``repr``."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdAccounts:
    """Accounts, and which of them each device has: an index into ``rows``."""

    rows: tuple[Account, ...]
    of_device: NDArray[np.int32]

    def of(self, device: int) -> Account:
        """Return the account of a device."""
        return self.rows[int(self.of_device[device])]

    def some(self, chosen: slice) -> CrowdAccounts:
        """Return the accounts of some of the devices, in their order."""
        return CrowdAccounts(rows=self.rows, of_device=self.of_device[chosen].copy())

    @classmethod
    def same(cls, account: Account, n: int) -> CrowdAccounts:
        """Return one account that ``n`` devices share."""
        return cls(rows=(account,), of_device=np.zeros(n, dtype=np.int32))
