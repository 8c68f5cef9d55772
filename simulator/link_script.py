"""Applies what a scenario says of the link: to the steps on their way to the detector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from eew.model.waveform import Recording
from simulator import delivery
from simulator import fault_fields as kinds
from simulator.fault_fields import Fault, LinkFault
from simulator.fault_hits import FaultHits
from simulator.link import LinkDelay
from simulator.link_fields import LinkSpec, Outage
from simulator.schedule import Step
from simulator.selection import Zero

__all__ = ["apply_link", "delay_of"]


def apply_link(
    steps: Iterable[Step],
    link: LinkSpec,
    script: Sequence[Fault],
    recording: Recording,
    *,
    zero: Zero,
    seed: int,
) -> Iterator[Step]:
    """Let everything go wrong that goes wrong on the way to the detector.

    Packet length and delay per station are those of the schedule that the steps come from
    (:func:`delay_of`); here come loss, jitter, late and doubled packets, outages, and then the
    faults of the script that are of the link, in order of the file.

    Parameters
    ----------
    script : sequence of Fault
        Those of the records are passed over: :func:`simulator.fault_script.apply_faults`.
    recording : Recording
        Names the stations; as the schedule has it.
    zero : Zero
        What times and distances count from.
    seed : int
        Of the run.
    """
    hits = FaultHits(script=tuple(script), zero=zero, seed=seed)
    steps = iter(steps)
    if link.loss_share:
        steps = delivery.packet_loss(steps, share=link.loss_share, seed=seed)
    if link.jitter_s:
        steps = delivery.jittered(steps, most_s=link.jitter_s, seed=seed)
    if link.reorder_share:
        steps = delivery.reordered(
            steps, share=link.reorder_share, most_s=link.reorder_most_s, seed=seed
        )
    if link.duplicate_share:
        steps = delivery.duplicates(
            steps, share=link.duplicate_share, most_s=link.duplicate_most_s, seed=seed
        )
    for number, outage in enumerate(link.outage):
        codes = frozenset(hits.stations_of_outage(outage, number, recording))
        steps = _out(outage, steps, codes, hits)
    for fault in script:
        if isinstance(fault, LinkFault):
            steps = _linked(fault, steps, frozenset(hits.stations(fault, recording)), hits)
    return steps


def delay_of(link: LinkSpec, seed: int) -> LinkDelay:
    """Return the delays per station of a link."""
    if link.fixed_s is not None:
        return LinkDelay.fixed(link.fixed_s)
    return LinkDelay(median_s=link.median_s, sigma_ln=link.sigma_ln, seed=seed)


def _linked(
    fault: LinkFault, steps: Iterator[Step], codes: frozenset[str], hits: FaultHits
) -> Iterator[Step]:
    seed = hits.seed_of(fault)
    from_ns = hits.ns_or_none(fault.from_s)
    until_ns = hits.ns_or_none(getattr(fault, "until_s", None))
    hit = delivery.Hit(stations=codes, from_ns=from_ns, until_ns=until_ns)
    match fault:
        case kinds.Loss():
            return delivery.packet_loss(steps, share=fault.loss_share, seed=seed, hit=hit)
        case kinds.Reorder():
            return delivery.reordered(
                steps, share=fault.late_share, most_s=fault.most_s, seed=seed, hit=hit
            )
        case kinds.Duplicates():
            return delivery.duplicates(
                steps, share=fault.again_share, most_s=fault.most_s, seed=seed, hit=hit
            )
        case kinds.OutageFault():
            return _out(fault, steps, codes, hits)
        case kinds.ClockOffset():
            return delivery.clock_offset(steps, codes, offset_s=fault.offset_s, from_ns=from_ns)
        case kinds.ClockDrift():
            return delivery.clock_drift(steps, codes, drift_ppm=fault.drift_ppm, from_ns=from_ns)
        case _:
            assert_never(fault)


def _out(
    outage: Outage | kinds.OutageFault,
    steps: Iterator[Step],
    codes: frozenset[str],
    hits: FaultHits,
) -> Iterator[Step]:
    from_ns, until_ns = hits.ns(outage.from_s), hits.ns_or_none(outage.until_s)
    if until_ns is None or outage.backlog == "lost":
        return delivery.gone(steps, codes, from_ns=from_ns, until_ns=until_ns)
    return delivery.backlog(steps, codes, from_ns=from_ns, until_ns=until_ns)
