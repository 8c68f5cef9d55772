"""Machine code kept on disk is dropped when any file it was made from has changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import eew.core
from eew.core import jit, layout
from tests.unit.core_cases import config

CORE = Path(eew.core.__file__).parent


@pytest.fixture
def kept(tmp_path: Path) -> list[Path]:
    """Files as numba names them: index and code of two kernels."""
    names = ["kernels.process-52.py311.nbi", "kernels.process-52.py311.1.nbc"]
    names.append("location_kernels.log_likelihood-38.py311.nbi")
    for name in names:
        (tmp_path / name).write_bytes(b"code")
    return [tmp_path / name for name in names]


def test_code_of_the_same_sources_is_kept(kept: list[Path], tmp_path: Path) -> None:
    (tmp_path / "process.sources").write_text("abc")
    jit.forget_old_code(tmp_path, "process", "abc")

    assert all(file.exists() for file in kept)


@pytest.mark.parametrize("mark", [None, "of other sources"])
def test_code_of_other_or_unknown_sources_is_dropped(
    mark: str | None, kept: list[Path], tmp_path: Path
) -> None:
    if mark:
        (tmp_path / "process.sources").write_text(mark)
    jit.forget_old_code(tmp_path, "process", "abc")

    assert [file.exists() for file in kept] == [False, False, True]
    assert (tmp_path / "process.sources").read_text() == "abc"


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    jit.forget_old_code(tmp_path / "new", "process", "abc")

    assert (tmp_path / "new" / "process.sources").read_text() == "abc"


def test_every_file_with_a_kernel_takes_part_in_the_checksum() -> None:
    with_kernels = {
        file.name
        for file in CORE.glob("*.py")
        if re.search(r"^@(entry|inner|inlined)$", file.read_text(), re.MULTILINE)
    }

    assert with_kernels == {file.name for file in CORE.glob("*kernels.py")}
    assert len(jit._checksum()) == 64


def test_the_bands_are_as_many_as_the_kernel_has_lines_for() -> None:
    assert len(config().processing.bands_hz) == layout.N_BANDS == 4
