"""Which command began a transaction, and which ended it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from shared_contracts.commands import CommandAnswered, CommandOutcome
from shared_contracts.transactions import TransactionEnded, TransactionStarted, TransactionState
from tests.harness import Running, running
from tests.modules.charge_points.commands import COMMANDS, read_command
from tests.modules.charge_points.edge import attach, register


def _started(transaction_id: str, **fields: Any) -> TransactionStarted:
    return TransactionStarted(
        transaction_id=transaction_id, station_id="CS1", transaction_ref="7", started_at=datetime.now(UTC), **fields
    )


async def _start_charging(strum: Running, id_token: str = "Tag1") -> tuple[str, int]:
    _, made = await strum.api().post(COMMANDS, {"type": "start_charging", "id_token": id_token})
    return made["command_id"], made["command"]["remote_start_id"]


async def test_a_transaction_is_linked_by_its_number_to_the_command_that_began_it(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        wanted, number = await _start_charging(strum)
        other, _ = await _start_charging(strum)
        for _ in range(2):
            await strum.publish(_started("tx-1", remote_start_id=number))
        effect = (await read_command(strum, wanted))["effect"]
        assert (effect["kind"], effect["transaction_id"]) == ("transaction_started", "tx-1")
        assert (await read_command(strum, other))["effect"] is None


async def test_without_a_number_the_newest_command_with_the_id_token_is_linked_once(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        older, _ = await _start_charging(strum)
        newer, _ = await _start_charging(strum)
        await _start_charging(strum, "Tag2")
        for _ in range(2):
            await strum.publish(_started("tx-1", id_token="TAG1"))
        assert (await read_command(strum, newer))["effect"]["transaction_id"] == "tx-1"
        assert (await read_command(strum, older))["effect"] is None


async def test_a_command_that_is_old_or_was_refused_began_nothing(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        old, _ = await _start_charging(strum)
        (hosted,) = strum.management.hosted
        async with hosted.work() as work:
            await work.execute(text("UPDATE charge_points.commands SET created_at = created_at - interval '3 minutes'"))
        await attach(strum, "CS1", lambda _: CommandAnswered(outcome=CommandOutcome.REJECTED))
        refused, _ = await _start_charging(strum)
        await strum.publish(_started("tx-1", id_token="Tag1"))
        assert (await read_command(strum, old))["effect"] is None
        assert (await read_command(strum, refused))["effect"] is None


async def test_the_end_of_a_transaction_is_linked_to_the_command_that_asked_for_it(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        _, made = await strum.api().post(COMMANDS, {"type": "stop_charging", "transaction_ref": "7"})
        now = datetime.now(UTC)
        await strum.publish(
            TransactionEnded(
                transaction_id="tx-1",
                station_id="CS1",
                transaction_ref="7",
                state=TransactionState.FINISHED,
                reason="Remote",
                started_at=now,
                ended_at=now,
            )
        )
        effect = (await read_command(strum, made["command_id"]))["effect"]
        assert (effect["kind"], effect["transaction_id"]) == ("transaction_ended", "tx-1")
