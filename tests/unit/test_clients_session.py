"""One device's view of the messages: order, expiry, withdrawal, contact and clock."""

from __future__ import annotations

from typing import Any

import pytest

from clients.arrival import ArrivalKind, ArrivalShown, Countdown
from clients.policy import policy
from clients.session import DeviceSession, EventState, Link, Refusal
from eew.errors import ConfigError
from eew.messages.control_wire import Heartbeat
from eew.messages.wire import ReceivedAlert, decode
from eew.model.alert import MsgType
from tests.unit.message_cases import ISSUED_S, ORIGIN_NS, S, make_message, payload_of

NOW = ORIGIN_NS + 6 * S


def alert(serial: int = 1, **kwargs: Any) -> ReceivedAlert:
    return decode(payload_of(make_message(serial=serial, **kwargs)))


def test_a_second_copy_is_a_duplicate_and_an_earlier_serial_is_old() -> None:
    session = DeviceSession()

    assert session.receive(alert(2), NOW).accepted
    assert session.receive(alert(2), NOW).refusal is Refusal.DUPLICATE
    assert session.receive(alert(1), NOW).refusal is Refusal.OLD_SERIAL
    assert session.receive(alert(3), NOW).accepted
    assert session.counts == {"accepted": 2, "duplicate": 1, "old_serial": 1}
    assert session.serial_of("ev-1") == 3


def test_an_expired_message_never_fires_again() -> None:
    session = DeviceSession()
    late = NOW + 180 * S

    assert session.receive(alert(), late - 1).accepted
    assert DeviceSession().receive(alert(), late).refusal is Refusal.EXPIRED
    assert session.advance(late) == ["ev-1"]
    assert session.state_of("ev-1") is EventState.VANISHED
    assert session.advance(late + S) == []


def test_a_withdrawn_event_stays_withdrawn() -> None:
    session = DeviceSession()
    session.receive(alert(1), NOW)

    assert session.receive(alert(2, msg_type=MsgType.CANCEL), NOW).accepted
    assert session.state_of("ev-1") is EventState.CANCELLED
    assert session.receive(alert(3), NOW).refusal is Refusal.CLOSED
    assert session.advance(NOW + 1000 * S) == []  # cancelled is not vanished


def test_a_withdrawal_that_overtakes_its_alert_is_remembered() -> None:
    session = DeviceSession()

    assert session.receive(alert(2, msg_type=MsgType.CANCEL), NOW).accepted
    assert session.receive(alert(1), NOW).refusal is Refusal.OLD_SERIAL


def test_after_the_final_message_only_a_withdrawal_is_taken() -> None:
    session = DeviceSession()
    session.receive(alert(3, msg_type=MsgType.FINAL), NOW)

    assert session.receive(alert(4), NOW).refusal is Refusal.CLOSED
    assert session.receive(alert(5, msg_type=MsgType.CANCEL), NOW).accepted
    assert session.advance(NOW + 1000 * S) == []


def test_events_do_not_disturb_each_other() -> None:
    session = DeviceSession()
    session.receive(alert(5, event_id="ev-a"), NOW)

    assert session.receive(alert(1, event_id="ev-b"), NOW).accepted
    assert session.state_of("ev-c") is None


@pytest.mark.slow
def test_memory_is_bounded_and_what_is_forgotten_stays_refused() -> None:
    session = DeviceSession()
    limit = policy().max_events
    for number in range(3 * limit):
        when = NOW + number * 60 * S
        message = alert(event_id=f"ev-{number}", origin_ns=ORIGIN_NS + number * 60 * S)
        assert session.receive(message, when).accepted

    assert session.state_of("ev-0") is None
    again = session.receive(alert(event_id="ev-0"), NOW + 3 * limit * 60 * S)
    assert again.refusal is Refusal.EXPIRED


