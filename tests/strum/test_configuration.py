"""What is read, what is refused, what is told about settings."""

import pytest

from communication_service.settings import CommunicationSettings
from management_service.settings import settings_type
from strum import configuration
from strum.configuration import described, refuse_unknown


def test_every_setting_is_described() -> None:
    rows = {name: text for name, _, text in described()}
    assert {"STRUM_OCPP_PORT", "STRUM_DATABASE_URL", "STRUM_USERS__SIGNING_KEY", "STRUM_DATA_DIR"} <= set(rows)
    assert not [name for name, text in rows.items() if not text.endswith(".")]


def test_a_service_may_see_the_settings_of_the_other() -> None:
    refuse_unknown({"STRUM_DATABASE_URL": "x", "STRUM_USERS__ACCESS_TOKEN_S": "9"}, CommunicationSettings)
    refuse_unknown({"STRUM_OCPP_PORT": "9000", "PATH": "/bin", "STRUM_TEST_X": "1"}, settings_type())


def test_an_image_of_one_service_refuses_the_settings_of_the_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(configuration, "find_spec", lambda name: None if name == "management_service" else object())
    with pytest.raises(SystemExit) as ended:
        refuse_unknown({"STRUM_DATABASE_URL": "secret"}, CommunicationSettings)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "STRUM_DATABASE_URL is not a setting" in said
    assert "secret" not in said
