"""The ``eew`` command for tests: in this process, or as a process of its own.

A process of its own spends two seconds on its imports. A test has one where that is the point:
what the user sees when nothing of the tests is loaded, signals, orphans, and another hash seed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from eew.cli import run

Done = subprocess.CompletedProcess[str]


class Eew:
    """Runs the program in a folder, with no other settings (``EEW_...``) than those named."""

    def __init__(self, folder: Path, root: Path, **settings: str) -> None:
        self.folder = folder
        env = {name: value for name, value in os.environ.items() if not name.startswith("EEW_")}
        # the checkout is importable also where the package is not installed
        usual = {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(root)}
        self.env = env | usual | settings

    def __call__(self, *args: str) -> Done:
        """Run a command to its end in this process, up to its exit code."""
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.env)
        try:
            with (
                contextlib.chdir(self.folder),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = run(args)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Done(args, code, out.getvalue(), err.getvalue())

    def process(self, *args: str) -> Done:
        """Run a command to its end as a process of its own."""
        return subprocess.run(
            self._command(*args),
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=100.0,
            check=False,
        )

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return subprocess.Popen(
            self._command(*args),
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "eew", *args]

    def document(self, name: str) -> dict[str, Any]:
        """Return a JSON file below the folder."""
        document = json.loads((self.folder / name).read_text(encoding="utf-8"))
        assert isinstance(document, dict)
        return document