def test_contact_is_live_then_stale_then_offline() -> None:
    session = DeviceSession()
    assert session.link(NOW) is Link.CONNECTING

    session.heartbeat(Heartbeat(sequence=1, sent_ns=NOW), NOW)
    assert session.link(NOW + 5 * S) is Link.LIVE
    assert session.link(NOW + 6 * S) is Link.STALE
    assert session.silence_s(NOW + 6 * S) == 6.0
    assert session.link(NOW + 61 * S) is Link.OFFLINE

    session.heartbeat(Heartbeat(sequence=2, sent_ns=NOW + 62 * S), NOW + 62 * S)
    assert session.link(NOW + 62 * S) is Link.LIVE
    say(session, online=False, at_s=63.0)
    assert session.link(NOW + 64 * S) is Link.LIVE  # its heart may still beat
    assert session.link(NOW + 65 * S) is Link.OFFLINE
    say(session, online=True, at_s=66.0)
    assert session.link(NOW + 66 * S) is Link.LIVE


def say(session: DeviceSession, *, online: bool, at_s: float) -> Refusal | None:
    at_ns = NOW + round(at_s * S)
    return session.service_status("eew", online=online, at_ns=at_ns, now_ns=at_ns)


def test_a_last_will_counts_for_its_own_connection_only() -> None:
    session = DeviceSession()
    say(session, online=True, at_s=10.0)

    assert say(session, online=False, at_s=9.0) is Refusal.OLD_STATUS
    assert session.service_status("eew", online=False, at_ns=None, now_ns=NOW) is not None
    assert session.link(NOW + 11 * S) is Link.LIVE
    assert say(session, online=False, at_s=10.0) is None  # written as the connection began
    assert session.link(NOW + 11 * S) is Link.OFFLINE
    assert say(session, online=True, at_s=10.0) is Refusal.OLD_STATUS
    assert session.link(NOW + 11 * S) is Link.OFFLINE
    assert session.counts == {"old_status": 3}


def test_who_replays_the_last_will_of_a_living_service_is_not_believed() -> None:
    session = DeviceSession()
    say(session, online=True, at_s=0.0)
    for second in range(5):
        session.heartbeat(Heartbeat(sequence=second, sent_ns=NOW + second * S), NOW + second * S)
        say(session, online=False, at_s=0.0)
        assert session.link(NOW + second * S + S) is Link.LIVE
    assert session.link(NOW + 7 * S) is Link.OFFLINE


def test_what_is_refused_is_no_sign_of_life() -> None:
    session = DeviceSession()
    session.receive(alert(), NOW)
    beat = Heartbeat(sequence=1, sent_ns=NOW)
    session.heartbeat(beat, NOW)
    say(session, online=True, at_s=0.0)
    for second in (2, 4, 6):
        now_ns = NOW + second * S
        assert session.receive(alert(), now_ns).refusal is Refusal.DUPLICATE
        assert session.heartbeat(beat, now_ns) is Refusal.OLD_HEARTBEAT
        session.service_status("eew", online=True, at_ns=NOW, now_ns=now_ns)
    assert session.link(NOW + 6 * S) is Link.STALE


def test_without_heartbeats_to_expect_silence_means_nothing() -> None:
    session = DeviceSession(follow_heartbeat=False)
    session.heartbeat(Heartbeat(sequence=1, sent_ns=NOW - 1000 * S), NOW)

    assert session.link(NOW + 1000 * S) is Link.LIVE
    assert session.clock_offset_ns == 0


def test_a_message_from_the_future_is_taken_and_the_clock_called_wrong() -> None:
    session = DeviceSession()
    said = []

    assert session.receive(alert(), NOW - 2 * S).accepted  # within tolerance
    said.append((session.clock_trusted, session.clock_synchronised))
    assert session.receive(alert(2), NOW - 2 * S - 1).accepted
    said.append((session.clock_trusted, session.clock_synchronised))
    session.heartbeat(Heartbeat(sequence=1, sent_ns=NOW), NOW)
    said.append((session.clock_trusted, session.clock_synchronised))

    assert said == [(True, True), (False, False), (True, True)]


