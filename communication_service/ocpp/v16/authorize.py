"""Authorize (OCPP 1.6 §4.1), and the IdTagInfo that three answers carry (§7.27)."""

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
_LONGEST_ID_TAG = 20


def authorize(payload: Payload, context: Context) -> Ask[TokenJudged]:
    """A driver presented an id tag."""
    request = JudgeToken(station_id=context.station_id, id_token=payload["idTag"])
    return Ask(request, lambda reply: {"idTagInfo": id_tag_info(reply.status, reply.expires_at, reply.group)})


def id_tag_info(status: TokenStatus, expires_at: datetime | None, group: str | None) -> Payload:
    """The verdict for the station to remember. A group that 1.6 has no room for is left out."""
    return present(
        status=_STATUSES[status],
        expiryDate=stamp(expires_at),
        parentIdTag=group if group and len(group) <= _LONGEST_ID_TAG else None,
    )
