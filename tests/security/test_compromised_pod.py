"""T20: who took over a pod of the communication service reads no module's queue and speaks for no module."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiormq
import asyncpg
import pytest
import pytest_asyncio
from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused, PublishError
from pamqp.commands import Basic
from sqlalchemy import make_url
from yarl import URL

import migrations
from shared_contracts.message import Envelope, new_id, pack
from shared_contracts.stations import StatusReported
from shared_contracts.users import CreateUser, Role
from simulator import Station
from tests.e2e.stack import Stack, stack
from tests.faults.fleets import FAST
from tests.services import PrivatePostgres, PrivateRabbit

pytestmark = pytest.mark.asyncio(loop_scope="module")

POD, MODULES = ("pod", "a pod's secret"), ("modules", "the modules' secret")
OWN = "strum.pods.communication.0123456789abcdef"
Try = Callable[[AbstractChannel], Awaitable[object]]


class Attacker:
    """What there is after a pod was taken over: the broker, and the pod's credentials. `strum` goes on beside."""

    def __init__(self, url: URL, broker: PrivateRabbit, database: str, strum: Stack) -> None:
        self.url = url
        self.broker = broker
        self.strum = strum
        self._database = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        connection = await aiormq.connect(self.url)
        try:
            yield await connection.channel(publisher_confirms=True, on_return_raises=True)
        finally:
            await connection.close()

    async def publish(self, exchange: str, routing_key: str, body: bytes, *, reply_to: str = "") -> None:
        async with self.channel() as channel:
            properties = Basic.Properties(message_id=new_id(), reply_to=reply_to)
            await channel.basic_publish(
                body, exchange=exchange, routing_key=routing_key, properties=properties, mandatory=True
            )

    async def scalar(self, statement: str, *values: str) -> int:
        connection = await asyncpg.connect(self._database)
        try:
            return int(await connection.fetchval(statement, *values))
        finally:
            await connection.close()

    async def quarantined(self, schema: str, reason: str) -> None:
        """Wait until the module has set aside something for this reason."""
        statement = f"SELECT count(*) FROM {schema}.quarantine WHERE position($1 in reason) > 0"
        async with asyncio.timeout(10):
            while not await self.scalar(statement, reason):
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacker]:
    """The real services, each as the user that `strum broker` makes for it; guest is gone."""
    directory = tmp_path_factory.mktemp("users")
    async with PrivateRabbit(directory / "broker") as broker, PrivatePostgres(directory / "database") as database:
        await migrations.upgrade(database.url)
        base = URL(broker.url)
        of_pod, of_modules = (base.with_user(user).with_password(word) for user, word in (POD, MODULES))
        await make_users(broker, directory / "definitions.json", of_pod, of_modules)
        settings = {"authorization__accept_unknown_tokens": "true", "log_level": "info"}
        async with stack(database.url, str(of_modules), "strum", directory, **settings) as strum:
            await strum.management().start()
            strum.environment["STRUM_AMQP_URL"] = str(of_pod)
            await strum.communication().start()
            await strum.sign_in()
            yield Attacker(of_pod, broker, database.url, strum)


async def make_users(broker: PrivateRabbit, file: Path, of_pod: URL, of_modules: URL) -> None:
    urls = ("--management", str(of_modules), "--communication", str(of_pod))
    command = (sys.executable, "-m", "strum", "broker", *urls)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert {user["name"] for user in json.loads(printed)["users"]} == {"pod", "modules"}
    assert b"secret" not in printed
    await asyncio.to_thread(file.write_bytes, printed)
    await broker.control("import_definitions", str(file))
    await broker.control("delete_user", "guest")


async def charge(strum: Stack, station_id: str) -> None:
    """A charge that the API sees, ended by a command that the station answers."""
    async with Station(
        url=strum.ocpp_url, station_id=station_id, version="1.6", speed=60, seed=1, settings=FAST
    ) as station:
        await station.plug_in_and_charge(id_token="T20")
        await strum.eventually("/transactions", lambda page: len(page["items"]) == 1, station_id=station_id, open=True)
        path = f"/charging-stations/{station_id}/commands"
        status, body = await strum.api("POST", path, json={"type": "unlock_connector", "connector_id": 1})
        assert status == 201, body
        answered = await strum.eventually(f"/commands/{body['command_id']}", lambda command: command["completed_at"])
        assert answered["status"], "the station's answer came back"
        await station.stop_charge(reason="Local")
        await station.drained()
    await strum.eventually("/transactions", lambda page: len(page["items"]) == 1, station_id=station_id, open=False)


async def test_both_services_do_all_their_work_with_users_of_their_own(attacker: Attacker) -> None:
    await charge(attacker.strum, "HONEST-1")


async def own_queue(channel: AbstractChannel) -> None:
    await channel.queue_declare(OWN, exclusive=True, auto_delete=True)


def reading(queue: str) -> Try:
    async def run(channel: AbstractChannel) -> object:
        return await channel.basic_get(queue)

    return run


def consuming(queue: str) -> Try:
    async def run(channel: AbstractChannel) -> object:
        return await channel.basic_consume(queue, lambda _: asyncio.sleep(0))

    return run


