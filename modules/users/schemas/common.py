"""Kinds of text."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from modules.users.domain import EMAIL_LENGTH, EMAIL_PATTERN

Email = Annotated[str, StringConstraints(max_length=EMAIL_LENGTH, pattern=EMAIL_PATTERN, strip_whitespace=True)]
"""An email address, as far as it can be told without writing to it."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text on one line, without control characters."""

Name = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name, possibly empty."""

Secret = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
"""A password or a token as it is sent; bounded, and judged only by whether it fits."""
