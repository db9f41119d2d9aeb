"""A module that is away for a moment goes unnoticed; a refusal does not."""

import asyncio

import pytest

from communication_service.patience import ask_patiently
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from shared_contracts.bus import NoHandler, RequestFailed
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope

QUESTION = JudgeToken(station_id="S1", id_token="T1")


async def accept(_: Envelope) -> bytes:
    return TokenJudged(status=TokenStatus.ACCEPTED).model_dump_json().encode()


@pytest.fixture
async def bus() -> MemoryBus:
    memory = MemoryBus()
    await memory.start()
    return memory


async def test_a_module_that_comes_back_answers_the_question_asked_before(bus: MemoryBus) -> None:
    asking = asyncio.create_task(ask_patiently(bus, QUESTION, within_s=5.0))
    await asyncio.sleep(0.1)
    assert not asking.done()
    bus.serve("authorization", {JudgeToken.key: accept})
    assert (await asking).status is TokenStatus.ACCEPTED


async def test_a_database_that_comes_back_goes_unnoticed(bus: MemoryBus) -> None:
    asked = 0

    async def answer_the_second_time(envelope: Envelope) -> bytes:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RequestFailed("unavailable", "the database is away")
        return await accept(envelope)

    bus.serve("authorization", {JudgeToken.key: answer_the_second_time})
    assert (await ask_patiently(bus, QUESTION, within_s=5.0)).status is TokenStatus.ACCEPTED
    assert asked == 2


async def test_patience_ends(bus: MemoryBus) -> None:
    with pytest.raises(NoHandler):
        await ask_patiently(bus, QUESTION, within_s=0.5)


async def test_a_refusal_is_final(bus: MemoryBus) -> None:
    asked = 0

    async def refuse(_: Envelope) -> bytes:
        nonlocal asked
        asked += 1
        raise RequestFailed("not_found", "no such thing")

    bus.serve("authorization", {JudgeToken.key: refuse})
    with pytest.raises(RequestFailed):
        await ask_patiently(bus, QUESTION, within_s=5.0)
    assert asked == 1
