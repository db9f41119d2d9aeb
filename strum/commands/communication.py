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

_CLOSE_S = 30.0
"""After its connections are closed a process has to hand over what waits to the broker."""

application = typer.Typer(add_completion=False)


@application.command()
def communication(
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
) -> None:
    """Run the communication service: the door for stations."""
    settings = load(CommunicationSettings)
    if workers == 1:
        _communicate(0, shared=False)
    else:
        logs.configure(settings.log_level, settings.log_format, service="communication")
        patience_s = settings.prestop_s + settings.drain_s + settings.finish_s + _CLOSE_S
        supervise(workers, _communicate, stop_s=patience_s)


def _communicate(index: int, *, shared: bool = True) -> None:
    settings = load(CommunicationSettings)
    logs.configure(settings.log_level, settings.log_format, service="communication")
    if settings.health_port:
        settings = settings.model_copy(update={"health_port": settings.health_port + index})
    service = Communication(settings, bus_of(settings, "communication", at_edge=True), reuse_port=shared)
    run(until_told(service))
