import os
import socket
from pathlib import Path

import pytest

from tests.services import PrivateRabbit, ServiceMissing, fallbacks, offers, postgres_server, rabbitmq_server


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no server runs and neither RabbitMQ nor Docker is installed, and we are not root."""
    for name in ("STRUM_TEST_DATABASE_URL", "STRUM_TEST_AMQP_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STRUM_TEST_AMQP_PORT", "1")
    monkeypatch.setenv("STRUM_TEST_DATABASE_PORT", "1")
    monkeypatch.setattr(offers, "_rabbitmq_is_installed", lambda: False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_without_rabbitmq_one_sentence_says_what_to_install(nothing_here: None) -> None:
    with pytest.raises(ServiceMissing, match="install rabbitmq-server") as missing, rabbitmq_server():
        pass

    assert "\n" not in str(missing.value)


def test_a_server_that_is_named_and_does_not_answer_is_no_reason_to_use_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRUM_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:1/")
    monkeypatch.setenv("STRUM_TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres")

    with pytest.raises(ServiceMissing, match="STRUM_TEST_AMQP_URL"), rabbitmq_server():
        pass
    with pytest.raises(ServiceMissing, match="STRUM_TEST_DATABASE_URL"), postgres_server():
        pass


async def test_a_broker_that_lets_us_in_and_keeps_no_messages_is_none(tmp_path: Path) -> None:
    async with PrivateRabbit(tmp_path) as broker:
        assert await offers._rabbitmq_answers(broker.url)
        assert "probe" not in await broker.control("list_queues", "name")

        await broker.control("set_vm_memory_high_watermark", "0.00001")
        assert not await offers._rabbitmq_answers(broker.url)


async def test_a_broker_that_never_greets_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "_PROBE_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        assert not await offers._rabbitmq_answers(f"amqp://guest:guest@127.0.0.1:{port}/")


def test_postgresql_comes_from_the_wheel_where_no_server_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRUM_TEST_DATABASE_URL", raising=False)
    monkeypatch.setenv("STRUM_TEST_DATABASE_PORT", "1")

    with postgres_server() as url:
        assert "host=" in url
        directory = Path(url.partition("host=")[2].replace("%2F", "/"))
        assert directory.exists()

    assert not directory.exists()


def test_any_usual_scheme_is_understood() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        assert offers.asyncpg_url(f"{scheme}://me@host/db") == "postgresql+asyncpg://me@host/db"


def test_docker_without_an_engine_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$1" = compose ]\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert not fallbacks.docker_answers()

    docker.write_text("#!/bin/sh\n")

    assert fallbacks.docker_answers()


def test_the_broker_of_compose_is_removed_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker, calls = tmp_path / "docker", tmp_path / "calls"
    docker.write_text(f'#!/bin/sh\necho "$6" >> {calls}\n[ "$6" = port ] && echo 127.0.0.1:49152\nexit 0\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    with fallbacks.composed_rabbitmq() as url:
        assert url == "amqp://guest:guest@127.0.0.1:49152/"

    assert calls.read_text().split() == ["up", "port", "down"]
