"""T10: what is not the caller's is answered as what is not there, for every role and operation of the document."""

from typing import Any

from management_service import openapi
from modules import catalogue
from modules.kernel.scopes import SCOPES
from shared_contracts.charge_points import CommandCompleted
from shared_contracts.commands import CommandAnswered, CommandOutcome
from shared_contracts.users import Role
from tests.harness import Client, Running, running
from tests.modules.charge_points.edge import attach
from tests.modules.users.people import QUICK, client
from tests.security.things import STATION, TOKEN, everything, filled

DOCUMENT = openapi.document([catalogue.load(name) for name in catalogue.NAMES])
OPERATIONS = [
    (method.upper(), path, operation["x-scope"])
    for path, found in DOCUMENT["paths"].items()
    for method, operation in found.items()
    if "{" in path and "x-scope" in operation
]
OTHER = "T10-OTHER"
SETTINGS = {"users": QUICK, "charge_points": {"allowed_destinations": ["files.example.org"]}}


def _is_theirs(role: Role, path: str, scope: str) -> bool:
    """Whether somebody of this role may see what another made: keys are everybody's own, transactions a driver's."""
    if "{key_id}" in path:
        return role is Role.ADMIN
    return scope in SCOPES[role] and not (role is Role.DRIVER and "{transaction_id}" in path)


def _words(problem: Any, things: dict[str, str]) -> str:
    told = str({name: value for name, value in problem.items() if name != "trace"})
    for one in (*things.values(), "none"):
        told = told.replace(one, "…")
    return told


async def test_what_is_anothers_is_answered_as_what_is_not_there(database: str) -> None:
    """404 where the role may have such a thing; 403 where it may have none, whether there is one or not."""
    async with running(database, *catalogue.NAMES, **SETTINGS) as strum:
        things, owners, _ = await everything(strum)
        others = {role: await client(strum, f"another-{role}@example.org", role) for role in Role}
        hidden, shown = set(), set()
        for role, api in others.items():
            for method, path, scope in OPERATIONS:
                is_real = "none" not in filled(path, things).split("/")
                if _is_theirs(role, path, scope):
                    if method == "GET" and is_real:
                        assert (await api.call(method, filled(path, things)))[0] == 200, (role, path)
                        shown.add((role, path))
                    continue
                status, told = await api.call(method, filled(path, things))
                absent, words = await api.call(method, filled(path, {"module": things["module"]}))
                assert status == absent == (404 if scope in SCOPES[role] else 403), (role, method, path, told)
                assert _words(told, things) == _words(words, things), (role, method, path)
                if is_real:
                    hidden.add((role, method, path))

        stop, revoke = "/api/v1/transactions/{transaction_id}/stop", "/api/v1/api-keys/{key_id}"
        assert {
            (Role.DRIVER, "POST", stop),
            *((role, "DELETE", revoke) for role in Role if role is not Role.ADMIN),
        } <= hidden
        assert len(hidden) > 40, "a matrix of nothing proves nothing"
        assert len(shown) > 20
        assert (await owners[Role.DRIVER].get(f"/api-keys/{things['key_id']}"))[0] == 200, "nothing was taken"
        assert (await owners[Role.ADMIN].get(f"/transactions/{things['transaction_id']}"))[1]["state"] == "charging"
        assert len(await strum.hear(CommandCompleted)) == 1, "the one that was there, and nobody's"


async def _of_the_station(strum: Running, admin: Client) -> dict[str, str]:
    """What is under a station, each by its id."""
    await attach(strum, STATION)
    one, location = f"/charging-stations/{STATION}", "https://files.example.org/x"
    profile = {
        "profile": {
            "purpose": "tx_default",
            "kind": "relative",
            "unit": "W",
            "periods": [{"start_s": 0, "limit": 11000}],
        }
    }
    made = {
        "log_id": await admin.post(f"{one}/logs", {"location": location}),
        "update_id": await admin.post(f"{one}/firmware-updates", {"location": location}),
        "profile_id": await admin.post(f"{one}/charging-profiles", profile),
        "rotation_id": await admin.post(f"{one}/credential-rotations"),
    }
    assert [status for status, _ in made.values()] == [201] * 4, made
    return {name: str(body.get(name, body.get("id"))) for name, (_, body) in made.items()}


async def test_what_is_a_stations_is_not_found_under_another(database: str) -> None:
    async with running(database, *catalogue.NAMES, **SETTINGS) as strum:
        things, people, _ = await everything(strum)
        admin = people[Role.ADMIN]
        inner = await _of_the_station(strum, admin)
        assert (await admin.post("/charging-stations", {"station_id": OTHER}))[0] == 201
        await attach(strum, OTHER, lambda _: CommandAnswered(outcome=CommandOutcome.REJECTED, status="Unknown"))
        below = [(method, path) for method, path, _ in OPERATIONS if any(f"{{{name}}}" in path for name in inner)]
        assert len(below) == 5
        for method, path in below:
            status, _ = await admin.call(method, filled(path, things | inner | {"station_id": OTHER}))
            assert status == 404, (method, path)
            assert (await admin.get(filled(path, things | inner)))[0] == 200, "it is there, and stays"


async def test_a_driver_charges_and_lists_only_by_what_is_theirs(database: str) -> None:
    async with running(database, *catalogue.NAMES, **SETTINGS) as strum:
        things, owners, _ = await everything(strum)
        told = await attach(strum, STATION)
        driver = await client(strum, "thief@example.org", Role.DRIVER)
        _, me = await owners[Role.DRIVER].get("/me")
        refused = [
            await driver.post("/transactions", {"station_id": STATION, "id_token": token})
            for token in (TOKEN, TOKEN.lower(), "nobody's")
        ]
        _, keys = await driver.get("/api-keys", user_id=me["id"])
        _, transactions = await driver.get("/transactions", id_token=TOKEN, station_id=STATION)

        assert {status for status, _ in refused} == {403}
        assert len({_words(problem, things) for _, problem in refused}) == 1, "whether there is such a token or not"
        assert (keys["items"], transactions["items"], told) == ([], [], [])
