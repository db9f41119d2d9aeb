"""OCPP frames."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from modules.diagnostics.domain import FrameFilter, StoredFrame
from modules.kernel.http import Body, Moment, Paging, View


class FramesChosen(Body):
    """Which frames of a station."""

    direction: Literal["in", "out"] | None = Field(default=None, description="`in` is from the station.")
    contains: str | None = Field(default=None, max_length=200, description="Text in the frame, e.g. an action.")
    since: Moment | None = Field(default=None, description="At or after.")
    until: Moment | None = Field(default=None, description="Before.")

    def chosen(self, station_id: str) -> FrameFilter:
        """As the frame log takes it."""
        return FrameFilter(station_id, self.direction, self.contains, self.since, self.until)


class FramesListed(FramesChosen, Paging):
    """Which frames, a page at a time."""


class FramesExported(FramesChosen):
    """Which frames, and how to write them."""

    format: Literal["ndjson", "text"] = "ndjson"


class FrameView(View):
    """An OCPP frame as it was on the wire, secrets taken out."""

    at: datetime
    direction: str
    text: str

    @classmethod
    def of(cls, frame: StoredFrame) -> Self:
        """A view of a frame."""
        return cls(at=frame.at, direction=frame.direction, text=frame.text)
