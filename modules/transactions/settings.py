"""What an operator may set: `STRUM_TRANSACTIONS__…`."""

from pydantic import BaseModel, Field


class TransactionsSettings(BaseModel):
    """Settings of the module."""

    refuse_concurrent: bool = Field(
        default=False,
        description="Answer ConcurrentTx where an id token has an open transaction already; never to a retry.",
    )
    samples_kept_days: int = Field(
        default=0, ge=0, description="For how many days meter values are kept, at least; 0: for ever."
    )
    register_rollover_wh: int | None = Field(
        default=None, ge=1, description="Where energy registers begin again at zero, e.g. 10000000000; unset: nowhere."
    )
    command_wait_s: float = Field(
        default=10.0, gt=0, le=60, description="How long the API waits for a station's answer."
    )
