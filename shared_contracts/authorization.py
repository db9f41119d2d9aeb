"""Who may charge. Owner: modules/authorization."""

import unicodedata
from enum import StrEnum
from typing import ClassVar

from shared_contracts.message import Event, Reply, Request, StationId, UtcTime


def fold_token(id_token: str) -> str:
    """The form in which id tokens are equal: without regard to case (OCPP's CiString), in any script and locale.

    Canonical caseless matching of Unicode: `abc` is `ABC`, a composed é is a decomposed one; the Turkish `İ` and
    dotless i are letters of their own, neither of them `i`.
    """
    if id_token.isascii():
        return id_token.lower()
    folded = unicodedata.normalize("NFD", id_token).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded))


class TokenStatus(StrEnum):
    """The verdict on an id token (OCPP 2.0.1 AuthorizationStatusEnumType, the part that 1.6 shares)."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    INVALID = "invalid"
    CONCURRENT_TX = "concurrent_tx"


class TokenJudged(Reply):
    """The verdict, and what a station may remember of it."""

    status: TokenStatus
    expires_at: UtcTime | None = None
    group: str | None = None
    driver_id: str | None = None


class JudgeToken(Request[TokenJudged]):
    """May this id token charge here? Compared without regard to case (CiString)."""

    key: ClassVar[str] = "authorization.judge_token.v1"
    station_id: StationId
    id_token: str
    token_type: str | None = None


class IdTokenChanged(Event):
    """A token was created, changed or removed (`removed`)."""

    key: ClassVar[str] = "authorization.id_token_changed.v1"
    id_token: str
    status: TokenStatus
    driver_id: str | None = None
    removed: bool = False
