"""Authorize (OCPP 2.0.1 C01), and the IdTokenInfo that two answers carry (part 2 §2.28)."""

from datetime import datetime

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.wire import present, stamp
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus

_STATUSES = {
    TokenStatus.ACCEPTED: "Accepted",
    TokenStatus.BLOCKED: "Blocked",
    TokenStatus.EXPIRED: "Expired",
    TokenStatus.INVALID: "Invalid",
    TokenStatus.CONCURRENT_TX: "ConcurrentTx",
}
_LONGEST_ID_TOKEN = 36


def authorize(payload: Payload, context: Context) -> Ask[TokenJudged]:
    """A driver presented an id token. Contract certificates (C07) are not looked at."""
    token = payload["idToken"]
    request = JudgeToken(station_id=context.station_id, id_token=token["idToken"], token_type=token["type"])
    return Ask(request, lambda reply: {"idTokenInfo": id_token_info(reply.status, reply.expires_at, reply.group)})


def id_token_info(status: TokenStatus, expires_at: datetime | None, group: str | None) -> Payload:
    """The verdict for the station to remember. A group that 2.0.1 has no room for is left out."""
    fits = group and len(group) <= _LONGEST_ID_TOKEN
    return present(
        status=_STATUSES[status],
        cacheExpiryDateTime=stamp(expires_at),
        groupIdToken={"idToken": group, "type": "Central"} if fits else None,
    )
