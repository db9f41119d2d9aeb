import pytest

from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import EXPIRES_AT, Station

STATION = Station(Version.V16)


def test_an_id_tag_is_judged_as_it_was_read() -> None:
    assert STATION.asks("Authorize", {"idTag": "aBc"}) == JudgeToken(station_id="CS1", id_token="aBc")


@pytest.mark.parametrize("status", TokenStatus)
def test_every_verdict_has_a_word(status: TokenStatus) -> None:
    told = STATION.is_told("Authorize", {"idTag": "A"}, TokenJudged(status=status))
    assert told["idTagInfo"]["status"] in official.words(
        Version.V16, "Authorize", "idTagInfo", "status", kind=Kind.RESPONSE
    )


def test_expiry_and_group_are_told() -> None:
    reply = TokenJudged(status=TokenStatus.CONCURRENT_TX, expires_at=EXPIRES_AT, group="G")
    assert STATION.is_told("Authorize", {"idTag": "A"}, reply) == {
        "idTagInfo": {"status": "ConcurrentTx", "expiryDate": "2026-01-01T00:00:00.000Z", "parentIdTag": "G"}
    }


def test_a_group_too_long_for_an_id_tag_is_left_out() -> None:
    reply = TokenJudged(status=TokenStatus.ACCEPTED, group="G" * 21)
    assert STATION.is_told("Authorize", {"idTag": "A"}, reply) == {"idTagInfo": {"status": "Accepted"}}
