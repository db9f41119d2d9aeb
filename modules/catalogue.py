"""Which modules there are. A module is loaded by name, so that a process imports only those that it hosts."""

from importlib import import_module
from typing import cast

from modules.kernel.module import Module

NAMES = (
    "authorization",
    "charge_points",
    "configuration",
    "diagnostics",
    "statistics",
    "transactions",
    "users",
)


def load(name: str) -> Module:
    """Import a module and return its table of contents. Raises KeyError for a name that is none."""
    if name not in NAMES:
        raise KeyError(name)
    return cast("Module", import_module(f"modules.{name}").module)
