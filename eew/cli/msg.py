"""``eew msg``: make, read and check single messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eew.cli.options import Json

if TYPE_CHECKING:
    from eew.app.msg_read import Check
    from eew.messages.seal import KeyPair

app = typer.Typer(
    help="Single messages: make and send one, read one, check whether a device would believe it.",
    no_args_is_help=True,
)
_MARK = "SIMULATION"
_PAYLOAD = (
    "PAYLOAD is a file with one message or one per line (a run's messages.jsonl), or - for stdin."
)
_SEND = [
    "Examples:",
    "eew keys new --tree drill --out keys",
    (
        "eew msg send alert --lat 29.6 --lon 102.1 --magnitude 6.8 "
        "--key keys/dr-1f3a9.private.json --broker mqtt://localhost"
    ),
    (
        "eew msg send cancel --event msg-1 --serial 2 --lat 29.6 --lon 102.1 --magnitude 6.8 "
        "--key K --broker mqtt://localhost"
    ),
    "eew msg send alert --from message.json --to area --key K --broker mqtt://localhost",
    "eew msg send heartbeat --key K --broker none > payload.json",
    "eew msg send rotation --key keys/ex-1f3a9.private.json --broker mqtt://localhost",
    (
        "KIND is alert, update, final, cancel, heartbeat, status, help, rotation (statements of "
        "eew keys rotate) or ack (a receipt of --event and --serial, which bears no signature). "
        "Degrees, km, s; the tree of topics is that of the key (exercise, drill or test): there is "
        "no way to send an actual alert. --from FILE brings the alert of a file up to now, or "
        "publishes a file of eew help-pack build, or statements (otherwise those beside the key)."
    ),
    "Exit codes: 0 sent, 2 wrong setting, 3 a file that cannot be used, 4 broker.",
]
_DECODE = [
    "Examples:",
    "eew msg decode runs/luding-2022-1/messages.jsonl --line 1",
    "eew msg decode runs/luding-2022-1/messages.jsonl --line 1 --sizes",
    "mosquitto_sub -C 1 -t eew/v1/heartbeat | eew msg decode -",
    _PAYLOAD,
    "Exit codes: 0 read, 3 no message of this protocol (field and value found are named).",
]
_VERIFY = [
    "Examples:",
    "eew msg verify payload.json --keys keys/keys.json",
    "eew msg verify payload.json --keys keys/keys.json --tree exercise --at 2026-11-22T12:00:00Z",
    "eew msg verify runs/quake-1/messages.jsonl --development-seed 1 --at issued",
    (
        f"{_PAYLOAD} Checked, in this order: signature, content, tree, key, expiry. "
        "--tree is that of the topic it came by; without it, that which it says itself."
    ),
    (
        "Exit codes: 0 all would be believed, 2 wrong setting, 3 at least one would not (a receipt "
        "never is)."
    ),
]
_Source = Annotated[str, typer.Argument(metavar="PAYLOAD", help="File, or - for stdin.")]
_Line = Annotated[
    int | None, typer.Option(help="Only this line, from 1.", metavar="N", show_default="all")
]
_Seed = Annotated[
    int | None,
    typer.Option(
        "--development-seed",
        help="Instead of a file: the keys a run without keys makes from its --seed.",
        metavar="N",
        min=0,
        show_default=False,
    ),
]
_Tree = Annotated[
    str,
    typer.Option(help="exercise, drill or test.", metavar="TREE", show_default="that of the key"),
]


@app.command("send", epilog="\n\n".join(_SEND))
def send(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="alert, cancel, heartbeat, help, ack ...")
    ],
    broker: Annotated[
        str,
        typer.Option(help="mqtt:// or mqtts:// URL; none prints the payload only.", metavar="URL"),
    ],
    key: Annotated[
        Path | None, typer.Option(help="Private key that signs.", metavar="FILE")
    ] = None,
    seed: _Seed = None,
    tree: _Tree = "",
    file: Annotated[
        Path | None, typer.Option("--from", help="Take it from a file.", metavar="FILE")
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            help="national, area (every cell concerned), current, or one cell.", metavar="WHERE"
        ),
    ] = "national",
    lat: Annotated[float | None, typer.Option(help="Epicentre, degrees.")] = None,
    lon: Annotated[float | None, typer.Option(help="Epicentre, degrees.")] = None,
    magnitude: Annotated[float | None, typer.Option(help="-2 to 10.")] = None,
    depth: Annotated[float, typer.Option(help="Depth, km.", metavar="KM")] = 10.0,
    event: Annotated[
        str, typer.Option(help="Event.", metavar="ID", show_default="from the clock")
    ] = "",
    serial: Annotated[int, typer.Option(help="Number of the message in its event.")] = 1,
    expire: Annotated[float, typer.Option(help="Until it expires, s.", metavar="S")] = 180.0,
    as_json: Json = False,
) -> None:
    """Make one message, sign it and hand it to a broker. It is a SIMULATION, whatever it says."""
    import asyncio

    from eew.app.key_files import statements_beside
    from eew.app.msg_send import Quake, make, publish
    from eew.app.session import check_broker
    from eew.cli.console import progress_line
    from eew.clock import SystemClock
    from eew.errors import ConfigError

    check_broker(broker)
    signer = _signer(key, seed, tree)
    quake = None
    if lat is not None or lon is not None or magnitude is not None:
        if lat is None or lon is None or magnitude is None:
            raise ConfigError("--lat, --lon, --magnitude", "are needed together")
        quake = Quake(
            lat=lat,
            lon=lon,
            magnitude=magnitude,
            depth_km=depth,
            event_id=event,
            serial=serial,
            expire_s=expire,
        )
    if kind == "rotation" and file is None and key is not None:
        file = statements_beside(key, signer.tree)
    ready = make(
        kind,
        signer,
        SystemClock(),
        quake=quake,
        file=file,
        to=to,
        seed=1 if seed is None else seed,
        event_id=event,
        serial=serial,
    )
    if broker == "none":
        for payload in dict.fromkeys(one.payload for one in ready):
            typer.echo(payload)
        return
    with progress_line(f"publishing to {len(ready)} topics"):
        asyncio.run(publish(ready, broker))
    n_bytes = sorted({len(one.payload) for one in ready})
    if as_json:
        sent: dict[str, Any] = {
            "simulation": True,
            "kind": kind,
            "tree": signer.tree.value,
            "key": signer.key_id,
            "topics": [one.topic for one in ready],
            "bytes": n_bytes,
        }
        typer.echo(json.dumps(sent, indent=2))
        return
    sizes = " and ".join(f"{n:,}" for n in n_bytes)
    by = "without a signature" if kind == "ack" else f"signed by {signer.key_id}"
    if kind == "rotation":
        by = "signed by the old keys"
    typer.echo(f"{_MARK}  {kind} {by} ({signer.tree.value}), {sizes} bytes")
    for one in ready[:10]:
        typer.echo(f"  {one.topic}")
    if len(ready) > 10:
        typer.echo(f"  and {len(ready) - 10} more topics")


@app.command("decode", epilog="\n\n".join(_DECODE))
def decode(
    source: _Source,
    line: _Line = None,
    sizes: Annotated[bool, typer.Option("--sizes", help="The bytes each field takes.")] = False,
    as_json: Json = False,
) -> None:
    """Print a message field by field, with the names of the elements of its arrays."""
    from eew.app.msg_read import kind_of, read_payloads, rows_of, sizes_of
    from eew.messages.help_wire import inflated

    documents = []
    for payload in read_payloads(source, line):
        kind, rows = kind_of(payload), rows_of(payload)
        by_field = sizes_of(payload) if sizes else []
        plain = inflated(payload)
        if as_json:
            document: dict[str, Any] = {
                "simulation": True,
                "kind": kind,
                "bytes": len(payload),
                "fields": {row.field: row.value for row in rows},
                "meanings": {row.field: row.meaning for row in rows if row.meaning},
            }
            documents.append(document | ({"sizes": dict(by_field)} if sizes else {}))
            continue
        packed = f", {len(plain):,} inflated" if len(plain) != len(payload) else ""
        typer.echo(f"{_MARK}  {kind}, {len(payload):,} bytes{packed}")
        if sizes:
            for name, n in by_field:
                typer.echo(f"  {name:<18} {n:>7,}")
        else:
            width = max(len(row.field) for row in rows)
            for row in rows:
                meaning = f"   {row.meaning}" if row.meaning else ""
                typer.echo(f"  {row.field:<{width}}  {row.value}{meaning}")
    if as_json:
        typer.echo(json.dumps(documents if len(documents) != 1 else documents[0], indent=2))


@app.command("verify", epilog="\n\n".join(_VERIFY))
def verify(
    source: _Source,
    keys: Annotated[
        Path | None, typer.Option(help="Public keys (keys.json).", metavar="FILE")
    ] = None,
    seed: _Seed = None,
    tree: Annotated[
        str,
        typer.Option(
            help="exercise, drill or test: the topic's.", metavar="TREE", show_default="its own"
        ),
    ] = "",
    at: Annotated[
        str, typer.Option(help="now, issued, or a time such as 2026-11-22T12:00:00Z.")
    ] = "now",
    line: _Line = None,
    as_json: Json = False,
) -> int:
    """Say whether a device would believe a message: signature, content, tree, key, expiry."""
    from eew.app.development_key import development_keyring
    from eew.app.key_files import load_keyring
    from eew.app.msg_read import check_payload, read_payloads
    from eew.app.options import parse_status
    from eew.errors import ConfigError

    if (keys is None) == (seed is None):
        raise ConfigError("--keys", "give either --keys FILE or --development-seed N")
    ring = load_keyring(keys) if keys is not None else development_keyring(seed or 0)
    at_ns = _time_ns(at)
    of_topic = parse_status(tree, "--tree") if tree else None
    results = [
        check_payload(payload, ring, tree=of_topic, at_ns=at_ns)
        for payload in read_payloads(source, line)
    ]
    good = [all(check.holds for check in checks) for checks in results]
    if as_json:
        rows = [
            {"believed": ok, "checks": [_check_row(check) for check in checks]}
            for ok, checks in zip(good, results, strict=True)
        ]
        found = {"simulation": True, "messages": len(good), "believed": sum(good), "results": rows}
        typer.echo(json.dumps(found, indent=2))
    else:
        typer.echo(f"{_MARK}  {sum(good)} of {len(good)} messages would be believed")
        for number, (ok, checks) in enumerate(zip(good, results, strict=True), start=1):
            if ok and len(good) > 1:
                continue
            for check in checks:
                word = "ok" if check.holds else "REFUSED"
                typer.echo(f"  {number:>4}  {word:<8} {check.name:<10} {check.found}")
    return 0 if all(good) else 3


def _check_row(check: Check) -> dict[str, Any]:
    return {"name": check.name, "holds": check.holds, "found": check.found}


def _signer(key: Path | None, seed: int | None, tree: str) -> KeyPair:
    from eew.app.development_key import development_key
    from eew.app.key_files import load_keys, load_signer
    from eew.app.options import parse_status
    from eew.errors import ConfigError
    from eew.model.alert import Status

    if (key is None) == (seed is None):
        raise ConfigError("--key", "give either --key FILE or --development-seed N")
    wanted = parse_status(tree, "--tree") if tree else None
    if key is None:
        return development_key(seed or 0, wanted or Status.EXERCISE)
    return load_signer(key, wanted or load_keys(key)[0].tree)


def _time_ns(text: str) -> int | None:
    from datetime import UTC, datetime

    from eew.clock import SystemClock
    from eew.errors import ConfigError

    if text == "issued":
        return None
    if text == "now":
        return SystemClock().utc_ns()
    try:
        moment = datetime.fromisoformat(text)
        return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 10**9
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            "--at", f"expected now, issued or a time like 2026-11-22T12:00:00Z, was {text!r}"
        ) from error
