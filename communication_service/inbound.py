"""Answers one CALL of a station: validate, translate, publish or ask, answer. Never raises."""

import structlog

from communication_service.dialects import QUEUED, Dialect
from communication_service.flags import count_flags
from communication_service.metrics import DEVIATIONS, MESSAGES
from communication_service.ocpp import actions, schemas
from communication_service.ocpp.errors import Fault, Refusal
from communication_service.ocpp.frames import Call, Send, dump_error, dump_result
from communication_service.ocpp.route import Answer, Ask, Context, Outcome, Payload, Publish, seal
from communication_service.ocpp.violations import Violation
from communication_service.patience import ask_patiently
from communication_service.standing import Standing
from shared_contracts.bus import Bus, BusError
from shared_contracts.charge_points import BootAnswered
from shared_contracts.message import Reply, new_id
from shared_contracts.sparse import Sparse

log = structlog.get_logger()

_NOT_ACCEPTED = Refusal(Fault.SECURITY, "the station is not accepted yet: send BootNotification")
_OWN_TROUBLE = Refusal(Fault.INTERNAL, "temporarily not available")
_NOT_SUPPORTED = Refusal(Fault.UNSUPPORTED_ACTION, "the action is not supported")


class Inbound:
    """One per pod and dialect; holds no state of a station."""

    def __init__(self, bus: Bus, dialect: Dialect, *, strict: bool, timeout_s: float) -> None:
        self._bus = bus
        self._dialect = dialect
        self._strict = strict
        self._timeout_s = timeout_s
        self._sparse = Sparse()
        labels = {outcome: MESSAGES.labels(dialect.version, outcome) for outcome in ("result", "error", "silent")}
        self._results, self._errors, self._silences = labels["result"], labels["error"], labels["silent"]

    async def answer(self, call: Call | Send, context: Context, standing: Standing) -> str | None:
        """The text to send back, or None where silence has the station repeat the message later."""
        try:
            return await self._answer(call, context, standing)
        except Exception:
            log.exception("call_failed", station=context.station_id, action=call.action[:64])
            return self._trouble(call)

    async def _answer(self, call: Call | Send, context: Context, standing: Standing) -> str | None:
        version = self._dialect.version
        refusal = None if isinstance(call, Send) else actions.refuse(version, call.action)
        if refusal is not None:
            return self._refuse(call, refusal)
        route = self._dialect.inbound.get(call.action)
        if route is None:
            return self._refuse(call, _NOT_SUPPORTED)
        if not standing.allows(call.action):
            return self._refuse(call, _NOT_ACCEPTED)
        verdict = schemas.judge(version, call.action, call.payload, strict=self._strict)
        if verdict.refusal is not None:
            return self._refuse(call, verdict.refusal)
        if verdict.tolerated or call.quirks:
            self._note(call, verdict.tolerated)
        try:
            payload = await self._carry_out(route(verdict.payload, context), context, standing)
        except BusError as error:
            if self._sparse.due():
                log.warning("call_unanswered", station=context.station_id, action=call.action, error=repr(error))
            return self._trouble(call)
        self._results.inc()
        if isinstance(call, Send):
            return None
        return dump_result(call.message_id, payload)

    async def _carry_out(self, outcome: Outcome, context: Context, standing: Standing) -> Payload:
        count_flags(outcome, self._dialect.version)
        match outcome:
            case Publish(event, payload):
                await self._bus.publish(seal(event, occurred_at=context.received_at))  # the bus bounds it
                return payload
            case Ask(request, answer):
                reply: Reply = await ask_patiently(self._bus, request, within_s=self._timeout_s, trace=new_id())
                if isinstance(reply, BootAnswered):
                    standing.registration = reply.registration
                return answer(reply)
            case Answer(payload):
                return payload

    def _note(self, call: Call | Send, tolerated: tuple[Violation, ...]) -> None:
        """Count what a station does its own way. The labels are ours: keywords of JSON schema and quirks."""
        for kind in (*call.quirks, *(violation.keyword for violation in tolerated)):
            DEVIATIONS.labels(self._dialect.version, kind).inc()

    def _refuse(self, call: Call | Send, refusal: Refusal) -> str | None:
        self._errors.inc()
        log.debug("call_refused", version=self._dialect.version, action=call.action[:64], fault=refusal.fault)
        return None if isinstance(call, Send) else dump_error(call.message_id, refusal, self._dialect.version)

    def _trouble(self, call: Call | Send) -> str | None:
        """Our own trouble: silence where a refusal would have the station throw the message away."""
        if isinstance(call, Send) or call.action in QUEUED:
            self._silences.inc()
            return None
        return self._refuse(call, _OWN_TROUBLE)
