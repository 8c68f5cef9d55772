"""IDLE -> ISSUED -> CLOSED for one event: alert, updates, cancel or final.

Serial numbers start at 1 and never repeat; the first message is the alert; a cancel exists only
if the public was told anything. Pure: solutions in, messages out.
"""

from __future__ import annotations

import math

from eew.core.config import AlertPolicy
from eew.core.forecast import Outlook, prediction_of
from eew.errors import AlertProtocolError
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    CancelReason,
    MsgType,
)
from eew.model.event import Solution
from eew.physics.geo import epicentral_distance_km
from eew.physics.shaking import shaking_model_at


class AlertLifecycle:
    """Decides what the public is told about one event.

    Parameters
    ----------
    policy : AlertPolicy
        Thresholds for the first alert, updates and the end.
    """

    def __init__(self, policy: AlertPolicy) -> None:
        self._policy = policy
        self._last: AlertMessage | None = None
        self._first_ns = 0
        self._newest: Solution | None = None
        self._outlook: Outlook | None = None  # of the newest solution
        self._told: Outlook | None = None  # of the last message
        self._closed = False

    @property
    def issued(self) -> bool:
        """True once the public was told."""
        return self._last is not None

    @property
    def closed(self) -> bool:
        """True after final or cancel."""
        return self._closed

    @property
    def first_alert_ns(self) -> int | None:
        """When the first alert was issued, or None."""
        return self._first_ns if self._last is not None else None

    def receive_solution(
        self, solution: Solution, *, ready: bool, outlook: Outlook | None = None
    ) -> list[AlertMessage]:
        """Feed one solution; return the messages it caused.

        Parameters
        ----------
        solution : Solution
            Newest view of the event.
        ready : bool
            The detector's own verdict that the event is real (stations, misfit, ratio).
        outlook : Outlook, optional
            The event's shaking as far as it is known beside the solution.
        """
        if self._closed:
            return []
        self._newest, self._outlook = solution, outlook
        if self._last is None:
            if ready and self._large_enough(solution):
                self._first_ns = solution.at_ns
                return [self._emit(MsgType.ALERT, solution)]
            return []
        if self._worth_telling(solution, self._last):
            return [self._emit(MsgType.UPDATE, solution)]
        return []

    def advance(self, now_ns: int, *, growing: bool = False) -> list[AlertMessage]:
        """Close the event when it has been quiet long enough, but not while it is ``growing``."""
        last, newest = self._last, self._newest
        if self._closed or last is None or newest is None:
            return []
        policy = self._policy
        quiet = now_ns - last.issued_ns >= round(policy.final_quiet_s * 1e9)
        old = now_ns - self._first_ns >= round(policy.final_after_s * 1e9)
        too_old = now_ns - self._first_ns >= round(policy.final_latest_s * 1e9)
        return self.finish(now_ns) if (quiet and old and not growing) or too_old else []

    def finish(self, now_ns: int) -> list[AlertMessage]:
        """Say the last word, if anything was said."""
        if self._closed or self._last is None or self._newest is None:
            self._closed = True
            return []
        self._closed = True
        return [self._emit(MsgType.FINAL, self._newest, at_ns=now_ns)]

    def withdraw(self, now_ns: int) -> list[AlertMessage]:
        """Close the event as false; a cancel only if the public was told."""
        if self._closed:
            raise AlertProtocolError("withdraw after the last message")
        self._closed = True
        if self._last is None or self._newest is None:
            return []
        return [
            self._emit(MsgType.CANCEL, self._newest, at_ns=now_ns, reason=CancelReason.FALSE_ALERT)
        ]

    # ------------------------------------------------------------------ parts

    def _large_enough(self, solution: Solution) -> bool:
        """Tell whether the magnitude reaches the least one told with enough probability."""
        short = (self._policy.min_magnitude - solution.magnitude) / solution.magnitude_sigma
        return 0.5 * math.erfc(short / math.sqrt(2.0)) >= self._policy.min_magnitude_probability

    def _worth_telling(self, solution: Solution, last: AlertMessage) -> bool:
        policy = self._policy
        if solution.at_ns - last.issued_ns < round(policy.update_interval_s * 1e9):
            return False
        moved_km = float(
            epicentral_distance_km(last.origin.lat, last.origin.lon, solution.lat, solution.lon)
        )
        return (
            round(abs(solution.magnitude - last.magnitude.value), 6) >= policy.update_magnitude
            or moved_km >= policy.update_distance_km
            or abs(solution.origin_time_ns - last.origin.time_ns)
            >= round(policy.update_origin_time_s * 1e9)
            or self._expects_other()
        )

    def _expects_other(self) -> bool:
        """Tell whether a place expects more than it was told, or less from the source."""
        now, told = self._outlook, self._told
        if now is None or told is None:
            return now is not told
        step, felt = self._policy.update_intensity, self._policy.update_from_intensity
        rises = (now.forecast >= told.forecast + step) & (now.forecast >= felt)
        falls = (now.from_source <= told.from_source - step) & (told.from_source >= felt)
        return bool((rises | falls).any())

    def _emit(
        self,
        msg_type: MsgType,
        solution: Solution,
        *,
        at_ns: int | None = None,
        reason: CancelReason | None = None,
    ) -> AlertMessage:
        issued_ns = solution.at_ns if at_ns is None else at_ns
        policy = self._policy
        self._told = self._outlook
        self._last = AlertMessage(
            event_id=solution.event_id,
            serial=1 if self._last is None else self._last.serial + 1,
            msg_type=msg_type,
            status=policy.status,
            issued_ns=issued_ns,
            expires_ns=issued_ns + round(policy.expire_s * 1e9),
            origin=AlertOrigin(
                time_ns=solution.origin_time_ns,
                lat=solution.lat,
                lon=solution.lon,
                depth_km=solution.depth_km,
                h_sigma_km=solution.h_sigma_km,
                z_sigma_km=solution.z_sigma_km,
                time_sigma_s=solution.origin_time_sigma_s,
                provisional=solution.n_stations < policy.provisional_stations
                or solution.azimuthal_gap_deg > policy.provisional_gap_deg,
            ),
            magnitude=AlertMagnitude(
                value=solution.magnitude,
                type=solution.magnitude_type,
                sigma=solution.magnitude_sigma,
                lower_bound=solution.magnitude_is_lower_bound,
            ),
            quality=AlertQuality(
                n_stations=solution.n_stations,
                n_picks=solution.n_picks,
                gap_deg=solution.azimuthal_gap_deg,
                likelihood=solution.likelihood,
            ),
            prediction=predict(solution, self._outlook),
            first_pick_ns=solution.first_pick_ns,
            trace=AlertTrace(
                last_sample_ns=solution.trace.last_sample_ns,
                received_ns=solution.trace.received_ns,
                pick_ns=solution.trace.pick_ns,
                decided_ns=issued_ns,
            ),
            cancel_reason=reason,
        )
        return self._last


def predict(solution: Solution, outlook: Outlook | None = None) -> AlertPrediction:
    """Shaking expected from a solution by the region's own model."""
    model = shaking_model_at(solution.lat, solution.lon)
    return prediction_of(model, solution.magnitude, solution.depth_km, outlook)
