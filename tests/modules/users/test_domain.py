from datetime import UTC, datetime, timedelta

import pytest

from modules.kernel.scopes import SCOPES, Scope
from modules.users.domain import ApiKey, User, fold_email, is_email, password_flaw
from shared_contracts.users import Role

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("password", "fits"),
    [
        ("x" * 11, False),
        ("x" * 12, True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("my OLENA is my password", False),
        ("a long enough sentence", True),
    ],
)
def test_a_password_is_long_and_does_not_contain_the_email_address(password: str, fits: bool) -> None:
    assert (password_flaw(password, "Olena@example.org") is None) is fits


def test_a_local_part_that_any_text_contains_is_no_flaw() -> None:
    assert password_flaw("a long enough sentence", "a@example.org") is None


@pytest.mark.parametrize("text", ["a@b", "Олена@приклад.укр", "admin@localhost", "a+b@c.example"])
def test_an_address_is_an_address(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize("text", ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "\na@b", "a" * 250 + "@b.cd"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_email(text)


def test_addresses_that_differ_in_case_are_the_same() -> None:
    assert fold_email("Olena@Example.ORG") == fold_email("olena@example.org")
    assert fold_email("\u00c9@x") == fold_email("e\u0301@x")


def _owner(role: Role, *, active: bool = True) -> User:
    return User("u", "a@b", "", role, active, 1, NOW, NOW)


def _key(role: Role, scopes: set[Scope] | None = None, expires_at: datetime | None = None) -> ApiKey:
    return ApiKey("k", "u", "n", "h", role, None if scopes is None else frozenset(scopes), NOW, expires_at, None)


def test_a_key_opens_what_its_role_does() -> None:
    assert _key(Role.VIEWER).access(_owner(Role.ADMIN), NOW) == (Role.VIEWER, SCOPES[Role.VIEWER])


def test_a_key_opens_only_its_scopes() -> None:
    key = _key(Role.ADMIN, {Scope.STATIONS_READ})
    assert key.access(_owner(Role.ADMIN), NOW) == (Role.ADMIN, {Scope.STATIONS_READ})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DRIVER])
def test_a_key_opens_no_more_than_its_owner_has_left(role: Role) -> None:
    assert _key(Role.ADMIN).access(_owner(role), NOW) == (role, SCOPES[role])


@pytest.mark.parametrize("scopes", [None, set(Scope), {Scope.TRANSACTIONS_READ, Scope.STATIONS_READ}])
@pytest.mark.parametrize("of_owner", Role)
@pytest.mark.parametrize("of_key", Role)
def test_a_key_opens_no_more_than_it_was_made_for_and_its_owner_may(
    of_key: Role, of_owner: Role, scopes: set[Scope] | None
) -> None:
    access = _key(of_key, scopes).access(_owner(of_owner), NOW)
    assert access is not None
    role, opened = access

    assert opened == SCOPES[of_key] & SCOPES[of_owner] & (set(Scope) if scopes is None else scopes)
    assert opened <= SCOPES[role], "who takes the role's scopes for the key's cuts nothing off"
    assert role in {of_key, of_owner}
    assert (role is Role.DRIVER) is (Role.DRIVER in {of_key, of_owner}), "a driver's key sees what is theirs alone"


def test_a_key_whose_scopes_its_owner_lost_opens_nothing() -> None:
    assert _key(Role.ADMIN, {Scope.USERS_WRITE}).access(_owner(Role.VIEWER), NOW) is None


def test_a_key_of_an_inactive_person_opens_nothing() -> None:
    assert _key(Role.ADMIN).access(_owner(Role.ADMIN, active=False), NOW) is None


def test_a_key_expires_at_its_time() -> None:
    owner = _owner(Role.ADMIN)
    assert _key(Role.ADMIN, expires_at=NOW + timedelta(seconds=1)).access(owner, NOW) is not None
    assert _key(Role.ADMIN, expires_at=NOW).access(owner, NOW) is None
