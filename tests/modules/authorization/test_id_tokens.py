"""Id tokens by the API, and the verdict on them by message (T19)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared_contracts.authorization import IdTokenChanged, JudgeToken, TokenStatus
from shared_contracts.users import Role, UserChanged
from tests.harness import Running, running


async def _judge(strum: Running, id_token: str, token_type: str | None = None) -> Any:
    return await strum.ask(JudgeToken(station_id="CS1", id_token=id_token, token_type=token_type))


async def test_a_registered_token_is_accepted_in_any_case(database: str) -> None:
    async with running(database, "authorization") as strum:
        status, made = await strum.api().post("/id-tokens", {"value": "Abc1", "driver_id": "u-7", "group": "fleet"})
        verdict = await _judge(strum, "aBC1")

        assert (status, made["status"], made["revision"]) == (201, "accepted", 1)
        assert (verdict.status, verdict.driver_id, verdict.group) == (TokenStatus.ACCEPTED, "u-7", "fleet")
        (heard,) = await strum.hear(IdTokenChanged)
        assert (heard.id_token, heard.driver_id, heard.removed) == ("Abc1", "u-7", False)


async def test_an_unknown_token_is_invalid(database: str) -> None:
    async with running(database, "authorization") as strum:
        assert (await _judge(strum, "nobody's")).status is TokenStatus.INVALID


async def test_an_unknown_token_is_accepted_where_the_operator_says_so(database: str) -> None:
    async with running(database, "authorization", authorization={"accept_unknown_tokens": True}) as strum:
        assert (await _judge(strum, "nobody's")).status is TokenStatus.ACCEPTED


async def test_a_start_by_button_is_accepted(database: str) -> None:
    """OCPP 2.0.1 C02.FR.02."""
    async with running(database, "authorization") as strum:
        assert (await _judge(strum, "", "NoAuthorization")).status is TokenStatus.ACCEPTED


async def test_a_blocked_an_expired_and_a_removed_token_are_refused(database: str) -> None:
    async with running(database, "authorization") as strum:
        api = strum.api(Role.OPERATOR)
        _, token = await api.post("/id-tokens", {"value": "A"})
        path = f"/id-tokens/{token['id']}"
        past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

        _, expired = await api.patch(path, {"expires_at": past})
        assert expired["status"] == (await _judge(strum, "a")).status == TokenStatus.EXPIRED
        _, blocked = await api.patch(path, {"status": "blocked"})
        assert blocked["status"] == (await _judge(strum, "a")).status == TokenStatus.BLOCKED
        assert (await api.delete(path))[0] == 204
        assert (await _judge(strum, "a")).status is TokenStatus.INVALID
        assert (await strum.hear(IdTokenChanged, 4))[-1].removed


@pytest.mark.parametrize("value", ["=cmd()", "<b>x</b>", "'; DROP TABLE id_tokens; --", "🔋", "%_\\"])
async def test_hostile_text_is_a_token_like_any_other(database: str, value: str) -> None:
    async with running(database, "authorization") as strum:
        await strum.api().post("/id-tokens", {"value": value})
        await strum.api().post("/id-tokens", {"value": "other"})

        _, found = await strum.api().get("/id-tokens", search=value)
        assert [token["value"] for token in found["items"]] == [value]
        assert (await _judge(strum, value)).status is TokenStatus.ACCEPTED


async def test_a_second_token_of_the_same_value_is_a_conflict(database: str) -> None:
    async with running(database, "authorization") as strum:
        await strum.api().post("/id-tokens", {"value": "abc"})
        status, problem = await strum.api().post("/id-tokens", {"value": "ABC"})

        assert (status, problem["code"]) == (409, "id_token_exists")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "value"),
        ({"value": ""}, "value"),
        ({"value": "x" * 256}, "value"),
        ({"value": "a\nb"}, "value"),
        ({"value": "a", "type": "Card"}, "type"),
        ({"value": "a", "status": "expired"}, "status"),
        ({"value": "a", "expires_at": "tomorrow"}, "expires_at"),
        ({"value": "a", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"value": "a", "colour": "red"}, "colour"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(database: str, body: dict[str, Any], field: str) -> None:
    async with running(database, "authorization") as strum:
        status, problem = await strum.api().post("/id-tokens", body)

        assert status == 422
        assert problem["errors"][0]["field"] == field


async def test_an_edit_of_an_outdated_revision_is_refused(database: str) -> None:
    async with running(database, "authorization") as strum:
        api = strum.api()
        _, token = await api.post("/id-tokens", {"value": "A"})
        path = f"/id-tokens/{token['id']}"

        assert (await api.patch(path, {"label": "mine"}, If_Match='"1"'))[0] == 200
        status, problem = await api.patch(path, {"label": "yours"}, If_Match='"1"')
        assert (status, problem["code"], problem["revision"]) == (412, "precondition_failed", 2)
        assert (await api.call("DELETE", path, If_Match='"1"'))[0] == 412
        _, token = await api.get(path)
        assert (token["label"], token["revision"]) == ("mine", 2)


async def test_null_empties_a_field_and_an_absent_one_stays(database: str) -> None:
    async with running(database, "authorization") as strum:
        api = strum.api()
        _, token = await api.post("/id-tokens", {"value": "A", "label": "mine", "group": "fleet"})
        path = f"/id-tokens/{token['id']}"

        _, changed = await api.patch(path, {"label": None})
        assert (changed["label"], changed["group"]) == (None, "fleet")
        assert (await api.patch(path, {"status": None}))[0] == 422


async def test_lists_are_filtered_and_paged(database: str) -> None:
    async with running(database, "authorization") as strum:
        api = strum.api()
        for number in range(5):
            await api.post(
                "/id-tokens", {"value": f"t{number}", "driver_id": f"u-{number % 2}", "label": f"Card {number}"}
            )
        await api.post("/id-tokens", {"value": "blocked", "status": "blocked"})

        async def values(**query: Any) -> list[str]:
            _, page = await api.get("/id-tokens", **query)
            return [token["value"] for token in page["items"]]

        assert await values(driver_id="u-1") == ["t1", "t3"]
        assert await values(status="blocked") == ["blocked"]
        assert await values(status="expired") == []
        assert await values(search="card 4") == ["t4"]
        _, first = await api.get("/id-tokens", status="accepted", limit=3)
        _, rest = await api.get("/id-tokens", status="accepted", limit=3, cursor=first["next_cursor"])
        assert [token["value"] for token in first["items"] + rest["items"]] == ["t0", "t1", "t2", "t3", "t4"]
        assert rest["next_cursor"] is None


async def test_what_is_not_there_is_not_found(database: str) -> None:
    async with running(database, "authorization") as strum:
        api = strum.api()
        for method in ("GET", "PATCH", "DELETE"):
            status, problem = await api.call(method, "/id-tokens/none", json={} if method == "PATCH" else None)
            assert (status, problem["code"]) == (404, "id_token_not_found")


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.DRIVER, 403), (Role.OPERATOR, 201)])
async def test_only_operators_register_tokens(database: str, role: Role, status: int) -> None:
    async with running(database, "authorization") as strum:
        assert (await strum.api(role).post("/id-tokens", {"value": "A"}))[0] == status
        assert (await strum.nobody().post("/id-tokens", {"value": "A"}))[0] == 401


async def test_the_tokens_of_a_removed_driver_belong_to_nobody(database: str) -> None:
    async with running(database, "authorization") as strum:
        api = strum.api(Role.OPERATOR)
        tokens = [await api.post("/id-tokens", {"value": value, "driver_id": of}) for value, of in _OWNED.items()]
        await strum.publish(UserChanged(user_id="u-7", role=Role.DRIVER, active=False))
        assert (await _judge(strum, "A")).driver_id == "u-7"

        gone = UserChanged(user_id="u-7", role=Role.DRIVER, active=False, removed=True)
        await strum.publish(gone)
        await strum.publish(gone)

        owners = {value: (await _judge(strum, value)).driver_id for value in _OWNED}
        assert owners == {"A": None, "B": None, "C": "u-8"}
        _, changed = await api.get(f"/id-tokens/{tokens[0][1]['id']}")
        assert (changed["driver_id"], changed["status"], changed["revision"]) == (None, "accepted", 2)
        told = (await strum.hear(IdTokenChanged, 5))[3:]
        assert {(event.id_token, event.driver_id, event.removed) for event in told} == {
            ("A", None, False),
            ("B", None, False),
        }


_OWNED = {"A": "u-7", "B": "u-7", "C": "u-8"}
