"""Each contract against a golden sample: what was on the wire once is understood for ever, and says the same."""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import get_args

import pytest
from pydantic import create_model

import shared_contracts
from shared_contracts.commands import Command
from shared_contracts.message import Event, Message, Request, Value
from shared_contracts.transactions import TransactionEnded

SAMPLES = Path(shared_contracts.__file__).parent / "samples"


def message_classes() -> dict[str, type[Message]]:
    """Every message of the published language, by its routing key."""
    for module in pkgutil.iter_modules(shared_contracts.__path__):
        importlib.import_module(f"shared_contracts.{module.name}")
    found: dict[str, type[Message]] = {}
    waiting: list[type[Message]] = [Event, Request]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "key" in vars(kind) and kind.__module__.startswith("shared_contracts."):
            assert found.setdefault(kind.key, kind) is kind, f"two messages are called {kind.key}"
    return found


CLASSES = message_classes()


def kinds() -> dict[str, type[Value]]:
    """What is sampled, by the name of its file."""
    replies = {f"{key}.reply": kind.reply_type() for key, kind in CLASSES.items() if issubclass(kind, Request)}
    commands = (kind.model_fields["type"].default for kind in get_args(get_args(Command)[0]))
    variants = {f"stations.execute.v1.{name}": CLASSES["stations.execute.v1"] for name in commands}
    del variants["stations.execute.v1.start_charging"]  # the command of the plain sample
    return {**CLASSES, **replies, **variants}


KINDS = kinds()


def said_again(kind: type[Value], sample: str) -> object:
    """What is left of a sample that was decoded and encoded again."""
    return json.loads(kind.model_validate_json(sample).model_dump_json(exclude_unset=True))


def sample_of(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text()


def test_every_message_has_a_sample_and_every_sample_a_message() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_sample_decodes_and_encodes_to_itself(name: str) -> None:
    sample = sample_of(name)
    assert said_again(KINDS[name], sample) == json.loads(sample)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_sample_shows_every_field(name: str) -> None:
    assert set(json.loads(sample_of(name))) == set(KINDS[name].model_fields)


@pytest.mark.parametrize("key", sorted(CLASSES))
def test_a_routing_key_names_the_owner_what_and_the_version(key: str) -> None:
    owner, what, version = key.split(".")
    assert owner.isidentifier()
    assert what.isidentifier()
    assert version[0] == "v"
    assert version[1:].isdigit()


@pytest.mark.parametrize("removed", sorted(TransactionEnded.model_fields))
def test_a_contract_that_loses_a_field_does_not_match_its_sample(removed: str) -> None:
    fields = {name: (item.annotation, item) for name, item in TransactionEnded.model_fields.items() if name != removed}
    poorer = create_model("Poorer", __base__=Value, **fields)  # type: ignore[call-overload]  # names known at run time
    sample = sample_of(TransactionEnded.key)
    assert said_again(poorer, sample) != json.loads(sample)


def test_a_field_from_a_newer_release_is_ignored() -> None:
    newer = {**json.loads(sample_of(TransactionEnded.key)), "from_the_future": 1}
    assert TransactionEnded.model_validate_json(json.dumps(newer)).energy_wh == 15300
