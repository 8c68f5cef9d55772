"""``eew keys``: who may sign, and whom devices believe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eew.cli.options import Json

if TYPE_CHECKING:
    from eew.app.key_files import MadeKey
    from eew.messages.seal import PublicKey

_DAY_NS = 86_400 * 10**9

app = typer.Typer(
    help="Keys (Ed25519): a service signs with the private one, devices hold the public ones.",
    no_args_is_help=True,
)
_FILES = (
    "Files: keys.json is public and goes to every device (--keys); KEY.private.json stays with the "
    "one service that signs (--key), readable by its owner alone; rotations-TREE.jsonl is signed "
    "and goes to the publisher, which keeps it on the broker."
)
_CODES = (
    "Exit codes: 0 done, 2 wrong setting or a file that is there already, 3 a file that holds no "
    "key. Without keys of its own a replay signs with a development key made from its seed, which "
    "protects nothing. Every message signed is marked as a SIMULATION."
)
_NEW_EPILOG = "\n\n".join(
    [
        "Examples:",
        "eew keys new --tree exercise --out keys",
        "eew keys new --tree drill --out keys --days 90",
        "eew serve --replay luding-2022 --key keys/ex-1f3a9.private.json --keys keys/keys.json",
        _FILES,
        _CODES,
    ]
)
_ROTATE_EPILOG = "\n\n".join(
    [
        "Examples:",
        "eew keys rotate --key keys/ex-1f3a9.private.json",
        "eew keys rotate --key keys/ex-1f3a9.private.json --days 400 --overlap-days 60",
        (
            "A device that hears the statement while the old key still counts trusts the new one "
            "from then on; one that does not must be given a new keys.json."
        ),
        _FILES,
        _CODES,
    ]
)
_SHOW_EPILOG = "\n\n".join(
    ["Examples:", "eew keys show keys", "eew keys show keys/keys.json --json", _CODES]
)
_Days = Annotated[int, typer.Option(help="How long the key counts, days from now.", metavar="N")]
_Id = Annotated[
    str,
    typer.Option(
        "--id", help="Its name in every message.", metavar="NAME", show_default="from its bytes"
    ),
]


@app.command("new", epilog=_NEW_EPILOG)
def new(
    tree: Annotated[
        str,
        typer.Option(
            help="exercise, drill or test: a key counts in one tree only.", metavar="TREE"
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of keys, made if missing.", metavar="DIR")],
    days: _Days = 400,
    key_id: _Id = "",
    as_json: Json = False,
) -> None:
    """Make a key for a tree: a private file for the service, a public line in keys.json."""
    from eew.app.key_files import new_key
    from eew.app.options import parse_status
    from eew.clock import SystemClock

    made = new_key(out, parse_status(tree, "--tree"), clock=SystemClock(), days=days, key_id=key_id)
    _say_made(made, as_json=as_json)
    if not as_json:
        key = f"--key {made.private_file} --keys {made.key_set_file}"
        typer.echo(f"next: eew serve --replay EVENT {key}")


@app.command("rotate", epilog=_ROTATE_EPILOG)
def rotate(
    key: Annotated[Path, typer.Option(help="Private file of the key to follow.", metavar="FILE")],
    days: _Days = 400,
    overlap_days: Annotated[
        int,
        typer.Option(help="How long the old key still counts, at most to its end.", metavar="N"),
    ] = 30,
    key_id: _Id = "",
    as_json: Json = False,
) -> None:
    """Make the next key of a tree, and the statement by which the old one names it."""
    from eew.app.key_files import rotate_key
    from eew.clock import SystemClock

    made = rotate_key(key, clock=SystemClock(), days=days, overlap_days=overlap_days, key_id=key_id)
    _say_made(made, as_json=as_json)


@app.command("show", epilog=_SHOW_EPILOG)
def show(
    file: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="A folder of keys, or its keys.json.")
    ],
    as_json: Json = False,
) -> None:
    """List keys with tree, validity and fingerprint; never a private part."""
    from eew.app.key_files import KEY_SET_NAME, load_keys
    from eew.clock import SystemClock

    now_ns = SystemClock().utc_ns()
    keys = load_keys(file / KEY_SET_NAME if file.is_dir() else file)
    if as_json:
        typer.echo(json.dumps([_row(key, now_ns) for key in keys], indent=2))
        return
    typer.echo(f"{len(keys)} key{'' if len(keys) == 1 else 's'} for a SIMULATION")
    for key in keys:
        row = _row(key, now_ns)
        typer.echo(
            f"  {key.key_id:<16} {row['tree']:<9} {row['state']:<13} "
            f"{row['from'] or 'ever'} to {row['until'] or 'ever'}"
        )
        typer.echo(f"  {'':<16} SHA-256 {row['fingerprint']}")


def _say_made(made: MadeKey, *, as_json: bool) -> None:
    key = made.key
    if as_json:
        values: dict[str, Any] = _row(key, key.from_ns) | {
            "private_file": str(made.private_file),
            "key_set_file": str(made.key_set_file),
        }
        if made.statement_file is not None and made.previous is not None:
            values["statement_file"] = str(made.statement_file)
            values["previous"] = _row(made.previous, key.from_ns)
        typer.echo(json.dumps(values, indent=2))
        return
    until = _day(key.until_ns)
    typer.echo(f"made {key.key_id} for {key.tree.value}, counts until {until}   (SIMULATION)")
    typer.echo(f"  private    {made.private_file}   keep it, copy it nowhere")
    typer.echo(f"  public     {made.key_set_file}   for every device")
    typer.echo(f"  SHA-256    {key.fingerprint}")
    if made.statement_file is not None and made.previous is not None:
        typer.echo(f"  statement  {made.statement_file}   for the publisher")
        typer.echo(f"{made.previous.key_id} counts until {_day(made.previous.until_ns)}")


def _row(key: PublicKey, now_ns: int) -> dict[str, Any]:
    if key.is_over(now_ns):
        state = "over"
    elif key.is_early(now_ns):
        state = "not yet"
    elif key.until_ns is None:
        state = "valid"
    else:
        state = f"{(key.until_ns - now_ns) // _DAY_NS} days left"
    return {
        "key_id": key.key_id,
        "tree": key.tree.value,
        "state": state,
        "from": _day(key.from_ns),
        "until": _day(key.until_ns),
        "fingerprint": key.fingerprint,
    }


def _day(at_ns: int | None) -> str:
    """Return a time as people write it; empty where there is none."""
    from datetime import UTC, datetime

    if not at_ns:
        return ""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M UTC")
