"""`scripts/uv` on machines that have more or less of what it looks for."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = 'echo "uv $*"; [ "$1" = sync ] && echo --all-groups; exit 0'
OLD_UV = 'echo "old uv $*"'


class Machine:
    """A checkout with nothing but `scripts/uv`, and a PATH with nothing but what a test installs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        (root / "scripts").mkdir()
        self.bin.mkdir()
        shutil.copy(ROOT / "scripts" / "uv", root / "scripts" / "uv")
        for program in ("chmod", "cp", "dirname", "grep", "mkdir", "rm", "sh"):
            (self.bin / program).symlink_to(shutil.which(program) or program)
        self.install("id", "echo 1000")

    def install(self, program: str, body: str, directory: str = "bin") -> None:
        path = self.root / directory / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def install_python(self, name: str = "python3", *, has: str = "", directory: str = "bin") -> None:
        """A Python 3.11 that can or cannot make a virtual environment and install with pip."""
        self.install("uv", UV, "hidden")
        self.install("python-of-venv", f"cp {self.root}/hidden/uv .tools/bin/uv", "hidden")
        venv = f"mkdir -p .tools/bin && cp {self.root}/hidden/python-of-venv .tools/bin/python"
        pip = f"mkdir -p .tools/lib/bin && cp {self.root}/hidden/uv .tools/lib/bin/uv"
        cases = ["-c*) ;;"]
        cases += [f"'-m venv .tools') {venv} ;;"] if "venv" in has else []
        cases += ["'-m pip --version') ;;", f"'-m pip install '*) {pip} ;;"] if "pip" in has else []
        self.install(name, "\n".join(['case "$*" in', *cases, "*) exit 1 ;;", "esac"]), directory)

    def run(self) -> subprocess.CompletedProcess[str]:
        env = {"PATH": str(self.bin), "HOME": str(self.root)}
        command = [str(self.root / "scripts" / "uv"), "--version"]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_uv_on_the_path_is_used(machine: Machine) -> None:
    machine.install("uv", UV)

    assert machine.run().stdout == "uv --version\n"
    assert not (machine.root / ".tools").exists()


def test_without_uv_one_is_installed_in_a_virtual_environment_and_used_again(machine: Machine) -> None:
    machine.install_python(has="venv")

    assert machine.run().stdout == "uv --version\n"

    (machine.bin / "python3").unlink()
    assert machine.run().stdout == "uv --version\n"


def test_a_python_without_venv_installs_with_pip(machine: Machine) -> None:
    machine.install_python(has="pip")

    assert machine.run().stdout == "uv --version\n"


def test_a_uv_that_is_too_old_is_passed_over(machine: Machine) -> None:
    machine.install("uv", OLD_UV)
    machine.install_python(has="venv")

    assert machine.run().stdout == "uv --version\n"


def test_an_old_python_is_passed_over_for_a_newer_one(machine: Machine) -> None:
    machine.install("python3", "exit 1")
    machine.install_python("python3.12", has="venv")

    assert machine.run().stdout == "uv --version\n"


def test_without_a_fitting_python_one_sentence_says_what_to_install(machine: Machine) -> None:
    machine.install("python3", "exit 1")

    outcome = machine.run()

    assert outcome.returncode == 1
    assert outcome.stderr == "Strum needs Python 3.11 or newer: install python3 (or uv, which brings one).\n"


def test_without_venv_and_pip_one_sentence_says_what_to_install(machine: Machine) -> None:
    machine.install_python(has="")

    outcome = machine.run()

    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-1].startswith("uv could not be installed: install python3-venv")
    assert not (machine.root / ".tools").exists()


def test_root_on_debian_gets_what_is_missing_from_apt(machine: Machine) -> None:
    machine.install("id", "echo 0")
    machine.install_python(has="")
    machine.install_python(has="venv", directory="hidden")
    machine.install("apt-get", f'[ "$1" = update ] || cp {machine.root}/hidden/python3 {machine.bin}/python3')

    assert machine.run().stdout == "uv --version\n"
