"""What could not be handled: listed, shown, corrected, tried again once, or discarded; and by whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from modules.kernel.scopes import SCOPES, Scope
from shared_contracts.bus import Delivery
from shared_contracts.management import RequestAudited
from shared_contracts.message import Envelope, new_id, pack
from shared_contracts.stations import LogStatusReported
from shared_contracts.users import Role
from tests.harness import Client, Running, running
from tests.management_service.probe import Copied, ManyNoted, Noted, execute, probing, texts

SAID_AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
PATH = "/quarantine/probe"


@pytest.fixture
async def strum(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    async with probing(database, monkeypatch) as running:
        yield running


async def _deliver(strum: Running, *envelopes: Envelope) -> None:
    (consumer,) = strum.management._consumers
    await consumer.take(0, (Delivery(envelopes[0].id, envelopes),))


def _said(text: Any, station_id: str = "CS1") -> Envelope:
    return Envelope.of(Noted(station_id=station_id, text=text), occurred_at=SAID_AT, cause="c" * 32, trace="t" * 32)


async def _only(api: Client, **query: Any) -> dict[str, Any]:
    status, page = await api.get(PATH, **query)
    assert status == 200, page
    (item,) = page["items"]
    return dict(item)


async def test_it_is_listed_by_station_key_state_and_time(strum: Running) -> None:
    api = strum.api(Role.OPERATOR)
    await _deliver(strum, _said("bad", "CS1"), _said("fine", "CS1"), _said("bad", "CS2"))
    await _deliver(strum, Envelope.of(ManyNoted(station_id="CS3", text=None)))

    assert [item["station_id"] for item in (await api.get(PATH))[1]["items"]] == ["CS3", "CS2", "CS1"]
    assert (await _only(api, station_id="CS2"))["reason"] == "ValueError('cannot be stored')"
    assert (await _only(api, key=ManyNoted.key))["station_id"] == "CS3"
    assert (await api.get(PATH, state="replayed"))[1]["items"] == []
    assert len((await api.get(PATH, state="waiting", since="2024-01-01T00:00:00Z"))[1]["items"]) == 3
    assert (await api.get(PATH, until="2024-01-01T00:00:00Z"))[1]["items"] == []


async def test_the_list_goes_on_where_the_page_ended(strum: Running) -> None:
    api = strum.api(Role.OPERATOR)
    await _deliver(strum, *(_said("bad", f"CS{number}") for number in range(5)))
    seen: list[str] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        _, page = await api.get(PATH, limit=2, **cursor)
        seen += [item["station_id"] for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None

    assert seen == ["CS4", "CS3", "CS2", "CS1", "CS0"]


async def test_what_it_says_is_shown(strum: Running) -> None:
    api = strum.api(Role.OPERATOR)
    await _deliver(strum, _said("bad"))
    _, shown = await api.get(f"{PATH}/{(await _only(api))['id']}")

    (message,) = shown["messages"]
    assert message["payload"] == {"text": "bad"}
    assert datetime.fromisoformat(message["occurred_at"]) == SAID_AT
    assert (shown["module"], shown["state"], shown["body_base64"]) == ("probe", "waiting", None)


async def test_a_corrected_message_is_handled_as_if_it_had_just_come(strum: Running, database: str) -> None:
    api = strum.api(Role.OPERATOR, "u-7")
    await _deliver(strum, _said("bad"))
    place = f"{PATH}/{(await _only(api))['id']}"
    status, corrected = await api.patch(place, {"payload": {"text": "good"}}, If_Match='"1"')
    assert (status, corrected["corrected"], corrected["revision"]) == (200, True, 2), corrected
    assert "bad" in corrected["original"]
    status, replayed = await api.post(f"{place}/replay")

    assert (status, replayed["state"], replayed["failure"], replayed["changed_by"]) == (200, "replayed", None, "u-7")
    assert await texts(database) == ["good"]
    await strum.hear(Copied)
    (said,) = [envelope for envelope in strum.events if envelope.key == Copied.key]
    assert said.trace == "t" * 32


async def test_a_replay_counts_once_however_often_it_is_asked_for(strum: Running, database: str) -> None:
    api = strum.api()
    await _deliver(strum, _said("bad"))
    place = f"{PATH}/{(await _only(api))['id']}"
    await api.patch(place, {"payload": {"text": "good"}})
    answers = [(await api.post(f"{place}/replay"))[1]["state"] for _ in range(3)]

    assert answers == ["replayed"] * 3
    assert await texts(database) == ["good"]
    assert (await api.patch(place, {"payload": {"text": "other"}}))[0] == 409
    assert (await api.post(f"{place}/discard"))[0] == 409


async def test_what_fails_again_says_why_and_waits(strum: Running, database: str) -> None:
    api = strum.api()
    await _deliver(strum, _said("bad"))
    status, shown = await api.post(f"{PATH}/{(await _only(api))['id']}/replay")

    assert (status, shown["state"], shown["failure"]) == (200, "waiting", "ValueError('cannot be stored')")
    assert await texts(database) == []
    assert strum.heard(Copied) == []


async def test_our_own_trouble_is_no_verdict_on_the_message(strum: Running, database: str) -> None:
    api = strum.api()
    await _deliver(strum, _said("bad"))
    place = f"{PATH}/{(await _only(api))['id']}"
    await api.patch(place, {"payload": {"text": "kill once"}})

    assert (await api.post(f"{place}/replay"))[0] == 503
    assert (await _only(api))["state"] == "waiting"
    assert (await api.post(f"{place}/replay"))[1]["state"] == "replayed"
    assert await texts(database) == ["kill once"]


async def test_a_replay_that_stands_still_is_given_up_and_holds_nothing(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a few of them would keep every connection of the API, and the row locked."""
    async with probing(database, monkeypatch, consumer_stalled_after_s=0.3) as strum:
        api = strum.api()
        await _deliver(strum, _said("bad"))
        place = f"{PATH}/{(await _only(api))['id']}"
        await api.patch(place, {"payload": {"text": "hang"}})
        async with asyncio.timeout(5):
            status, problem = await api.post(f"{place}/replay")

        assert (status, problem["code"]) == (503, "quarantine_stands_still")
        assert (await api.post(f"{place}/discard"))[1]["state"] == "discarded"
        assert await texts(database) == []


