"""The commands."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from communication_service.app import Communication
from communication_service.settings import CommunicationSettings
from management_service.app import Management
from management_service.settings import settings_type
from migrations import upgrade
from modules import catalogue
from shared_contracts import logs
from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import BusError, Limits, ask
from shared_contracts.settings import CommonSettings
from shared_contracts.users import CreateUser, Role
from simulator.cli import simulate
from strum import configuration
from strum.configuration import fail, load
from strum.running import run, until_told
from strum.up import up as run_up
from strum.workers import supervise

application = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A charging station management system.",
)
user = typer.Typer(no_args_is_help=True, help="People who use the API.")
application.add_typer(user, name="user")
application.command(name="simulate")(simulate)


def main() -> None:
    """Entry point of the `strum` command."""
    application()


@application.command()
def up(
    demo: Annotated[int, typer.Option(min=0, max=1000, help="Simulated stations that charge now and then.")] = 0,
) -> None:
    """Run everything in one process, with a database of its own in .strum/."""
    logs.configure("warning", "console", service="strum")
    run(run_up(demo=demo))


@application.command()
def management(
    modules: Annotated[str, typer.Option(help="Which modules to host, separated by commas.")] = ",".join(
        catalogue.NAMES
    ),
    migrate: Annotated[bool, typer.Option(help="Bring the database up to date first.")] = True,
) -> None:
    """Run the management service: modules, API."""
    names = [name.strip() for name in modules.split(",") if name.strip()]
    unknown = [name for name in names if name not in catalogue.NAMES]
    if unknown or not names:
        fail(f"there is no module {', '.join(unknown) or modules!r}; there are {', '.join(catalogue.NAMES)}.")
    settings = load(settings_type())
    logs.configure(settings.log_level, settings.log_format, service="management")
    run(until_told(Management(settings, _bus(settings, "management"), modules=names, migrate=migrate)))


@application.command()
def communication(
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
) -> None:
    """Run the communication service: the door for stations."""
    load(CommunicationSettings)
    if workers == 1:
        _communicate(0, shared=False)
    else:
        supervise(workers, _communicate)


def _communicate(index: int, *, shared: bool = True) -> None:
    settings = load(CommunicationSettings)
    logs.configure(settings.log_level, settings.log_format, service="communication")
    if settings.health_port:
        settings = settings.model_copy(update={"health_port": settings.health_port + index})
    service = Communication(settings, _bus(settings, "communication"), reuse_port=shared)
    run(until_told(service))


@application.command()
def migrate() -> None:
    """Bring the database up to date, then exit."""
    settings = load(settings_type())
    asyncio.run(upgrade(settings.database_url, modules={name: settings.url_of(name) for name in catalogue.NAMES}))


@application.command(name="settings")
def settings_() -> None:
    """List the settings: environment variables, their defaults."""
    table = Table("variable", "default", "what it is", box=None)
    for row in configuration.described():
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@user.command(name="create")
def create_user(
    email: Annotated[str, typer.Option(help="Who signs in.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    password: Annotated[str | None, typer.Option(help="Made and shown once if not given.")] = None,
) -> None:
    """Make an account, through a running management service."""
    settings = load(CommonSettings)
    logs.configure("error", "console", service="strum")

    async def create() -> None:
        bus = _bus(settings, "cli")
        await bus.start()
        try:
            made = await ask(bus, CreateUser(email=email, role=role, password=password), timeout=20)
        except BusError as error:
            fail(f"the account was not made: {error}.")
        finally:
            await bus.stop()
        if not made.created:
            fail(f"{email} has an account already.")
        typer.echo(f"{email} may sign in as {role}" + (f", password {made.password}" if made.password else ""))

    run(create())


def _bus(settings: CommonSettings, name: str) -> AmqpBus:
    return AmqpBus(settings.amqp_url, prefix=settings.amqp_prefix, limits=Limits(shards=settings.shards), name=name)
