import pytest

from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import EXPIRES_AT, Station

STATION = Station(Version.V201)
TOKEN = {"idToken": {"idToken": "aBc", "type": "eMAID"}}


def test_a_token_is_judged_with_its_type() -> None:
    assert STATION.asks("Authorize", TOKEN) == JudgeToken(station_id="CS1", id_token="aBc", token_type="eMAID")


@pytest.mark.parametrize("status", TokenStatus)
def test_every_verdict_has_a_word(status: TokenStatus) -> None:
    told = STATION.is_told("Authorize", TOKEN, TokenJudged(status=status))
    known = official.words(Version.V201, "Authorize", "idTokenInfo", "status", kind=Kind.RESPONSE)
    assert told["idTokenInfo"]["status"] in known


def test_expiry_and_group_are_told() -> None:
    reply = TokenJudged(status=TokenStatus.EXPIRED, expires_at=EXPIRES_AT, group="G")
    assert STATION.is_told("Authorize", TOKEN, reply) == {
        "idTokenInfo": {
            "status": "Expired",
            "cacheExpiryDateTime": "2026-01-01T00:00:00.000Z",
            "groupIdToken": {"idToken": "G", "type": "Central"},
        }
    }


def test_a_group_too_long_for_201_is_left_out() -> None:
    reply = TokenJudged(status=TokenStatus.ACCEPTED, group="G" * 37)
    assert STATION.is_told("Authorize", TOKEN, reply) == {"idTokenInfo": {"status": "Accepted"}}