def hearing(exchange: str, pattern: str) -> Try:
    async def run(channel: AbstractChannel) -> object:
        await own_queue(channel)
        return await channel.queue_bind(OWN, exchange, pattern)

    return run


def publishing(exchange: str, routing_key: str) -> Try:
    async def run(channel: AbstractChannel) -> object:
        return await channel.basic_publish(b"{}", exchange=exchange, routing_key=routing_key, mandatory=True)

    return run


TRIES: dict[str, Try] = {
    "take events from a module": consuming("strum.transactions.s0"),
    "take one event from the event store": reading("strum.diagnostics.s1"),
    "take requests from the users module": consuming("strum.requests.users"),
    "read what was dead-lettered": reading("strum.dead"),
    "delete a module's queue": lambda channel: channel.queue_delete("strum.transactions.s0"),
    "empty a module's queue": lambda channel: channel.queue_purge("strum.transactions.s0"),
    "delete an exchange": lambda channel: channel.exchange_delete("strum.events"),
    "declare an exchange": lambda channel: channel.exchange_declare("strum.mine", exchange_type="fanout"),
    "declare a module's queue": lambda channel: channel.queue_declare("strum.transactions.s9", durable=True),
    "cut a module off its events": lambda channel: channel.queue_unbind("strum.users.s0", "strum.events", "s0.#"),
    "lead other events to a module": lambda channel: channel.queue_bind("strum.statistics.s0", "strum.events", "s0.#"),
    "hear all events": hearing("strum.events", "#"),
    "hear who signs in": hearing("strum.events", "*.#.users-changed-v1.#"),
    "hear requests between modules": hearing("strum.requests", "users.verify_api_key.v1"),
    "hear what other pods ask": hearing("strum.edge", "authorization.judge_token.v1"),
    "ask as a module does": publishing("strum.requests", "users.create_user.v1"),
    "command a station": publishing("strum.stations", "HONEST-1"),
    "say that a transaction ended": publishing("strum.events", "s0.transactions-ended-v1"),
    "say so beside what is its to say": publishing("strum.events", "s0.stations-seen-v1.transactions-ended-v1"),
    "send an event to one module": publishing("strum.events", "to-statistics.s0"),
    "put something into a module's queue": publishing("", "strum.transactions.s0"),
    "dead-letter something": publishing("strum.dead", "x"),
}


@pytest.mark.parametrize("what", TRIES)
async def test_the_broker_refuses_a_pod_to(attacker: Attacker, what: str) -> None:
    async with attacker.channel() as channel:
        with pytest.raises(ChannelAccessRefused):
            await TRIES[what](channel)


async def test_a_pod_cannot_answer_in_the_place_of_a_module(attacker: Attacker) -> None:
    listed = (await attacker.broker.control("list_queues", "name")).split()
    queues = [name for name in listed if name.startswith("strum.replies.")]
    assert {name.split(".")[2] for name in queues} == {"management", "communication"}
    for queue in queues:
        async with attacker.channel() as channel:
            with pytest.raises(ChannelAccessRefused):
                await channel.basic_publish(b"{}", exchange="", routing_key=queue)
        with pytest.raises(PublishError):  # the exchange for stations' answers does not lead there
            await attacker.publish("strum.answers", queue, b"{}")


async def test_a_pod_may_ask_only_what_is_its_to_ask_however_it_is_wrapped(attacker: Attacker) -> None:
    asked = Envelope.of(CreateUser(email="mallory@example.org", role=Role.ADMIN, password="a-long-enough-password-1"))
    with pytest.raises(PublishError):
        await attacker.publish("strum.edge", asked.key, pack([asked]))
    issued = Envelope(new_id(), "charge_points.issue_command.v1", "HONEST-1", datetime.now(UTC), b"{}")
    commands = await attacker.scalar("SELECT count(*) FROM charge_points.commands")
    await attacker.publish("strum.edge", "charge_points.boot.v1", pack([issued]), reply_to="strum.answers.nobody")
    await charge(attacker.strum, "HONEST-3")
    commands += 1  # the one of this charge
    people = await attacker.strum.pages("/users")
    assert [person["email"] for person in people] == ["admin@example.org"]
    assert await attacker.scalar("SELECT count(*) FROM charge_points.commands") == commands


async def test_what_a_pod_smuggles_into_a_body_is_set_aside_and_harms_nobody(attacker: Attacker) -> None:
    ended = Envelope(new_id(), "transactions.ended.v1", "HONEST-1", datetime.now(UTC), b'{"station_id":"HONEST-1"}')
    before = await attacker.strum.get("/statistics/totals")
    await attacker.publish("strum.events", "s0.stations-status_reported-v1", pack([ended]))
    await attacker.quarantined("diagnostics", "which its routing key does not say")
    broken = Envelope(new_id(), StatusReported.key, "HONEST-1", datetime.now(UTC), b'{"status":7}')
    await attacker.publish("strum.events", "s0.stations-meters_sampled-v1", b"\xff\x00 no batch")
    await attacker.quarantined("diagnostics", "lines")
    await attacker.publish("strum.events", "s0.stations-status_reported-v1", pack([broken]))
    await attacker.quarantined("charge_points", "StatusReported")
    await charge(attacker.strum, "HONEST-2")
    assert (await attacker.strum.get("/statistics/totals"))["sessions"] >= before["sessions"]
