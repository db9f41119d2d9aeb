from typing import Any

import pytest

from modules.kernel.http import encode_cursor
from shared_contracts.authorization import JudgeToken
from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import CommandOutcome, StartCharging, StopCharging
from shared_contracts.transactions import ListOpenTransactions
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.transactions.messages import accept, at, start, stop


class Commands:
    """Stands for the module that issues commands."""

    def __init__(self, outcome: CommandOutcome | None = CommandOutcome.ACCEPTED) -> None:
        self.outcome = outcome
        self.issued: list[IssueCommand] = []

    def __call__(self, request: IssueCommand) -> CommandIssued:
        self.issued.append(request)
        return CommandIssued(command_id="c-1", outcome=self.outcome, status="Whatever")


def fakes(commands: Commands | None = None) -> dict[Any, Any]:
    return {JudgeToken: accept, IssueCommand: commands or Commands()}


async def _id_of(strum: Running, number: int) -> str:
    _, page = await strum.api().get("/transactions")
    return str(next(item["id"] for item in page["items"] if item["transaction_ref"] == str(number)))


async def test_lists_are_filtered(database: str) -> None:
    async with running(database, "transactions", fakes=fakes()) as strum:
        one = (await strum.ask(start())).number
        await strum.ask(stop(one, reason="PowerLoss"))
        await strum.ask(start(station_id="CS2", id_token="other", started_at=at(30)))

        async def stations(**query: Any) -> list[str]:
            _, page = await strum.api().get("/transactions", **query)
            return [item["station_id"] for item in page["items"]]

        assert await stations() == ["CS2", "CS1"]
        assert await stations(station_id="CS1") == ["CS1"]
        assert await stations(id_token="OTHER") == ["CS2"]
        assert await stations(state="failed") == ["CS1"]
        assert await stations(open="true") == ["CS2"]
        assert await stations(open="false") == ["CS1"]
        assert await stations(started_since=at(30).isoformat()) == ["CS2"]
        assert await stations(started_until=at(30).isoformat()) == ["CS1"]


@pytest.mark.parametrize(
    "query",
    [
        {"started_until": "0001-01-01T00:00:00+14:00"},
        {"started_since": "9999-12-31T23:59:59-14:00"},
        {"cursor": encode_cursor("0001-01-01T00:00:00+14:00", "x")},
        {"state": "over"},
        {"started_since": "now"},
        {"started_since": "2026-01-01T00:00:00"},
        {"cursor": "x"},
    ],
)
async def test_a_query_that_does_not_fit_is_refused(database: str, query: dict[str, str]) -> None:
    async with running(database, "transactions", fakes=fakes()) as strum:
        status, problem = await strum.api().get("/transactions", **query)

        assert (status, problem["errors"][0]["field"]) == (422, next(iter(query)))


