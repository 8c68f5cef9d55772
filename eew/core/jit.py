"""How the kernels are compiled, and when the machine code kept on disk is too old.

``entry`` is for what Python calls: its code, with all it calls, is kept on disk. ``inner`` is for
what other kernels call: without a wrapper for Python, which is half of the time to compile.
``inlined`` goes into its caller whole: handing over the state would cost more than the work.

Division by zero gives inf as in numpy; the checks would cost a tenth of the speed.

numba looks only at the file of the entry itself when it asks whether kept code is still good. A
change in a file that the entry calls into would go unseen, so the files' checksum is kept too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])

_INNER: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
_ELSEWHERE = ("eew.physics.kernels", "eew.physics.ellipsoid", "eew.tables.traveltime_axes")


def inner(function: _F) -> _F:
    """Compile a kernel that only kernels call."""
    compiled: _F = njit(**_INNER)(function)
    return compiled


def inlined(function: _F) -> _F:
    """Compile a kernel into those that call it."""
    compiled: _F = njit(**_INNER, forceinline=True)(function)
    return compiled


def entry(function: _F) -> _F:
    """Compile a kernel that Python calls, and keep its code on disk."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    # a folder that cannot be read or written has no old code either: numba goes elsewhere
    with suppress(OSError):
        forget_old_code(Path(compiled.stats.cache_path), function.__name__, _checksum())
    kept: _F = compiled
    return kept


def forget_old_code(folder: Path, name: str, checksum: str) -> None:
    """Delete the kept code of kernel ``name`` unless it was made from these sources."""
    mark = folder / f"{name}.sources"
    if mark.exists() and mark.read_text() == checksum:
        return
    for kept in sorted(folder.glob(f"*.{name}-*.nb[ic]")):
        kept.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(checksum)


def _checksum() -> str:
    """Return the checksum of every file that takes part in the core's kernels."""
    here = Path(__file__).parent
    files = [here / "layout.py", Path(__file__), *sorted(here.glob("*kernels.py"))]
    files += [Path(spec.origin) for m in _ELSEWHERE if (spec := find_spec(m)) and spec.origin]
    return hashlib.sha256(b"\0".join(f.read_bytes() for f in files)).hexdigest()
