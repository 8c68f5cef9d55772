"""``eew doctor``: whether everything is there that a run needs."""

from __future__ import annotations

import typer

from eew.cli.options import Json


def doctor(
    as_json: Json = False,
) -> int:
    """Check versions, broker, compiled kernels, recorded quakes and the folder for output.

    Exit code 1 if a check failed.
    """
    from eew.app.health import checks

    found = checks()
    if as_json:
        import json

        rows = [{"name": one.name, "state": one.state, "found": one.found} for one in found]
        typer.echo(json.dumps(rows, indent=2))
    else:
        width = max(len(one.name) for one in found)
        for one in found:
            typer.echo(f"{one.state:<5} {one.name:<{width}}  {one.found}")
    return 1 if any(one.state == "bad" for one in found) else 0
