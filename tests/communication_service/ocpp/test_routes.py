"""What holds for the tables of all versions."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from communication_service.ocpp import actions
from communication_service.ocpp.route import Answer, Ask, Context, Publish, Written, seal
from communication_service.ocpp.schemas import Kind
from communication_service.ocpp.v16 import routes as v16
from communication_service.ocpp.v21 import routes as v21
from communication_service.ocpp.v201 import routes as v201
from communication_service.ocpp.versions import Version
from shared_contracts.commands import Command, RawCall
from shared_contracts.message import Envelope
from tests.communication_service.ocpp import official

TABLES = {Version.V16: v16, Version.V201: v201, Version.V21: v21}
ROUTES = [
    pytest.param(version, action, id=f"{version}-{action}") for version in TABLES for action in TABLES[version].INBOUND
]
RECEIVED_AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("version", TABLES)
def test_every_action_of_a_station_that_can_be_answered_emptily_has_a_route(version: Version) -> None:
    answerable = {
        action
        for action, sender in actions.KNOWN[version].items()
        if sender is actions.Direction.FROM_STATION
        and action not in actions.SENT_WITHOUT_ANSWER
        and not official.schema(version, action, Kind.RESPONSE).get("required")
    }
    assert answerable <= TABLES[version].INBOUND.keys()


@pytest.mark.parametrize(("version", "action"), ROUTES)
def test_a_route_is_for_an_action_that_a_station_may_send(version: Version, action: str) -> None:
    assert actions.refuse(version, action) is None


@pytest.mark.parametrize("version", TABLES)
def test_every_command_but_the_raw_call_has_a_route(version: Version) -> None:
    [union, _] = get_args(Command)
    assert set(TABLES[version].COMMANDS) == set(get_args(union)) - {RawCall}


@pytest.mark.parametrize(("version", "action"), ROUTES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_no_payload_makes_a_route_raise(version: Version, action: str, data: st.DataObject) -> None:
    payload = data.draw(official.hostile(version, action))
    outcome = TABLES[version].INBOUND[action](payload, Context("CS 1", version, RECEIVED_AT))
    match outcome:
        case Publish(event=Written() as event, answer=answer):
            assert event.payload == seal(event.read()).payload
            assert official.violations(version, action, answer, Kind.RESPONSE) == []
        case Publish(event=event, answer=answer):
            assert seal(event).read(type(event)) == event
            assert official.violations(version, action, answer, Kind.RESPONSE) == []
        case Ask(request=request):
            assert Envelope.of(request).read(type(request)) == request
        case Answer(answer=answer):
            assert official.violations(version, action, answer, Kind.RESPONSE) == []
