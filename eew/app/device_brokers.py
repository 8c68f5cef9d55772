"""Which brokers a device turns to, and as whom: ``--broker``, several times, and ``--accounts``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eew.app.device_accounts import DeviceAccounts
from eew.egress.broker import parse_url
from eew.egress.probe import probe
from eew.errors import ConfigError, ConnectError
from eew.mqtt_link import BrokerAddress

__all__ = ["DeviceBrokers", "find_brokers", "leaf_addresses"]

_KEY = "--broker"


@dataclass(frozen=True, slots=True)
class DeviceBrokers:
    """Leaves that hold the same, and the account of each area where there are accounts.

    ``words`` say which of the leaves did not answer.
    """

    leaves: tuple[BrokerAddress, ...]
    accounts: DeviceAccounts | None = None
    words: tuple[str, ...] = ()

    def __call__(self, cell: str) -> tuple[BrokerAddress, ...]:
        """Return the leaves as a device of an area connects to them.

        Raises
        ------
        ConfigError
            If the area has no account.
        """
        if self.accounts is None:
            return self.leaves
        return tuple(self.accounts.at(leaf, cell) for leaf in self.leaves)

    def __str__(self) -> str:
        shown = self.leaves
        if self.accounts is not None:  # the user differs from area to area
            shown = tuple(replace(leaf, username=None) for leaf in shown)
        return ", ".join(str(leaf) for leaf in shown)


def leaf_addresses(
    urls: Sequence[str], accounts: DeviceAccounts | None, environ: Mapping[str, str] | None = None
) -> tuple[BrokerAddress, ...]:
    """Return the addresses of URLs, else of the brokers in the file of accounts; nothing is asked.

    Raises
    ------
    ConfigError
        If one cannot be used, or there is none; or if it says who connects, and accounts do too.
    """
    if accounts is None:
        if not urls:
            raise ConfigError(_KEY, "missing: where the devices connect", hint="or --accounts FILE")
        return tuple(parse_url(url, os.environ if environ is None else environ) for url in urls)
    # the environment may be that of the service: its account is not for devices
    made = tuple(parse_url(url, {}) for url in (urls or accounts.brokers))
    if not made:
        raise ConfigError(_KEY, f"missing, and {accounts.file} names no broker")
    for one in made:
        if one.username is not None:
            raise ConfigError(_KEY, f"{one}: a user, but --accounts says who connects")
        if not one.tls:
            raise ConfigError(_KEY, f"{one}: accounts are shown over TLS only", hint="mqtts://")
    return made


async def find_brokers(
    leaves: Sequence[BrokerAddress], accounts: DeviceAccounts | None, cell: str
) -> DeviceBrokers:
    """Ask all leaves for a connection, as a device of an area; one that answers is enough.

    Raises
    ------
    ConnectError
        Of the first leaf, if none does.
    """
    asked = [leaf if accounts is None else accounts.at(leaf, cell) for leaf in leaves]
    answers = await asyncio.gather(*(probe(one) for one in asked), return_exceptions=True)
    failures: list[ConnectError] = []
    found: list[BrokerAddress] = []
    for answer in answers:
        if isinstance(answer, ConnectError):
            failures.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found.append(answer)
    if not found:
        raise failures[0]
    leaves = tuple(
        # whoever is not there now is thought to speak as the others do: it may come back
        answer if isinstance(answer, BrokerAddress) else replace(one, protocol=found[0].protocol)
        for one, answer in zip(asked, answers, strict=True)
    )
    words = tuple(f"not there now: {failure}" for failure in failures)
    return DeviceBrokers(leaves, accounts, words)
