"""Which devices may read a message: whose tree it is for, and by whose time its key counts.

The part of ``clients.trust`` that differs from device to device; size, signature and topic are
judged once for all of them when a message is numbered.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from clients.crowd.clock import CrowdClock
from clients.crowd.messages import Message, MessageTable, Refused
from clients.crowd.places import CrowdPlaces
from clients.crowd.slots import Ints, Rows
from clients.trust import Distrust
from eew.errors import WireError
from eew.messages.key_wire import split_statements
from eew.messages.seal import Keyring
from eew.model.alert import Status

__all__ = ["ADMITTED", "Admission"]

ADMITTED = -1
_ALL = np.array(True)


class Admission:
    """Trees and keys of all devices.

    Parameters
    ----------
    counts : Counter
        Told how many deliveries were refused for which reason.
    """

    def __init__(
        self, places: CrowdPlaces, keyring: Keyring, clock: CrowdClock, counts: Counter[str]
    ) -> None:
        self._places = places
        self._keyring = keyring
        self._clock = clock
        self._counts = counts
        self._tree_codes = {Status(word): code for code, word in enumerate(places.tree.words)}

    def admit(
        self, message: Message, rows: Rows, now_ns: Ints, service_ns: Ints
    ) -> NDArray[np.int8]:
        """Return an outcome for each device that may not read a message, else ``ADMITTED``."""
        answer = np.full(len(rows), ADMITTED, dtype=np.int8)
        if message.tree is not None:
            code = self._tree_codes.get(message.tree)
            foreign = _ALL if code is None else self._places.tree.codes[rows] != code
            self._refuse(answer, "other_tree", foreign)
        if message.key_id:
            key = self._keyring.get(message.key_id)
            if key is None:
                self._refuse(answer, "unknown_key", _ALL)
                return answer
            if key.until_ns is not None:
                self._refuse(answer, "key_expired", service_ns >= key.until_ns)
            early = service_ns < key.from_ns
            if early.any():
                self._refuse(answer, "key_not_yet_valid", early & self._known(rows, now_ns))
        return answer

    def _known(self, rows: Rows, now_ns: Ints) -> NDArray[np.bool_]:
        return self._clock.is_known(rows, now_ns)

    def _refuse(self, answer: NDArray[np.int8], reason: str, where: NDArray[np.bool_]) -> None:
        where = where & (answer == ADMITTED)
        n_refused = int(np.count_nonzero(where))
        if n_refused:
            answer[where] = Refused(reason).outcome
            self._counts[reason] += n_refused

    def follow_keys(
        self, payload: bytes, rows: Rows, now_ns: Ints, service_ns: Ints, messages: MessageTable
    ) -> None:
        """Let each device judge the statements by its own time, one after the other."""
        before = self._keyring.keys
        known = self._known(rows, now_ns).tolist()
        for device, at_ns, is_known in zip(rows.tolist(), service_ns.tolist(), known, strict=True):
            trust = messages.trust(self._places.tree_of(device))
            for statement in split_statements(payload):
                try:
                    trust.follow(statement, at_ns, known=is_known)
                except Distrust as doubt:
                    self._counts[doubt.reason] += 1
                except WireError:
                    self._counts["unreadable"] += 1
        if self._keyring.keys != before:
            messages.keys_changed()
