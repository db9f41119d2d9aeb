"""How a station obeys: each command is answered, then what it asked for is done."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from simulator import frames
from simulator.dialect import CommandRefused, Reply

if TYPE_CHECKING:
    from simulator.core import StationCore

Then = Callable[[], Awaitable[object]]


async def obey(station: "StationCore", call: frames.Call) -> None:
    """Answer one command of the central system, then do what it asked."""
    then: Then | None = None
    frame: frames.Frame
    try:
        reply = _handle(station, call)
        then = reply.then
        frame = frames.Result(call.message_id, reply.payload)
    except CommandRefused as refusal:
        frame = frames.Error(call.message_id, refusal.code, refusal.description)
    answer = station.quirks.answer(call.action, frame)
    if station.quirks.habits.answer_delay_s:
        station.tasks.spawn(_answer_late(station, answer, then))
    else:
        await _answer(station, answer, then)


def _handle(station: "StationCore", call: frames.Call) -> Reply:
    """Run the command's handler, or refuse what is unknown or cannot be read."""
    handler = station.dialect.commands.get(call.action)
    if handler is None:
        raise CommandRefused("NotImplemented", f"{call.action} is not known")
    try:
        return handler(station, call.payload)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CommandRefused(station.dialect.format_violation, f"cannot read {call.action}: {error!r}"[:255]) from error


async def _answer(station: "StationCore", frame: frames.Frame | None, then: Then | None) -> None:
    """Send an answer, and start what follows from it."""
    if frame is not None:
        await station.link.send(frames.dump(frame))
    if then is not None:
        station.tasks.spawn(_follow(then))


async def _answer_late(station: "StationCore", frame: frames.Frame | None, then: Then | None) -> None:
    """Answer after the habitual delay."""
    await asyncio.sleep(station.clock.real(station.quirks.habits.answer_delay_s))
    await _answer(station, frame, then)


async def _follow(then: Then) -> None:
    """Await what a command started."""
    await then()
