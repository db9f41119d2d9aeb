"""CALLs of a station: who may say what, and silence or refusal where the trouble is ours."""

import asyncio
from collections.abc import Callable

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from shared_contracts.bus import RequestFailed
from shared_contracts.charge_points import BootAnswered, BootStation, Registration, StationAccessChanged
from shared_contracts.commands import Command, GetVariables, RawCall, TriggerMessage
from shared_contracts.message import Envelope
from shared_contracts.stations import StationDisconnected, StatusReported
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.fakes import OPEN, Modules, fakes
from tests.communication_service.phrases import AT, authorize, begin, boot, call, end, meters, security_event, status

VERSIONS = pytest.mark.parametrize("version", Version)


@VERSIONS
async def test_a_boot_said_again_in_the_same_words_is_answered_as_things_are_now(version: Version) -> None:
    modules = fakes()
    modules.replies[BootStation] = lambda _: BootAnswered(registration=Registration.PENDING, interval_s=10)
    async with edge(modules=modules) as e, e.station(version) as station:
        await station.send(boot(version))
        assert (await station.receive())[2]["status"] == "Pending"
        modules.replies[BootStation] = lambda _: BootAnswered(registration=Registration.ACCEPTED, interval_s=10)
        await station.send(boot(version))

        assert (await station.receive())[2]["status"] == "Accepted"


async def test_a_refused_call_is_looked_at_again_when_it_is_repeated() -> None:
    modules = fakes()
    modules.default = OPEN.model_copy(update={"registration": Registration.PENDING})
    async with edge(modules=modules) as e, e.station() as station:
        await station.send(status(Version.V16))
        assert (await station.receive())[2] == "SecurityError"
        await _register(modules, e, Registration.ACCEPTED)
        await station.send(status(Version.V16))

        assert await station.receive() == [3, "7", {}]


QUEUED = {
    "start": begin,
    "stop": end,
    "meter values": meters,
    "security event": security_event,
}


@VERSIONS
@pytest.mark.parametrize("said", QUEUED.values(), ids=QUEUED)
async def test_a_message_that_stations_queue_is_not_answered_while_it_cannot_be_kept(
    version: Version, said: Callable[[Version], str]
) -> None:
    modules = fakes()
    async with edge(modules=modules, request_timeout_s=0.1, publish_timeout_s=0.05) as e, e.station(version) as station:
        modules.hold("events")
        for kind in list(modules.replies)[2:]:
            modules.hold(kind)
        await station.send(said(version))
        await asyncio.sleep(0.3)
        await station.silent()

        modules.open_all()
        await station.send(said(version))
        assert (await station.receive())[:2] == [3, "7"]


@VERSIONS
async def test_other_messages_are_refused_while_nobody_can_answer_them(version: Version) -> None:
    modules = fakes()

    def fail(_: object) -> TokenJudged:
        raise RequestFailed("internal", "no database")

    modules.replies[JudgeToken] = fail
    async with edge(modules=modules, request_timeout_s=0.1, publish_timeout_s=0.05) as e, e.station(version) as station:
        await station.send(authorize(version, "ABC"))
        assert (await station.receive())[:3] == [4, "7", "InternalError"]
        modules.hold("events")
        await station.send(status(version))
        assert (await station.receive())[:3] == [4, "7", "InternalError"]

        modules.open_all()
        modules.replies[JudgeToken] = lambda _: TokenJudged(status=TokenStatus.ACCEPTED)
        await station.send(authorize(version, "ABC"))
        assert (await station.receive())[:2] == [3, "7"]
        await e.hears(StatusReported)


@VERSIONS
@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
async def test_before_it_is_accepted_a_station_may_only_boot(version: Version, registration: Registration) -> None:
    modules = fakes()
    modules.default = OPEN.model_copy(update={"registration": registration})
    async with edge(modules=modules) as e:
        async with e.station(version) as station:
            for text in (status(version), meters(version), begin(version), call("Heartbeat", {})):
                await station.send(text)
                assert (await station.receive())[:3] == [4, "7", "SecurityError"]
            await station.send(boot(version))
            assert (await station.receive())[2]["status"] == "Accepted"
            await station.silent()
        modules.default = OPEN
        await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))
        async with e.station(version) as station:
            await station.silent()  # a boot is not needed again


@VERSIONS
async def test_a_pending_station_may_send_what_it_was_asked_for(version: Version) -> None:
    modules = fakes()
    modules.default = OPEN.model_copy(update={"registration": Registration.PENDING})
    async with edge(modules=modules) as e, e.station(version) as station:
        for accepted in ("Rejected", "Accepted"):
            told = e.telling(TriggerMessage(message="StatusNotification", evse_id=1))
            await station.answer({"status": accepted})
            await told
            await station.send(status(version))
            assert (await station.receive())[0] == (3 if accepted == "Accepted" else 4)
        await station.send(meters(version))
        assert (await station.receive())[2] == "SecurityError"


@pytest.mark.parametrize("command", [GetVariables(), RawCall(action="GetReport", payload={"requestId": 1})])
async def test_a_pending_station_may_report_what_it_was_asked_to(command: Command) -> None:
    modules = fakes()
    modules.default = OPEN.model_copy(update={"registration": Registration.PENDING})
    report = call("NotifyReport", {"requestId": 0, "seqNo": 0, "generatedAt": AT})
    async with edge(modules=modules) as e, e.station(Version.V201) as station:
        await station.send(report)
        assert (await station.receive())[2] == "SecurityError"
        told = e.telling(command)
        await station.answer()
        await told
        await station.send(report)

        assert await station.receive() == [3, "7", {}]


async def test_what_an_operator_decides_counts_for_the_open_connection_at_once() -> None:
    modules = fakes()
    async with edge(modules=modules) as e, e.station() as station:
        await station.silent()
        await _register(modules, e, Registration.REJECTED)
        assert (await station.call("Heartbeat"))[2] == "SecurityError"
        await _register(modules, e, Registration.ACCEPTED)
        await station.silent()


async def test_a_station_that_is_removed_is_disconnected() -> None:
    modules = fakes()
    async with edge(modules=modules) as e, e.station() as station:
        modules.default = modules.default.model_copy(update={"known": False})
        await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))

        assert await station.closed() == 1008
        [event] = await e.hears(StationDisconnected)
        assert (event.close_code, event.reason) == (1008, "the station was removed")


async def test_what_changed_while_a_pod_could_not_hear_counts_for_its_connections_too() -> None:
    modules = fakes()
    async with edge(modules=modules) as e, e.station() as station, e.station(station_id="CS2") as other:
        await station.silent()
        modules.access["CS1"] = OPEN.model_copy(update={"known": False})
        modules.access["CS2"] = OPEN.model_copy(update={"registration": Registration.REJECTED})
        e.bus.counters.reconnects += 1  # what the bus counts when a connection to the broker is lost
        assert await station.closed() == 1008
        session = e.communication.registry.get("CS2")
        assert session is not None
        await until(lambda: session.standing.registration is Registration.REJECTED)
        assert (await other.call("Heartbeat"))[2] == "SecurityError"


async def _register(modules: Modules, e: Edge, registration: Registration) -> None:
    modules.default = OPEN.model_copy(update={"registration": registration})
    await e.bus.publish(Envelope.of(StationAccessChanged(station_id="CS1")))
    session = e.communication.registry.get("CS1")
    assert session is not None
    await until(lambda: session.standing.registration is registration)
