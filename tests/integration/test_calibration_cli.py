"""``eew simulate --calibration`` as users run it: document, exit code, any number of processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.eew_program import Done, Eew


def eew(root: Path, quakes: Path, *args: str) -> Done:
    return Eew(root, root, EEW_QUAKES=str(quakes))("simulate", "--calibration", *args)


@pytest.mark.slow
def test_one_process_or_two_give_the_same_document(project_root: Path, tmp_path: Path) -> None:
    args = ("--region", "west_sichuan", "--repeats", "1", "--json")
    one, two = (eew(project_root, tmp_path, *args, "--jobs", jobs) for jobs in ("1", "2"))
    assert one.stdout == two.stdout
    document: dict[str, Any] = json.loads(one.stdout)
    assert document["simulation"] is True
    assert {check["group"] for check in document["checks"]} == {"west_sichuan"}
    failed = [check for check in document["checks"] if not check["passed"]]
    assert document["checks_failed"] == len(failed)
    # the exit code says it, and one line names the first
    assert one.returncode == two.returncode == (5 if failed else 0)
    assert ("beyond their bounds" in one.stderr) == bool(failed)


@pytest.fixture(scope="module")
def ridgecrest(project_root: Path, quakes_dir: Path) -> dict[str, Any]:
    done = eew(project_root, quakes_dir, "--region", "california", "--repeats", "1", "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
@pytest.mark.quakes
def test_a_recorded_quake_is_computed_on_its_own_stations(ridgecrest: dict[str, Any]) -> None:
    assert ridgecrest["missing"] == []
    (quake,) = ridgecrest["quakes"]
    assert quake["name"] == "us20190706_m71_ridgecrest"
    assert len(quake["stations"]) == 12
    found = [check for check in ridgecrest["checks"] if check["group"] == quake["name"]]
    assert {(check["measure"], check["statistic"]) for check in found} == {
        (measure, statistic) for measure in ("PGA", "PGV") for statistic in ("median", "sigma")
    }


@pytest.mark.slow
@pytest.mark.quakes
@pytest.mark.parametrize(
    "measure",
    [
        "PGA",
        pytest.param(
            "PGV",
            marks=pytest.mark.xfail(
                strict=True, reason="0.40 log10 above the recorded one (bound 0.3): near the fault"
            ),
        ),
    ],
)
def test_a_recorded_quake_is_met_by_the_same_quake_computed(
    ridgecrest: dict[str, Any], measure: str
) -> None:
    found = [
        check
        for check in ridgecrest["checks"]
        if (check["group"], check["measure"]) == ("us20190706_m71_ridgecrest", measure)
    ]
    assert found
    assert all(check["passed"] for check in found)
