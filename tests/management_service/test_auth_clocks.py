"""Clocks that are wrong (F34): replicas trust each other if they differ by less than a minute, and what was verified
is verified again in time whatever the clock is set to.
"""

import time
from typing import Any, cast

import pytest

from management_service import auth
from management_service.auth import Authenticator
from modules.kernel.errors import Unauthenticated
from shared_contracts.bus import Bus
from shared_contracts.users import API_KEY_PREFIX, ApiKeyVerified, Role
from tests.management_service.test_auth import Clock, Users, issued

HOUR_S = 3600.0
LIFE_S = 600.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(auth, "time", clock)
    return clock


@pytest.fixture
def answering() -> Users:
    answering = Users()
    answering.api_key = ApiKeyVerified(user_id="u-1", role=Role.ADMIN)
    return answering


@pytest.fixture
def replica(clock: Clock, answering: Users) -> Authenticator:
    return Authenticator(cast("Bus", answering))


def token_of(*, ahead_s: float, age_s: float) -> str:
    """What a replica whose clock is so far ahead of ours issued a while ago."""
    issued_at = time.time() + ahead_s - age_s
    return issued(iat=issued_at, nbf=issued_at, exp=issued_at + LIFE_S)


@pytest.mark.parametrize(("ahead_s", "age_s"), [(50, 0), (-50, 0), (50, LIFE_S - 1), (-50, LIFE_S - 1)])
async def test_a_token_of_a_replica_whose_clock_differs_a_little_holds_all_its_life(
    replica: Authenticator, ahead_s: float, age_s: float
) -> None:
    assert await replica.principal(f"Bearer {token_of(ahead_s=ahead_s, age_s=age_s)}") is not None


@pytest.mark.parametrize("ahead_s", [HOUR_S, 70, -LIFE_S - 70, -HOUR_S])
async def test_a_token_of_a_replica_whose_clock_is_far_off_is_refused(replica: Authenticator, ahead_s: float) -> None:
    with pytest.raises(Unauthenticated):
        await replica.principal(f"Bearer {token_of(ahead_s=ahead_s, age_s=0)}")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_a_token_that_begins_to_hold_in_an_hour_is_refused(replica: Authenticator, claim: str) -> None:
    claims: dict[str, Any] = {claim: time.time() + HOUR_S}
    with pytest.raises(Unauthenticated):
        await replica.principal(f"Bearer {issued(**claims)}")


@pytest.mark.parametrize("set_by_s", [-HOUR_S, HOUR_S])
async def test_an_api_key_is_asked_for_anew_in_time_though_the_clock_was_set(
    replica: Authenticator, answering: Users, clock: Clock, set_by_s: float
) -> None:
    for passed_s, asked in ((0.0, 1), (9.0, 1), (11.0, 2)):
        clock.passed_s = passed_s
        await replica.principal(f"Bearer {API_KEY_PREFIX}x")
        assert len(answering.hashes) == asked
        clock.set_by_s = set_by_s


async def test_a_token_is_verified_anew_in_time_though_the_clock_was_set_back(
    replica: Authenticator, clock: Clock
) -> None:
    header = f"Bearer {issued(exp=int(time.time()) + LIFE_S)}"
    assert await replica.principal(header) is not None
    clock.set_by_s, clock.passed_s = -HOUR_S, LIFE_S + 59
    assert replica.remembers(header)
    clock.passed_s = LIFE_S + 61
    assert not replica.remembers(header)
