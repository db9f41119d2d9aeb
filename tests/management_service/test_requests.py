"""Requests of other modules and of the edge."""

import asyncio

import pytest

from shared_contracts.bus import RequestFailed, ask
from shared_contracts.message import Envelope
from tests.management_service.probe import Answered, Ask, AskNobody, probing


async def test_a_request_is_answered(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        answers = await asyncio.gather(*(strum.ask(Ask(text=str(number))) for number in range(20)))

        assert answers == [Answered(text=str(number)) for number in range(20)]


@pytest.mark.parametrize(("text", "code"), [("refuse", "conflict"), ("break", "internal"), ("kill", "unavailable")])
async def test_a_refusal_carries_a_code_and_no_more_than_it_must(
    database: str, monkeypatch: pytest.MonkeyPatch, text: str, code: str
) -> None:
    async with probing(database, monkeypatch) as strum:
        with pytest.raises(RequestFailed) as refused:
            await strum.ask(Ask(text=text))

        assert refused.value.code == code
        assert "secret" not in str(refused.value)


async def test_a_request_that_does_not_fit_the_contract_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(database, monkeypatch) as strum:
        odd = Envelope("e", Ask.key, None, Envelope.of(Ask()).occurred_at, b'{"text": 5}')
        with pytest.raises(RequestFailed) as refused:
            await strum.bus.request(odd, timeout=5)

        assert refused.value.code == "invalid_message"


async def test_a_request_that_nobody_serves_is_known_at_once(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with probing(database, monkeypatch) as strum:
        with pytest.raises(Exception, match=AskNobody.key):
            await ask(strum.bus, AskNobody(), timeout=5)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_who_stood_in_anothers_way_is_answered_all_the_same(
    database: str, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async with probing(database, monkeypatch) as strum:
        assert await strum.ask(Ask(text=code)) == Answered(text=code)
