"""Opening a broker: it answers, it goes, and what is wrong is said in one line."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from eew.egress import broker as broker_module
from eew.egress import mosquitto as mosquitto_module
from eew.egress.broker import open_broker
from eew.egress.embedded import embedded_broker
from eew.egress.mosquitto import free_port, mosquitto_broker
from eew.errors import ConfigError, ConnectError
from eew.mqtt_link import MQTT_3_1_1, MQTT_5, open_link
from tests.integration.brokers import (
    BOTH,
    broker_of,
    children_of,
    is_running,
    mosquitto_program,
    recording,
    until,
)


@BOTH
async def test_what_is_published_arrives(kind: str) -> None:
    async with open_broker(kind) as address, recording(address, "a/#") as recorder:
        assert address.kind == kind
        assert address.host == "127.0.0.1"
        assert address.protocol == (MQTT_5 if kind == "mosquitto" else MQTT_3_1_1)
        async with open_link(address) as link:
            await link.publish("a/b", b"hello", qos=1, expiry_s=60, schema="x/1")
        await until(lambda: recorder.got == [("a/b", b"hello")])


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_auto_takes_mosquitto_where_it_is_found() -> None:
    async with open_broker("auto") as address:
        assert address.kind == "mosquitto"


@pytest.mark.broker
async def test_auto_without_mosquitto_is_embedded_and_asking_for_it_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda: None)
    async with open_broker("auto") as address:
        assert address.kind == "embedded"
    with pytest.raises(ConfigError, match="not found on PATH"):
        open_broker("mosquitto")


@pytest.mark.broker
async def test_auto_with_a_mosquitto_that_does_not_start_is_embedded_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda: "/bin/false")
    async with open_broker("auto") as address:
        assert address.kind == "embedded"
    assert "/bin/false did not start: it said nothing; using the embedded broker" in caplog.text


@BOTH
async def test_the_broker_is_gone_afterwards(kind: str) -> None:
    before = set(children_of(os.getpid()))
    async with open_broker(kind) as address:
        pass
    assert set(children_of(os.getpid())) == before
    with socket.socket() as sock:
        assert sock.connect_ex((address.host, address.port)) != 0


@BOTH
async def test_the_broker_is_gone_after_a_cancellation_at_any_moment(kind: str) -> None:
    before = set(children_of(os.getpid()))
    opened = asyncio.Event()

    async def use() -> None:
        async with open_broker(kind) as address, open_link(address):
            opened.set()
            await asyncio.sleep(60)

    for delay_s in (0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.03, 0.05, None):
        task = asyncio.create_task(use())
        if delay_s is None:  # the last one is cancelled with a connection standing
            opened.clear()
            await asyncio.wait_for(opened.wait(), 30.0)
        else:
            await asyncio.sleep(delay_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert set(children_of(os.getpid())) == before, f"after {delay_s} s"


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_mosquitto_does_not_outlive_a_process_that_is_killed(
    tmp_path: Path, project_root: Path
) -> None:
    script = (
        "import asyncio\n"
        "from eew.egress.broker import open_broker\n"
        "async def main():\n"
        "    async with open_broker('mosquitto'):\n"
        "        print('open', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        cwd=project_root,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        children = children_of(process.pid)
        assert len(children) == 2  # mosquitto and its guard
        assert len(os.listdir(tmp_path)) == 1
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await until(lambda: not any(is_running(pid) for pid in children), timeout_s=5.0)
        assert os.listdir(tmp_path) == []
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_port_taken_in_between_is_given_up_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        offers = [taken.getsockname()[1], free_port()]
        monkeypatch.setattr(mosquitto_module, "free_port", lambda: offers.pop(0))
        async with open_broker("mosquitto") as address:
            assert offers == []
            assert address.port != taken.getsockname()[1]


@BOTH
async def test_a_fixed_port_in_use_is_said_in_one_line(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ConnectError, match=rf"127\.0\.0\.1:{port}: .*[Aa]ddress already in use"
        ):
            async with broker_of(kind, port=port):
                pass


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_setting_that_this_mosquitto_does_not_know_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = dict(mosquitto_module._OPTIONAL)
    monkeypatch.setattr(mosquitto_module, "_OPTIONAL", {"from_the_future": "true", **known})
    async with mosquitto_broker(mosquitto_program(), workdir=tmp_path) as address:
        assert address.receive_maximum == int(known["max_inflight_messages"])
    config = (tmp_path / "mosquitto.conf").read_text()
    assert "from_the_future" not in config
    assert "set_tcp_nodelay true" in config


async def test_a_mosquitto_that_does_not_start_gives_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\necho 'first' >&2\necho '17: Error: out of luck' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(ConnectError, match="did not start: Error: out of luck"):
        async with mosquitto_broker(str(program)):
            pass


@pytest.mark.broker
async def test_a_full_embedded_broker_turns_newcomers_away_at_once() -> None:
    async with embedded_broker(max_connections=1) as address, AsyncExitStack() as stack:
        async with asyncio.timeout(20.0):
            while True:  # the probe's connection has to go first
                with suppress(ConnectError):
                    await stack.enter_async_context(open_link(address))
                    break
        # turned away, not left to wait until it gives up
        with pytest.raises(ConnectError, match="cannot connect: closed by the broker"):
            async with open_link(address):
                pass


# ---------------------------------------------------------------- brokers that refuse


@asynccontextmanager
async def mosquitto_with(tmp_path: Path, *lines: str) -> AsyncIterator[int]:
    """Run a mosquitto of the test's own configuration; yield its port."""
    port = free_port()
    config = tmp_path / "own.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", "user root", *lines, ""]))
    process = await asyncio.create_subprocess_exec(
        mosquitto_program(),
        "-c",
        str(config),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: _listens(port))
        yield port
    finally:
        process.kill()
        await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _password_file(tmp_path: Path) -> Path:
    path = tmp_path / "passwords"
    path.write_text("service:correct horse\n")
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)
    return path


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_password_is_taken_from_the_environment_a_file_or_the_url(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    async with mosquitto_with(tmp_path, f"password_file {_password_file(tmp_path)}") as port:
        for url, environ in (
            (
                f"mqtt://127.0.0.1:{port}",
                {"EEW_MQTT_USERNAME": "service", "EEW_MQTT_PASSWORD": "correct horse"},
            ),
            (f"mqtt://service@127.0.0.1:{port}", {"EEW_MQTT_PASSWORD_FILE": str(secret)}),
            (f"mqtt://service:correct%20horse@127.0.0.1:{port}", {}),
        ):
            async with open_broker(url, environ=environ) as address, open_link(address) as link:
                assert address.protocol == MQTT_5
                await link.publish("a", b"1", qos=1)


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_a_refused_password_is_said_in_one_line_without_the_password(tmp_path: Path) -> None:
    async with mosquitto_with(tmp_path, f"password_file {_password_file(tmp_path)}") as port:
        url = f"mqtt://service:battery-staple@127.0.0.1:{port}"
        with pytest.raises(ConnectError) as caught:
            async with open_broker(url, environ={}):
                pass
    text = str(caught.value)
    assert text.startswith(f"mqtt://service@127.0.0.1:{port}: the broker refused: not authorised")
    assert "battery-staple" not in text + repr(caught.value.__cause__)
    assert "\n" not in text


async def test_a_closed_port_an_unknown_host_and_a_silent_server_are_told_apart() -> None:
    with pytest.raises(ConnectError, match="connection refused: nobody listens there"):
        async with open_broker(f"mqtt://127.0.0.1:{free_port()}", environ={}):
            pass
    with pytest.raises(ConnectError, match=r"unknown host 'broker\.invalid'"):
        async with open_broker("mqtt://broker.invalid", environ={}):
            pass
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mqtt://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectError, match="no answer within 4 s"):
            async with asyncio.timeout(40.0), open_broker(url, environ={}):
                pass


async def test_a_server_that_is_no_broker_is_found_out() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectError, match="is it an MQTT broker"):
            async with open_broker(f"mqtt://127.0.0.1:{port}", environ={}):
                pass


