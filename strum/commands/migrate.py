"""`strum migrate`."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from sqlalchemy import make_url

from management_service.settings import ManagementSettings, settings_type
from migrations import upgrade
from migrations.roles import grant, owner_at
from modules import catalogue
from strum.configuration import fail, load

application = typer.Typer(add_completion=False)


@application.command()
def migrate(
    roles: Annotated[
        bool,
        typer.Option(
            "--roles",
            help="As the user of STRUM_DATABASE_URL; let the user of each module's own URL do what it does.",
        ),
    ] = False,
) -> None:
    """Bring the database up to date, then exit."""
    settings = load(settings_type())
    urls = {name: settings.url_of(name) for name in catalogue.NAMES}
    if roles:
        _refuse_shared(settings)
    asyncio.run(_migrate(settings.database_url, urls, roles=roles))


async def _migrate(owner: str, urls: Mapping[str, str], *, roles: bool) -> None:
    await upgrade(owner, modules={name: owner_at(owner, url) for name, url in urls.items()} if roles else urls)
    if roles:
        await grant(owner, modules=urls)


def _refuse_shared(settings: ManagementSettings) -> None:
    """Exit with 2 unless each module has a user of its own, with a password."""
    taken = {make_url(settings.database_url).username}
    for name in catalogue.NAMES:
        url = settings.of_module(name).database_url
        user = url and make_url(url).username
        if url is None or not user or not make_url(url).password or user in taken:
            fail(
                f"STRUM_{name.upper()}__DATABASE_URL: with --roles each module has a user of its own, with a password."
            )
        taken.add(user)
