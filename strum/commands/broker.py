"""`strum broker`: what `rabbitmqctl import_definitions` makes a user per service of, with no more than its rights.

Users, passwords and the virtual host are those of the URLs; the prefix of names is the setting's.
"""

import base64
import hashlib
import json
import secrets
from typing import Annotated, Any
from urllib.parse import unquote

import typer
from yarl import URL

from shared_contracts.amqp.rights import Rights, of_communication, of_management
from shared_contracts.amqp.topology import Topology
from shared_contracts.settings import CommonSettings
from strum.configuration import fail, load

application = typer.Typer(add_completion=False)

_SALT_BYTES = 4


@application.command()
def broker(
    management: Annotated[str, typer.Option(envvar="MANAGEMENT_AMQP_URL", help="The STRUM_AMQP_URL of management.")],
    communication: Annotated[
        str, typer.Option(envvar="COMMUNICATION_AMQP_URL", help="The STRUM_AMQP_URL of communication.")
    ],
) -> None:
    """Print what gives each service a user of its own at RabbitMQ."""
    topology = Topology(load(CommonSettings).amqp_prefix, shards=1)
    granted = ((URL(management), of_management(topology)), (URL(communication), of_communication(topology)))
    for url, _ in granted:
        if not url.user or not url.password:
            fail("both URLs must have a user and a password.")
    if granted[0][0].user == granted[1][0].user:
        fail("the services need a user each.")
    typer.echo(json.dumps(_definitions(granted, topology), indent=2))


def _definitions(granted: tuple[tuple[URL, Rights], ...], topology: Topology) -> dict[str, Any]:
    return {
        "vhosts": [{"name": host} for host in sorted({_host(url) for url, _ in granted})],
        "users": [_user(url) for url, _ in granted],
        "permissions": [
            _grant(url, configure=rights.configure, write=rights.write, read=rights.read) for url, rights in granted
        ],
        "topic_permissions": [
            _grant(url, exchange=topology.events, write=rights.events_published, read=rights.events_heard)
            for url, rights in granted
        ],
    }


def _user(url: URL) -> dict[str, Any]:
    return {
        "name": url.user,
        "password_hash": _hashed(url.password or ""),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
        "limits": {},
    }


def _hashed(password: str) -> str:
    """As RabbitMQ stores it: a salt of four bytes, and SHA-256 of salt and password."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _grant(url: URL, **rights: str) -> dict[str, str]:
    return {"user": url.user or "", "vhost": _host(url), **rights}


def _host(url: URL) -> str:
    """The virtual host: the path of the URL without its slash, `/` where there is none."""
    return unquote(url.raw_path[1:]) or "/"
