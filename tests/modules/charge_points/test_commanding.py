"""Commands by the API and by message: states, outcomes, effects."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from modules.charge_points.service import commanding
from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import CommandCompleted, GetStationAccess, IssueCommand
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand, ResetStation, StartCharging
from shared_contracts.stations import ReportedVariable
from shared_contracts.transactions import TransactionEnded, TransactionStarted, TransactionState
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.charge_points.edge import accepted, attach, never_answering, register

COMMANDS = "/charging-stations/CS1/commands"
RESET = {"type": "reset", "when": "immediate"}


async def _shown(strum: Running, command_id: str) -> dict[str, Any]:
    status, body = await strum.api().get(f"/commands/{command_id}")
    assert status == 200
    return dict(body)


async def _become(strum: Running, command_id: str, state: str, *, within_s: float = 5.0) -> dict[str, Any]:
    deadline = asyncio.get_running_loop().time() + within_s
    while (shown := await _shown(strum, command_id))["state"] != state:
        assert asyncio.get_running_loop().time() < deadline, f"{shown['state']}, not {state}"
        await asyncio.sleep(0.02)
    return shown


async def test_a_command_is_told_to_the_station_and_its_answer_told_to_all(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        client = strum.api(Role.OPERATOR, "op-7")
        status, made = await client.post(COMMANDS, RESET)
        assert status == 201
        assert client.response is not None
        assert client.response.headers["Location"] == f"/api/v1/commands/{made['command_id']}"
        assert (made["state"], made["status"], made["payload"]) == ("accepted", "Accepted", {"status": "Accepted"})
        assert (made["issued_by"], made["command"]) == ("op-7", RESET)
        assert [command.command for command in told] == [ResetStation(when="immediate")]
        assert await _shown(strum, made["command_id"]) == made
        (completed,) = await strum.hear(CommandCompleted)
        assert (completed.command_id, completed.outcome) == (made["command_id"], CommandOutcome.ACCEPTED)
        assert completed.command == ResetStation(when="immediate")


async def test_a_station_that_is_not_connected_leaves_its_command_offline_at_once(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        async with asyncio.timeout(2):
            status, made = await strum.api().post(COMMANDS, RESET)
        assert (status, made["state"]) == (201, "offline")
        assert (await strum.hear(CommandCompleted))[0].outcome is CommandOutcome.OFFLINE


async def test_a_station_that_is_not_registered_is_not_told_anything(database: str) -> None:
    async with running(database, "charge_points") as strum:
        told = await attach(strum, "CS1")
        status, problem = await strum.api().post(COMMANDS, RESET)
        assert (status, problem["code"], told) == (404, "not_found", [])


@pytest.mark.parametrize("outcome", ["rejected", "failed", "invalid", "expired", "timed_out"])
async def test_the_outcome_that_the_edge_tells_is_the_state(database: str, outcome: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        answer = CommandAnswered(outcome=CommandOutcome(outcome), error_code="E", error_description="why")
        await attach(strum, "CS1", lambda _: answer)
        _, made = await strum.api().post(COMMANDS, RESET)
        assert (made["state"], made["error_code"], made["error_description"]) == (outcome, "E", "why")


async def test_who_does_not_wait_sees_the_command_under_way_and_later_its_outcome(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        go_on = asyncio.Event()

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await go_on.wait()
            return accepted(command)

        await attach(strum, "CS1", slowly)
        status, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"wait_s": 0})
        assert (status, made["state"]) == (201, "queued")
        sent = await _become(strum, made["command_id"], "sent")
        go_on.set()
        done = await _become(strum, made["command_id"], "accepted")
        assert sent["sent_at"] is not None
        assert done["sent_at"] == sent["sent_at"]


async def test_the_deadline_of_a_command_counts_from_when_it_was_issued(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"timeout_s": 7})
        issued_at = datetime.fromisoformat(made["created_at"])
        assert told[0].expires_at == issued_at + timedelta(seconds=7)


async def test_a_command_without_an_answer_is_timed_out(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", never_answering)
        _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"timeout_s": 1})
        assert made["state"] == "timed_out"


async def test_what_a_crash_left_under_way_is_given_up_and_not_sent_again(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        (hosted,) = strum.management.hosted
        async with hosted.work() as work:
            order = await commanding.issue(
                work, station_id="CS1", command=ResetStation(), issued_by="u-1", timeout_s=1.0
            )
        async with hosted.work() as work:
            early = await commanding.give_up_overdue(work, grace=timedelta(seconds=10))
            await work.execute(text("UPDATE charge_points.commands SET deadline_at = now() - interval '1 minute'"))
            late = await commanding.give_up_overdue(work, grace=timedelta(seconds=10))
        assert (early, late) == (0, 1)
        assert (await _shown(strum, order.remembered.command_id))["state"] == "timed_out"
        assert (await strum.hear(CommandCompleted))[0].outcome is CommandOutcome.TIMED_OUT
        assert told == []


async def test_an_answer_after_the_giving_up_still_completes_the_command(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        go_on = asyncio.Event()

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await go_on.wait()
            return accepted(command)

        await attach(strum, "CS1", slowly)
        _, made = await strum.api().call("POST", COMMANDS, json=RESET, query={"wait_s": 0})
        (hosted,) = strum.management.hosted
        async with hosted.work() as work:
            await commanding.give_up_overdue(work, grace=timedelta(minutes=-10))
        go_on.set()
        await _become(strum, made["command_id"], "accepted")
        outcomes = [event.outcome for event in await strum.hear(CommandCompleted, 2)]
        assert outcomes == [CommandOutcome.TIMED_OUT, CommandOutcome.ACCEPTED]


async def test_the_commands_of_a_station_are_listed_newest_first_and_filtered(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        ids = [(await strum.api().post(COMMANDS, RESET))[1]["command_id"]]
        await attach(strum, "CS1")
        bodies: tuple[Any, ...] = (RESET, {"type": "get_variables"})
        ids += [(await strum.api().post(COMMANDS, body))[1]["command_id"] for body in bodies]
        _, first = await strum.api().get(COMMANDS, limit=2)
        _, second = await strum.api().get(COMMANDS, limit=2, cursor=first["next_cursor"])
        listed = [command["command_id"] for command in first["items"] + second["items"]]
        _, offline = await strum.api().get(COMMANDS, state="offline")
        _, reads = await strum.api().get(COMMANDS, type="get_variables")
        assert listed == ids[::-1]
        assert [command["command_id"] for command in offline["items"]] == ids[:1]
        assert [command["command_id"] for command in reads["items"]] == ids[2:]
        assert (await strum.api().get("/charging-stations/none/commands"))[0] == 404
        assert (await strum.api().get("/commands/none"))[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "dance"},
        {"type": "reset", "when": "tomorrow"},
        {"type": "reset", "wen": "immediate"},
        {"type": "start_charging", "id_token": ""},
        {"type": "set_variables", "variables": []},
        {"type": "set_charging_profile", "profile": {"id": 1, "periods": [{"start_s": 0, "limit": "NaN"}]}},
        {"type": "raw_call", "action": "Reset", "payload": []},
        [],
        None,
    ],
)
async def test_a_body_that_is_no_command_is_refused(database: str, body: Any) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        status, problem = await strum.api().post(COMMANDS, body)
        assert (status, problem["code"], told) == (422, "invalid_request", [])


async def test_a_raw_call_takes_any_action_and_payload(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        status, made = await strum.api().post("/charging-stations/CS1/ocpp/ClearCache", {"deep": [1, {"a": None}]})
        assert (status, made["state"], made["type"]) == (201, "accepted", "raw_call")
        assert told[0].command.model_dump() == {
            "type": "raw_call",
            "action": "ClearCache",
            "payload": {"deep": [1, {"a": None}]},
        }


async def test_a_raw_payload_that_does_not_fit_is_answered_with_its_violations(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        violations = [{"pointer": "/type", "message": "is required"}]
        answer = CommandAnswered(
            outcome=CommandOutcome.INVALID, error_description="is required", payload={"violations": violations}
        )
        await attach(strum, "CS1", lambda _: answer)
        status, problem = await strum.api().post("/charging-stations/CS1/ocpp/Reset", {})
        assert (status, problem["code"], problem["violations"]) == (400, "invalid_payload", violations)
        assert (await _shown(strum, problem["command_id"]))["state"] == "invalid"


async def test_a_raw_call_needs_an_object_and_a_sane_action(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        assert (await strum.api().post("/charging-stations/CS1/ocpp/Reset", [1]))[0] == 422
        assert (await strum.api().post(f"/charging-stations/CS1/ocpp/{'x' * 65}", {}))[0] == 422
        deep: dict[str, Any] = {}
        for _ in range(700):
            deep = {"a": deep}
        assert (await strum.api().post("/charging-stations/CS1/ocpp/Reset", deep))[0] in {400, 422}


async def test_secrets_reach_the_station_and_are_neither_stored_nor_told(database: str) -> None:
    secret = "0123456789abcdef0123"
    async with running(database, "charge_points") as strum:
        await register(strum)

        def with_secret(_: ExecuteCommand) -> CommandAnswered:
            variable = ReportedVariable(name="AuthorizationKey", value=secret, status="Accepted")
            payload: Any = {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": secret}]}
            return CommandAnswered(outcome=CommandOutcome.ACCEPTED, variables=(variable,), payload=payload)

        told = await attach(strum, "CS1", with_secret)
        set_key = {"type": "set_variables", "variables": [{"name": "AuthorizationKey", "value": secret}]}
        raw = {"key": "AuthorizationKey", "value": secret}
        upload = {"type": "get_log", "location": f"ftp://user:{secret}@files.example/x", "request_id": 1}
        answers = [await strum.api().post(COMMANDS, set_key), await strum.api().post(COMMANDS, upload)]
        answers.append(await strum.api().post("/charging-stations/CS1/ocpp/ChangeConfiguration", raw))
        _, listed = await strum.api().get(COMMANDS)
        events = await strum.hear(CommandCompleted, 3)
        assert all(secret in command.model_dump_json() for command in told)
        assert len(listed["items"]) == 3
        assert secret not in str(answers) + str(listed) + str(events)
        assert listed["items"][1]["command"]["location"] == "ftp://*@files.example/x"


async def test_another_module_gets_the_outcome_of_its_command(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        reply = await strum.ask(IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u-2"))
        assert (reply.outcome, reply.status) == (CommandOutcome.ACCEPTED, "Accepted")
        assert (await _shown(strum, reply.command_id))["issued_by"] == "u-2"


async def test_another_module_may_wait_for_less_than_the_outcome(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", never_answering)
        reply = await strum.ask(IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u", wait_s=0.05))
        assert reply.outcome is None


async def test_commands_that_wait_for_their_stations_hold_up_no_station_that_comes(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1", never_answering)
        wanted = IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u", wait_s=9.0)
        waiting = [asyncio.create_task(strum.ask(wanted)) for _ in range(strum.bus.limits.concurrent_requests + 10)]
        async with asyncio.timeout(8):
            while (await strum.api().get("/charging-stations/CS1/commands"))[1]["items"] == []:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            assert (await strum.ask(GetStationAccess(station_id="CS1"))).known
        for task in waiting:
            task.cancel()


async def test_a_key_that_the_host_gave_back_still_sends_no_second_command(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command was sent, and only to say so failed."""

    async def fail(*_: object) -> None:
        raise PoolTimeoutError("no connection")

    async with running(database, "charge_points") as strum:
        await register(strum)
        told = await attach(strum, "CS1", never_answering)
        body = {"type": "reset"}
        with monkeypatch.context() as broken:
            broken.setattr("modules.charge_points.service.dispatching.Dispatcher._unanswered", fail)
            path = "/charging-stations/CS1/commands?wait_s=0.2"
            assert (await strum.api().post(path, body, Idempotency_Key="k"))[0] == 503
        status, _ = await strum.api().post(path, body, Idempotency_Key="k")
        assert (status, len(told)) == (201, 1)


