"""T19: an id token is the same in any case and composition, and no group or offline start makes a bad one good."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.phrases import authorize, begin, end
from tests.communication_service.stations import Station
from tests.faults.whole import say, whole
from tests.harness import Running

ONLY_KNOWN = {"authorization": {"accept_unknown_tokens": False}}
SAME = {
    "abc": ("ABC", "aBc"),
    "Straße": ("STRASSE", "strasse"),
    "Caf\u00e9": ("cafe\u0301", "CAF\u00c9", "CAFE\u0301"),
    "\u0130x": ("I\u0307X",),  # Turkish: a capital I with its dot, in one character and in two
}
OTHERS = ("\u0131x", "ix", "IX", "cafe", "abc ", "ab\u0441", "\uff41bc", "abc\0", "")
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()


async def _register(strum: Running, value: str, **fields: Any) -> None:
    status, made = await strum.api().post("/id-tokens", {"value": value, **fields})
    assert status == 201, made


def _verdict(version: Version, answer: dict[str, Any]) -> tuple[str, str | None]:
    """The status and the group that a station is told."""
    if version is Version.V16:
        info = answer["idTagInfo"]
        return info["status"], info.get("parentIdTag")
    info = answer["idTokenInfo"]
    return info["status"], info.get("groupIdToken", {}).get("idToken")


async def _asked(station: Station, version: Version, token: str) -> tuple[str, str | None]:
    return _verdict(version, await say(station, authorize(version, token)))


@pytest.mark.parametrize("version", Version)
async def test_a_station_may_write_a_token_in_any_case_and_composition_but_not_another(
    database: str, version: Version
) -> None:
    async with whole(database, **ONLY_KNOWN) as w, w.station(version) as station:
        for value, writings in SAME.items():
            await _register(w.strum, value)
            for text in (value, *writings):
                assert await _asked(station, version, text) == ("Accepted", None), text
        for text in OTHERS:
            assert (await _asked(station, version, text))[0] != "Accepted", text


@pytest.mark.parametrize("version", Version)
async def test_transactions_of_one_token_are_of_one_driver_and_found_together(database: str, version: Version) -> None:
    async with whole(database, **ONLY_KNOWN, transactions={"refuse_concurrent": True}) as w:
        await _register(w.strum, "CAF\u00c9", driver_id="u-7")
        async with w.station(version, "CS1") as one, w.station(version, "CS2") as two:
            first = await say(one, begin(version, token="cafe\u0301"))
            second = await say(two, begin(version, token="Caf\u00c9"))
        found = await w.page("/transactions", id_token="caf\u00e9")
        told = [_verdict(version, answer)[0] for answer in (first, second)]

        assert told == ["Accepted", "ConcurrentTx"]
        assert {(one["station_id"], one["driver_id"]) for one in found} == {("CS1", "u-7"), ("CS2", "u-7")}


def _named(version: Version, token: str) -> dict[str, Any]:
    """Who stops a transaction."""
    return {"idTag": token} if version is Version.V16 else {"idToken": {"idToken": token, "type": "ISO14443"}}


@pytest.mark.parametrize("version", Version)
async def test_a_member_of_the_group_stops_the_transaction_of_another_who_stays_its_owner(
    database: str, version: Version
) -> None:
    """The station compares the groups that it is told (1.6 §4.8, 2.0.1 C09); whom it charges is who began."""
    async with whole(database, **ONLY_KNOWN) as w, w.station(version) as station:
        await _register(w.strum, "OWNER", group="Fleet", driver_id="u-7")
        await _register(w.strum, "MEMBER", group="Fleet", driver_id="u-8")
        await _register(w.strum, "STRANGER")
        begun = await say(station, begin(version, token="owner"))
        groups = [await _asked(station, version, token) for token in ("member", "stranger")]
        ended = await say(station, end(version, number=begun.get("transactionId"), **_named(version, "member")))
        (shown,) = await w.page("/transactions")

        assert groups == [("Accepted", "Fleet"), ("Accepted", None)]
        assert _verdict(version, begun) == _verdict(version, ended) == ("Accepted", "Fleet")
        assert (shown["state"], shown["id_token"], shown["driver_id"]) == ("finished", "owner", "u-7")


@pytest.mark.parametrize("version", Version)
async def test_a_blocked_or_expired_member_of_a_group_is_not_good_for_its_group(
    database: str, version: Version
) -> None:
    async with whole(database, **ONLY_KNOWN) as w, w.station(version) as station:
        await _register(w.strum, "GOOD", group="Fleet")
        await _register(w.strum, "BLOCKED", group="Fleet", status="blocked")
        await _register(w.strum, "EXPIRED", group="Fleet", expires_at=YESTERDAY)
        told = [(await _asked(station, version, token))[0] for token in ("good", "blocked", "expired", "Fleet")]

        assert told == ["Accepted", "Blocked", "Expired", "Invalid"], "a group itself is no token"


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(("token", "verdict"), [("BLOCKED", "Blocked"), ("EXPIRED", "Expired"), ("NOBODYS", "Invalid")])
async def test_an_offline_start_by_a_bad_token_is_kept_and_the_station_told_to_end_it(
    database: str, version: Version, token: str, verdict: str
) -> None:
    """What was charged offline is a fact; whether it goes on is the station's to decide by the verdict."""
    more = {} if version is Version.V16 else {"offline": True}
    async with whole(database, **ONLY_KNOWN) as w, w.station(version) as station:
        await _register(w.strum, "BLOCKED", group="Fleet", status="blocked")
        await _register(w.strum, "EXPIRED", group="Fleet", expires_at=YESTERDAY)
        answer = await say(station, begin(version, token=token, at=YESTERDAY, **more))
        (shown,) = await w.page("/transactions", open="true")

        assert _verdict(version, answer)[0] == verdict
        assert (shown["id_token"], shown["driver_id"], shown["state"]) == (token, None, "charging")
