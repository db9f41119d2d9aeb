"""A station's side of a translation: the context of a CALL, and what comes of it."""

from datetime import UTC, datetime
from typing import Any

from communication_service.ocpp.route import Answer, Ask, Context, Publish, Written
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.versions import Version
from shared_contracts.message import Event, Reply, Request
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.test_routes import TABLES

RECEIVED_AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
AT, AT_TEXT = datetime(2025, 3, 1, 11, 59, 30, tzinfo=UTC), "2025-03-01T11:59:30Z"
EXPIRES_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Station:
    """Speaks one version; what it says has to hold to the schema unless it is `odd`."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.context = Context("CS1", version, RECEIVED_AT)

    def publishes(self, action: str, payload: dict[str, Any], *, odd: bool = False) -> Event:
        """The event that a CALL becomes; its answer is empty."""
        outcome = self._outcome(action, payload, odd)
        assert isinstance(outcome, Publish)
        assert outcome.answer == {}
        return outcome.event.read() if isinstance(outcome.event, Written) else outcome.event

    def asks(self, action: str, payload: dict[str, Any], *, odd: bool = False) -> Request[Any]:
        """The request that a CALL becomes."""
        outcome = self._outcome(action, payload, odd)
        assert isinstance(outcome, Ask)
        return outcome.request

    def is_told(self, action: str, payload: dict[str, Any], reply: Reply | None = None) -> dict[str, Any]:
        """The payload of the CALLRESULT, after the reply of a module if one is asked."""
        outcome = self._outcome(action, payload, odd=False)
        answer = outcome.answer(reply) if isinstance(outcome, Ask) else outcome.answer
        assert isinstance(outcome, Ask | Answer)
        assert official.violations(self.version, action, answer, Kind.RESPONSE) == []
        return answer

    def _outcome(self, action: str, payload: dict[str, Any], odd: bool) -> Any:
        assert odd or official.violations(self.version, action, payload) == []
        return TABLES[self.version].INBOUND[action](payload, self.context)
