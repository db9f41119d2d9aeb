"""`python -m tests.faults.sabotaged management|communication …`: Strum's command line, sabotaged.

STRUM_CRASH_AT=<point>[@<module>][:<n>] ends the process as `kill -9` does when it is at a step for the n-th time (the
first time by default), in management when that module is; STRUM_STALL_AT, written alike, lets a consumer stand still
there; STRUM_WITHOUT=<protection> takes a protection away. All lie here: what is installed has none of them.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, Self

CRASH_AT = "STRUM_CRASH_AT"
STALL_AT = "STRUM_STALL_AT"
WITHOUT = "STRUM_WITHOUT"
CRASHED = 137


Function = Callable[..., Any]


class NothingToSabotage(Exception):
    """The function that a sabotage wraps is not there any more: the sabotage is to follow it."""


def wrap(owner: Any, name: str, around: Callable[[Function], Function]) -> None:
    """Put a function around another, of a class or a module."""
    original = vars(owner).get(name)
    if not callable(original):
        raise NothingToSabotage(f"{owner!r} has no function {name!r}")
    setattr(owner, name, functools.wraps(original)(around(original)))


def say(what: str) -> None:
    """Tell the test, by the log, that the sabotage took place."""
    sys.stderr.write(f"sabotage: {what}\n")
    sys.stderr.flush()


class Fuse:
    """Counts how often a step is reached, and ends the process at the n-th time."""

    def __init__(self, point: str, module: str, times: int) -> None:
        self.point = point
        self.module = module
        self._left = times

    @classmethod
    def of(cls, text: str) -> Self:
        """`<point>[@<module>][:<n>]`."""
        where, _, times = text.partition(":")
        point, _, module = where.partition("@")
        return cls(point, module or "transactions", int(times or 1))

    def burn(self) -> bool:
        """Count one time; returns whether it was the last."""
        self._left -= 1
        return self._left == 0

    def blow(self) -> None:
        """End the process: nothing is flushed, closed or told."""
        say(f"crashed at {self.point}")
        os._exit(CRASHED)

    def reached(self) -> None:
        """Count one time, and end the process at the last."""
        if self.burn():
            self.blow()


def main() -> None:
    """Sabotage, then run the command line as always."""
    from strum.cli import main as strum  # noqa: PLC0415 -- after the sabotage is read
    from tests.faults import crashes_at_edge, crashes_in_management, removals, stalls  # noqa: PLC0415

    crash_at, stall_at, without = (os.environ.pop(name, "") for name in (CRASH_AT, STALL_AT, WITHOUT))
    if without:
        removals.REMOVALS[without]()
        say(f"without {without}")
    if crash_at:  # around what was taken away: a step that is left is still a step
        fuse = Fuse.of(crash_at)
        (crashes_at_edge.POINTS | crashes_in_management.POINTS)[fuse.point](fuse)
    if stall_at:
        fuse = Fuse.of(stall_at)
        stalls.POINTS[fuse.point](fuse)
    strum()


if __name__ == "__main__":
    main()