async def test_pages_hang_together(database: str) -> None:
    async with running(database, "transactions", fakes=fakes()) as strum:
        for number in range(5):
            await strum.ask(start(connector_id=number, started_at=at(number // 2)))
        _, first = await strum.api().get("/transactions", limit=3)
        _, rest = await strum.api().get("/transactions", limit=3, cursor=first["next_cursor"])

        assert len({item["id"] for item in first["items"] + rest["items"]}) == 5
        assert rest["next_cursor"] is None


async def test_a_driver_sees_their_own_only(database: str) -> None:
    async with running(database, "transactions", fakes=fakes()) as strum:
        mine = (await strum.ask(start(id_token="a@u-7"))).number
        other = (await strum.ask(start(id_token="b@u-8", connector_id=2))).number
        driver, path = strum.api(Role.DRIVER, "u-7"), f"/transactions/{await _id_of(strum, other)}"

        _, page = await driver.get("/transactions")
        assert [item["transaction_ref"] for item in page["items"]] == [str(mine)]
        for method, suffix in (("GET", ""), ("GET", "/meter-values"), ("POST", "/stop")):
            status, problem = await driver.call(method, path + suffix)
            assert (status, problem["code"]) == (404, "transaction_not_found")
        listed = await strum.ask(ListOpenTransactions(driver_id="u-7"))
        assert listed.transactions == (("CS1", str(mine)),)


async def test_a_remote_start_goes_to_the_station(database: str) -> None:
    commands = Commands()
    async with running(database, "transactions", fakes=fakes(commands)) as strum:
        body = {"station_id": "CS1", "id_token": "a@u-7", "evse_id": 2}
        status, answer = await strum.api(Role.DRIVER, "u-7").post("/transactions", body)

        (issued,) = commands.issued
        assert isinstance(issued.command, StartCharging)
        assert (issued.station_id, issued.issued_by, issued.command.evse_id) == ("CS1", "u-7", 2)
        assert (status, answer["command_id"], answer["outcome"]) == (202, "c-1", "accepted")
        assert answer["remote_start_id"] == issued.command.remote_start_id


@pytest.mark.parametrize(
    ("user_id", "id_token", "status", "code"),
    [
        ("u-8", "a@u-7", 403, "not_your_token"),
        ("u-8", "nobody's", 403, "not_your_token"),
        ("u-8", "invalid", 403, "not_your_token"),
        ("operator", "blocked", 409, "id_token_refused"),
    ],
)
async def test_a_remote_start_needs_a_token_that_may_charge(
    database: str, user_id: str, id_token: str, status: int, code: str
) -> None:
    commands = Commands()
    async with running(database, "transactions", fakes=fakes(commands)) as strum:
        role = Role.OPERATOR if user_id == "operator" else Role.DRIVER
        body = {"station_id": "CS1", "id_token": id_token}
        answer = await strum.api(role, user_id).post("/transactions", body)

        assert (answer[0], answer[1]["code"], commands.issued) == (status, code, [])


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (CommandOutcome.OFFLINE, 409, "station_offline"),
        (CommandOutcome.REJECTED, 409, "command_rejected"),
        (CommandOutcome.FAILED, 409, "command_failed"),
        (CommandOutcome.TIMED_OUT, 202, None),
        (None, 202, None),
    ],
)
async def test_the_outcome_of_a_command_is_told(
    database: str, outcome: CommandOutcome | None, status: int, code: str | None
) -> None:
    async with running(database, "transactions", fakes=fakes(Commands(outcome))) as strum:
        number = (await strum.ask(start())).number
        for path, body in (
            ("/transactions", {"station_id": "CS1", "id_token": "a"}),
            (f"/transactions/{await _id_of(strum, number)}/stop", None),
        ):
            answer = await strum.api(Role.OPERATOR).post(path, body)
            assert (answer[0], answer[1].get("code"), answer[1]["command_id"]) == (status, code, "c-1")


async def test_a_remote_stop_names_the_transaction_as_the_station_does(database: str) -> None:
    commands = Commands()
    async with running(database, "transactions", fakes=fakes(commands)) as strum:
        number = (await strum.ask(start(id_token="a@u-7"))).number
        path = f"/transactions/{await _id_of(strum, number)}/stop"
        status, _ = await strum.api(Role.DRIVER, "u-7").post(path, Idempotency_Key="k")
        again, _ = await strum.api(Role.DRIVER, "u-7").post(path, Idempotency_Key="k")

        assert (status, again) == (202, 202)
        assert [issued.command for issued in commands.issued] == [StopCharging(transaction_ref=str(number))]


async def test_what_is_over_cannot_be_stopped(database: str) -> None:
    async with running(database, "transactions", fakes=fakes()) as strum:
        number = (await strum.ask(start())).number
        await strum.ask(stop(number))
        status, problem = await strum.api().post(f"/transactions/{await _id_of(strum, number)}/stop")

        assert (status, problem["code"]) == (409, "transaction_over")


async def test_a_viewer_does_not_start_or_stop(database: str) -> None:
    async with running(database, "transactions", fakes=fakes()) as strum:
        viewer = strum.api(Role.VIEWER)

        assert (await viewer.post("/transactions", {"station_id": "CS1", "id_token": "a"}))[0] == 403
        assert (await viewer.get("/transactions"))[0] == 200
        assert (await strum.nobody().get("/transactions"))[0] == 401
