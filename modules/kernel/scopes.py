"""Who may do what: every route names one scope, every role has a set of them."""

from dataclasses import dataclass
from enum import StrEnum

from shared_contracts.users import Role


class Scope(StrEnum):
    """What a route demands of its caller."""

    STATIONS_READ = "stations:read"
    STATIONS_WRITE = "stations:write"
    STATIONS_COMMAND = "stations:command"
    TRANSACTIONS_READ = "transactions:read"
    TRANSACTIONS_CONTROL = "transactions:control"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"
    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    DIAGNOSTICS_READ = "diagnostics:read"
    DIAGNOSTICS_WRITE = "diagnostics:write"
    STATISTICS_READ = "statistics:read"
    STATISTICS_WRITE = "statistics:write"
    STREAM_READ = "stream:read"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    AUDIT_READ = "audit:read"
    QUARANTINE_READ = "quarantine:read"
    QUARANTINE_WRITE = "quarantine:write"
    PROFILE = "profile"


_READS = frozenset(scope for scope in Scope if scope.endswith(":read"))
_OF_ADMINS = frozenset({Scope.USERS_READ, Scope.USERS_WRITE, Scope.AUDIT_READ})

SCOPES: dict[Role, frozenset[Scope]] = {
    Role.ADMIN: frozenset(Scope),
    Role.OPERATOR: frozenset(Scope) - _OF_ADMINS,
    Role.VIEWER: _READS - _OF_ADMINS - {Scope.QUARANTINE_READ} | {Scope.PROFILE},
    Role.DRIVER: frozenset({Scope.TRANSACTIONS_READ, Scope.TRANSACTIONS_CONTROL, Scope.STREAM_READ, Scope.PROFILE}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a person, or an API key that acts for one. A driver sees only what is theirs."""

    user_id: str
    role: Role
    scopes: frozenset[Scope]
    api_key_id: str | None = None

    @property
    def driver_id(self) -> str | None:
        """The driver whose things alone are visible, or None for those who see everything."""
        return self.user_id if self.role is Role.DRIVER else None

    def may(self, scope: Scope | None) -> bool:
        """Whether a route with this scope is open to the caller."""
        return scope is None or scope in self.scopes
