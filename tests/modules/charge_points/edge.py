"""The edge as far as this module meets it: stations that answer commands, and what pods publish."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from shared_contracts.bus import OnRequest
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand
from shared_contracts.message import Envelope
from shared_contracts.stations import StationConnected
from tests.harness import Running

Answer = Callable[[ExecuteCommand], CommandAnswered | Awaitable[CommandAnswered]]


def accepted(_: ExecuteCommand) -> CommandAnswered:
    return CommandAnswered(outcome=CommandOutcome.ACCEPTED, status="Accepted", payload={"status": "Accepted"})


async def attach(strum: Running, station_id: str, answer: Answer = accepted) -> list[ExecuteCommand]:
    """Connect a station that answers so; returns the growing list of what it was told."""
    told: list[ExecuteCommand] = []

    async def respond(envelope: Envelope) -> bytes:
        command = envelope.read(ExecuteCommand)
        told.append(command)
        reply = answer(command)
        if not isinstance(reply, CommandAnswered):
            reply = await reply
        return reply.model_dump_json().encode()

    handler: OnRequest = respond
    await strum.bus.attach(station_id, handler)
    return told


def never_answering(_: ExecuteCommand) -> Awaitable[CommandAnswered]:
    return asyncio.Event().wait()  # type: ignore[return-value]  # it never returns


def connected(station_id: str, epoch: int, *, pod_id: str = "pod-1", at: datetime | None = None) -> StationConnected:
    return StationConnected(
        station_id=station_id,
        epoch=epoch,
        pod_id=pod_id,
        ocpp_version="1.6",
        security_profile=1,
        remote_address="192.0.2.7",
        connected_at=at or datetime.now(UTC),
    )


async def register(strum: Running, station_id: str = "CS1", **fields: object) -> dict[str, object]:
    """Register a station and return what the API answered."""
    status, body = await strum.api().post("/charging-stations", {"station_id": station_id, **fields})
    assert status == 201, body
    return dict(body)
