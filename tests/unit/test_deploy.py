"""``eew deploy mosquitto``: what is written, and what is refused in one line."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from typer.testing import CliRunner

from eew.app.deploy import write_deployment
from eew.app.deploy_access import TREES, device_clients, feed_filters, receipt_filter
from eew.app.deploy_accounts import hash_password, password_of
from eew.app.deploy_certificates import Authority, Issued
from eew.app.deploy_plan import plan_deployment
from eew.cli.application import app
from eew.clock import SystemClock
from eew.errors import ConfigError
from eew.messages.cells import cell_of

CELLS = [cell_of(29.6, 102.1), cell_of(35.7, 139.7)]
SECRET = bytes(range(32))
NOW_NS = 1_700_000_000 * 10**9


def plan(**changes: Any) -> Any:
    usual: dict[str, Any] = {"n_leaves": 0, "n_hubs": 1, "hosts": ["localhost"], "base_port": 8883}
    return plan_deployment(**(usual | {"auth": "password"} | changes))


def test_one_host_takes_a_port_for_each_broker_and_many_hosts_one_port() -> None:
    one = plan(n_leaves=3, n_hubs=2)
    assert [(b.name, b.port) for b in one.brokers] == [
        ("hub-1", 8883), ("hub-2", 8884), ("leaf-1", 8885), ("leaf-2", 8886), ("leaf-3", 8887),
    ]  # fmt: skip
    many = plan(n_leaves=2, hosts=["h.example", "a.example", "b.example"])
    assert [b.url for b in many.for_devices] == ["mqtts://a.example:8883", "mqtts://b.example:8883"]
    alone = plan()
    assert alone.for_devices == alone.hubs == alone.brokers


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_leaves": -1}, "--leaves: 0 to 1000, was -1"),
        ({"n_hubs": 3}, "--hubs: 1 or 2, was 3"),
        ({"n_hubs": 2}, "--hubs: hubs feed leaves"),
        ({"auth": "none"}, "--auth: one of password, certificates, was 'none'"),
        ({"hosts": ["a b"]}, "--host: a name or an address, was 'a b'"),
        ({"hosts": ["büro.example"]}, "--host: a name or an address, was 'büro.example'"),
        ({"hosts": ["a\nlistener 1"]}, "--host: a name or an address"),
        ({"hosts": ["a", "b"]}, "--host: one for all, or one for each of 1 brokers"),
        ({"base_port": 65_535, "n_leaves": 3}, "--base-port: 1 to 65535, would be 65535 to 65538"),
    ],
)
def test_what_cannot_be_planned_names_its_option(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan(**changes)


def test_passwords_follow_from_the_secret_and_from_nothing_else() -> None:
    made = {password_of(SECRET, f"account-{n}") for n in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {32}
    assert password_of(SECRET, "a") == password_of(SECRET, "a")
    assert password_of(SECRET, "a") != password_of(SECRET[::-1], "a")
    one, other = (hash_password(SECRET, account, "same") for account in ("a", "b"))
    assert one.salt != other.salt
    assert str(one).startswith("$7$101$")
    assert one.digest not in str(other)


def test_feed_and_receipts_never_meet_so_no_bridge_runs_in_a_circle() -> None:
    from clients.fleet import matches

    for down in (name for tree in TREES for name in feed_filters(tree)):
        for up in (receipt_filter(tree) for tree in TREES):
            assert not matches(down, up.replace("+", "x"))
            assert not matches(up, down.replace("+", "x"))


def test_a_device_account_may_hear_no_other_area_and_say_nothing_by_name() -> None:
    roles, clients = device_clients(CELLS, {})
    by_name = {role["rolename"]: role["acls"] for role in roles}
    assert len(clients) == len(TREES) * len(CELLS)
    for client in clients:
        rules = [rule for role in client["roles"] for rule in by_name[role["rolename"]]]
        allowed = [rule["topic"] for rule in rules if rule["allow"]]
        other = next(cell for cell in CELLS if not client["username"].endswith(cell))
        assert not [topic for topic in allowed if other in topic or "client" in topic]
        assert not [r for r in rules if r["acltype"] == "publishClientSend" and r["allow"]]
        last = min(client["roles"], key=lambda role: role["priority"])["rolename"]
        denied = {r["topic"] for r in by_name[last] if r["acltype"] == "subscribePattern"}
        assert "#" in denied


def test_certificates_hold_for_their_hosts_and_their_days() -> None:
    authority = Authority(now_ns=NOW_NS, days=30)
    server = x509.load_pem_x509_certificate(
        authority.server("leaf-1", ["localhost", "eew.example", "192.0.2.7"]).certificate
    )
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "eew.example"]
    addresses = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1", "192.0.2.7"]
    assert server.not_valid_after_utc - server.not_valid_before_utc < datetime.timedelta(days=31)
    issuer = x509.load_pem_x509_certificate(authority.pem.certificate)
    server.verify_directly_issued_by(issuer)
    # renewed with the same authority years later, and never beyond its end
    late_ns = NOW_NS + 19 * 365 * 86_400 * 10**9
    renewed = Authority(now_ns=late_ns, days=3650, pem=authority.pem).client("leaf-1")
    ends = x509.load_pem_x509_certificate(renewed.certificate).not_valid_after_utc
    assert ends == issuer.not_valid_after_utc
    again = Authority(now_ns=NOW_NS, days=30, pem=authority.pem)
    assert again.pem == authority.pem
    other = Authority(now_ns=NOW_NS, days=30)
    with pytest.raises(ConfigError, match="not that of the certificate"):
        Authority(now_ns=NOW_NS, days=1, pem=Issued(authority.pem.certificate, other.pem.key))
    with pytest.raises(ConfigError, match="not a certificate and its key"):
        Authority(now_ns=NOW_NS, days=1, pem=Issued(b"x", b"y"))


def test_nothing_is_overwritten_without_force_and_force_keeps_what_devices_hold(
    tmp_path: Path,
) -> None:
    settings: dict[str, Any] = {"clock": SystemClock(), "days": 1}
    first = write_deployment(tmp_path / "b", plan(), CELLS, **settings)
    before = {one.path: one.content for one in first}
    with pytest.raises(ConfigError, match=r"is not empty \(--force"):
        write_deployment(tmp_path / "b", plan(), CELLS, **settings)
    assert all((tmp_path / "b" / path).read_bytes() == before[path] for path in before)
    again = write_deployment(tmp_path / "b", plan(n_leaves=2), CELLS, force=True, **settings)
    after = {one.path: one.content for one in again}
    for path in ("ca/ca.crt", "ca/ca.key", "credentials/deployment.secret"):
        assert after[path] == before[path]
    name = "credentials/devices-exercise.json"
    assert json.loads(after[name])["accounts"] == json.loads(before[name])["accounts"]
    (tmp_path / "b/credentials/deployment.secret").write_text("zz")
    with pytest.raises(ConfigError, match="cannot use what is in"):
        write_deployment(tmp_path / "b", plan(), CELLS, force=True, **settings)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="is not a folder"):
        write_deployment(tmp_path / "file", plan(), CELLS, **settings)


def run(*args: str) -> Any:
    return CliRunner().invoke(app, ["deploy", "mosquitto", *args])


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    areas = tmp_path / "areas.txt"
    areas.write_text(f"# two areas\n{CELLS[0]}\n\n{CELLS[1]}  # Tokyo\n")
    out = tmp_path / "b"
    outcome = run("--out", str(out), "--cells", str(areas), "--leaves", "1", "--json")
    assert outcome.exit_code == 0, outcome.output
    said = json.loads(outcome.stdout)
    assert said["simulation"] is True
    assert said["areas"] == 2
    assert [one["name"] for one in said["brokers"]] == ["hub-1", "leaf-1"]
    for one in said["files"]:
        path = out / one["path"]
        assert path.stat().st_size == one["bytes"]
        assert f"{path.stat().st_mode & 0o777:04o}" == one["mode"]
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {one["path"] for one in said["files"]}
    assert "remote_password" in (out / "leaf-1/mosquitto.conf").read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "exactly one of --cells-of, --around and --cells"),
        (("--cells-of", "JP", "--around", "1,2"), "exactly one of"),
        (("--around", "north"), "--around: LAT,LON in degrees expected, was 'north'"),
        (("--around", "91,0"), "--around: LAT,LON in degrees expected, was '91,0'"),
        (("--around", "1,2", "--within", "-5"), "--within: above 0, at most 3000 km, was -5"),
        (("--cells", "/nowhere/cells"), "--cells: cannot read /nowhere/cells: No such file"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    outcome = run("--out", str(tmp_path / "b"), *args)
    assert isinstance(outcome.exception, ConfigError)
    assert words in str(outcome.exception)
    assert not (tmp_path / "b").exists()


def test_a_file_of_areas_is_checked_line_by_line(tmp_path: Path) -> None:
    areas = tmp_path / "areas.txt"
    for text, words in (
        (f"{CELLS[0]}\nBeijing\n", "areas.txt:2: not an area: 'Beijing'"),
        ("# nothing\n", "areas.txt names no area"),
    ):
        areas.write_text(text)
        outcome = run("--out", str(tmp_path / "b"), "--cells", str(areas))
        assert words in str(outcome.exception)
