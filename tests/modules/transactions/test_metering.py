from typing import Any

from shared_contracts.authorization import JudgeToken
from shared_contracts.stations import MeterReading, SampledValue
from tests.harness import running
from tests.modules.transactions.messages import accept, at, metered, reading, start, stop

FAKES: dict[Any, Any] = {JudgeToken: accept}


async def test_a_transaction_shows_what_the_meter_said_last(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        ref = str((await strum.ask(start())).number)
        _, page = await strum.api().get("/transactions")
        path = f"/transactions/{page['items'][0]['id']}"
        await strum.publish(
            metered(ref, reading(20, 3000, power_w=7400, state_of_charge_percent=41.5), reading(10, 2000)),
            metered(ref, reading(5, 1500, power_w=1)),
            metered(ref, reading(30, 9999), station_id="CS2"),
        )
        _, seen = await strum.api().get(path)

        assert (seen["energy_wh"], seen["power_w"], seen["state_of_charge_percent"]) == (2000, 7400, 41.5)
        assert seen["metered_at"].startswith(at(20).isoformat()[:19])
        _, page = await strum.api().get("/transactions")
        assert page["items"] == [seen]


async def test_readings_after_the_stop_are_kept_and_change_no_figure(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        number = (await strum.ask(start())).number
        await strum.ask(stop(number))
        await strum.publish(metered(str(number), reading(61, 9000)))
        _, page = await strum.api().get("/transactions")
        (seen,) = page["items"]
        _, values = await strum.api().get(f"/transactions/{seen['id']}/meter-values")

        assert seen["energy_wh"] == 7000
        assert [item["energy_wh"] for item in values["items"]] == [9000]


async def test_repeated_readings_are_shown_once_and_paged(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        ref = str((await strum.ask(start())).number)
        told = [metered(ref, reading(minute, 1000 + minute)) for minute in range(7)]
        await strum.publish(*told, *told)
        await strum.publish(metered(ref, reading(3, 5000)))
        _, page = await strum.api().get("/transactions")
        path = f"/transactions/{page['items'][0]['id']}/meter-values"

        seen: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            _, page = await strum.api().get(path, limit=3, **cursor)
            seen += [item["energy_wh"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert sorted(seen) == sorted([1000, 1001, 1002, 1003, 5000, 1004, 1005, 1006])
        assert seen[:3] + seen[5:] == [1000, 1001, 1002, 1004, 1005, 1006]


async def test_samples_are_shown_as_the_station_sent_them(database: str) -> None:
    sent = (
        SampledValue(value="12,5", unit="Celcius", measurand="Temperature", location="Body"),
        SampledValue(value="'; =cmd()", measurand="Voltage", phase="L1-N"),
    )
    async with running(database, "transactions", fakes=FAKES) as strum:
        ref = str((await strum.ask(start())).number)
        await strum.publish(metered(ref, MeterReading(sampled_at=at(1), values=sent, flags=("decimal_comma",))))
        _, page = await strum.api().get("/transactions")
        _, values = await strum.api().get(f"/transactions/{page['items'][0]['id']}/meter-values")

        (seen,) = values["items"]
        assert tuple(SampledValue(**sample) for sample in seen["samples"]) == sent
        assert seen["energy_wh"] is None


async def test_readings_outside_a_transaction_are_taken(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        await strum.publish(metered(None, reading(0, 5)), metered("0", reading(0, 5)), metered(None))
        await strum.publish(metered(None, reading(0, 2**62, power_w=-(2**31), evse_id=1)))
