"""The command line: which commands there are. What a command needs is imported when it is run, not before."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True)
class Entry:
    """A command: its file in `strum.commands`, its line in the help, the packages that it is nothing without."""

    name: str
    about: str
    needs: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether this installation has it: an image holds what its service needs, and no more."""
        return all(find_spec(package) for package in self.needs)


ENTRIES = (
    Entry(
        "up",
        "Run everything in one process, with a database of its own in .strum/.",
        needs=("management_service", "communication_service", "simulator"),
    ),
    Entry("management", "Run the management service: modules, API.", needs=("management_service",)),
    Entry("communication", "Run the communication service: the door for stations.", needs=("communication_service",)),
    Entry("migrate", "Bring the database up to date, then exit.", needs=("management_service",)),
    Entry("broker", "Print what gives each service a user of its own at RabbitMQ.", needs=("management_service",)),
    Entry("settings", "List the settings: environment variables, their defaults."),
    Entry("user", "People who use the API."),
    Entry(
        "simulate",
        "Run simulated charging stations against a central system; Ctrl-C ends them in an orderly way.",
        needs=("simulator",),
    ),
)


class Lazy(TyperCommand):
    """Stands for a command until it is run; then its file is loaded, and takes over."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse as the command itself does."""
        command = get_command(import_module(f"strum.commands.{self.name}").application)
        return command.make_context(info_name, args, parent, **extra)


def main() -> None:
    """Entry point of the `strum` command."""
    group()()


def group() -> TyperGroup:
    """The commands of this installation."""
    return TyperGroup(
        name="strum",
        help="A charging station management system.",
        no_args_is_help=True,
        commands=[Lazy(entry.name, help=entry.about) for entry in ENTRIES if entry.here],
    )
