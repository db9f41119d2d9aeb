"""WebSocket frames as a client sends them (RFC 6455).

They are masked with the key 0, which the RFC allows: the server unmasks as always, and the load generator has
its CPU for more stations.
"""

import base64

_MASKED = 0x80
_TEXT, _CLOSE, _PONG = 0x81, 0x88, 0x8A
_NO_MASK = bytes(4)


def upgrade(path: str, subprotocol: str, username: str = "", password: str = "") -> bytes:
    """The request that opens a WebSocket, with Basic authentication if there is a user name."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {subprotocol}",
    ]
    if username:
        lines.append("Authorization: Basic " + base64.b64encode(f"{username}:{password}".encode()).decode())
    return "\r\n".join((*lines, "", "")).encode()


def text(payload: bytes) -> bytes:
    """A text frame."""
    return _header(_TEXT, len(payload)) + payload


def close(code: int = 1000) -> bytes:
    """A close frame."""
    return _header(_CLOSE, 2) + code.to_bytes(2, "big")


def pong(payload: bytes) -> bytes:
    """The answer to a ping."""
    return _header(_PONG, len(payload)) + payload


def _header(first: int, size: int) -> bytes:
    if size < 126:
        return bytes((first, _MASKED | size)) + _NO_MASK
    return bytes((first, _MASKED | 126)) + size.to_bytes(2, "big") + _NO_MASK


def server_frame(data: bytes | bytearray, at: int) -> tuple[int, int, int] | None:
    """The opcode of the frame that begins at `at`, where its payload begins and ends; None while it is incomplete."""
    if len(data) < at + 2:
        return None
    begins, size = at + 2, data[at + 1]
    if size >= 126:
        width = 2 if size == 126 else 8
        size = int.from_bytes(data[begins : begins + width], "big")
        begins += width
    ends = begins + size
    return (data[at] & 0x0F, begins, ends) if ends <= len(data) else None
