"""Stations are asked for their logs (T13: each under an id of ours)."""

from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import CommandOutcome, GetLog
from shared_contracts.stations import LogStatusReported
from shared_contracts.users import Role
from tests.harness import running
from tests.modules.diagnostics.said import NOW

LOGS = "/charging-stations/CS-1/logs"
BODY = {"log": "security", "location": "https://u:p@example.com/up?x=1", "since": "2026-01-01T00:00:00Z"}


class Stations:
    """Answers IssueCommand, and remembers what was asked."""

    def __init__(self, outcome: CommandOutcome | None = CommandOutcome.ACCEPTED) -> None:
        self.outcome = outcome
        self.asked: list[IssueCommand] = []

    def __call__(self, request: IssueCommand) -> CommandIssued:
        self.asked.append(request)
        if self.outcome is None:
            raise RequestFailed("station_not_found", "no")
        return CommandIssued(command_id="c-1", outcome=self.outcome)


async def test_a_station_is_asked_to_upload_its_log(database):
    stations = Stations()
    async with running(database, "diagnostics", fakes={IssueCommand: stations}) as strum:
        code, made = await strum.api().post(LOGS, BODY)
        _, page = await strum.api().get(LOGS)
        one = await strum.api().get(f"{LOGS}/{made['id']}")
    (request,) = stations.asked
    assert isinstance(request.command, GetLog)
    assert (request.station_id, request.issued_by, request.command.log) == ("CS-1", "u-1", "security")
    assert request.command.location == BODY["location"]
    assert request.command.oldest_at is not None
    assert (code, made["outcome"], made["command_id"], made["status"]) == (201, "accepted", "c-1", None)
    assert made["location"] == "https://*@example.com/up?x=1"
    assert page["items"] == [made]
    assert one == (200, made)


async def test_progress_is_shown(database):
    stations = Stations()
    async with running(database, "diagnostics", fakes={IssueCommand: stations}) as strum:
        _, first = await strum.api().post(LOGS, BODY)
        _, second = await strum.api().post(LOGS, BODY)
        number = stations.asked[0].command.request_id
        await strum.publish(uploading("Uploaded", number), uploading("Uploading", None), uploading("Lost", 10**9))
        _, page = await strum.api().get(LOGS)
    assert {item["id"]: item["status"] for item in page["items"]} == {
        first["id"]: "Uploaded",
        second["id"]: "Uploading",
    }


async def test_a_refusal_is_passed_on_and_recorded(database):
    async with running(database, "diagnostics", fakes={IssueCommand: Stations(None)}) as strum:
        code, problem = await strum.api().post(LOGS, BODY)
        _, page = await strum.api().get(LOGS)
    assert (code, problem["code"]) == (409, "station_not_found")
    assert [item["outcome"] for item in page["items"]] == ["refused"]


async def test_no_station_has_a_name_longer_than_ocpp_allows(database):
    stations, longest = Stations(), "C" * 48
    async with running(database, "diagnostics", fakes={IssueCommand: stations}) as strum:
        code, problem = await strum.api().post(f"/charging-stations/{longest}9/logs", BODY)
        _, page = await strum.api().get(f"/charging-stations/{longest}9/logs")
        made, _ = await strum.api().post(f"/charging-stations/{longest}/logs", BODY)
    assert (code, problem["code"], page["items"]) == (404, "not_found", [])
    assert (made, [request.station_id for request in stations.asked]) == (201, [longest])


async def test_the_same_request_again_asks_once(database):
    stations = Stations()
    async with running(database, "diagnostics", fakes={IssueCommand: stations}) as strum:
        answers = [await strum.api().post(LOGS, BODY, Idempotency_Key="k") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(stations.asked) == 1


async def test_a_location_is_an_upload_url(database):
    locations = ["", "file:///etc/passwd", "up.example.com", "javascript:alert(1)", "https://", "http://[::1"]
    async with running(database, "diagnostics", fakes={IssueCommand: Stations()}) as strum:
        for location in locations:
            code, problem = await strum.api().post(LOGS, BODY | {"location": location})
            assert (code, problem["errors"][0]["field"]) == (422, "location"), location


async def test_logs_of_other_stations_are_not_found(database):
    async with running(database, "diagnostics", fakes={IssueCommand: Stations()}) as strum:
        _, made = await strum.api().post(LOGS, BODY)
        codes = [
            (await strum.api().get(path))[0]
            for path in (f"/charging-stations/CS-2/logs/{made['id']}", f"{LOGS}/nonsense")
        ]
        denied, _ = await strum.api(Role.VIEWER).post(LOGS, BODY)
    assert codes == [404, 404]
    assert denied == 403


def uploading(status: str, request_id: int | None) -> LogStatusReported:
    return LogStatusReported(station_id="CS-1", status=status, request_id=request_id, reported_at=NOW)
