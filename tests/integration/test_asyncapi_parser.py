"""docs/asyncapi.json before the official parser of AsyncAPI (npm: @asyncapi/parser)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT

# A folder in which npm has installed the parser; .ci/run does so where npm reaches it. Without it
# there is no test here, rather than one that is skipped: the document itself is checked in
# tests/unit/test_messages_asyncapi.py all the same.
PARSER = os.environ.get("EEW_ASYNCAPI_PARSER", "")
SCRIPT = """
const { Parser } = require('@asyncapi/parser');
const text = require('fs').readFileSync(0, 'utf8');
new Parser().parse(text).then(({ document, diagnostics }) => console.log(JSON.stringify({
  channels: document ? document.channels().all().length : 0,
  operations: document ? document.operations().all().length : 0,
  problems: diagnostics.filter((one) => one.severity <= 1).map((one) => one.message),
})));
"""

if PARSER:

    def parse(text: str) -> dict[str, object]:
        done = subprocess.run(
            ["node", "-e", SCRIPT],
            cwd=Path(PARSER),
            input=text,
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def test_the_official_parser_accepts_the_document() -> None:
        text = (ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8")

        assert parse(text) == {"channels": 27, "operations": 27, "problems": []}

    def test_the_official_parser_would_find_a_mistake() -> None:
        document = json.loads((ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8"))
        document["operations"]["publish_exercise_alert"]["action"] = "shout"

        assert parse(json.dumps(document))["problems"]
