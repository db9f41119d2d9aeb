"""Gathers what concerns all stations of the pod: raw frames for the log, and who was heard from when."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import structlog

from communication_service.metrics import FRAMES_DROPPED
from communication_service.redaction import may_hold_secrets, redacted
from shared_contracts.bus import Bus, BusError, BusFull, Unroutable, shard_of_key
from shared_contracts.message import Envelope, new_id
from shared_contracts.stations import FramesRecorded, StationsSeen

log = structlog.get_logger()

_FLUSH_S = 0.5
_SEEN_S = 10.0
_MOST_FRAMES = 500
_MOST_BYTES = 256 * 1024
_LONGEST_FRAME = 64 * 1024
_WAITING_BYTES = 4 * 1024 * 1024

_Frame = tuple[str, str, datetime, str]


class Recorder:
    """One per pod. What it publishes is not part of what a station is acknowledged for: nobody waits for it."""

    def __init__(self, bus: Bus, pod_id: str, *, keep_frames: bool) -> None:
        self._bus = bus
        self._pod_id = pod_id
        self._keep_frames = keep_frames
        self._frames: list[_Frame] = []
        self._bytes = 0
        self._unconfirmed_bytes = 0
        self._seen: dict[str, datetime] = {}
        self._turn = 0

    def frame(self, station_id: str, direction: str, at: datetime, text: str) -> None:
        """Keep a frame; `direction` is `in` or `out`."""
        if direction == "in":
            self._seen[station_id] = at
        if not self._keep_frames:
            return
        self._frames.append((station_id, direction, at, text))
        self._bytes += len(text)
        if self._bytes > _MOST_BYTES or len(self._frames) > _MOST_FRAMES:
            self._flush_frames()

    async def run(self) -> None:
        """Flush now and then, for ever."""
        since_seen = _SEEN_S
        while True:
            await asyncio.sleep(_FLUSH_S)
            since_seen += _FLUSH_S
            try:
                self._flush_frames()
                if since_seen >= _SEEN_S:
                    since_seen = 0.0
                    self._flush_seen()
            except Exception:  # without signs of life all of the pod's connections would count as lost
                log.exception("recorder_failed")

    def flush(self) -> None:
        """Hand over what is gathered."""
        self._flush_frames()
        self._flush_seen()

    def _flush_frames(self) -> None:
        frames, self._frames, size, self._bytes = self._frames, [], self._bytes, 0
        if not frames or self._unconfirmed_bytes > _WAITING_BYTES:
            FRAMES_DROPPED.inc(len(frames))
            return
        payload = orjson.dumps({"frames": _storable(frames)})
        self._unconfirmed_bytes += size
        future = self._bus.publish(Envelope(new_id(), FramesRecorded.key, None, datetime.now(UTC), payload))
        future.add_done_callback(lambda done: self._published(done, size, len(frames)))

    def _published(self, done: asyncio.Future[None], size: int, count: int) -> None:
        self._unconfirmed_bytes -= size
        if not done.cancelled() and isinstance(done.exception(), (BusFull, Unroutable)):
            FRAMES_DROPPED.inc(count)
        _forgive(done)

    def _flush_seen(self) -> None:
        """Through each shard in turn: where the queue of one is full or gone, the pod must not seem dead."""
        seen, self._seen = self._seen, {}
        now, shards = datetime.now(UTC), self._bus.limits.shards
        self._turn = (self._turn + 1) % shards
        event = StationsSeen(pod_id=self._pod_id, seen_at=now, last_seen_at=seen)
        ids = iter(new_id, "")
        identity = next(one for one in ids if shard_of_key(one, shards) == self._turn)
        self._bus.publish(replace(Envelope.of(event), id=identity)).add_done_callback(_forgive)


def _storable(frames: list[_Frame]) -> list[dict[str, object]]:
    """The frames as in the contract; looked into one by one only if one of them may hold a secret."""
    clean = redacted if may_hold_secrets("\n".join([frame[3] for frame in frames])) else str
    return [
        {
            "station_id": station,
            "direction": direction,
            "at": at,
            "text": clean(text)[:_LONGEST_FRAME].replace("\0", "\ufffd"),  # PostgreSQL stores no NUL
        }
        for station, direction, at, text in frames
    ]


def _forgive(done: asyncio.Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None and not isinstance(error, BusError):
        log.error("recorder_failed", error=repr(error))