async def test_a_discarded_message_is_kept_and_not_handled(strum: Running, database: str) -> None:
    api = strum.api(Role.OPERATOR, "u-9")
    await _deliver(strum, _said("bad"))
    place = f"{PATH}/{(await _only(api))['id']}"
    status, shown = await api.post(f"{place}/discard")

    assert (status, shown["state"], shown["changed_by"]) == (200, "discarded", "u-9")
    assert datetime.fromisoformat(shown["changed_at"]) > SAID_AT
    assert (await api.post(f"{place}/replay"))[0] == 409
    assert (await _only(api, state="discarded"))["id"] == shown["id"]


async def test_a_correction_must_fit_the_contract(strum: Running) -> None:
    api = strum.api()
    await _deliver(strum, _said("bad"))
    place = f"{PATH}/{(await _only(api))['id']}"

    for payload, key in (({"text": 5}, None), ({}, None), ({"text": 5}, Noted.key)):
        status, problem = await api.patch(place, {"payload": payload, "key": key})
        assert status == 422, payload
    assert [error["field"] for error in problem["errors"]] == ["payload.text"]
    assert (await api.patch(place, {"payload": {"text": "good"}}, If_Match='"9"'))[0] == 412
    assert (await _only(api))["revision"] == 1


async def test_a_message_keeps_its_key(strum: Running) -> None:
    api = strum.api()
    await _deliver(strum, _said("bad"))
    place = f"{PATH}/{(await _only(api))['id']}"
    status, problem = await api.patch(place, {"payload": {"text": "good"}, "key": ManyNoted.key})

    assert (status, problem["errors"]) == (422, [{"field": "key", "message": "stays as it is"}])
    assert (await api.patch(place, {"payload": {"text": "good"}, "key": Noted.key}))[0] == 200
    assert (await _only(api))["key"] == Noted.key


