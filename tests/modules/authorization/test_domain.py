"""The verdict on an id token, and when two texts are one token (T19)."""

from datetime import UTC, datetime, timedelta

import pytest

from modules.authorization.domain import Permission, needs_no_token, status_of
from shared_contracts.authorization import TokenStatus, fold_token

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("permission", "expires_at", "status"),
    [
        (Permission.ACCEPTED, None, TokenStatus.ACCEPTED),
        (Permission.ACCEPTED, LATER, TokenStatus.ACCEPTED),
        (Permission.ACCEPTED, NOW, TokenStatus.EXPIRED),
        (Permission.ACCEPTED, EARLIER, TokenStatus.EXPIRED),
        (Permission.BLOCKED, None, TokenStatus.BLOCKED),
        (Permission.BLOCKED, EARLIER, TokenStatus.BLOCKED),
    ],
)
def test_the_status_follows_from_permission_and_expiry(
    permission: Permission, expires_at: datetime | None, status: TokenStatus
) -> None:
    assert status_of(permission, expires_at, NOW) is status


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("abc", "ABC"),
        ("04A2B9fe", "04a2b9FE"),
        ("i", "I"),
        ("é", "E\u0301"),
        ("ΣΑΣ", "σας"),
        ("straße", "STRASSE"),
        ("\u212b", "å"),
    ],
)
def test_tokens_that_differ_in_case_or_composition_are_the_same(one: str, other: str) -> None:
    assert fold_token(one) == fold_token(other)


@pytest.mark.parametrize(
    ("one", "other"), [("İ", "i"), ("\u0131", "i"), ("\u0131", "I"), ("İ", "\u0131"), ("é", "e"), ("abc", "abc ")]
)
def test_other_letters_are_other_tokens(one: str, other: str) -> None:
    assert fold_token(one) != fold_token(other)


def test_folding_twice_changes_nothing_more() -> None:
    for text in ("İstanbul", "\u0131", "ΐ", "ǰ", "ß", "\u0345", "\u1fb3"):
        assert fold_token(fold_token(text)) == fold_token(text)


def test_only_a_start_without_any_token_needs_none() -> None:
    assert needs_no_token("NoAuthorization")
    assert not needs_no_token("ISO14443")
    assert not needs_no_token(None)