async def test_a_key_may_be_used_on_a_path_that_is_longer_than_what_an_index_takes(database: str) -> None:
    async with running(database, "charge_points") as strum:
        nowhere = f"/charging-stations/{secrets.token_hex(3000)}/commands"
        assert (await strum.api().post(nowhere, {"type": "reset"}, Idempotency_Key="k"))[0] == 404


async def test_a_command_under_way_has_its_answer_when_the_service_stops(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await asyncio.sleep(1.0)
            return accepted(command)

        await attach(strum, "CS1", slowly)
        wanted = IssueCommand(station_id="CS1", command=ResetStation(), issued_by="u", wait_s=0.05)
        command_id = (await strum.ask(wanted)).command_id
    async with running(database, "charge_points") as strum:
        assert (await _shown(strum, command_id))["state"] == "accepted"


async def test_another_module_is_refused_for_an_unknown_station(database: str) -> None:
    async with running(database, "charge_points") as strum:
        with pytest.raises(RequestFailed) as refused:
            await strum.ask(IssueCommand(station_id="none", command=ResetStation(), issued_by="u"))
        assert refused.value.code == "not_found"


async def test_the_same_key_is_the_same_command_even_while_it_is_under_way(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)

        async def slowly(command: ExecuteCommand) -> CommandAnswered:
            await asyncio.sleep(0.1)
            return accepted(command)

        told = await attach(strum, "CS1", slowly)
        wanted = IssueCommand(
            station_id="CS1", command=StartCharging(id_token="T1"), issued_by="u", idempotency_key="k"
        )
        replies = await asyncio.gather(*(strum.ask(wanted) for _ in range(3)))
        replies.append(await strum.ask(wanted))
        assert len({reply.command_id for reply in replies}) == 1
        assert replies[-1].outcome is CommandOutcome.ACCEPTED
        assert len(told) == 1
        with pytest.raises(RequestFailed) as refused:
            await strum.ask(wanted.model_copy(update={"command": StartCharging(id_token="T2")}))
        assert refused.value.code == "idempotency_key_reused"


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
        effect = (await _shown(strum, wanted))["effect"]
        assert (effect["kind"], effect["transaction_id"]) == ("transaction_started", "tx-1")
        assert (await _shown(strum, other))["effect"] is None


async def test_without_a_number_the_newest_command_with_the_id_token_is_linked_once(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        await attach(strum, "CS1")
        older, _ = await _start_charging(strum)
        newer, _ = await _start_charging(strum)
        await _start_charging(strum, "Tag2")
        for _ in range(2):
            await strum.publish(_started("tx-1", id_token="TAG1"))
        assert (await _shown(strum, newer))["effect"]["transaction_id"] == "tx-1"
        assert (await _shown(strum, older))["effect"] is None


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
        assert (await _shown(strum, old))["effect"] is None
        assert (await _shown(strum, refused))["effect"] is None


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
        effect = (await _shown(strum, made["command_id"]))["effect"]
        assert (effect["kind"], effect["transaction_id"]) == ("transaction_ended", "tx-1")
