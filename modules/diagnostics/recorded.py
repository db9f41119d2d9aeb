"""What is read of `stations.frames_recorded.v1`: the fields and checks of the contract, decoded much faster."""

from datetime import datetime
from typing import Annotated

import msgspec


class Frame(msgspec.Struct, frozen=True, gc=False):
    """`Frame` of the contract."""

    station_id: Annotated[str, msgspec.Meta(min_length=1, max_length=48)]
    direction: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    text: str


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """`FramesRecorded`."""

    frames: tuple[Frame, ...]


_decoder = msgspec.json.Decoder(Recorded)


def read(payload: bytes) -> Recorded:
    """Decode one message. Raises msgspec.DecodeError, a ValueError, on what does not fit the contract."""
    return _decoder.decode(payload)
