"""`strum user`."""

from typing import Annotated

import typer

from shared_contracts import logs
from shared_contracts.bus import BusError, ask
from shared_contracts.settings import CommonSettings
from shared_contracts.users import CreateUser, Role, UserCreated
from strum.broker import bus_of
from strum.configuration import fail, load
from strum.running import run

application = typer.Typer(add_completion=False, no_args_is_help=True)


@application.callback()
def user() -> None:
    """People who use the API."""


@application.command()
def create(
    email: Annotated[str, typer.Option(help="Who signs in.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    password: Annotated[str | None, typer.Option(help="Made and shown once if not given.")] = None,
) -> None:
    """Make an account, through a running management service."""
    settings = load(CommonSettings)
    logs.configure("error", "console", service="strum")

    async def ask_for_it() -> None:
        made = await _ask(settings, CreateUser(email=email, role=role, password=password))
        if not made.created:
            fail(f"{email} has an account already.")
        typer.echo(f"{email} may sign in as {role}" + (f", password {made.password}" if made.password else ""))

    run(ask_for_it())


async def _ask(settings: CommonSettings, request: CreateUser) -> UserCreated:
    bus = bus_of(settings, "cli")
    await bus.start()
    try:
        return await ask(bus, request, timeout=20)
    except BusError as error:
        fail(f"the account was not made: {error}.")
    finally:
        await bus.stop()
