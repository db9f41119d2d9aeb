"""What the communication service does is what its user at the broker may do: no less, and no more."""

import re
from importlib import import_module
from pathlib import Path

import communication_service
from communication_service.app import Communication
from communication_service.settings import CommunicationSettings
from shared_contracts import edge
from shared_contracts.amqp.rights import of_communication
from shared_contracts.amqp.topology import Topology, listening_patterns, route
from shared_contracts.batches import Batch
from shared_contracts.commands import ExecuteCommand
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Event, Request

HERE = Path(communication_service.__path__[0])
RIGHTS = of_communication(Topology("strum", 4))


def messages(kind: type) -> set[str]:
    """The keys of the messages that the code of the communication service names."""
    names = (".".join(file.with_suffix("").relative_to(HERE.parent).parts) for file in HERE.rglob("*.py"))
    values = (value for name in names for value in vars(import_module(name.removesuffix(".__init__"))).values())
    return {value.key for value in values if isinstance(value, type) and issubclass(value, kind) and value is not kind}


def test_it_may_ask_what_it_asks_and_nothing_else() -> None:
    assert messages(Request) - {ExecuteCommand.key} == edge.REQUESTS


def test_it_may_say_what_it_says_and_nothing_of_a_module() -> None:
    said = messages(Event) - {key for key in edge.HEARD if not key.startswith(f"{edge.EVENTS_OWNER}.")}
    assert len(said) > 10
    assert {key for key in said if not key.startswith(f"{edge.EVENTS_OWNER}.")} == set()
    for keys in (said, *({key} for key in said)):
        assert re.search(RIGHTS.events_published, route(Batch(3, None, set(list(keys)[:4]), [])))
    for foreign in ("transactions.ended.v1", "users.changed.v1"):
        assert not re.search(RIGHTS.events_published, route(Batch(0, None, {foreign, *said}, [])))
    assert not re.search(RIGHTS.events_published, route(Batch(0, "statistics", said, [])))


async def test_it_may_hear_what_it_listens_to() -> None:
    bus = MemoryBus()
    heard: set[str] = set()
    bus.listen = lambda keys, _: heard.update(keys)  # type: ignore[method-assign]
    service = Communication(CommunicationSettings(ocpp_port=0, health_port=0), bus)
    await service.start()
    await service.stop()
    assert heard == edge.HEARD
    assert all(re.search(RIGHTS.events_heard, pattern) for pattern in listening_patterns(heard))
    assert not any(re.search(RIGHTS.events_heard, pattern) for pattern in ("#", *listening_patterns({"users.x.v1"})))