async def test_nobody_writes_audit_records_by_hand(database: str) -> None:
    """What is set aside may be corrected; what says who did what is taken as it came, or discarded."""
    forged = {"requested_at": "2026-01-01T00:00:00Z", "method": "DELETE", "route": "/x", "source": "s", "trace": "t"}
    forgery = {"payload": forged | {"request_id": "r", "user_id": "u-2"}, "key": RequestAudited.key}
    async with running(database, "diagnostics") as strum:
        api, (consumer,) = strum.api(Role.OPERATOR), strum.management._consumers
        await consumer.set_poison_aside(b"\x00\xff junk", "no batch")
        for key in (LogStatusReported.key, RequestAudited.key):
            bad = Envelope(new_id(), key, None, SAID_AT, b"{}")
            await consumer.take(0, (Delivery(bad.id, (bad,)),))
        _, page = await api.get("/quarantine/diagnostics")
        tried = []
        for item in page["items"]:
            place = f"/quarantine/diagnostics/{item['id']}"
            tried.append((await api.patch(place, forgery))[0])
            await api.post(f"{place}/replay")
        records = (await strum.api().get("/audit-records"))[1]["items"]

        assert tried == [409, 422, 409], page
        assert [record for record in records if record["user_id"] == "u-2"] == []
        assert (await api.post(f"/quarantine/diagnostics/{page['items'][0]['id']}/discard"))[0] == 200


async def test_a_body_that_is_no_message_is_shown_corrected_and_handled(strum: Running, database: str) -> None:
    (consumer,) = strum.management._consumers
    await consumer.set_poison_aside(b"\x00\xff junk", "no batch")
    api = strum.api()
    place = f"{PATH}/{(await _only(api))['id']}"
    assert (await api.get(place))[1]["body_base64"] == "AP8ganVuaw=="
    assert (await api.post(f"{place}/replay"))[0] == 409
    for key in (None, ""):
        assert (await api.patch(place, {"payload": {"text": "good"}, "key": key}))[0] == 422, "no key is known"
    status, problem = await api.patch(place, {"payload": {"text": "good"}, "key": "nobody.knows.v1"})
    assert (status, problem["errors"]) == (422, [{"field": "key", "message": "is not taken"}])
    assert (await api.patch(place, {"payload": {"text": "good"}, "key": Noted.key}))[0] == 200
    assert (await api.post(f"{place}/replay"))[1]["state"] == "replayed"
    assert await texts(database) == ["good"]


async def test_of_a_batch_what_fails_is_set_aside_by_itself(strum: Running, database: str) -> None:
    (consumer,) = strum.management._consumers
    await consumer.set_poison_aside(pack([_said("a"), _said("bad"), _said("b")]), "delivered too often")
    api = strum.api()
    place = f"{PATH}/{(await _only(api))['id']}"
    assert len((await api.get(place))[1]["messages"]) == 3
    assert (await api.patch(place, {"payload": {"text": "one for three"}}))[0] == 409
    assert (await api.post(f"{place}/replay"))[1]["state"] == "replayed"

    assert await texts(database) == ["a", "b"]
    assert (await _only(api, state="waiting"))["key"] == Noted.key


async def test_what_the_previous_release_set_aside_can_be_handled(strum: Running, database: str) -> None:
    await execute(
        database,
        "INSERT INTO probe.quarantine (key, station_id, body, reason) VALUES (:key, 'CS1', :body, 'old')",
        key=Noted.key,
        body=b'{"text": "good"}',
    )
    api = strum.api()
    assert (await api.post(f"{PATH}/{(await _only(api))['id']}/replay"))[1]["state"] == "replayed"
    assert await texts(database) == ["good"]


async def test_names_that_no_column_can_hold_block_nobody(strum: Running, database: str) -> None:
    odd = Envelope("e1", Noted.key, "CS\0", SAID_AT, b"nonsense")
    await _deliver(strum, odd, _said("good"))

    assert await texts(database) == ["good"]
    assert (await _only(strum.api()))["station_id"] == "CS"


async def test_operators_and_administrators_alone_may(strum: Running) -> None:
    assert (await strum.nobody().get(PATH))[0] == 401
    for role in Role:
        allowed = role in {Role.ADMIN, Role.OPERATOR}
        assert ({Scope.QUARANTINE_READ, Scope.QUARANTINE_WRITE} <= SCOPES[role]) is allowed
        assert (await strum.api(role).get(PATH))[0] == (200 if allowed else 403)
        assert (await strum.api(role).post(f"{PATH}/1/replay"))[0] == (404 if allowed else 403)


@pytest.mark.parametrize("odd", ["0", "-1", "x", "9" * 30, "%20", "1e3"])
async def test_what_is_not_there_is_not_found(strum: Running, odd: str) -> None:
    status, problem = await strum.api().get(f"{PATH}/{odd}")
    assert (status, problem["code"]) == (404, "not_in_quarantine")
