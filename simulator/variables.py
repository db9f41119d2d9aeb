"""What can be configured on a station: a small store with real effects, under the names of both versions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Settings:
    """The settings the simulator obeys, version-neutral; times in seconds."""

    heartbeat_s: float = 300
    meter_interval_s: int = 60
    message_attempts: int = 3
    message_retry_s: int = 60
    message_timeout_s: int = 30
    backoff_minimum_s: int = 3
    backoff_random_s: int = 10
    backoff_repeats: int = 3
    boot_retry_s: int = 60
    authorize_remote_start: bool = False
    stop_on_invalid_id: bool = True
    measurands: str = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"


@dataclass
class Variable:
    """One entry of the store; `setting` names the field of Settings it mirrors, if any."""

    name: str
    kind: str = "string"
    value: str = ""
    setting: str | None = None
    readonly: bool = False
    write_only: bool = False
    needs_reboot: bool = False

    def accepts(self, value: str) -> bool:
        """Whether `value` can be parsed as this variable's kind."""
        if self.kind == "integer":
            return value.isdecimal() and len(value) < 10
        return self.kind != "boolean" or value.lower() in {"true", "false"}


@dataclass
class Store:
    """The variables of a station by name; reading and writing those with a setting go to `settings`."""

    settings: Settings
    _by_name: dict[str, Variable] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, variables: Iterable[Variable]) -> "Store":
        """Return a store that holds copies of `variables`."""
        return cls(settings, {v.name.lower(): Variable(**vars(v)) for v in variables})

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._by_name.values())

    def find(self, name: str) -> Variable | None:
        """Return a variable; names ignore case, as CiStrings do."""
        return self._by_name.get(name.lower())

    def read(self, variable: Variable) -> str:
        """Return the present value as text."""
        if variable.setting is None:
            return variable.value
        value = getattr(self.settings, variable.setting)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def write(self, variable: Variable, value: str) -> bool:
        """Store a value; False if it does not fit the variable's kind."""
        if not variable.accepts(value):
            return False
        if variable.setting is None:
            variable.value = value
        elif variable.kind == "integer":
            setattr(self.settings, variable.setting, int(value))
        elif variable.kind == "boolean":
            setattr(self.settings, variable.setting, value.lower() == "true")
        else:
            setattr(self.settings, variable.setting, value)
        return True
