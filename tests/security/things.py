"""Something of every kind that the API shows by an id, and the people who made it."""

import re

from cryptography.hazmat.primitives.asymmetric import ec

from shared_contracts.certificates import RequestCertificate
from shared_contracts.users import Role
from tests.harness import Client, Running
from tests.modules.transactions.messages import start
from tests.modules.users.people import PASSWORD, account, bearer, sign_in
from tests.security.pki import request

STATION, TOKEN, EMAIL = "T4-STATION-0042", "T4TOKEN0042", "t4.person@example.org"


async def everything(strum: Running) -> tuple[dict[str, str], dict[Role, Client], dict[str, str]]:
    """Something of every kind, a person of every role, and the secrets that came up on the way."""
    people, secrets = {}, {"password of all": PASSWORD}
    for role in Role:
        email = EMAIL if role is Role.ADMIN else f"{role}@example.org"
        user_id = await account(strum, email, role)
        session = await sign_in(strum, email)
        people[role] = bearer(strum, session["access_token"])
        secrets |= {f"{name} of the {role}": session[name] for name in ("access_token", "refresh_token")}
        secrets[f"key of the {role}"] = (await people[role].post("/api-keys", {"name": "t4"}))[1]["key"]
    admin = people[Role.ADMIN]
    secrets["made for a station"] = (await admin.post("/charging-stations", {"station_id": STATION}))[1]["password"]
    _, user = await admin.post("/users", {"email": "made@example.org", "role": "viewer"})
    secrets["made for a user"] = user["password"]
    _, token = await admin.post("/id-tokens", {"value": TOKEN, "driver_id": user_id})
    _, command = await admin.post(f"/charging-stations/{STATION}/commands?wait_s=0", {"type": "reset"})
    await strum.ask(start(station_id=STATION, id_token=TOKEN))
    _, page = await admin.get("/transactions")
    _, keys = await people[Role.DRIVER].get("/api-keys")
    things = {
        "station_id": STATION,
        "user_id": user["id"],
        "token_id": token["id"],
        "command_id": command["command_id"],
        "transaction_id": page["items"][0]["id"],
        "key_id": keys["items"][0]["id"],
        "signing_id": await signing(strum, admin, STATION),
        "module": "charge_points",
    }
    return things, people, secrets


async def signing(strum: Running, client: Client, station_id: str) -> str:
    """A registered station asks for a certificate; the id of its request."""
    csr = request(station_id, key=ec.generate_private_key(ec.SECP256R1()))
    await strum.ask(RequestCertificate(station_id=station_id, csr=csr))
    _, page = await client.get(f"/charging-stations/{station_id}/certificate-signings")
    return str(page["items"][0]["signing_id"])


def filled(path: str, things: dict[str, str]) -> str:
    """A path of the document with these ids, below the version; `none` for what there is no id of."""
    return re.sub(r"{([^}]*)}", lambda match: things.get(match[1], "none"), path.removeprefix("/api/v1"))
