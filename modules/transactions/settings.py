"""What an operator may set: `STRUM_TRANSACTIONS__…`."""

from pydantic import BaseModel, Field


class TransactionsSettings(BaseModel):
    """Settings of the module."""

    refuse_concurrent: bool = Field(
        default=False,
        description="Answer ConcurrentTx where an id token has an open transaction already; never to a retry.",
    )
    command_wait_s: float = Field(
        default=10.0, gt=0, le=60, description="How long the API waits for a station's answer."
    )
