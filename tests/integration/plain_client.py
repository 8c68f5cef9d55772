"""An MQTT 5 client that says what the broker answered, code by code; blocking, for tests."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType
from typing import Self

from eew import mqtt_packets as mqtt
from eew.errors import WireError

CLOSED = -1  # instead of a code, where the broker ended the connection
SILENCE = -2  # where it said nothing


class PlainClient:
    """One connection; ``connected`` is the reason of the CONNACK (0: taken)."""

    def __init__(
        self,
        port: int,
        *,
        client_id: str,
        username: str | None = None,
        password: str | None = None,
        context: ssl.SSLContext | None = None,
        timeout_s: float = 2.0,
        will: tuple[str, bytes] | None = None,
        clean: bool = True,
        session_expiry_s: int = 0,
    ) -> None:
        self._socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        # small packets must not wait for the acknowledgement of the one before (Nagle)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self._socket = context.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._socket.settimeout(timeout_s)
        self._buffer = bytearray()
        self._packet_id = 0
        self.inbox: list[mqtt.Published] = []
        self._send(
            mqtt.connect(
                client_id,
                username=username,
                password=password,
                will=will,
                clean=clean,
                session_expiry_s=session_expiry_s,
            )
        )
        answer = self._wait(mqtt.CONNACK)
        self.connected = (
            answer if isinstance(answer, int) else mqtt.parse_connack(answer, version=5).reason
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close without a word."""
        self._socket.close()

    def subscribe(self, topic_filter: str) -> int:
        """Return the code of the SUBACK: below 0x80 granted."""
        self._packet_id += 1
        self._send(mqtt.subscribe(self._packet_id, [(topic_filter, 1)], version=5))
        answer = self._wait(mqtt.SUBACK)
        return answer if isinstance(answer, int) else mqtt.parse_suback(answer, version=5)[1][0]

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> int:
        """Publish with QoS 1; return the reason of the PUBACK: 0 or 0x10 taken."""
        self._packet_id += 1
        self._send(
            mqtt.publish(topic, payload, version=5, qos=1, packet_id=self._packet_id, retain=retain)
        )
        answer = self._wait(mqtt.PUBACK)
        if isinstance(answer, int):
            return answer
        return answer[2] if len(answer) > 2 else 0

    def publish_at_most_once(self, topic: str, payload: bytes = b"x") -> int:
        """Publish with QoS 0; return 0 while the connection stands afterwards."""
        self._send(mqtt.publish(topic, payload, version=5))
        self._send(mqtt.pingreq())
        answer = self._wait(mqtt.PINGRESP)
        return answer if isinstance(answer, int) else 0

    def listen(self, for_s: float) -> list[mqtt.Published]:
        """Return everything received so far, after listening a while longer."""
        before = self._socket.gettimeout()
        self._socket.settimeout(for_s)
        self._wait(-1)
        self._socket.settimeout(before)
        return self.inbox

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.sendall(packet)
        except OSError:
            return  # closed by the broker: the waiting for its answer says so

    def _wait(self, kind: int) -> bytes | int:
        """Return the body of the next packet of a kind, CLOSED or SILENCE."""
        while True:
            frame = mqtt.next_frame(self._buffer)
            if frame is None:
                try:
                    data = self._socket.recv(65_536)
                except TimeoutError:
                    return SILENCE
                except OSError:
                    return CLOSED
                if not data:
                    return CLOSED
                self._buffer += data
                continue
            body = bytes(self._buffer[frame.start : frame.end])
            del self._buffer[: frame.end]
            if frame.kind == kind:
                return body
            if frame.kind == mqtt.PUBLISH:
                message = mqtt.parse_publish(frame.first, body, version=5)
                self.inbox.append(message)
                if message.qos:
                    self._send(mqtt.puback(message.packet_id))
            elif frame.kind == mqtt.DISCONNECT:
                return CLOSED
            else:
                raise WireError(f"MQTT: unexpected packet {frame.first:#x}")
