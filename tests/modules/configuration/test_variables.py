"""Variables: what stations told, and what they were told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.configuration.domain.variables import MOST_VARIABLES
from shared_contracts.charge_points import StationRemoved
from shared_contracts.commands import GetVariables, SetVariables, VariableChange
from shared_contracts.stations import ReportedVariable, VariablesReported
from shared_contracts.users import Role
from tests.harness import Running
from tests.modules.configuration.stations import completed, configuring, set_aside

VARIABLES = "/charging-stations/CS1/variables"
CHANGES = "/charging-stations/CS1/variable-changes"


def _report(*variables: ReportedVariable) -> VariablesReported:
    return VariablesReported(station_id="CS1", variables=variables, reported_at=datetime(1970, 1, 1, tzinfo=UTC))


def _key(name: str, value: str | None = "1", **fields: Any) -> ReportedVariable:
    return ReportedVariable(name=name, value=value, **fields)


async def _values(strum: Running, **query: Any) -> dict[str, str | None]:
    status, page = await strum.api().get(VARIABLES, **query)
    assert status == 200, page
    return {variable["name"]: variable["value"] for variable in page["items"]}


async def _change(strum: Running, name: str = "Interval", value: str = "2") -> tuple[int, Any]:
    return await strum.api().patch(VARIABLES, {"changes": [{"name": name, "value": value}]})


async def test_reported_variables_are_known_by_all_that_names_them(database: str) -> None:
    async with configuring(database) as (strum, _):
        names: list[dict[str, Any]] = [
            {"component": "Connector", "evse_id": 1, "connector_id": 1},
            {"component": "Connector", "evse_id": 1, "connector_id": 2},
            {"component": "Connector", "evse_id": 0},
            {"component": "Connector", "component_instance": "a"},
            {"component": "Connector", "instance": "a"},
            {"component": "Connector", "attribute": "Target"},
            {"component": None},
        ]
        await strum.publish(_report(*(_key("Available", str(n), **name) for n, name in enumerate(names))))
        await strum.publish(_report(_key("Available", "new", component="Connector", evse_id=0)))
        _, page = await strum.api().get(VARIABLES)
        assert sorted(variable["value"] for variable in page["items"]) == ["0", "1", "3", "4", "5", "6", "new"]
        by_value = {variable["value"]: variable for variable in page["items"]}
        assert by_value["new"]["evse_id"] == 0
        assert by_value["6"]["component"] is None
        assert by_value["3"]["evse_id"] is None


async def test_the_last_of_several_reports_in_a_batch_counts(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(_report(_key("A", "1", read_only=True)), _report(_key("A", "2")), _report(_key("B", None)))
        assert await _values(strum) == {"A": "2", "B": None}
        _, page = await strum.api().get(VARIABLES, search="a")
        assert page["items"][0]["read_only"] is True


async def test_what_is_known_to_be_read_only_stays_so_where_an_answer_does_not_say(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(_report(_key("A", "1", read_only=True)))
        await strum.publish(_report(_key("A", "2")))
        _, page = await strum.api().get(VARIABLES)
        assert [(variable["value"], variable["read_only"]) for variable in page["items"]] == [("2", True)]


async def test_secrets_that_stations_report_are_masked(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(_report(_key("AuthorizationKey", "s3cret"), _key("Url", "ws://u:s3cret@host/x")))
        assert await _values(strum) == {"AuthorizationKey": "***", "Url": "ws://*@host/x"}


async def test_absurd_variables_do_not_hurt(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(
            _report(
                _key("N" * 5000, "v" * 50_000, component="é" * 5000, instance="i" * 5000),
                _key("Huge", evse_id=2**31),
                _key("Good"),
            )
        )
        _, page = await strum.api().get(VARIABLES)
        assert [len(variable["value"]) for variable in page["items"]] == [1, 10_000]
        assert await set_aside(strum) == 0


async def test_a_station_cannot_fill_the_table(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_VARIABLES >= 5000
    monkeypatch.setattr("modules.configuration.repository.variables.MOST_VARIABLES", 5)
    async with configuring(database) as (strum, _):
        for batch in range(3):
            await strum.publish(_report(*(_key(f"V{batch}{n}") for n in range(3))))
        await strum.publish(_report(_key("V00", "changed")))
        values = await _values(strum)
        assert len(values) == 5
        assert values["V00"] == "changed"


async def test_variables_are_listed_in_pages_and_filtered(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(
            _report(*(_key(f"V{n}", component=c) for n in range(3) for c in ("ClockCtrlr", "OCPPComm")))
        )
        found: list[tuple[str, str]] = []
        cursor: dict[str, str] = {}
        while True:
            _, page = await strum.api().get(VARIABLES, limit=4, **cursor)
            found += [(variable["component"], variable["name"]) for variable in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == [(c, f"V{n}") for c in ("ClockCtrlr", "OCPPComm") for n in range(3)]
        assert len(await _values(strum, component="clockctrlr")) == 3
        assert list(await _values(strum, search="v2")) == ["V2"]


async def test_a_refresh_stores_what_the_station_answers_with(database: str) -> None:
    async with configuring(database) as (strum, commands):
        unknown = _key("Gone", None, status="UnknownVariable")
        commands.answers(variables=(_key("Interval", "30", status="Accepted", read_only=True), unknown))
        status, refreshed = await strum.api(Role.OPERATOR, "op-1").post(f"{VARIABLES}/refresh")
        assert (status, refreshed["outcome"], refreshed["received"]) == (200, "accepted", 2)
        assert await _values(strum) == {"Interval": "30"}
        assert (commands.last, commands.asked[0].issued_by) == (GetVariables(), "op-1")


async def test_an_accepted_change_is_kept_with_who_asked_and_what_was_before(database: str) -> None:
    async with configuring(database) as (strum, commands):
        await strum.publish(_report(_key("Interval", "1", read_only=False)))
        commands.sets("RebootRequired")
        status, changed = await strum.api(Role.OPERATOR, "op-1").patch(
            VARIABLES, {"changes": [{"name": "Interval", "value": "2"}]}
        )
        (change,) = changed["changes"]
        assert (status, changed["outcome"]) == (200, "accepted")
        assert (change["old_value"], change["new_value"], change["status"]) == ("1", "2", "RebootRequired")
        assert change["asked_by"] == "op-1"
        assert await _values(strum) == {"Interval": "2"}
        assert commands.last == SetVariables(variables=(VariableChange(name="Interval", value="2"),))


async def test_each_change_has_its_own_outcome(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.sets("Accepted", "Rejected")
        body = {"changes": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
        _, changed = await strum.api().patch(VARIABLES, body)
        assert [change["outcome"] for change in changed["changes"]] == ["accepted", "rejected"]
        assert await _values(strum) == {"A": "1"}


async def test_a_change_without_an_answer_is_recorded_with_the_outcome_of_the_whole(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.answers("timed_out")
        _, changed = await _change(strum)
        assert [change["outcome"] for change in changed["changes"]] == ["timed_out"]
        assert await _values(strum) == {}


async def test_a_change_that_is_under_way_is_recorded_when_it_ends(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.never_answers()
        status, changed = await _change(strum)
        assert (status, changed["outcome"], changed["changes"]) == (200, None, [])
        await strum.publish(
            completed(
                commands.last, command_id=changed["command_id"], variables=(_key("Interval", "2", status="Accepted"),)
            )
        )
        _, page = await strum.api().get(CHANGES)
        assert [(change["new_value"], change["outcome"]) for change in page["items"]] == [("2", "accepted")]
        assert await _values(strum) == {"Interval": "2"}


async def test_the_event_of_a_change_that_is_recorded_already_changes_nothing(database: str) -> None:
    async with configuring(database) as (strum, commands):
        await strum.publish(_report(_key("Interval", "1")))
        commands.sets("Accepted")
        _, changed = await _change(strum)
        _, before = await strum.api().get(CHANGES)
        event = completed(
            commands.last, command_id=changed["command_id"], variables=(_key("Interval", "2", status="Accepted"),)
        )
        for _ in range(2):
            await strum.publish(event)
        assert (await strum.api().get(CHANGES))[1] == before
        assert before["items"][0]["old_value"] == "1"


async def test_an_older_answer_does_not_replace_a_newer_value(database: str) -> None:
    async with configuring(database) as (strum, _):
        await strum.publish(_report(_key("Interval", "new")))
        earlier = datetime.now(UTC) - timedelta(minutes=1)
        await strum.publish(completed(GetVariables(), variables=(_key("Interval", "old"),), completed_at=earlier))
        assert await _values(strum) == {"Interval": "new"}


async def test_a_secret_is_told_to_the_station_and_not_shown(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.sets("Accepted")
        _, changed = await _change(strum, "AuthorizationKey", "s3cret-s3cret-s3cret")
        assert commands.last.variables[0].value == "s3cret-s3cret-s3cret"
        assert "s3cret" not in str(changed) + str(await strum.api().get(CHANGES)) + str(await _values(strum))


async def test_changes_are_listed_newest_first_in_pages(database: str) -> None:
    async with configuring(database) as (strum, commands):
        for number in range(3):
            commands.sets("Accepted", "Accepted")
            body = {"changes": [{"name": name, "value": str(number)} for name in ("A", "B")]}
            await strum.api().patch(VARIABLES, body)
        _, first = await strum.api().get(CHANGES, limit=3)
        _, second = await strum.api().get(CHANGES, limit=3, cursor=first["next_cursor"])
        listed = [(change["name"], change["new_value"]) for change in first["items"] + second["items"]]
        assert listed == [(name, str(number)) for number in (2, 1, 0) for name in ("B", "A")]
        assert second["next_cursor"] is None


@pytest.mark.parametrize("call", ["change", "refresh"])
async def test_an_offline_an_unknown_and_an_inept_station_are_told_apart(database: str, call: str) -> None:
    async with configuring(database) as (strum, commands):

        async def attempt() -> tuple[int, str]:
            done = _change(strum) if call == "change" else strum.api().post(f"{VARIABLES}/refresh")
            status, problem = await done
            return status, problem["code"]

        commands.answers("offline")
        assert await attempt() == (409, "station_offline")
        commands.knows_no_station()
        assert await attempt() == (404, "not_found")
        commands.answers("invalid", error_description="the variable needs a component")
        assert await attempt() == (422, "command_invalid")


@pytest.mark.parametrize(
    "body",
    [
        {"changes": []},
        {"changes": [{"name": "", "value": "1"}]},
        {"changes": [{"name": "A"}]},
        {"changes": [{"name": "A", "value": 1}]},
        {"changes": [{"name": "A", "value": "x" * 2501}]},
        {"changes": [{"name": "A", "value": "1", "unit": "s"}]},
        {"changes": [{"name": "A", "value": "1"}] * 51},
    ],
)
async def test_changes_that_do_not_fit_are_refused(database: str, body: Any) -> None:
    async with configuring(database) as (strum, commands):
        assert (await strum.api().patch(VARIABLES, body))[0] == 422
        assert commands.asked == []


async def test_a_removed_station_is_forgotten(database: str) -> None:
    async with configuring(database) as (strum, commands):
        commands.sets("Accepted")
        await _change(strum)
        await strum.publish(StationRemoved(station_id="CS1", removed_at=datetime.now(UTC) - timedelta(minutes=1)))
        assert await _values(strum) != {}
        await strum.publish(StationRemoved(station_id="CS1"))
        assert await _values(strum) == {}
        assert (await strum.api().get(CHANGES))[1]["items"] == []


async def test_a_viewer_reads_and_does_not_change(database: str) -> None:
    async with configuring(database) as (strum, commands):
        viewer = strum.api(Role.VIEWER)
        assert (await viewer.get(VARIABLES))[0] == 200
        assert (await viewer.patch(VARIABLES, {"changes": [{"name": "A", "value": "1"}]}))[0] == 403
        assert (await strum.api(Role.DRIVER).get(VARIABLES))[0] == 403
        assert commands.asked == []
