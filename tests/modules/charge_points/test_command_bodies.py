"""What a command may hold, and what of it is kept and shown."""

from typing import Any

import pytest

from shared_contracts.charge_points import CommandCompleted
from shared_contracts.commands import CommandAnswered, CommandOutcome, ExecuteCommand
from shared_contracts.stations import ReportedVariable
from tests.harness import running
from tests.modules.charge_points.commands import COMMANDS, read_command
from tests.modules.charge_points.edge import attach, register


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
        assert (await read_command(strum, problem["command_id"]))["state"] == "invalid"


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
