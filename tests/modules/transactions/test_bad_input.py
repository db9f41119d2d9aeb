"""What stations say that cannot be right is stored and flagged, never refused. The numbers are those of
docs/bad-input.md, where the edge's part of each row is tested too.
"""

from typing import Any

import pytest

from shared_contracts.authorization import JudgeToken, TokenStatus
from shared_contracts.transactions import TransactionEnded
from tests.harness import Running, running
from tests.modules.transactions.messages import REF, accept, at, metered, reading, report, start, stop

FAKES: dict[Any, Any] = {JudgeToken: accept}
ROLLS_OVER = {"register_rollover_wh": 100_000}


async def _shown(strum: Running, ref: str) -> dict[str, Any]:
    _, page = await strum.api().get("/transactions")
    (found,) = [item for item in page["items"] if item["transaction_ref"] == ref]
    return dict(found)


async def _charged(strum: Running, begun: dict[str, Any], ended: dict[str, Any]) -> dict[str, Any]:
    number = (await strum.ask(start(**begun))).number
    await strum.ask(stop(number, **ended))
    return await _shown(strum, str(number))


@pytest.mark.parametrize("text", ["222222017-10-27T19:10:11Z", "9999-12-31T23:59:59-14:00", "1000000"])
async def test_36_a_time_that_cannot_be_true_leaves_the_time_of_receipt_and_its_text(database: str, text: str) -> None:
    flag = f"time_out_of_range:{text}"
    async with running(database, "transactions", fakes=FAKES) as strum:
        seen = await _charged(strum, {"flags": (flag,)}, {"flags": (flag,)})

        assert (seen["state"], seen["flags"], seen["duration_s"]) == ("finished", [flag], 3600)


@pytest.mark.parametrize(
    ("start_wh", "stop_wh", "energy_wh", "flags"),
    [
        (-5, 5, 10, []),
        (8000, 1000, 0, ["suspect", "meter_decreased"]),
        (1000, 3_700_000, 3_699_000, ["suspect", "power_implausible"]),
    ],
)
async def test_37_a_meter_that_cannot_be_right_is_stored_and_suspect(
    database: str, start_wh: int, stop_wh: int, energy_wh: int, flags: list[str]
) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        seen = await _charged(strum, {"meter_start_wh": start_wh}, {"meter_stop_wh": stop_wh})

        assert (seen["meter_start_wh"], seen["meter_stop_wh"]) == (start_wh, stop_wh)
        assert (seen["energy_wh"], seen["flags"]) == (energy_wh, flags)


@pytest.mark.parametrize(
    ("settings", "energy_wh", "flags"),
    [({}, 0, ["suspect", "meter_decreased"]), (ROLLS_OVER, 7000, ["register_rollover"])],
)
async def test_38_a_register_that_began_again_counts_on_where_that_is_known(
    database: str, settings: dict[str, int], energy_wh: int, flags: list[str]
) -> None:
    async with running(database, "transactions", fakes=FAKES, transactions=settings) as strum:
        old = await _charged(strum, {"meter_start_wh": 95_000}, {"meter_stop_wh": 2_000})
        await strum.publish(
            report("started", 0, 0, readings=(reading(0, 95_000),)),
            report("ended", 1, 60, readings=(reading(60, 2_000),)),
        )
        new = await _shown(strum, REF)

        assert [(seen["energy_wh"], seen["flags"]) for seen in (old, new)] == [(energy_wh, flags)] * 2


async def test_38_a_register_that_went_back_by_mistake_is_suspect_all_the_same(database: str) -> None:
    """Counting on would mean 99 kWh in a minute."""
    async with running(database, "transactions", fakes=FAKES, transactions=ROLLS_OVER) as strum:
        seen = await _charged(strum, {"meter_start_wh": 3000}, {"meter_stop_wh": 2000, "stopped_at": at(1)})

        assert (seen["energy_wh"], seen["flags"]) == (0, ["suspect", "meter_decreased"])


@pytest.mark.parametrize("connector_id", [0, -1, 999, 2**31 - 1])
async def test_41_a_transaction_on_a_connector_that_cannot_be_is_stored(database: str, connector_id: int) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        seen = await _charged(strum, {"connector_id": connector_id}, {})

        assert (seen["connector_id"], seen["state"]) == (connector_id, "finished")


async def test_42_an_end_without_a_start_is_a_transaction_that_says_so(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        await strum.publish(report("ended", 9, 60))

        seen = await _shown(strum, REF)
        assert (seen["state"], seen["flags"]) == ("finished", ["start_missing"])


async def test_43_readings_without_a_transaction_are_stored_and_change_no_figure(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        before = await _charged(strum, {}, {})
        await strum.publish(metered(None, reading(70, 99_000)), metered(before["transaction_ref"], reading(71, 99_500)))

        assert await _shown(strum, before["transaction_ref"]) == before


async def test_44_a_start_on_a_connector_that_is_taken_is_accepted_and_the_older_one_flagged(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        older = await strum.ask(start())
        newer = await strum.ask(start(started_at=at(5), id_token="Cd2"))

        assert newer.status is TokenStatus.ACCEPTED
        assert (await _shown(strum, str(older.number)))["flags"] == ["abandoned"]
        assert (await _shown(strum, str(newer.number)))["flags"] == []


@pytest.mark.parametrize(
    "token", ["", "x" * 40, "' OR 1=1 --", "<script>alert(1)</script>", "=cmd()", "\U0001f600", "A\ufffd", "aBc"]
)
async def test_46_any_text_is_an_id_token_and_comes_back_as_it_was(database: str, token: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        seen = await _charged(strum, {"id_token": token}, {})
        (ended,) = await strum.hear(TransactionEnded)

        assert (seen["id_token"], ended.id_token) == (token, token)
        if token:
            _, page = await strum.api().get("/transactions", id_token=token.swapcase())
            assert [item["id"] for item in page["items"]] == [seen["id"]]