@pytest.mark.parametrize("offset_s", [-600, -3, 3, 600])
def test_heartbeats_correct_a_wrong_clock(offset_s: int) -> None:
    session = DeviceSession()
    for number in range(policy().clock_heartbeats):
        sent_ns = NOW + number * S
        session.heartbeat(Heartbeat(sequence=number, sent_ns=sent_ns), sent_ns + offset_s * S)

    assert session.clock_offset_ns == offset_s * S
    assert not session.clock_synchronised
    assert session.clock_trusted  # the offset is known
    assert session.receive(alert(), NOW + 100 * S + offset_s * S).accepted
    assert session.receive(alert(2), NOW + 181 * S + offset_s * S).refusal is Refusal.EXPIRED


def test_one_late_heartbeat_is_no_wrong_clock() -> None:
    session = DeviceSession()
    for number, lag_s in enumerate((0.1, 9.0, 0.1)):
        sent_ns = NOW + number * S
        session.heartbeat(Heartbeat(sequence=number, sent_ns=sent_ns), sent_ns + round(lag_s * S))

    assert session.clock_offset_ns == 0


@pytest.mark.parametrize("offset_s", [-36_000, -3])
def test_one_heartbeat_puts_a_slow_clock_right(offset_s: int) -> None:
    session = DeviceSession()
    session.heartbeat(Heartbeat(sequence=1, sent_ns=NOW), NOW + offset_s * S)

    assert session.corrected_ns(NOW + offset_s * S) == NOW
    assert not session.clock_synchronised
    late = alert(issued_s=-180.0)  # over by now, and new by the device's own clock
    assert session.receive(late, NOW + offset_s * S).refusal is Refusal.EXPIRED


def test_a_clock_that_is_ahead_by_hours_is_not_put_back_and_said_to_be_wrong() -> None:
    session = DeviceSession()
    hours_ns = 5 * 3600 * S
    for number in range(5):
        sent_ns = NOW + number * S
        session.heartbeat(Heartbeat(sequence=number, sent_ns=sent_ns), sent_ns + hours_ns)

    assert session.clock_offset_ns == 0
    assert not session.clock_trusted
    assert not session.clock_synchronised
    assert not session.clock_known(NOW + 4 * S + hours_ns)


def known_clock(offset_s: float = 0.0) -> DeviceSession:
    session = DeviceSession()
    for number in range(policy().clock_heartbeats):
        sent_ns = NOW + (number - policy().clock_heartbeats) * S
        now_ns = sent_ns + round(offset_s * S)
        session.heartbeat(Heartbeat(sequence=number, sent_ns=sent_ns), now_ns)
    return session


@pytest.mark.parametrize("offset_s", [0.0, 300.0, -300.0])
def test_a_clock_known_to_be_right_refuses_the_future(offset_s: float) -> None:
    session = known_clock(offset_s)
    now_ns = NOW + round(offset_s * S)

    assert session.clock_known(now_ns)
    ahead = alert(issued_s=ISSUED_S + 2.001)
    assert session.receive(ahead, now_ns).refusal is Refusal.FUTURE
    assert session.clock_trusted
    assert session.receive(alert(issued_s=ISSUED_S + 2.0), now_ns).accepted
    assert session.counts == {"accepted": 1, "future": 1}


def test_a_clock_is_known_no_longer_than_the_service_is_heard() -> None:
    session = known_clock()

    assert session.clock_known(NOW + 59 * S)
    assert not session.clock_known(NOW + 60 * S)
    later = alert(issued_s=ISSUED_S + 100.0)
    assert session.receive(later, NOW + 90 * S).accepted  # 10 s ahead: better than never
    assert not session.clock_synchronised


