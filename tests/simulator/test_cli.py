"""The command, as a user runs it."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import typer
from typer.testing import CliRunner

from simulator.cli import simulate
from tests.simulator.csms import Csms

app = typer.Typer()
app.command()(simulate)
PROGRAM = "import typer; from simulator.cli import simulate; typer.run(simulate)"


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def test_a_run_prints_a_summary_and_writes_what_was_asked_for(csms: Csms, tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.json" for name in ("json", "ledger")}
    options = {"url": csms.url, "stations": "3", "version": "mixed", "rate": "4", "speed": "3600", "duration": "1"}
    arguments = [f"--{k}={v}" for k, v in (options | files).items()]
    process = await start(*arguments)
    out, err = await asyncio.wait_for(process.communicate(), 30)

    assert (process.returncode, err) == (0, b"")
    summary = json.loads(out)
    assert summary["connected"] == 3
    assert summary["charges"]["finished"] > 0
    assert json.loads(files["json"].read_text()) == summary
    assert len(json.loads(files["ledger"].read_text())["transactions"]) == summary["charges"]["started"]


async def test_ctrl_c_ends_the_charges_and_prints_the_summary(csms: Csms) -> None:
    process = await start("--url", csms.url, "--rate", "60", "--speed", "600", "--charge-minutes", "600", "600")
    await csms.until(lambda: "StartTransaction" in csms.actions(), timeout=30)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 30)

    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["charges"]["running"] == 0
    assert csms.actions().count("StopTransaction") == 1


async def test_nobody_at_the_other_end_is_an_error() -> None:
    process = await start("--url", "ws://127.0.0.1:1/ocpp", "--duration", "0.5")
    out, err = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    assert json.loads(out)["dial_failures"] == {"unreachable: ClientConnectorError": 1}
    assert b"no station was accepted" in err


def test_wrong_options_are_refused_in_a_sentence() -> None:
    for arguments in (["--version", "1.5"], ["--quirk", "nonsense"], ["--stations", "0"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert "Invalid value" in result.output


def test_the_quirks_can_be_listed() -> None:
    result = CliRunner().invoke(app, ["--quirks"])

    assert result.exit_code == 0
    assert "naive-timestamps" in result.output
