"""T4, T11: secrets that went through everything are in no log, event, table, list, export or error."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import aiormq
import orjson
import pytest
from pamqp.commands import Basic

from shared_contracts.message import Envelope, new_id, pack
from shared_contracts.transactions import TransactionReported
from tests.e2e.stack import ADMIN
from tests.faults.ground import PREFIX, Ground, ground
from tests.security.lives import SECRETS, STATIONS, TO_STATIONS, life_of_a_user, life_of_stations
from tests.security.sinks import all_heard, leaks, of_api, of_database, of_logs

SENT = {"CNRY16": "ChangeConfiguration", "CNRY201": "SetVariables", "CNRY21": "SetNetworkProfile"}
TOLD = {(name, f"exchange '{PREFIX}.stations'") for name in TO_STATIONS}
"""A command that has a secret for a station takes it there."""
ON_THE_WAY = TOLD | {(name, f"exchange '{PREFIX}.{way}'") for name in TO_STATIONS for way in ("requests", "answers")}
"""A module asks another for such a command, and the answer of the pod says what was set."""


def test_a_leak_would_be_found() -> None:
    """Each form, wherever it stands: a search that finds nothing proves nothing."""
    secret = {"s": "cnry-Station-0001"}
    for written in (
        "a cnry-station-0001 b",
        "636E72792D53746174696F6E2D30303031",
        "Basic Q1MxOmNucnktU3RhdGlvbi0wMDAx",  # CS1:…
        "eHhjbnJ5LVN0YXRpb24tMDAwMXh4",
    ):
        assert leaks({"log": written}, secret), written


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_no_secret_is_anywhere_after_a_life_of_a_station_and_a_user(tmp_path: Path) -> None:
    async with ground(tmp_path, log_level="debug", charge_points__unknown_stations="refuse") as faulty:
        strum = faulty.strum
        await strum.management().start()
        await strum.communication().start()
        await strum.sign_in()
        secrets = dict(SECRETS) | {"password of the administrator": ADMIN[1]}
        async with all_heard(faulty.broker) as heard:
            errors = await life_of_a_user(strum, secrets)
            errors += await life_of_stations(strum, secrets)
            await asyncio.sleep(3)  # frames and refusals are gathered
        poison = await _poison(faulty)
        told = await strum.pages("/audit-records")
        sinks = {name: text for one in STATIONS for name, text in (await of_api(strum, station_id=one)).items()}
        for service in strum.services:
            await service.stop()
        spoken = {f"exchange {name!r}": "\n".join(bodies) for name, bodies in heard.bodies.items()}
        sinks |= spoken | {"errors": "\n".join(errors), "audit": str(told)}
        sinks |= of_logs(tmp_path) | await of_database(faulty.database.url)
    found = {(name, sink): around for name, sink, around in leaks(sinks, secrets | poison)}
    kept = {(name, "transactions.quarantine") for name in poison}
    assert kept <= found.keys(), "what cannot be read is kept as it came, for operators alone"
    assert found.keys() >= TOLD, "the secrets were not sent"
    leaked = {place: found[place] for place in found.keys() - kept - ON_THE_WAY}
    assert not leaked, "\n".join(map(str, sorted(leaked.items())))
    for name in ("management.log", "communication.log"):
        assert all(isinstance(orjson.loads(line), dict) for line in sinks[name].splitlines()), "a line is one object"
    keys = heard.routing_keys[f"{PREFIX}.events"]
    assert {key for key in keys if not re.fullmatch(r"[a-z0-9_.-]+", key)} == set(), "made of names of ours alone"
    for station_id, action in SENT.items():
        assert action in sinks[f"GET /charging-stations/{station_id}/frames/export"]
    assert {f"exchange '{PREFIX}.{name}'" for name in ("events", "edge", "stations", "answers")} <= spoken.keys()
    assert len(heard.bodies[f"{PREFIX}.events"]) > 10
    assert len(told) > 10
    assert len(sinks["management.log"]) > 1000


async def _poison(ground: Ground) -> dict[str, str]:
    """Secrets in a message that breaks its contract, in no message at all, and in a dead letter."""
    secrets = {
        "secret in a message that breaks its contract": "cnry-Poison-0023",
        "secret in what is no message": "cnry-Junk-0024",
        "secret in a dead letter": "cnry-Dead-Letter-0025",
    }
    payload, junk, dead = (orjson.dumps({"password": secret}) for secret in secrets.values())
    envelope = Envelope(new_id(), TransactionReported.key, "CNRY16", datetime.now(UTC), payload)
    connection = await aiormq.connect(ground.broker.url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        for body in (pack([envelope]), junk):
            await channel.basic_publish(body, exchange=f"{PREFIX}.events", routing_key="to-transactions.s0")
        given_up = {"x-first-death-queue": f"{PREFIX}.transactions.s0", "x-first-death-reason": "delivery_limit"}
        await channel.basic_publish(dead, exchange=f"{PREFIX}.dead", properties=Basic.Properties(headers=given_up))
    waiting = await ground.strum.eventually("/quarantine/transactions", lambda page: len(page["items"]) == len(secrets))
    for item in waiting["items"]:
        await ground.strum.api("POST", f"/quarantine/transactions/{item['id']}/replay")
    return secrets
