import asyncio
from typing import Any

import pytest

from shared_contracts.authorization import JudgeToken, TokenStatus
from shared_contracts.transactions import TransactionStarted
from tests.harness import Running, running
from tests.modules.transactions.messages import accept, at, start, stop

FAKES: dict[Any, Any] = {JudgeToken: accept}


async def _listed(strum: Running, **query: Any) -> list[dict[str, Any]]:
    status, page = await strum.api().get("/transactions", **query)
    assert status == 200
    return list(page["items"])


async def test_a_start_opens_a_transaction(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        opened = await strum.ask(start(id_token="Card@u-7", flags=("time_no_zone:x",)))

        assert (opened.status, opened.group) == (TokenStatus.ACCEPTED, "fleet")
        assert 0 < opened.number < 2**31
        (seen,) = await _listed(strum)
        assert (seen["transaction_ref"], seen["state"], seen["driver_id"]) == (str(opened.number), "charging", "u-7")
        assert (seen["meter_start_wh"], seen["energy_wh"], seen["flags"]) == (1000, None, ["time_no_zone:x"])
        (heard,) = await strum.hear(TransactionStarted)
        assert (heard.transaction_id, heard.transaction_ref) == (seen["id"], str(opened.number))


async def test_twenty_equal_starts_at_once_are_one(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        answers = await asyncio.gather(*(strum.ask(start()) for _ in range(20)))

        assert len({answer.number for answer in answers}) == 1
        assert len(await _listed(strum)) == 1
        await strum.hear(TransactionStarted)
        assert len(strum.heard(TransactionStarted)) == 1


async def test_a_retry_gets_the_same_status_though_the_token_was_blocked_meanwhile(database: str) -> None:
    verdicts = [TokenStatus.ACCEPTED, TokenStatus.BLOCKED]

    def judge(request: JudgeToken) -> Any:
        return accept(request).model_copy(update={"status": verdicts.pop(0)})

    async with running(database, "transactions", fakes={JudgeToken: judge}) as strum:
        first, retry = await strum.ask(start()), await strum.ask(start(id_token="AB1"))

        assert verdicts == []
        assert (retry.number, retry.status) == (first.number, TokenStatus.ACCEPTED)


async def test_an_equal_start_after_the_stop_is_another_transaction(database: str) -> None:
    """A station without a clock, or a meter, says the same at every start."""
    async with running(database, "transactions", fakes=FAKES) as strum:
        first = await strum.ask(start())
        await strum.ask(stop(first.number, received_at=at(60)))
        second = await strum.ask(start(received_at=at(60.1)))

        assert second.number != first.number
        assert [item["state"] for item in await _listed(strum)] == ["charging", "finished"]


@pytest.mark.parametrize("flags", [(), ("time_not_credible:1970-01-01T00:00:00Z",)])
async def test_a_start_that_was_held_up_until_after_the_stop_is_the_one_that_it_repeats(
    database: str, flags: tuple[str, ...]
) -> None:
    """One pod was cut off with the first; the station repeated it by another, charged, and stopped."""
    async with running(database, "transactions", fakes=FAKES) as strum:
        seen_at = {"started_at": at(0.5)} if flags else {}  # the time of receipt stands in
        repeated = await strum.ask(start(received_at=at(0.5), flags=flags, **seen_at))
        await strum.ask(stop(repeated.number, received_at=at(2)))
        held_up = await strum.ask(start(received_at=at(0), flags=flags))

        assert held_up.number == repeated.number
        assert [item["state"] for item in await _listed(strum)] == ["finished"]


async def test_a_refused_token_is_recorded_all_the_same(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        opened = await strum.ask(start(id_token="invalid"))

        assert opened.status is TokenStatus.INVALID
        (seen,) = await _listed(strum)
        assert (seen["state"], seen["authorization"]) == ("charging", "invalid")


async def test_a_start_on_an_occupied_connector_leaves_the_older_flagged(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        for connector_id, minutes in ((1, 0), (2, 1), (1, 2)):
            await strum.ask(start(connector_id=connector_id, started_at=at(minutes)))
        await strum.ask(start(connector_id=1, started_at=at(2)))

        newest_first = [(item["connector_id"], item["flags"]) for item in await _listed(strum)]
        assert newest_first == [(1, []), (2, []), (1, ["abandoned"])]


@pytest.mark.parametrize(("refuse", "status"), [(False, TokenStatus.ACCEPTED), (True, TokenStatus.CONCURRENT_TX)])
async def test_a_second_transaction_of_a_token_is_refused_only_on_demand(
    database: str, refuse: bool, status: TokenStatus
) -> None:
    settings = {"refuse_concurrent": refuse}
    async with running(database, "transactions", fakes=FAKES, transactions=settings) as strum:
        assert (await strum.ask(start())).status is TokenStatus.ACCEPTED
        assert (await strum.ask(start())).status is TokenStatus.ACCEPTED
        assert (await strum.ask(start(station_id="CS2", id_token="AB1"))).status is status


@pytest.mark.parametrize("id_token", ["", "=cmd()", "'; DROP TABLE x; --", "🔋\u202e", "x" * 255])
async def test_hostile_text_and_numbers_are_stored(database: str, id_token: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        opened = await strum.ask(start(id_token=id_token, connector_id=2**31 - 1, meter_start_wh=-(2**63)))
        await strum.ask(stop(opened.number, meter_stop_wh=2**63 - 1, reason="'"))

        (seen,) = await _listed(strum)
        assert (seen["id_token"], seen["state"]) == (id_token, "finished")
        assert seen["flags"] == ["suspect", "power_implausible"]
