"""What an alert weighs on the wire, field by field, and whether a binary form would earn its place.

Messages of recorded runs (``messages.jsonl`` of eew replay, given as arguments; a replay of
luding-2022 without any) are written again as JSON and as MessagePack by the same library from the
same types, with and without names. Signing and verifying are what they are in any form.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import ROOT, parser, quantiles, result, show
from eew.app.development_key import development_key
from eew.app.msg_read import sizes_of
from eew.messages import wire, wire_schema
from eew.messages.seal import Keyring

ROUNDS = 30
_BARE_SEAL = 64 + 8 + 4  # raw signature, name of the key, their framing


def replayed(folder: Path) -> Path:
    """Return the messages of a run of the built-in quake."""
    out = folder / "run"
    code = "import sys; from eew.cli import main; sys.exit(main())"
    options = ["--broker", "none", "--phones", "0", "--tvs", "0", "--out", str(out)]
    subprocess.run(
        [sys.executable, "-c", code, "replay", "luding-2022", *options],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return out / "messages.jsonl"


def us_each(work: Callable[[Any], object], items: Sequence[Any]) -> dict[str, float]:
    """Return us per item, over rounds."""
    samples = []
    for _ in range(ROUNDS):
        start_ns = time.perf_counter_ns()
        for item in items:
            work(item)
        samples.append((time.perf_counter_ns() - start_ns) / len(items) / 1e3)
    return quantiles(samples, digits=2)


def by_field(payloads: Sequence[bytes]) -> dict[str, dict[str, float]]:
    """Return for each field in how many messages it is, and the bytes it takes there."""
    found: dict[str, list[int]] = {}
    for payload in payloads:
        for name, n in sizes_of(payload):
            found.setdefault(name, []).append(n)
    return {
        name: {"messages": len(sizes), "median": sorted(sizes)[len(sizes) // 2], "max": max(sizes)}
        for name, sizes in found.items()
    }


def measure(files: Sequence[Path]) -> dict[str, Any]:
    """Return sizes and times."""
    stored = [line for file in files for line in file.read_bytes().splitlines() if line]
    alerts = [wire_schema.DECODER.decode(payload) for payload in stored]
    received = [wire.decode(payload) for payload in stored]
    named = [msgspec.msgpack.encode(alert) for alert in alerts]
    bare = [msgspec.msgpack.encode(list(msgspec.structs.astuple(alert))) for alert in alerts]
    bodies = [wire_schema.ENCODER.encode(alert) for alert in alerts]
    decoder = msgspec.msgpack.Decoder(wire_schema.Alert)
    key = development_key(1)
    sealed = [
        wire.encode(one.message, run_id=one.run_id, seed=one.seed, sent_ns=one.sent_ns, signer=key)
        for one in received
        if one.message.status is key.tree
    ]
    return {
        "messages": len(stored),
        "bytes": {
            "json, sealed": quantiles([len(one) for one in stored], digits=0),
            "json, body": quantiles([len(one) for one in bodies], digits=0),
            "msgpack, sealed": quantiles([len(one) + _BARE_SEAL for one in named], digits=0),
            "msgpack without names, sealed": quantiles(
                [len(one) + _BARE_SEAL for one in bare], digits=0
            ),
        },
        "us": {
            "json encode": us_each(wire_schema.ENCODER.encode, alerts),
            "msgpack encode": us_each(msgspec.msgpack.encode, alerts),
            "json decode": us_each(wire_schema.DECODER.decode, bodies),
            "msgpack decode": us_each(decoder.decode, named),
            "wire.encode with signature": us_each(
                lambda one: wire.encode(
                    one.message, run_id=one.run_id, seed=one.seed, sent_ns=one.sent_ns, signer=key
                ),
                [one for one in received if one.message.status is key.tree],
            ),
            "wire.decode": us_each(wire.decode.__wrapped__, sealed),
            "sign": us_each(key.sign, bodies),
            "verify": us_each(
                lambda payload: Keyring([key.public]).verify(payload, key.tree), sealed
            ),
        },
        "bytes_by_field": by_field(stored),
    }


def main() -> int:
    """Measure and print."""
    options = parser(__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("files", nargs="*", type=Path, metavar="MESSAGES.JSONL")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = arguments.files or [replayed(Path(folder))]
        figures = measure(files)
    outcome = result(
        "bench_wire",
        question="What does an alert weigh, and would MessagePack be worth it?",
        unit="bytes, us",
        n=ROUNDS,
        seed=arguments.seed,
        **figures,
    )
    show(outcome, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
