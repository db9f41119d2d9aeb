"""`strum communication`."""

from typing import Annotated

import typer

from communication_service.app import Communication
from communication_service.settings import CommunicationSettings
from shared_contracts import logs
from strum.broker import bus_of
from strum.configuration import load
from strum.running import run, until_told
from strum.workers import supervise

application = typer.Typer(add_completion=False)


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
    service = Communication(settings, bus_of(settings, "communication"), reuse_port=shared)
    run(until_told(service))
