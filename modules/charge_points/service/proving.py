"""How stations prove who they are, as it changes: each use case reads, lets the domain decide, and tells the pods."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from modules.charge_points.domain.commands import StationCommand
from modules.charge_points.domain.profiles import Profiles
from modules.charge_points.domain.rotations import Answer, Keyring
from modules.charge_points.domain.signings import SigningState
from modules.charge_points.domain.stations import Credentials
from modules.charge_points.repository import credentials, signings, stations
from modules.charge_points.repository.credentials import Access
from modules.kernel.work import Work
from shared_contracts.certificates import CertificateInstalled
from shared_contracts.charge_points import StationAccessChanged, password_name
from shared_contracts.commands import CommandOutcome
from shared_contracts.stations import StationConnected

_TAKES_PASSWORDS, _TAKES_CERTIFICATES = "set_variables", "install_certificate"


async def change(work: Work, station_id: str, step: Callable[[Access], Access]) -> Access | None:
    """Take one step, nobody else taking one meanwhile; pods hear of it if it led anywhere. None for no such station."""
    before = await credentials.find(work, station_id, for_change=True)
    if before is None:
        return None
    after = step(before)
    if after != before:
        await credentials.store(work, station_id, before, after)
        work.publish(StationAccessChanged(station_id=station_id))
    return after


async def replace_password(work: Work, station_id: str, new: Credentials) -> bool:
    """An operator sets a password; False for no such station."""
    changed = await change(work, station_id, lambda access: with_keys(access, access.keyring.replaced(new, work.now)))
    return changed is not None


async def note_answer(work: Work, command: StationCommand) -> None:
    """A command has ended; perhaps it took a password or a certificate to the station. Idempotent."""
    if command.outcome is None:
        return
    if command.type == _TAKES_PASSWORDS:
        await _note_password(work, command, command.outcome)
    elif command.type == _TAKES_CERTIFICATES:
        await _note_certificate(work, command, command.outcome)


async def note_logins(work: Work, events: Sequence[StationConnected]) -> None:
    """Stations connected, and so showed which password and which profile they use. Idempotent."""
    in_change = await credentials.stations_in_change(work, {event.station_id for event in events})
    logins: dict[str, list[StationConnected]] = defaultdict(list)
    for event in events:
        if event.station_id in in_change:
            logins[event.station_id].append(event)
    for station_id in sorted(logins):  # in one order, lest two batches wait for each other
        shown = logins[station_id]
        await change(work, station_id, lambda access, shown=shown: _after(access, shown, work))  # type: ignore[misc]  # bound now


def with_keys(access: Access, keyring: Keyring) -> Access:
    """The access with these passwords."""
    return replace(access, keyring=keyring)


def with_profiles(access: Access, profiles: Profiles) -> Access:
    """The access with these profiles: a revision of its own, if they are others."""
    if profiles == access.profiles:
        return access
    return Access(replace(access.keyring, revision=access.keyring.revision + 1), profiles)


async def _note_password(work: Work, command: StationCommand, outcome: CommandOutcome) -> None:
    if not await credentials.stations_in_change(work, (command.station_id,)):
        return
    answer = Answer(command.command_id, outcome, command.status, command.error_code)
    await change(work, command.station_id, lambda access: with_keys(access, access.keyring.answered(answer, work.now)))


async def _note_certificate(work: Work, command: StationCommand, outcome: CommandOutcome) -> None:
    """Where a station is known by the fingerprint of its certificate, that of the new one takes its place."""
    before = await signings.find_by_command(work, command.command_id)
    if before is None or (after := before.answered(outcome, work.now)) == before:
        return
    await signings.store(work, after)
    if after.state is not SigningState.INSTALLED or after.fingerprint is None:
        return
    station_id, fingerprint = after.station_id, after.fingerprint
    access = await stations.find_access(work, station_id)
    if access is not None and access.certificate.fingerprint is not None:
        await stations.edit(work, station_id, {"certificate_fingerprint": fingerprint}, revision=None)
        work.publish(StationAccessChanged(station_id=station_id))
    work.publish(CertificateInstalled(station_id=station_id, signing_id=after.signing_id, fingerprint=fingerprint))


def _after(access: Access, logins: Sequence[StationConnected], work: Work) -> Access:
    for login in logins:
        salt = _salt(access.keyring, login.password_name)
        if salt is not None:
            access = with_keys(access, access.keyring.shown(salt, login.access_revision, work.now))
        profiles = access.profiles.connected(login.security_profile, revision=login.access_revision)
        access = with_profiles(access, profiles)
    return access


def _salt(keyring: Keyring, name: str | None) -> str | None:
    return next((one.salt for one in keyring.valid if password_name(one.salt) == name), None)
