"""RabbitMQ on a machine that has none: from Docker, or installed when we are root on Debian or Ubuntu."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_COMPOSE_FILE = Path(__file__).parents[2] / "deploy" / "compose" / "test.yaml"


def docker_answers() -> bool:
    """Whether there is a Docker engine, with Compose, that we may use."""
    return shutil.which("docker") is not None and all(
        subprocess.run(["docker", *command], capture_output=True, check=False).returncode == 0
        for command in (("info",), ("compose", "version"))
    )


@contextmanager
def composed_rabbitmq() -> Iterator[str]:
    """The URL of a RabbitMQ in a container, which is removed afterwards."""
    compose = ["docker", "compose", "--project-name", f"strum-test-{os.getpid()}", "--file", str(_COMPOSE_FILE)]
    try:
        subprocess.run([*compose, "up", "--detach", "--wait", "rabbitmq"], check=True)
        address = subprocess.run(
            [*compose, "port", "rabbitmq", "5672"], capture_output=True, text=True, check=True
        ).stdout.strip()
        yield f"amqp://guest:guest@{address}/"
    finally:
        subprocess.run([*compose, "down", "--volumes"], check=False)


def install_rabbitmq() -> bool:
    """Install rabbitmq-server with apt, without starting it; False if we may not or it fails."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # runlevel 1 starts no services
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "rabbitmq-server"]
    commands = (["apt-get", "update"], install)
    return all(subprocess.run(command, env=env, check=False).returncode == 0 for command in commands)
