"""Firmware updates: requested, followed, failed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared_contracts.charge_points import CommandIssued, IssueCommand
from shared_contracts.commands import CommandOutcome, UpdateFirmware
from shared_contracts.configuration import FirmwareUpdateProgressed
from shared_contracts.message import new_id
from shared_contracts.stations import FirmwareStatusReported
from tests.harness import Running
from tests.modules.configuration.stations import Commands, completed, configuring, set_aside

UPDATES = "/charging-stations/CS1/firmware-updates"
FIRMWARE = {"location": "https://files.example/fw.bin"}
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


def _reported(status: str, request_id: int | None = None) -> FirmwareStatusReported:
    return FirmwareStatusReported(station_id="CS1", status=status, request_id=request_id, reported_at=AT)


async def _request(strum: Running, **fields: Any) -> dict[str, Any]:
    status, update = await strum.api().post(UPDATES, FIRMWARE | fields)
    assert status == 201, update
    return dict(update)


async def _shown(strum: Running, update: dict[str, Any]) -> tuple[str, str | None]:
    status, shown = await strum.api().get(f"{UPDATES}/{update['update_id']}")
    assert status == 200
    return shown["state"], shown["status"]


async def test_an_update_is_requested_with_a_number_of_its_own(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.answers(status="Accepted")
        first = await _request(strum, retrieve_at="2026-07-02T00:00:00Z", retries=3, retry_interval_s=60)
        second = await _request(strum)
        asked = commands.asked[0].command
        assert isinstance(asked, UpdateFirmware)
        assert (asked.location, asked.retries, asked.retry_interval_s) == (FIRMWARE["location"], 3, 60)
        assert asked.retrieve_at == datetime(2026, 7, 2, tzinfo=UTC)
        assert asked.request_id == first["request_id"] != second["request_id"]
        assert (first["state"], first["status"]) == ("requested", "Accepted")
        _, page = await strum.api().get(UPDATES)
        assert [update["update_id"] for update in page["items"]] == [second["update_id"], first["update_id"]]


async def test_an_update_is_followed_by_its_number_and_each_state_told_once(database: str) -> None:
    async with configuring(database) as (strum, _):
        update = await _request(strum)
        other = await _request(strum)
        number = update["request_id"]
        for status in (
            "Downloading",
            "Downloading",
            "Downloaded",
            "SignatureVerified",
            "Installing",
            "Idle",
            "Installed",
        ):
            await strum.publish(_reported(status, number))
        assert await _shown(strum, update) == ("installed", "Installed")
        assert await _shown(strum, other) == ("requested", None)
        told = await strum.hear(FirmwareUpdateProgressed, 4)
        assert [event.state for event in told] == ["downloading", "downloaded", "installing", "installed"]
        assert {event.update_id for event in told} == {update["update_id"]}


async def test_without_a_number_the_newest_update_is_followed(database: str) -> None:
    async with configuring(database) as (strum, _):
        older, newer = await _request(strum), await _request(strum)
        await strum.publish(_reported("Downloading"))
        assert await _shown(strum, newer) == ("downloading", "Downloading")
        assert await _shown(strum, older) == ("requested", None)


async def test_a_failed_update_may_be_tried_again_and_an_installed_one_stays(database: str) -> None:
    async with configuring(database) as (strum, _):
        update = await _request(strum)
        states = []
        for status in ("DownloadFailed", "Downloading", "Installed", "InstallationFailed"):
            await strum.publish(_reported(status))
            states.append((await _shown(strum, update))[0])
        assert states == ["failed", "downloading", "installed", "installed"]


async def test_reports_about_no_known_update_change_nothing(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(_reported("Installed"), _reported("Installed", 7), _reported("Installed", 2**70))
        update = await _request(strum)
        await strum.publish(_reported("Installed", -1), _reported("Dancing", update["request_id"]))
        assert await _shown(strum, update) == ("requested", "Dancing")
        assert await set_aside(strum) == 0


async def test_a_report_may_come_before_the_answer(database: str) -> None:
    async with configuring(database) as (strum, commands):
        await _request(strum)

        async def answer_late(message: IssueCommand) -> CommandIssued:
            assert isinstance(message.command, UpdateFirmware)
            await strum.publish(_reported("Downloading", message.command.request_id))
            return CommandIssued(command_id=new_id(), outcome=CommandOutcome.ACCEPTED, status="Accepted")

        commands.reply = answer_late  # type: ignore[assignment]  # the harness awaits what a fake returns
        update = await _request(strum)
        assert (update["state"], update["status"]) == ("downloading", "Downloading")


@pytest.mark.parametrize(
    ("outcome", "state", "status"),
    [("rejected", "failed", "rejected"), ("failed", "failed", "failed"), ("timed_out", "requested", None)],
)
async def test_a_request_that_the_station_refuses_has_failed(
    database: str, outcome: str, state: str, status: str | None
) -> None:
    async with configuring(database) as (strum, commands):
        commands.answers(outcome)
        update = await _request(strum)
        assert await _shown(strum, update) == (state, status)


async def test_the_outcome_may_be_told_later(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.never_answers()
        update = await _request(strum)
        assert update["state"] == "requested"
        for _ in range(2):
            await strum.publish(
                completed(commands.last, "rejected", command_id=update["command_id"], status="Rejected")
            )
        assert await _shown(strum, update) == ("failed", "Rejected")
        assert len(await strum.hear(FirmwareUpdateProgressed)) == 1


async def _attempt(strum: Running, commands: Commands) -> tuple[int, str, list[str]]:
    status, problem = await strum.api().post(UPDATES, FIRMWARE)
    _, page = await strum.api().get(UPDATES)
    return status, problem["code"], [update["state"] for update in page["items"]]


async def test_an_offline_station_is_told_nothing_and_the_attempt_is_kept(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.answers("offline")
        assert await _attempt(strum, commands) == (409, "station_offline", ["failed"])


async def test_an_update_of_an_unknown_station_is_not_kept(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.knows_no_station()
        assert await _attempt(strum, commands) == (404, "not_found", [])


async def test_user_info_reaches_the_station_and_is_not_shown(database: str) -> None:
    async with configuring(database) as (strum, commands):
        update = await _request(strum, location="ftp://me:s3cret@files.example/fw")
        assert commands.last.location == "ftp://me:s3cret@files.example/fw"
        assert update["location"] == "ftp://*@files.example/fw"


async def test_an_update_is_shown_under_its_own_station_only(database: str) -> None:
    async with configuring(database) as (strum, _):
        update = await _request(strum)
        assert (await strum.api().get(f"/charging-stations/CS2/firmware-updates/{update['update_id']}"))[0] == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"location": "file:///etc/passwd"},
        {"location": "javascript:alert(1)"},
        {"location": "https://"},
        {"location": "https://host/a b"},
        {"location": "https://host/\n"},
        {"location": "https://[::1"},
        {"location": "http://" + "x" * 510},
        {"retrieve_at": "2026-07-02T00:00:00"},
        {"retrieve_at": "9999-12-31T23:59:59-14:00"},
        {"retries": -1},
        {"retries": 2**40},
        {"signature": "abc"},
        {"colour": "red"},
    ],
)
async def test_an_update_that_does_not_fit_is_refused(database: str, fields: dict[str, Any]) -> None:
    async with configuring(database) as (strum, commands):
        assert (await strum.api().post(UPDATES, FIRMWARE | fields))[0] == 422
        assert commands.asked == []