def test_recorded_heartbeats_never_turn_back_a_clock_that_was_told_the_time() -> None:
    session = known_clock()
    for number in range(1000):
        old = Heartbeat(sequence=number, sent_ns=NOW - 3600 * S + number * S)
        assert session.heartbeat(old, NOW + number * S // 100) is Refusal.OLD_HEARTBEAT
    assert session.corrected_ns(NOW + 10 * S) == NOW + 10 * S
    assert session.counts == {"old_heartbeat": 1000}


def test_recorded_heartbeats_played_fast_do_not_turn_back_the_clock_of_a_newcomer() -> None:
    session = DeviceSession()
    for number in range(100):  # an hour old, in the second before the first genuine one
        old = Heartbeat(sequence=number, sent_ns=NOW - 600 * S + number * S)
        session.heartbeat(old, NOW + number * S // 100)
        assert session.corrected_ns(NOW + number * S // 100) >= NOW
    session.heartbeat(Heartbeat(sequence=1, sent_ns=NOW + S), NOW + S)
    assert session.heartbeat(Heartbeat(sequence=1, sent_ns=NOW - S), NOW + S) is not None
    assert session.corrected_ns(NOW + 5 * S) == NOW + 5 * S


def test_even_a_silenced_service_is_not_put_back_by_more_than_the_limit() -> None:
    """Who cuts a device off from the service can play it the last quarter of an hour, no more."""
    for age_s, turned in ((890, True), (910, False)):
        session = DeviceSession()
        for number in range(10):
            beat = Heartbeat(sequence=number, sent_ns=NOW - age_s * S + number * S)
            session.heartbeat(beat, NOW + number * S)
        assert (session.corrected_ns(NOW + 9 * S) < NOW) is turned


def test_the_time_given_to_a_device_never_falls_behind_what_it_was_told() -> None:
    session = known_clock()
    told_ns = NOW - S

    for now_ns in (NOW, NOW - 300 * S, NOW - 86_400 * S):  # its owner turns the clock back
        assert session.corrected_ns(now_ns) >= told_ns - 2 * S
    old = alert(issued_s=ISSUED_S - 190.0)
    assert session.receive(old, NOW - 300 * S).refusal is Refusal.EXPIRED


def test_what_was_forgotten_never_fires_again_even_when_the_clock_is_put_back() -> None:
    session = DeviceSession()
    limit = policy().max_events
    ahead_ns = 800 * S  # the clock is fast, and nothing was heard of the service yet
    for number in range(limit):
        message = alert(event_id=f"ev-{number}", origin_ns=ORIGIN_NS + 600 * S)
        assert session.receive(message, NOW + 600 * S).accepted
    newer = alert(event_id="newer", origin_ns=ORIGIN_NS + ahead_ns)
    assert session.receive(newer, NOW + ahead_ns).accepted
    assert session.state_of("ev-0") is None  # forgotten: over, by the fast clock
    for number in range(3):
        beat = Heartbeat(sequence=number, sent_ns=NOW + 600 * S + number * S)
        session.heartbeat(beat, NOW + ahead_ns + number * S)
    again = alert(event_id="ev-0", origin_ns=ORIGIN_NS + 600 * S)
    assert again.message.expires_ns > session.corrected_ns(NOW + ahead_ns + 3 * S)
    assert session.receive(again, NOW + ahead_ns + 3 * S).refusal is Refusal.EXPIRED


# ---------------------------------------------------------------- countdown

RULES = policy()


def shown(countdown: Countdown, at_s: float, *, trusted: bool = True) -> ArrivalShown:
    return countdown.shown(round(at_s * S), RULES, clock_trusted=trusted)


def test_seconds_are_rounded_down_until_five_then_any_moment_then_now() -> None:
    countdown = Countdown(s_arrival_ns=20 * S, sigma_s=1.0)

    assert shown(countdown, 0.0) == ArrivalShown(ArrivalKind.ABOUT, 20)
    assert shown(countdown, 0.1) == ArrivalShown(ArrivalKind.ABOUT, 19)
    assert shown(countdown, 15.0) == ArrivalShown(ArrivalKind.ABOUT, 5)
    assert shown(countdown, 15.1) == ArrivalShown(ArrivalKind.MOMENT)
    assert shown(countdown, 19.999) == ArrivalShown(ArrivalKind.MOMENT)
    assert shown(countdown, 20.0) == ArrivalShown(ArrivalKind.NOW)
    assert shown(countdown, 2000.0) == ArrivalShown(ArrivalKind.NOW)


def test_an_arrival_not_known_well_enough_gets_no_number() -> None:
    countdown = Countdown(s_arrival_ns=20 * S, sigma_s=5.0)

    assert shown(countdown, 9.9).kind is ArrivalKind.ABOUT
    assert shown(countdown, 10.1).kind is ArrivalKind.MOMENT  # 5 s is over half of 9.9 s


def test_a_clock_that_cannot_be_trusted_gets_no_number() -> None:
    countdown = Countdown(s_arrival_ns=20 * S, sigma_s=1.0)

    assert shown(countdown, 0.0, trusted=False).kind is ArrivalKind.MOMENT


def test_a_later_estimate_makes_the_number_wait_not_climb() -> None:
    first = Countdown(s_arrival_ns=20 * S, sigma_s=1.0)
    later = first.updated(26 * S, 1.0, 8 * S, RULES)

    assert shown(later, 8.0) == ArrivalShown(ArrivalKind.ABOUT, 12)
    assert shown(later, 13.9) == ArrivalShown(ArrivalKind.ABOUT, 12)
    assert shown(later, 14.5) == ArrivalShown(ArrivalKind.ABOUT, 11)
    again = later.updated(40 * S, 1.0, 15 * S, RULES)
    assert shown(again, 15.0).seconds == 11


def test_an_earlier_estimate_counts_at_once() -> None:
    first = Countdown(s_arrival_ns=20 * S, sigma_s=1.0)

    assert shown(first.updated(14 * S, 1.0, 4 * S, RULES), 4.0).seconds == 10


def test_any_moment_does_not_turn_back_into_seconds() -> None:
    first = Countdown(s_arrival_ns=20 * S, sigma_s=1.0)
    later = first.updated(40 * S, 1.0, 17 * S, RULES)

    assert shown(later, 17.0).kind is ArrivalKind.MOMENT
    assert shown(later, 30.0).kind is ArrivalKind.MOMENT
    assert shown(later, 40.0).kind is ArrivalKind.NOW


def test_shaking_now_is_not_taken_back_by_a_later_estimate() -> None:
    first = Countdown(s_arrival_ns=20 * S, sigma_s=1.0)

    assert shown(first.updated(40 * S, 1.0, 21 * S, RULES), 21.0).kind is ArrivalKind.NOW


def test_a_better_estimate_may_bring_the_number_that_was_held_back() -> None:
    vague = Countdown(s_arrival_ns=20 * S, sigma_s=15.0)
    assert shown(vague, 1.0).kind is ArrivalKind.MOMENT

    assert shown(vague.updated(21 * S, 1.0, 1 * S, RULES), 1.0).seconds == 20


def test_strong_motion_lasts_longer_for_larger_and_farther_quakes() -> None:
    durations = [RULES.shaking_s(m, r) for m, r in ((5, 20), (6, 20), (7, 20), (8, 20), (8, 200))]

    assert durations == sorted(durations)
    assert RULES.shaking_s(7.0, 0.0) - RULES.margin_s == pytest.approx(14.9, abs=0.2)  # 2 x 7.4 s
    with pytest.raises(ConfigError, match="unknown profile 'loud'"):
        RULES.profile("loud")


def test_heartbeats_in_a_bunch_do_not_undo_what_is_known_of_the_time() -> None:
    """After a gap in the network several arrive at once: the clock stays known, and put right."""
    ahead_ns = 300 * S
    session = DeviceSession()
    for second in range(4):
        session.heartbeat(Heartbeat(sequence=second, sent_ns=second * S), second * S + ahead_ns)
    assert session.clock_offset_ns == ahead_ns
    now_ns = 9 * S + ahead_ns
    for second in range(4, 9):  # held up on the way, then all within 4 ms
        now_ns += S // 1000
        session.heartbeat(Heartbeat(sequence=second, sent_ns=second * S), now_ns)

    assert session.clock_known(now_ns)
    assert session.clock_offset_ns == pytest.approx(ahead_ns, abs=2 * S)
