"""Settings with which no station could ever come in are refused at the start."""

from typing import Any

import pytest
from pydantic import ValidationError

from communication_service.settings import CommunicationSettings


@pytest.mark.parametrize("given", [{"keepers": ""}, {"keepers": " , "}, {"ocpp_plain": False}])
def test_what_would_keep_every_station_out_is_no_setting(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CommunicationSettings(**given)
