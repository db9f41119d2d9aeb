"""A process of stations that all dial at once, and again when they are refused: `python -m tests.faults.storm`.

Arguments: port, number of stations, seconds. Prints what became of them as a line of JSON, and holds the connections
until its input ends.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import orjson
import uvloop

from strum.running import allow_sockets

_REQUEST = (
    "GET /ocpp/STORM-{number} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
_PATIENCE_S = 30.0
_BACK_OFF_S = (1.0, 4.0)


@dataclass
class Storm:
    """Dials, and notes how each try ended."""

    port: int
    until: float
    tries: Counter[str] = field(default_factory=Counter)
    handshakes_s: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    open: list[asyncio.StreamWriter] = field(default_factory=list)
    last_in: float = 0.0

    async def station(self, number: int) -> None:
        """Dial until it is let in, or time is up."""
        while time.monotonic() < self.until:
            began = time.monotonic()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    status = await self._dial(number)
            except (OSError, EOFError):
                status = "failed"
            except TimeoutError:
                status = "late"
            self.tries[status] += 1
            self.answered_at.append(time.monotonic())
            if status == "101":
                self.handshakes_s.append(time.monotonic() - began)
                self.last_in = time.monotonic()
                return
            await asyncio.sleep(random.uniform(*_BACK_OFF_S))

    async def _dial(self, number: int) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(_REQUEST.format(number=number).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1].decode()
        if status == "101":
            self.open.append(writer)
        else:
            writer.close()
        return status


async def main(port: int, count: int, seconds: float) -> None:
    """Let it rage, tell, and hold what is open."""
    began = time.monotonic()
    storm = Storm(port, began + seconds)
    await asyncio.gather(*(storm.station(number) for number in range(count)))
    per_second = Counter(int(moment - began) for moment in storm.answered_at)
    told = {
        "tries": storm.tries,
        "slowest_s": max(storm.handshakes_s, default=0.0),
        "all_in_s": storm.last_in - began,
        "most_answered_in_a_second": max(per_second.values(), default=0),
        "open": len(storm.open),
    }
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    allow_sockets()
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
