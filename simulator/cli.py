"""The command `simulate`: a fleet from the terminal."""

import asyncio
import resource
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, get_args

import orjson
import typer
import uvloop

from simulator.fleet import ID_TOKENS, Fleet
from simulator.ledger import Ledger
from simulator.progress import watch
from simulator.quirks import QUIRKS
from simulator.station import Version
from simulator.summary import Summary

MAX_SOCKETS = 65_536
MIXED: tuple[Version, ...] = get_args(Version)


def simulate(
    url: Annotated[str, typer.Option(help="Where stations connect, without their id.")] = "ws://127.0.0.1:9000/ocpp",
    stations: Annotated[int, typer.Option(min=1, help="How many stations: SIM-0001, SIM-0002, …")] = 1,
    version: Annotated[str, typer.Option(help="1.6, 2.0.1, 2.1, or mixed: all three in turn.")] = "1.6",
    rate: Annotated[float, typer.Option(min=0, help="Charges a station begins per hour of its clock.")] = 6.0,
    charge_minutes: Annotated[
        tuple[float, float], typer.Option(help="The shortest and the longest charge, by the station's clock.")
    ] = (2.0, 10.0),
    duration: Annotated[float | None, typer.Option(min=0, help="Real seconds to run; for ever without.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes all that is random repeat itself.")] = None,
    password: Annotated[str | None, typer.Option(help="For security profile 1; {id} becomes the station's id.")] = None,
    quirk: Annotated[
        list[str] | None, typer.Option(help="A deviation seen in the field; may be repeated. See --quirks.")
    ] = None,
    quirks: Annotated[bool, typer.Option("--quirks", help="List the quirks and exit.")] = False,
    connectors: Annotated[int, typer.Option(min=1, help="Connectors (1.6) or EVSEs (2.x) per station.")] = 1,
    meter_interval: Annotated[int, typer.Option(min=0, help="Seconds between meter samples; 0 for none.")] = 60,
    speed: Annotated[float, typer.Option(min=0.001, help="How much faster than the wall charging goes.")] = 1.0,
    id_token: Annotated[list[str] | None, typer.Option(help="A token that drivers show; may be repeated.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the summary to this file.")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write every call and charge to this file.")] = None,
) -> None:
    """Run simulated charging stations against a central system; Ctrl-C ends them in an orderly way."""
    if quirks:
        _list_quirks()
        return
    _allow_sockets()
    fleet = Fleet(
        url=url,
        stations=stations,
        version=_versions(version),
        rate=rate,
        charge_minutes=charge_minutes,
        seed=seed,
        password=None if password is None else lambda station_id: password.replace("{id}", station_id),
        quirks=_known(quirk or []),
        connectors=connectors,
        meter_interval=meter_interval,
        speed=speed,
        starts_at=_start(speed, duration),
        ledger=Ledger(keep=ledger is not None),
        id_tokens=id_token or ID_TOKENS,
    )
    summary = _run(fleet, duration)
    text = orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode()
    typer.echo(text)
    if json is not None:
        json.write_text(text + "\n")
    if ledger is not None:
        fleet.ledger.dump(ledger)
    if not summary["connected"]:
        typer.echo("no station was accepted by the central system", err=True)
        raise typer.Exit(1)


def _versions(name: str) -> tuple[Version, ...]:
    """Return the versions to deal out, or refuse an unknown one."""
    chosen = MIXED if name == "mixed" else tuple(version for version in MIXED if version == name)
    if not chosen:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(MIXED)}, mixed", param_hint="--version")
    return chosen


def _known(names: list[str]) -> list[str]:
    """Return the quirks asked for, or refuse an unknown one."""
    for name in names:
        if name not in QUIRKS:
            raise typer.BadParameter(f"{name!r} is unknown; --quirks lists them", param_hint="--quirk")
    return names


def _list_quirks() -> None:
    """Print the quirks with what they do."""
    for name, quirk in sorted(QUIRKS.items()):
        typer.echo(f"{name:<26}{quirk.about}")


def _start(speed: float, duration: float | None) -> datetime | None:
    """Let a fast clock begin in the past, so that it shows the wall's time at the end."""
    if duration is None or speed <= 1:
        return None
    return datetime.now(UTC) - timedelta(seconds=duration * (speed - 1))


def _allow_sockets() -> None:
    """Let the process open as many sockets as the system allows it to, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_SOCKETS if hard == resource.RLIM_INFINITY else min(hard, MAX_SOCKETS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run(fleet: Fleet, duration_s: float | None) -> Summary:
    """Run a fleet to its end or to Ctrl-C."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_done(fleet, duration_s))


async def _until_done(fleet: Fleet, duration_s: float | None) -> Summary:
    """Let a fleet charge, show how it goes, and end it when the time is over or a signal comes."""
    async with fleet:
        running = asyncio.create_task(fleet.run(duration_s))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        await watch(fleet, running, duration_s, terminal=sys.stderr)
    if not running.cancelled():
        running.result()
    return fleet.summary()
