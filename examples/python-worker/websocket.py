"""A client of the WebSocket protocol (RFC 6455), over nothing but the standard library."""

import base64
import hashlib
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_HEADER_BYTES = 32 * 1024

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class WebSocketClosed(Exception):
    """The connection has ended. `code` is 1006 when nobody said goodbye."""

    def __init__(self, code=1006, reason=""):
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


def apply_mask(data, mask):
    """`data` XOR the four bytes of `mask`, repeated. As two big integers, which is fast in plain Python."""
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def encode_frame(opcode, payload, mask):
    """A whole masked frame, as a client must send them (section 5.3)."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + mask + apply_mask(payload, mask)


class WebSocket:
    """An open connection for text messages. `receive` must be called by one thread only."""

    def __init__(self, url, headers=None, subprotocol=None, timeout=10, idle_timeout=60):
        self._socket = connect_socket(url, timeout)
        self._buffer = bytearray()
        self._closing = False
        try:
            self._shake_hands(url, headers or {}, subprotocol)
        except BaseException:
            self._socket.close()
            raise
        # The gateway pings every 25 s: silence means that the connection is dead.
        self._socket.settimeout(idle_timeout)

    def send(self, text):
        """Sends one text message."""
        self._send_frame(TEXT, text.encode("utf-8"))

    def receive(self):
        """The next text message. Answers pings meanwhile. Raises `WebSocketClosed` at the end."""
        parts, size = [], 0
        while True:
            final, opcode, payload = self._read_frame()
            if opcode == PING:
                self._send_frame(PONG, payload)
            elif opcode == CLOSE:
                self._closed_by_peer(payload)
            elif opcode in (TEXT, CONTINUATION):
                if (opcode == TEXT) == bool(parts):
                    self._fail(1002, "a fragment where none was due")
                size += len(payload)
                if size > MAX_MESSAGE_BYTES:
                    self._fail(1009, "a message over 16 MiB")
                parts.append(payload)
                if final:
                    return self._decoded(b"".join(parts))
            elif opcode == BINARY:
                self._fail(1003, "only text messages are understood")
            elif opcode != PONG:
                self._fail(1002, "an unknown kind of frame")

    def close(self, code=1000, reason=""):
        """Says goodbye and closes. Repeated calls do nothing."""
        if not self._closing:
            self._closing = True
            try:
                self._socket.sendall(
                    encode_frame(CLOSE, struct.pack("!H", code) + reason.encode("utf-8")[:120], os.urandom(4))
                )
            except OSError:
                pass
        self._socket.close()

    def _shake_hands(self, url, headers, subprotocol):
        parts = urlsplit(url)
        key = base64.b64encode(os.urandom(16)).decode("ascii")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {parts.netloc.rpartition('@')[2]}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

        status, answered = self._read_response()
        if not status.startswith("HTTP/1.1 101"):
            raise ConnectionError(f"the server answered {status!r} instead of upgrading")
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode("ascii")).digest()).decode("ascii")
        if answered.get("upgrade", "").lower() != "websocket" or answered.get("sec-websocket-accept") != accept:
            raise ConnectionError("the answer to the upgrade does not belong to our request")
        if answered.get("sec-websocket-protocol") not in (None, subprotocol):
            raise ConnectionError("the server chose a subprotocol that was not offered")
        if "sec-websocket-extensions" in answered:
            raise ConnectionError("the server chose an extension, and none was offered")

    def _read_response(self):
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise ConnectionError("the answer to the upgrade is too long")
            self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return status, {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _read_frame(self):
        first, second = self._take(2)
        final, opcode, size = bool(first & 0x80), first & 0x0F, second & 0x7F
        if first & 0x70:
            self._fail(1002, "reserved bits without an extension")
        if second & 0x80:
            self._fail(1002, "a server must not mask")
        if opcode >= CLOSE and (size > 125 or not final):
            self._fail(1002, "a control frame that is long or fragmented")
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        if size > MAX_MESSAGE_BYTES:
            self._fail(1009, "a frame over 16 MiB")
        return final, opcode, self._take(size)

    def _take(self, size):
        while len(self._buffer) < size:
            self._fill()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _fill(self):
        try:
            chunk = self._socket.recv(65_536)
        except (OSError, ValueError) as error:
            raise WebSocketClosed(1006, str(error)) from error
        if not chunk:
            raise WebSocketClosed()
        self._buffer += chunk

    def _send_frame(self, opcode, payload):
        if self._closing:
            raise WebSocketClosed()
        try:
            self._socket.sendall(encode_frame(opcode, payload, os.urandom(4)))
        except OSError as error:
            raise WebSocketClosed(1006, str(error)) from error

    def _decoded(self, payload):
        try:
            return payload.decode("utf-8")
        except UnicodeDecodeError:
            self._fail(1007, "a text that is not UTF-8")

    def _closed_by_peer(self, payload):
        code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
        reason = payload[2:].decode("utf-8", "replace")
        self.close(1000 if code == 1005 else code)
        raise WebSocketClosed(code, reason)

    def _fail(self, code, reason):
        self.close(code, reason)
        raise WebSocketClosed(code, reason)


def connect_socket(url, timeout):
    """A TCP connection, with TLS for `wss`."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"{url!r} is no ws:// or wss:// address")
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    connection = socket.create_connection((parts.hostname, port), timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme == "ws":
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
