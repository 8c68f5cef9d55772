"""Whatever the network does with the messages, a device keeps its rules.

The machine delivers messages of a few events in any order, any number of times, late or from the
future, between heartbeats and silences, to a whole phone that is carried about, with forgeries and
replays among them; the rules are checked against a model that only remembers what was accepted.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from clients.events import CuePlayed, DeviceEvent, Ignored, Phase, Received, Shown, ack_for
from clients.incident import ACTIVE_PHASES
from clients.phone import Phone
from clients.policy import policy
from clients.textbox import render_text
from eew.messages.control_wire import Heartbeat, encode_control
from eew.messages.seal import KeyPair, seal
from eew.messages.topics import area_alert_topic, event_current_topic, heartbeat_topic
from eew.model.alert import AlertMessage, CancelReason, Level, MsgType, Status
from tests.unit.message_cases import KEY, KEYS, ORIGIN_NS, S, keyring, make_message, payload_of

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

HERE = (30.0, 102.6)  # 68 km from the quake
EVENTS = ("ev-a", "ev-b")
MAGNITUDES = (6.0, 7.0, 6.6, 5.0, 4.2)  # be_aware, take_action, take_action, below, below here
# Mostly the next serial and a fresh message, now and then anything.
STEPS = st.sampled_from([1, 1, 1, 2, 0, -1, -2])
AGES = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 8, -5, 30, 100, 179, 180, 240])
STRANGER = KeyPair("stranger", Status.EXERCISE, bytes(32))
BORROWED = KeyPair(KEY.key_id, Status.EXERCISE, bytes(32))  # under a trusted name
TEMPLATES = {magnitude: make_message(magnitude=magnitude) for magnitude in MAGNITUDES}


class PhoneMachine(RuleBasedStateMachine):
    """One phone, two events, an unreliable network."""

    @initialize()
    def begin(self) -> None:
        self.now_ns = ORIGIN_NS + 6 * S
        self.phone = Phone(
            id="p", lat=HERE[0], lon=HERE[1], language="en", country="CN", keyring=keyring()
        )
        self.accepted: dict[str, list[int]] = {name: [] for name in EVENTS}
        self.closed: dict[str, MsgType] = {}
        self.shown: list[tuple[str, int]] = []
        self.cues: list[CuePlayed] = []
        self.smallest_s: dict[str, int] = {}
        self.delivered = 0
        self.taken: list[bytes] = []
        self.moves = 0
        self.newest_beat_ns = 0

    @rule(
        event=st.sampled_from(EVENTS),
        step=STEPS,
        kind=st.sampled_from([MsgType.UPDATE] * 5 + [MsgType.ALERT, MsgType.FINAL]),
        magnitude=st.sampled_from(MAGNITUDES),
        age_s=AGES,
        retained=st.booleans(),
    )
    def deliver(
        self,
        event: str,
        step: int,
        kind: MsgType,
        magnitude: float,
        age_s: int,
        retained: bool,
    ) -> None:
        serial = max(1, max(self.accepted[event], default=0) + step)
        self._deliver(event, serial, kind, magnitude, age_s, retained)

    @rule(event=st.sampled_from(EVENTS), step=STEPS, age_s=AGES)
    def cancel(self, event: str, step: int, age_s: int) -> None:
        serial = max(1, max(self.accepted[event], default=0) + step)
        self._deliver(event, serial, MsgType.CANCEL, 6.0, age_s, False)

    @rule(step_s=st.sampled_from([0.0, 0.1, 0.7, 1.0, 2.0, 3.3, 6.0, 20.0, 90.0]))
    def wait(self, step_s: float) -> None:
        self.now_ns += round(step_s * S)
        self._note(self.phone.advance(self.now_ns))

    @rule(late_s=st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    def beat(self, late_s: float) -> None:
        sent_ns = self.now_ns - round(late_s * S)
        events = self._beat(sent_ns)
        refused = any(isinstance(e, Ignored) and e.reason == "old_heartbeat" for e in events)
        assert refused is (sent_ns <= self.newest_beat_ns)
        self.newest_beat_ns = max(self.newest_beat_ns, sent_ns)

    @rule(age_s=st.sampled_from([0.0, 1.0, 60.0, 3600.0]))
    def old_beats(self, age_s: float) -> None:
        """A recording of the service is played beside it."""
        if not self.newest_beat_ns:
            return
        for number in range(4):
            events = self._beat(self.newest_beat_ns - round(age_s * S) - number)
            assert any(isinstance(e, Ignored) and e.reason == "old_heartbeat" for e in events)

    def _beat(self, sent_ns: int) -> list[DeviceEvent]:
        beat = encode_control(Heartbeat(sequence=1, sent_ns=sent_ns), signer=KEY)
        events = self.phone.receive(heartbeat_topic(), beat, self.now_ns)
        self._note(events)
        return events

    @rule(
        event=st.sampled_from(EVENTS),
        kind=st.sampled_from([MsgType.UPDATE, MsgType.CANCEL]),
        signer=st.sampled_from([STRANGER, BORROWED, KEYS[Status.DRILL], None]),
        ahead=st.integers(1, 5),
    )
    def forge(self, event: str, kind: MsgType, signer: KeyPair | None, ahead: int) -> None:
        serial = max(self.accepted[event], default=0) + ahead
        bare = payload_of(self._message(event, serial, kind, 7.0, 0), signer=None)
        self._is_ignored(bare if signer is None else seal(bare, signer))

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Whatever was taken once is taken never again."""
        if self.taken:
            self._is_ignored(data.draw(st.sampled_from(self.taken[-8:])))

    def _is_ignored(self, payload: bytes) -> None:
        self._note(self.phone.advance(self.now_ns))
        before = self.phone.presentation(self.now_ns)
        topic = area_alert_topic(self.phone.cell)
        (event,) = self.phone.receive(topic, payload, self.now_ns)
        assert isinstance(event, Ignored)
        assert self.phone.presentation(self.now_ns) == before

    @rule(place=st.sampled_from([HERE, (30.0, 102.9), (31.5, 104.7), (29.6, 102.1)]))
    def carry(self, place: tuple[float, float]) -> None:
        self.moves += 1
        old = set(self.phone.subscriptions())
        moved = self.phone.move(*place, self.now_ns)
        self._note(list(moved.events))
        assert (old - set(moved.leave)) | set(moved.join) == set(self.phone.subscriptions())

    @rule(payload=st.binary(max_size=40))
    def garbage(self, payload: bytes) -> None:
        events = self.phone.receive(area_alert_topic(self.phone.cell), payload, self.now_ns)
        self._note(events)
        assert not payload or any(
            isinstance(event, Ignored) and event.reason == "unsigned" for event in events
        )

    def _deliver(
        self, event: str, serial: int, kind: MsgType, magnitude: float, age_s: int, retained: bool
    ) -> None:
        message = self._message(event, serial, kind, magnitude, age_s)
        self.delivered += 1
        topic = event_current_topic(event) if retained else area_alert_topic(self.phone.cell)
        payload = payload_of(message)
        events = self.phone.receive(topic, payload, self.now_ns)
        answers = [
            one
            for one in events
            if isinstance(one, Received | Ignored | Shown)
            and (one.event_id, one.serial) == (event, serial)
        ]
        assert len(answers) == 1, events  # every delivery has exactly one answer
        answer = answers[0]
        ack = ack_for("p", answer)
        assert ack is not None
        assert (ack.event_id, ack.serial) == (event, serial)
        if not isinstance(answer, Ignored):
            self.taken.append(payload)
            self._accepted(event, serial, kind, message.expires_ns)
        self._note(events)

    def _message(
        self, event: str, serial: int, kind: MsgType, magnitude: float, age_s: int
    ) -> AlertMessage:
        issued_ns = self.now_ns - age_s * S
        message = replace(
            TEMPLATES[magnitude],
            event_id=event,
            serial=serial,
            msg_type=kind,
            issued_ns=issued_ns,
            expires_ns=issued_ns + 180 * S,
            cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
        )
        # The origin moves with the issue, so that the shaking may be before or behind us.
        return replace(message, origin=replace(message.origin, time_ns=issued_ns - 6 * S))

    def _accepted(self, event: str, serial: int, kind: MsgType, expires_ns: int) -> None:
        before = self.accepted[event]
        assert not before or serial > before[-1], "serials only rise"
        assert expires_ns > self.now_ns, "an expired message was taken"
        closed = self.closed.get(event)
        assert closed is not MsgType.CANCEL, "a withdrawn event came back"
        assert closed is None or kind is MsgType.CANCEL, "only a withdrawal follows a final"
        before.append(serial)
        if kind in (MsgType.CANCEL, MsgType.FINAL):
            self.closed[event] = kind
            self.smallest_s.pop(event, None)

    def _note(self, events: list[DeviceEvent]) -> None:
        for event in events:
            if isinstance(event, Shown):
                assert (event.event_id, event.serial) not in self.shown, "shown twice"
                self.shown.append((event.event_id, event.serial))
            if isinstance(event, CuePlayed):
                self.cues.append(event)

    @invariant()
    def looking_changes_nothing(self) -> None:
        assert self.phone.presentation(self.now_ns) == self.phone.presentation(self.now_ns)

    @invariant()
    def the_screen_is_marked_and_never_counts_up(self) -> None:
        screen = self.phone.presentation(self.now_ns)
        assert "SIMULATION" in screen.simulation_mark
        assert screen.help.emergency == "Emergency: 119"
        assert screen.help.rescue
        if screen.phase is Phase.IDLE:
            assert screen.level is Level.NONE
        if screen.seconds is not None:
            assert screen.phase in ACTIVE_PHASES
            assert screen.seconds >= policy().countdown_floor_s
            before = self.smallest_s.get(screen.event_id, screen.seconds)
            assert screen.seconds <= before, "the number of seconds went up"
            self.smallest_s[screen.event_id] = screen.seconds

    @invariant()
    def the_box_has_straight_sides(self) -> None:
        lines = render_text(self.phone.presentation(self.now_ns)).split("\n")
        assert len({len(line) for line in lines}) == 1

    @invariant()
    def no_more_cues_than_accepted_messages(self) -> None:
        taken = sum(len(serials) for serials in self.accepted.values())
        assert len(self.cues) <= taken + self.moves * len(EVENTS)
        assert self.phone.counts["accepted"] == taken

    @invariant()
    def a_withdrawn_event_asks_nothing_of_anybody(self) -> None:
        screen = self.phone.presentation(self.now_ns)
        if screen.event_id and self.closed.get(screen.event_id) is MsgType.CANCEL:
            assert screen.phase is Phase.CANCELLED
            assert screen.arrival == ""


PhoneMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=30)
TestPhoneMachine = PhoneMachine.TestCase