@pytest.mark.broker
@pytest.mark.mosquitto
async def test_tls_is_verified_and_its_failures_are_explained(tmp_path: Path) -> None:
    cert, key = _certificate(tmp_path)
    plain = free_port()
    lines = [f"certfile {cert}", f"keyfile {key}", "allow_anonymous true", f"listener {plain}"]
    async with mosquitto_with(tmp_path, *lines) as port:
        trusted = {"EEW_MQTT_CA_FILE": str(cert)}
        async with (
            open_broker(f"mqtts://localhost:{port}", environ=trusted) as address,
            open_link(address) as link,
        ):
            await link.publish("a", b"1", qos=1)
        with pytest.raises(ConnectError, match="TLS: the certificate was not accepted: self"):
            async with open_broker(f"mqtts://localhost:{port}", environ={}):
                pass
        with pytest.raises(ConnectError, match=r"(?i)certificate was not accepted: .*mismatch"):
            async with open_broker(f"mqtts://127.0.0.1:{port}", environ=trusted):
                pass
        with pytest.raises(ConnectError, match=r"TLS|cannot connect"):
            async with open_broker(f"mqtts://localhost:{plain}", environ=trusted):
                pass
        with pytest.raises(ConnectError, match="is it an MQTT broker, with this TLS setting"):
            async with open_broker(f"mqtt://localhost:{port}", environ={}):
                pass


def _certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    ssl.create_default_context(cafile=cert)  # readable
    return cert, key


async def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    with pytest.raises(ConnectError, match=r"cannot read the certificates in .*none\.pem"):
        async with open_broker("mqtts://localhost", environ={"EEW_MQTT_CA_FILE": missing}):
            pass
